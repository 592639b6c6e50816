"""One annotator's answer for one frame, as any file of points tells it."""

from typing import NamedTuple


class PointRow(NamedTuple):
    """One row of a file of points.

    The frame is (video, second, step); `step` is "" where the file names none.
    x and y are pixels of the frame's own width and height (right, down); both are
    None where the annotator saw nothing to point at. `width` and `height` are None
    where the file does not tell them. `mean_distance` is set in a file of mean
    points only: the mean distance of the annotators' points from (x, y), in the
    same pixels; `annotator` is then "mean". `where` names file and place, for
    messages.
    """

    video: str
    second: int
    step: str
    annotator: str
    x: float | None
    y: float | None
    width: float | None
    height: float | None
    where: str
    mean_distance: float | None = None
