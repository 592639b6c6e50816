"""One tube for each description: overlaps and the pointing game."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from gytbench.evaluation import Score
from gytbench.evaluation.result import mean_of
from gytbench.evaluation.spatial import answers_of
from gytbench.evaluation.truth import Truth
from gytbench.evaluation.tubes import instances_with_box
from gytbench.metrics import boxes
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.metrics.regions import frame_groups, resized_peaks
from gytbench.metrics.tracks import Tracks, shared_by
from gytbench.predictions import PackedTubes
from gytbench.profiles.conventions import AnswerOverlap, Pointing

VIOU_THRESHOLDS = (0.3, 0.5)
CLIP_SECONDS = 16
"""How many seconds the authors' script gives to the network at a time."""


class Outcome(NamedTuple):
    """Metrics, how many of what they are made of, and why one is not defined."""

    metrics: Mapping[str, Score]
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()


def overlap_outcome(part: AnswerOverlap, packed: PackedTubes, truth: Truth) -> Outcome:
    """Means over instances with a box: `m_viou`, the share above each of `VIOU_THRESHOLDS`,
    `m_tiou`, and `m_siou`, the mean IoU over the boxes of the instance."""
    answer = answers_of(packed, truth)
    known = instances_with_box(truth)
    asked = np.flatnonzero(known & (answer >= 0))
    missing = int(known.sum()) - asked.size
    names = ("m_viou", *(f"viou@{t}" for t in VIOU_THRESHOLDS), "m_tiou", "m_siou")
    counts = {"instances": asked.size}
    if missing and part.unanswered == "refused":
        reason = f"{missing:,} instances have no answer, and the tool stops at the first"
        return Outcome(dict.fromkeys(names), counts, (reason,))
    viou, tiou, siou = _overlaps(part, packed, truth, asked, answer[asked])
    columns = (viou, *((viou > t).astype(float) for t in VIOU_THRESHOLDS), tiou, siou)
    return Outcome(
        {name: mean_of(column) for name, column in zip(names, columns, strict=True)}, counts
    )


def _overlaps(
    part: AnswerOverlap, packed: PackedTubes, truth: Truth, instance: Ints, tube: Ints
) -> tuple[Floats, Floats, Floats]:
    """vIoU, IoU in time, and mean IoU over the true boxes, of each instance and its answer."""
    true = Tracks(truth.first, truth.offset, truth.unit_box)
    said = Tracks(packed.first, packed.offset, packed.box)
    if part.interpolate:
        said = Tracks(said.first, said.offset, interpolated(said))
    shared = shared_by(true, said, instance, tube)
    low = np.maximum(true.first[instance], said.first[tube])
    high = np.maximum(np.minimum(true.stop[instance], said.stop[tube]), low)
    truly = _count(true, instance, true.first[instance], true.stop[instance])
    if part.union == "every":
        both: Ints = high - low
        first = np.minimum(true.first[instance], said.first[tube])
        either: Ints = np.maximum(true.stop[instance], said.stop[tube]) - first
    else:
        either = truly + _count(said, tube, said.first[tube], said.stop[tube]) - shared.seconds
        both = _count(true, instance, low, high) + _count(said, tube, low, high) - shared.seconds
    return shared.iou / either, both / either, shared.iou / truly


def _count(tracks: Tracks, track: Ints, low: Ints, high: Ints) -> Ints:
    """Seconds with a box of each track in [low, high), which lies inside it or is empty."""
    before = np.concatenate(([0], np.cumsum(tracks.has_box)))
    begin = tracks.offset[track] - tracks.first[track]
    empty = high <= low
    low, high = (np.where(empty, tracks.first[track], second) for second in (low, high))
    return np.asarray(before[begin + high] - before[begin + low])


