"""Boxes over time, and how much two of them overlap, as other evaluators count it.

Two conventions of size: continuous coordinates (`pixel` 0), and inclusive pixels, where
a box [x1, y1, x2, y2] is x2 - x1 + 1 wide (`pixel` 1). Nothing is cut to a frame.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.metrics.timeline import ranges

_PART = 1 << 20
"""Shared seconds that are measured at once."""


@dataclass(frozen=True)
class Tracks:
    """n tracks over m seconds: those of track i are offset[i]:offset[i + 1], the first of
    them at second first[i]. box: m x 4, NaN = none at this second."""

    first: Ints
    offset: Ints
    box: Floats

    @property
    def stop(self) -> Ints:
        """The second after the last of each track."""
        return np.asarray(self.first + np.diff(self.offset))

    @cached_property
    def owner(self) -> Ints:
        """The track of each second."""
        return np.repeat(np.arange(self.first.size), np.diff(self.offset))

    @cached_property
    def has_box(self) -> Bools:
        """Whether each second has a box."""
        return ~np.isnan(self.box[:, 0])

    @cached_property
    def boxed(self) -> tuple[Ints, Ints]:
        """The first second with a box of each track, and the last; -1 and -2 without one."""
        at = np.flatnonzero(self.has_box)
        owner = self.owner[at]
        second = at - self.offset[owner] + self.first[owner]
        low, high = np.full(self.first.size, -1), np.full(self.first.size, -2)
        high[owner] = second
        low[owner[::-1]] = second[::-1]
        return low, high

    @cached_property
    def volume(self) -> Floats:
        """Sum of the areas of each track's boxes."""
        areas = np.nan_to_num(sizes(self.box))
        return np.bincount(self.owner, areas, minlength=self.first.size).astype(np.float64)


class Shared(NamedTuple):
    """What the tracks of each pair share: seconds at which both have a box, the sum of
    the IoUs there, and the sum of the intersections."""

    seconds: Ints
    iou: Floats
    area: Floats


def sizes(box: Floats, pixel: int = 0) -> Floats:
    """Area of each box (k x 4); 0 where it is turned inside out, NaN where there is none."""
    side = np.maximum(box[:, 2:] - box[:, :2] + pixel, 0)
    return np.asarray(side[:, 0] * side[:, 1])


def box_overlaps(a: Floats, b: Floats, pixel: int = 0) -> tuple[Floats, Floats]:
    """IoU and intersection of the boxes of each row (both k x 4); the IoU is 0 where the
    union is empty, both are NaN where either box is none."""
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
    side = np.maximum(high - low + pixel, 0)
    shared = side[:, 0] * side[:, 1]
    union = sizes(a, pixel) + sizes(b, pixel) - shared
    return np.divide(shared, union, out=np.zeros_like(union), where=union != 0), shared


def shared_by(a: Tracks, b: Tracks, left: Ints, right: Ints, pixel: int = 0) -> Shared:
    """Track left[k] of `a` beside track right[k] of `b`, second by second."""
    low = np.maximum(a.first[left], b.first[right])
    high = np.maximum(np.minimum(a.stop[left], b.stop[right]), low)
    found = Shared(np.zeros(left.size, dtype=np.int64), *np.zeros((2, left.size)))
    part = np.cumsum(high - low) // _PART
    for number in np.unique(part):
        rows = slice(*np.searchsorted(part, (number, number + 1)).tolist())
        pair, second = ranges(low[rows], high[rows])
        i, j = left[rows][pair], right[rows][pair]
        boxes = (
            a.box[a.offset[i] + second - a.first[i]],
            b.box[b.offset[j] + second - b.first[j]],
        )
        both = ~(np.isnan(boxes[0][:, 0]) | np.isnan(boxes[1][:, 0]))
        iou, area = box_overlaps(boxes[0][both], boxes[1][both], pixel)
        count = rows.stop - rows.start
        found.seconds[rows] = np.bincount(pair[both], minlength=count)
        found.iou[rows] = np.bincount(pair[both], iou, count)
        found.area[rows] = np.bincount(pair[both], area, count)
    return found


def product_iou(a: Tracks, b: Tracks, left: Ints, right: Ints, pixel: int = 1) -> Floats:
    """IoU in time x mean IoU of the boxes: the tube IoU of ACT and MOC.

    A track reaches from its first second with a box to its last, both counted. The mean
    runs over the seconds at which both have one; without any the IoU is 0.
    """
    a_first, a_last = (each[left] for each in a.boxed)
    b_first, b_last = (each[right] for each in b.boxed)
    overlap = np.minimum(a_last, b_last) - np.maximum(a_first, b_first) + 1
    hull = np.maximum(a_last, b_last) - np.minimum(a_first, b_first) + 1
    shared = shared_by(a, b, left, right, pixel)
    spatial = np.divide(
        shared.iou, shared.seconds, out=np.zeros(left.size), where=shared.seconds > 0
    )
    return np.asarray(overlap / np.maximum(hull, 1) * spatial)


def volumetric_iou(a: Tracks, b: Tracks, left: Ints, right: Ints) -> Floats:
    """Shared area over the area of either, both summed over time: the tube IoU of VQ2D."""
    shared = shared_by(a, b, left, right).area
    union = a.volume[left] + b.volume[right] - shared
    return np.divide(shared, union, out=np.zeros(left.size), where=union > 0)


def interval_iou(a: Floats, b: Floats) -> Floats:
    """IoU of the half-open intervals of each row (both k x 2); 0 where they do not meet."""
    shared = np.minimum(a[:, 1], b[:, 1]) - np.maximum(a[:, 0], b[:, 0])
    shared = np.maximum(shared, 0)
    union = (a[:, 1] - a[:, 0]) + (b[:, 1] - b[:, 0]) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(union), where=union > 0))


def suppressed(first: Ints, second: Ints, count: int) -> Bools:
    """Which of `count` ranked items fall to a better one that stands (greedy suppression).

    first, second: the pairs that overlap too much, by rank, first < second.
    """
    fallen = np.zeros(count, dtype=bool)
    order = np.argsort(first, kind="stable")
    begin = np.searchsorted(first[order], np.arange(count + 1))
    for item in np.unique(first).tolist():
        if not fallen[item]:
            fallen[second[order[begin[item] : begin[item + 1]]]] = True
    return fallen
