"""Whether a box can have come from points of which only mean and mean distance are known.

Write l, r for how far the outermost points lie left and right of the mean point,
and t, b for above and below. An edge that is not clipped tells its reach exactly:
x1 = mean_x - l - margin. For n points with mean distance d from their mean:

- no reach is negative, and none exceeds n/2 d, because the distances to one side
  add up to those to the other;
- one reach is at most n - 1 times its opposite, because the points balance;
- d is at most sqrt(l r + t b), because the variance along an axis is at most the
  product of its two reaches (Bhatia and Davis 2000).

A box that meets all three is explained: some five points would give it.
"""

from typing import NamedTuple

import numpy as np

from gytbench.construction.boxes import MARGIN, Clip, clip_limits, frame_scales
from gytbench.metrics.arrays import Bools, Floats

ANNOTATORS = 5
"""Points a frame, at most."""

ROUNDING = 0.5
"""Pixels by which an edge may be off: released boxes are whole numbers."""


def explained(
    boxes: Floats,
    means: Floats,
    mean_distances: Floats,
    sizes: Floats,
    *,
    margin: float = MARGIN,
    clip: Clip = "swapped",
) -> Bools:
    """Which boxes the rule can have made (k).

    boxes: k x 4; means: k x 2; mean_distances: k x 2, the one mean distance of a
    frame in its pixels along x and along y, which differ for points that were
    drawn on the video before it was stretched; sizes: k x 2. A frame without a mean
    point (NaN) is not explained.
    """
    margins = margin * frame_scales(sizes)
    limits = clip_limits(sizes, clip)
    across, down = (
        _axis(boxes[:, i::2], means[:, i], mean_distances[:, i], margins[:, i], limits[:, i])
        for i in range(2)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = _share(across) + _share(down)
    agreed = (mean_distances == 0).all(axis=1)
    return np.asarray(across.possible & down.possible & (agreed | (apart >= 1)))


class _Axis(NamedTuple):
    """One axis of k boxes: mean distance, and the largest reaches that the edges allow."""

    distance: Floats
    low: Floats
    high: Floats
    possible: Bools


def _axis(edges: Floats, mean: Floats, distance: Floats, margin: Floats, limit: Floats) -> _Axis:
    low, high = mean - edges[:, 0] - margin, edges[:, 1] - margin - mean
    low_cut, high_cut = edges[:, 0] <= 0, edges[:, 1] >= limit
    farthest = ANNOTATORS / 2 * distance + ROUNDING
    in_frame = (edges[:, 0] >= 0) & (edges[:, 1] <= limit)
    possible = in_frame & (low <= farthest) & (high <= farthest)
    # A cut edge says how far its point lies at least; a free one how far it lies.
    possible &= (low_cut | (low >= -ROUNDING)) & (high_cut | (high >= -ROUNDING))
    most_low = np.where(low_cut, farthest, low + ROUNDING)
    most_high = np.where(high_cut, farthest, high + ROUNDING)
    possible &= low - ROUNDING <= (ANNOTATORS - 1) * most_high
    possible &= high - ROUNDING <= (ANNOTATORS - 1) * most_low
    return _Axis(
        distance,
        np.minimum(most_low, (ANNOTATORS - 1) * most_high),
        np.minimum(most_high, (ANNOTATORS - 1) * most_low),
        possible,
    )


def _share(axis: _Axis) -> Floats:
    """The part of the squared mean distance that the points' variance along an axis allows."""
    return np.asarray(axis.low * axis.high / axis.distance**2)
