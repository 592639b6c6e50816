"""Read files of points in any of the formats that annotation tools write.

One module per format; `read_rows` tells them apart by their content. Every fault of
a file is raised at once, in one `InputError`.
"""

from gytbench.annotation.reading.detecting import PointFile, read_points, read_rows
from gytbench.annotation.reading.sizes import read_sizes

__all__ = ["PointFile", "read_points", "read_rows", "read_sizes"]