def interpolated(tracks: Tracks) -> Floats:
    """The boxes of all seconds: between two boxes of a track, on a straight line; m x 4."""
    known = np.flatnonzero(tracks.has_box)
    if not known.size:
        return tracks.box
    every = np.arange(len(tracks.box))
    filled = np.stack([np.interp(every, known, side) for side in tracks.box[known].T], axis=1)
    first, last = tracks.boxed
    second = every - tracks.offset[tracks.owner] + tracks.first[tracks.owner]
    inside = (second >= first[tracks.owner]) & (second <= last[tracks.owner])
    filled[~inside] = np.nan
    return filled


def pointing_outcome(part: Pointing, packed: PackedTubes, truth: Truth) -> Outcome:
    """`pointing_accuracy` over the seconds with a box of all videos that have an answer."""
    points = packed.point if part.heatmap == "cell" else _peak_points(packed, truth)
    answer = answers_of(packed, truth)
    unit = np.flatnonzero(truth.unit_has_box & _shown(part, packed, truth))
    instance = truth.unit_instance[unit]
    tube, second = answer[instance], truth.unit_second[unit]
    point = _points_at(points, _entries(packed, tube, second))
    if part.shift:
        _replace(point, _points_at(points, _entries(packed, tube, second + part.shift)))
    if part.last == "padded":
        _pad(point, points, packed, truth, unit, tube)
    box = truth.unit_box[unit]
    hit = boxes.contains(np.rint(box) if part.rounded else box, point)
    counts = {"units": unit.size, "hits": int(hit.sum())}
    return Outcome({part.metric: mean_of(hit.astype(float))}, counts)


def _shown(part: Pointing, packed: PackedTubes, truth: Truth) -> Bools:
    """The units of videos with an answer whose picture is not before the video's first."""
    answered = np.bincount(packed.video, minlength=len(truth.frames)) > 0
    shown = answered[truth.video[truth.unit_instance]]
    return np.asarray(shown & (truth.unit_second + part.shift >= 0))


def _entries(packed: PackedTubes, tube: Ints, second: Ints) -> Ints:
    """The entry of each tube at a second; -1 without a tube, or where it does not cover it."""
    if not packed.video.size:
        return tube
    within = second - packed.first[tube]
    inside = (tube >= 0) & (within >= 0) & (within < np.diff(packed.offset)[tube])
    return np.where(inside, packed.offset[tube] + within, -1)


def _points_at(points: Floats, entry: Ints) -> Floats:
    """The point of each entry, NaN for -1."""
    found = np.full((entry.size, 2), np.nan)
    found[entry >= 0] = points[entry[entry >= 0]]
    return found


def _replace(point: Floats, others: Floats) -> None:
    """Put the others in place of the points, where there is another."""
    np.copyto(point, others, where=~np.isnan(others))


def _pad(
    point: Floats, points: Floats, packed: PackedTubes, truth: Truth, unit: Ints, tube: Ints
) -> None:
    """The last second of a clip: a black frame, or the answer to the second before."""
    instance = truth.unit_instance[unit]
    second = truth.unit_second[unit]
    last = (second == truth.stop[instance] - 1) & (tube >= 0)
    stale = (truth.stop - 1 - truth.first)[instance] % CLIP_SECONDS == 0
    point[last & ~stale] = 0.0
    before = np.where(last & stale, _entries(packed, tube, second - 1), -1)
    _replace(point, _points_at(points, before))


def _peak_points(packed: PackedTubes, truth: Truth) -> Floats:
    """The points, those that were taken from a heatmap's cell taken from its pixels."""
    points = packed.point.copy()
    frames = truth.frames[packed.video[packed.tube]]
    for group in packed.heatmaps:
        rows, columns = group.values.shape[1:]
        cell = group.values.reshape(len(group.values), -1).argmax(axis=1)
        centre = np.stack(((cell % columns + 0.5) / columns, (cell // columns + 0.5) / rows), 1)
        centre *= frames[group.entry]
        derived = np.isnan(packed.box[group.entry, 0])
        derived &= (points[group.entry] == centre).all(axis=1)
        for frame, chosen in frame_groups(frames[group.entry]):
            chosen = chosen[derived[chosen]]
            points[group.entry[chosen]] = resized_peaks(group.values[chosen], frame)
    return points
