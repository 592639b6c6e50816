"""The cause of every false tube and of every instance that no tube found.

A ranked tube that takes no instance at the threshold is false. Its cause is the
first of these that holds:

1. duplicate: an instance of its class, which another tube took, has IoU >= threshold;
2. wrong label: an instance of another class has IoU >= threshold;
3. an instance of its class has a temporal IoU of at least `NEAR`. Of these, the one
   with the highest IoU (ties: the highest temporal IoU) decides. In time at the
   threshold, but not in place: wrong place. In place, but not in time: wrong time.
   Otherwise: time and place;
4. background.

Time is counted in seconds that have a box; the place is volumetric IoU over the
seconds that both share. An instance is missed when no tube takes it and no false
tube with cause 2 or 3 was meant for it.
"""

from typing import NamedTuple

import numpy as np

from gytbench.diagnosis.model import CAUSES
from gytbench.evaluation import tubes
from gytbench.evaluation.st import Measured
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.predictions import PackedTubes

NEAR = 0.1
"""Temporal IoU from which a tube is meant for an instance of its class."""

BACKGROUND, LABEL, TIME, PLACE, BOTH, DUPLICATE, MISSED = range(len(CAUSES))
RIGHT = -1


class Causes(NamedTuple):
    """What became of n ranked tubes and of the instances."""

    cause: Ints
    """A place in `CAUSES`, or `RIGHT` (n)."""
    target: Ints
    """The instance that a false tube was meant for, -1 = none (n)."""
    missed: Bools
    """Of the instances with a box: whether nothing was meant for it (instances)."""


class _Nearness(NamedTuple):
    """Pairs of a ranked tube (its place in the ranking) and an instance, and how near they are."""

    rank: Ints
    instance: Ints
    iou: Floats
    time: Floats
    place: Floats
    same_label: Bools


def find_causes(packed: PackedTubes, laid: Measured, taken: Ints, threshold: float) -> Causes:
    """The causes at a threshold of tube IoU. taken: the instance of each ranked tube, -1 = none."""
    near = _nearness(packed, laid)
    cause = np.full(taken.size, BACKGROUND)
    target = np.full(taken.size, -1)
    meant = near.same_label & (near.time >= NEAR)
    in_time, in_place = near.time >= threshold, near.place >= threshold
    kind = np.where(in_time & ~in_place, PLACE, np.where(in_place & ~in_time, TIME, BOTH))
    enough = near.iou >= threshold
    label = np.full(kind.size, LABEL)
    duplicate = np.full(kind.size, DUPLICATE)
    # The later overrules the earlier.
    for found, causes in (
        (meant, kind),
        (~near.same_label & enough, label),
        (near.same_label & enough, duplicate),
    ):
        best = _best(near, np.flatnonzero(found))
        cause[near.rank[best]] = causes[best]
        target[near.rank[best]] = near.instance[best]
    right = taken >= 0
    cause[right] = RIGHT
    target[right] = -1
    reached = tubes.instances_with_box(laid.truth)
    reached[taken[right]] = False
    reached[target[target >= 0]] = False
    return Causes(cause, target, reached)


def _best(near: _Nearness, rows: Ints) -> Ints:
    """Of some rows, the nearest instance of each tube: by IoU, then temporal IoU."""
    keys = (near.instance[rows], -near.time[rows], -near.iou[rows], near.rank[rows])
    order = rows[np.lexsort(keys)]
    first = np.ones(order.size, dtype=bool)
    first[1:] = near.rank[order[1:]] != near.rank[order[:-1]]
    return order[first]


def _nearness(packed: PackedTubes, laid: Measured) -> _Nearness:
    truth, overlaps, kept = laid.truth, laid.overlaps, ~laid.removed
    pairs = tubes.tube_pairs(packed, truth, overlaps, laid.removed, any_class=True)
    place = np.full(packed.video.size, -1)
    place[laid.ranked] = np.arange(laid.ranked.size)
    counted = place[pairs.tube] >= 0
    tube, instance, iou = pairs.tube[counted], pairs.instance[counted], pairs.iou[counted]
    begin, end = tubes.shared_entries(packed, truth, tube, instance)

    boxed = kept & ~np.isnan(laid.grid.box[laid.grid.entry_cell, 0])
    shared = tubes.slice_sums(boxed.astype(float), begin, end)
    said = np.bincount(packed.tube, kept, minlength=packed.video.size)[tube]
    true = np.bincount(truth.unit_instance, truth.unit_has_box, minlength=truth.video.size)
    time = shared / np.maximum(said + true[instance] - shared, 1)

    area, box_area = (
        np.where(boxed, np.nan_to_num(side), 0) for side in (overlaps.area, overlaps.box_area)
    )
    common = tubes.slice_sums(np.where(boxed, overlaps.shared, 0), begin, end)
    either = tubes.slice_sums(area + box_area, begin, end) - common
    where = np.divide(common, either, out=np.zeros_like(common), where=either > 0)
    same = packed.label[tube] == truth.label[instance]
    return _Nearness(place[tube], instance, iou, time, where, same)
