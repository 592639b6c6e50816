"""Tubes of the task `st`: volumetric overlap with instances, and matching."""

from dataclasses import dataclass

import numpy as np

from gytbench.evaluation.overlaps import Overlaps
from gytbench.evaluation.truth import Truth
from gytbench.metrics import boxes
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.metrics.matching import greedy_match
from gytbench.predictions import PackedTubes


@dataclass(frozen=True)
class Pairs:
    """Tubes and instances of the same video that share a second, with tube IoU."""

    tube: Ints
    instance: Ints
    iou: Floats


def ranked_tubes(packed: PackedTubes, measured: Overlaps, removed: Bools) -> Ints:
    """The tubes that count, best first; those left with no second do not.

    Ties in score are ordered by video, start and end. Tubes alike in all of these
    are ordered by what is measured of them, since the order of the file must not
    decide which of them takes an instance.
    """
    remaining = np.bincount(packed.tube, ~removed, minlength=packed.video.size)
    kept = np.flatnonzero(remaining > 0)
    keys = np.stack((packed.end, packed.start, packed.video.astype(float), -packed.score))
    keys = keys[:, kept]
    order = np.lexsort(keys)
    ranked = kept[order]
    same = (keys[:, order[1:]] == keys[:, order[:-1]]).all(axis=0)
    run = np.concatenate(([0], np.cumsum(~same)))
    ties = np.flatnonzero(np.bincount(run) > 1)
    if ties.size:
        columns = (measured.shared, measured.area, measured.box_area)
        content = [np.where(removed, 0, np.nan_to_num(column)) for column in columns]
    for tie in ties:
        begin, end = np.searchsorted(run, (tie, tie + 1))
        ranked[begin:end] = _by_content(ranked[begin:end], packed, content)
    return ranked


def _by_content(tubes: Ints, packed: PackedTubes, content: list[Floats]) -> Ints:
    """Tubes of one interval, ordered by all that is measured of them second by second."""
    length = packed.offset[tubes[0] + 1] - packed.offset[tubes[0]]
    entries = packed.offset[tubes][:, np.newaxis] + np.arange(length)
    keys = np.stack([column[entries] for column in content], axis=2).reshape(tubes.size, -1)
    return tubes[np.lexsort(keys.T[::-1])]


def tube_pairs(
    packed: PackedTubes, truth: Truth, measured: Overlaps, removed: Bools, any_class: bool = False
) -> Pairs:
    """Volumetric IoU of every tube with every instance (with a box) that it can match.

    Sum of the intersections over sum of the unions, over the seconds of either,
    `removed` entries left out of the tube. With `any_class`, also with the instances
    that it could match had it another label.
    """
    tube, instance = _candidates(packed, truth, any_class)
    begin, end = shared_entries(packed, truth, tube, instance)
    area = np.where(removed, 0, np.nan_to_num(measured.area))
    volume = np.bincount(packed.tube, area, minlength=packed.video.size).astype(np.float64)
    # Where both sides have a region, the box counts in the region's measure.
    both = ~(np.isnan(measured.area) | np.isnan(measured.box_area))
    remeasured = np.where(both, measured.box_area - measured.exact_box_area, 0)
    true_volume = instance_volumes(truth)[instance] + slice_sums(remeasured, begin, end)
    shared = slice_sums(measured.shared, begin, end)
    return Pairs(tube, instance, boxes.iou(shared, volume[tube], true_volume))


def instance_volumes(truth: Truth) -> Floats:
    """Sum of the box areas, inside the frame, over the seconds of each instance."""
    frames = truth.frames[truth.video[truth.unit_instance]]
    area = np.nan_to_num(boxes.area(boxes.clip(truth.unit_box, frames)))
    volumes = np.bincount(truth.unit_instance, area, minlength=truth.video.size)
    return np.asarray(volumes, dtype=np.float64)


def instances_with_box(truth: Truth) -> Bools:
    """Which instances have a box at any of their seconds, degenerate ones included."""
    count = np.bincount(truth.unit_instance[truth.unit_has_box], minlength=truth.video.size)
    return count > 0


def positives(truth: Truth) -> Ints:
    """How many instances have a box, by video and class (videos x classes)."""
    known = instances_with_box(truth)
    counts = np.zeros((len(truth.frames), truth.classes), dtype=np.int64)
    np.add.at(counts, (truth.video[known], truth.label[known]), 1)
    return counts


def _candidates(packed: PackedTubes, truth: Truth, any_class: bool) -> tuple[Ints, Ints]:
    """Tubes with each instance (with a box) of their video that they overlap in time, and
    unless `any_class` of their class."""
    known = np.flatnonzero(instances_with_box(truth))
    key, tube_key = (
        side.video if any_class else side.video * truth.classes + side.label
        for side in (truth, packed)
    )
    key = key[known]
    known = known[np.argsort(key, kind="stable")]
    key = np.sort(key)
    begin = np.searchsorted(key, tube_key, side="left")
    count = np.searchsorted(key, tube_key, side="right") - begin
    tube = np.repeat(np.arange(packed.video.size), count)
    within = np.arange(tube.size) - np.repeat(np.cumsum(count) - count, count)
    instance = known[begin[tube] + within]
    first, stop = _seconds(packed)
    meets = (first[tube] < truth.stop[instance]) & (stop[tube] > truth.first[instance])
    return tube[meets], instance[meets]


def _seconds(packed: PackedTubes) -> tuple[Ints, Ints]:
    """First integer second of each tube, and the one after its last."""
    return packed.first, packed.first + np.diff(packed.offset)


def shared_entries(
    packed: PackedTubes, truth: Truth, tube: Ints, instance: Ints
) -> tuple[Ints, Ints]:
    """Range of the tube's entries that the instance covers too."""
    first, stop = _seconds(packed)
    base = packed.offset[tube] - first[tube]
    begin = base + np.maximum(first[tube], truth.first[instance])
    return begin, base + np.minimum(stop[tube], truth.stop[instance])


def slice_sums(values: Floats, begin: Ints, end: Ints) -> Floats:
    """Sum of values[begin:end] for each pair, none of them empty, each on its own:
    differences of one running sum would carry its rounding into small slices."""
    if not begin.size:
        return np.zeros(0)
    bounds = np.stack((begin, end), axis=1).ravel()
    return np.asarray(np.add.reduceat(np.append(values, 0.0), bounds)[::2])


def match_tubes(pairs: Pairs, ranked: Ints, tubes: int, truth: Truth, threshold: float) -> Ints:
    """The instance that each ranked tube (of `tubes` in the file) takes; -1 = none.

    In order of rank, a tube takes the free instance of its class in its video with
    the highest IoU >= threshold (ties: earlier start, then end, then id).
    """
    order = np.lexsort((truth.id, truth.stop, truth.first))
    number = np.empty_like(order)
    number[order] = np.arange(order.size)
    rank = np.full(tubes, -1)
    rank[ranked] = np.arange(ranked.size)
    counted = rank[pairs.tube] >= 0
    taken = greedy_match(
        rank[pairs.tube[counted]],
        number[pairs.instance[counted]],
        pairs.iou[counted],
        threshold,
        predictions=ranked.size,
        targets=order.size,
    )
    return np.where(taken >= 0, order[taken], -1)
