"""What a pixel-mask evaluation costs: every region drawn at full size, frame by frame.

The steps are those of the benchmark's official evaluation script: per annotated
second the heatmap is enlarged to the whole frame, its maximum is looked for there,
the enlarged map is cut in place to zeros and ones, the box is drawn into a mask
column by column, and the two are multiplied and added pixel by pixel. The
conventions are those of this package, so that the numbers can be compared too.
"""

import numpy as np
from numpy.typing import NDArray

from gytbench.benchmark import Box, Instance

Pixels = NDArray[np.float64]


def box_pixels(box: Box, frame: tuple[int, int]) -> Pixels:
    """The pixels whose centre is inside the box, drawn a column at a time."""
    width, height = frame
    x1, y1, x2, y2 = box
    top, bottom = (min(max(int(np.ceil(y - 0.5)), 0), height) for y in (y1, y2))
    mask = np.zeros((height, width))
    for column in range(width):
        if x1 <= column + 0.5 < x2:
            mask[top:bottom, column] = 1
    return mask


def point_and_pixels(
    heatmap: NDArray[np.float64], frame: tuple[int, int]
) -> tuple[tuple[int, int], Pixels]:
    """The first maximal pixel (row, column) of the enlarged heatmap, and its region."""
    enlarged = np.ascontiguousarray(_stretch(_stretch(heatmap, frame[1]).T, frame[0]).T)
    row, column = np.unravel_index(enlarged.argmax(), enlarged.shape)
    level = 0.5 * heatmap.max()
    below = enlarged < level
    enlarged[~below] = 1
    enlarged[below] = 0
    return (int(row), int(column)), enlarged


def _stretch(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Rows resized linearly, cell centres aligned, edges replicated."""
    count = len(values)
    position = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
    low = position.astype(int)
    weight = (position - low)[:, None]
    high = np.minimum(low + 1, count - 1)
    return np.asarray(values[low] * (1 - weight) + values[high] * weight)


def hit_and_iou(
    heatmap: NDArray[np.float64], box: Box, frame: tuple[int, int]
) -> tuple[bool, float]:
    """Whether the maximal pixel is in the box, and the IoU of the two masks."""
    (row, column), region = point_and_pixels(heatmap, frame)
    x1, y1, x2, y2 = box
    hit = x1 <= column <= x2 and y1 <= row <= y2
    mask = box_pixels(box, frame)
    shared = (region * mask).sum()
    union = ((region + mask) > 0).sum()
    return bool(hit), float(shared / union) if union else 0.0


def tube_iou(
    seconds: dict[int, Box], instance: Instance, boxes: dict[int, Box], frame: tuple[int, int]
) -> float:
    """Volumetric IoU of a tube with an instance, both drawn second by second."""
    shared = union = 0.0
    empty = np.zeros((frame[1], frame[0]))
    covered = set(instance.seconds())
    for second in seconds.keys() | covered:
        said, true = seconds.get(second), boxes.get(second) if second in covered else None
        a = empty if said is None else box_pixels(said, frame)
        b = empty if true is None else box_pixels(true, frame)
        shared += float((a * b).sum())
        union += float(((a + b) > 0).sum())
    return shared / union if union else 0.0
