"""Right boxes from the released ones, which were clipped with width and height exchanged."""

import numpy as np

from gytbench.construction.boxes import MARGIN, clip_limits, frame_scales
from gytbench.metrics.arrays import Bools, Floats


def cut_at_height(boxes: Floats, sizes: Floats) -> Bools:
    """Which boxes end at the frame's height in x, where the frame goes on (k)."""
    limit = clip_limits(sizes, "swapped")[:, 0]
    return np.asarray((boxes[:, 2] == limit) & (limit < sizes[:, 0]))


def repair(boxes: Floats, mean_x: Floats, sizes: Floats, *, margin: float = MARGIN) -> Floats:
    """The boxes with their lower edge in the frame and their cut right edge estimated.

    The right edge mirrors the left one at the mean point: 2 mean_x - x1. It is at
    least mean_x + margin, as the rule has it, at least where it was cut, since the
    box reached that far, and at most the frame's width. x1 and y1 stay. A cut box
    without a mean point (mean_x NaN) keeps its right edge.
    boxes: k x 4; mean_x: k; sizes: k x 2. Returns k x 4.
    """
    x1, y1, x2, y2 = boxes.T
    least = np.maximum(mean_x + margin * frame_scales(sizes)[:, 0], x2)
    mirrored = np.minimum(np.maximum(2 * mean_x - x1, least), sizes[:, 0])
    estimated = cut_at_height(boxes, sizes) & ~np.isnan(mean_x)
    x2 = np.where(estimated, mirrored, x2)
    return np.column_stack((x1, y1, x2, np.minimum(y2, sizes[:, 1])))
