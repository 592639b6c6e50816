"""Boxes from centre points: their union, grown by a margin, clipped to the frame."""

from typing import Literal

import numpy as np

from gytbench.construction.points import PointSets
from gytbench.metrics.arrays import Floats

Clip = Literal["frame", "swapped"]
"""Where boxes end: at the frame, or where the released ones do (see `clip_limits`)."""

CLIPS: tuple[Clip, Clip] = ("frame", "swapped")

REFERENCE_FRAME = (640, 480)
"""The frame that margins are given for; an upright frame is measured against 480x640."""

MARGIN = 100.0
"""Pixels of the reference frame that a box reaches beyond its points, on every side."""


def frame_scales(sizes: Floats) -> Floats:
    """Pixels of each frame (k x 2: width, height) to one of its reference frame (k x 2)."""
    upright = sizes[:, 1] > sizes[:, 0]
    reference = np.where(upright[:, None], REFERENCE_FRAME[::-1], REFERENCE_FRAME)
    return np.asarray(sizes / reference, dtype=np.float64)


def clip_limits(sizes: Floats, clip: Clip) -> Floats:
    """The largest x and y that a box may reach, by frame (k x 2).

    "frame" is the frame's own width and height. "swapped" is the fault of the
    released boxes: x ends at the frame's shorter side and y at its longer one, so
    at 480 and 640 in a frame of 640x480. (Upright frames come out right.)
    """
    return np.sort(sizes, axis=1) if clip == "swapped" else sizes


def boxes_of_points(
    points: PointSets, sizes: Floats, *, margin: float = MARGIN, clip: Clip = "frame"
) -> Floats:
    """The box of each frame: union of its points, grown by the margin, clipped.

    sizes: width and height of each frame (k x 2), in the pixels of the points.
    Returns k x 4 as x1, y1, x2, y2; NaN for a frame without points.
    """
    low, high = points.reduce(np.minimum, points.xy), points.reduce(np.maximum, points.xy)
    return _grown(low, high, sizes, margin, clip)


def boxes_around(
    means: Floats,
    mean_distances: Floats,
    sizes: Floats,
    *,
    margin: float = MARGIN,
    clip: Clip = "frame",
) -> Floats:
    """Estimated boxes, where only the mean point and the mean distance of a frame are known.

    The outermost point is taken to lie one mean distance from the mean point on
    each side: so it is on average in the released files (docs/annotation.md).
    means: k x 2; mean_distances: k x 2, along x and y; sizes: k x 2. Returns k x 4.
    """
    return _grown(means - mean_distances, means + mean_distances, sizes, margin, clip)


def _grown(low: Floats, high: Floats, sizes: Floats, margin: float, clip: Clip) -> Floats:
    margins = margin * frame_scales(sizes)
    limits = clip_limits(sizes, clip)
    return np.hstack((np.maximum(low - margins, 0), np.minimum(high + margins, limits)))
