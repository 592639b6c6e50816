"""Pack tubes into flat arrays in the annotation frame, ready for scoring.

This is also where a file is held against the benchmark: unknown videos and
labels, lengths that differ, numbers that cannot be. All faults are listed.
"""

from collections import defaultdict
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.errors import Fault, InputError
from gytbench.metrics.arrays import Floats, Ints
from gytbench.predictions import columns
from gytbench.predictions.columns import FaultCollector, Flat
from gytbench.predictions.encoding import decode_heatmap, decode_runs
from gytbench.predictions.instances import check_instances
from gytbench.predictions.schema import MAX_SECONDS, Predictions

MAX_COVERED_SECONDS = 20_000_000
"""Seconds that all tubes of a file may cover together."""

_WIDTHS = {"points": 2, "boxes": 4, "scores": 1}


@dataclass(frozen=True)
class HeatmapGroup:
    """Heatmaps of one shape: `values` is k x rows x columns, `entry` the k entries."""

    entry: Ints
    values: Floats


@dataclass(frozen=True)
class MaskGroup:
    """k masks of one size [height, width]; set are the pixels first <= p < stop of each
    run, counted down the columns; `owner` is the run's mask, an index into `entry`."""

    entry: Ints
    size: tuple[int, int]
    owner: Ints
    first: Ints
    stop: Ints


@dataclass(frozen=True)
class PackedTubes:
    """n tubes and their m entries, an entry being an integer second that a tube covers.

    Entries of tube i are offset[i]:offset[i + 1], in time order. Coordinates are
    in the annotation frame; NaN = none.
    """

    video: Ints
    """Index into the benchmark's `videos`."""
    label: Ints
    """Index into the benchmark's class names."""
    score: Floats
    start: Floats
    end: Floats
    instance: Ints
    """The id of the instance answered, -1 = none."""
    offset: Ints
    tube: Ints
    second: Ints
    entry_score: Floats
    point: Floats
    """m x 2: as given, or derived from the region."""
    box: Floats
    """m x 4."""
    heatmaps: tuple[HeatmapGroup, ...]
    masks: tuple[MaskGroup, ...]

    @property
    def first(self) -> Ints:
        """The first integer second at or after each tube's start."""
        return np.ceil(self.start).astype(np.int64)

    @property
    def has_regions(self) -> bool:
        """Whether any second has a box, heatmap or mask."""
        return bool(self.heatmaps or self.masks or not np.isnan(self.box).all())


def pack(predictions: Predictions, benchmark: Benchmark, task: str) -> PackedTubes:
    """Pack a file for a task; raises InputError with every fault found."""
    found = FaultCollector(predictions)
    tubes = predictions.tubes
    video = columns.video_indices(benchmark, found)
    label = columns.label_indices(benchmark, found)
    start, end, score = (columns.column(tubes, name) for name in ("start", "end", "score"))
    columns.check_intervals(start, end, found)
    if task == "spatial":
        check_instances(benchmark, label, found)
    unscored = np.flatnonzero(~np.isfinite(score))
    found.add_each(unscored, ".score", lambda _: "must be a finite number", "number out of range")
    first, lengths = _covered_seconds(start, end, found)

    times = columns.number_rows(columns.flatten(tubes, "times"), 1)
    columns.check_times(times, start, end, found)
    spoken = np.where(times.present, times.counts, np.where(end > start, lengths, -1))
    fields = {name: _numbers(name, width, spoken, found) for name, width in _WIDTHS.items()}
    columns.check_corners(fields["boxes"], found)
    heatmaps = _decoded("heatmaps", decode_heatmap, spoken, found)
    masks = _decoded("masks", lambda mask: (mask.size, decode_runs(mask)), spoken, found)
    if found.faults:
        raise InputError(found.faults)

    offset = np.concatenate(([0], np.cumsum(lengths)))
    layout = _Layout(offset, first, times)
    frames = frames_of(benchmark)[video]
    scale = frames / _given_frames(predictions)
    tube = np.repeat(np.arange(video.size), lengths)
    box = layout.spread(fields["boxes"], np.tile(scale, 2))
    heatmap_groups = _heatmap_groups(heatmaps, layout)
    mask_groups = _mask_groups(masks, layout)
    point = layout.spread(fields["points"], scale)
    _fill_points(point, box, heatmap_groups, mask_groups, frames, tube)
    return PackedTubes(
        video=video,
        label=label,
        score=score,
        start=start,
        end=end,
        instance=np.array([-1 if t.instance is None else t.instance for t in tubes], np.int64),
        offset=offset,
        tube=tube,
        second=np.arange(offset[-1]) - np.repeat(offset[:-1] - first, lengths),
        entry_score=_entry_scores(score[tube], fields["scores"], layout),
        point=point,
        box=box,
        heatmaps=heatmap_groups,
        masks=mask_groups,
    )


def frames_of(benchmark: Benchmark) -> Floats:
    """(W, H) of every video, in the order of `Benchmark.videos`."""
    return np.array([benchmark.frames[video] for video in benchmark.videos], dtype=float)


def doubts(packed: PackedTubes, benchmark: Benchmark) -> list[str]:
    """What is legal, but hardly meant."""
    frames = frames_of(benchmark)
    known = np.flatnonzero(~np.isnan(packed.point[:, 0]))
    # Some thousands tell as much as millions.
    known = known[:: 1 + known.size // 5000]
    share = np.abs(packed.point[known]) / frames[packed.video[packed.tube[known]]]
    if known.size and np.median(share.max(axis=1)) > 2:
        return [
            "most points lie far outside their frames: is `frame_size` missing or wrong? "
            "Without it coordinates count as fractions of the frame"
        ]
    return []


def _covered_seconds(start: Floats, end: Floats, found: FaultCollector) -> tuple[Ints, Ints]:
    """First integer second of each tube, and how many it covers; none for a faulty interval."""
    usable = (start >= 0) & (end > start) & (end <= MAX_SECONDS)
    low = np.ceil(np.where(usable, start, 0))
    high = np.ceil(np.where(usable, end, 0))
    if (high - low).sum() > MAX_COVERED_SECONDS:
        reason = f"the tubes cover more than {MAX_COVERED_SECONDS:,} seconds together"
        raise InputError([*found.faults, Fault(found.predictions.source, reason, "too much")])
    return low.astype(np.int64), (high - low).astype(np.int64)


def _numbers(name: str, width: int, spoken: Ints, found: FaultCollector) -> Flat:
    flat = columns.number_rows(columns.flatten(found.predictions.tubes, name), width)
    columns.check_lengths(name, flat, spoken, found)
    columns.check_numbers(name, flat, columns.LARGEST[name], found)
    return flat


def _decoded(name: str, decode: Any, spoken: Ints, found: FaultCollector) -> Flat:
    """A field of heatmaps or masks, each decoded."""
    flat = columns.flatten(found.predictions.tubes, name)
    columns.check_lengths(name, flat, spoken, found)
    decoded = []
    for item, value in enumerate(flat.values):
        try:
            decoded.append(decode(value))
        except ValueError as error:
            place = f".{name}[{flat.position[item]}]"
            found.add(flat.owner[item], place, str(error), f"bad {name[:-1]}")
    return Flat(flat.counts, flat.owner, flat.position, decoded)


def _given_frames(predictions: Predictions) -> Floats:
    """The frame that each tube's coordinates are given in, n x 2."""
    default = predictions.frame_size or (1.0, 1.0)
    sizes = list(map(attrgetter("frame_size"), predictions.tubes))
    if sizes.count(None) == len(sizes):
        return np.tile(np.array(default, dtype=float), (len(sizes), 1))
    return np.array([size or default for size in sizes], dtype=float)


class _Layout:
    """Where the values that tubes list go among the entries."""

    def __init__(self, offset: Ints, first: Ints, times: Flat) -> None:
        self.offset = offset
        self._timed = times.present
        self._times_begin = np.cumsum(np.maximum(times.counts, 0)) - np.maximum(times.counts, 0)
        seconds = times.values[:, 0].astype(np.int64)
        self._entry_of_time = offset[times.owner] + seconds - first[times.owner]

    def entries(self, flat: Flat) -> Ints:
        """The entry of each value of a field."""
        entry = self.offset[flat.owner] + flat.position
        timed = self._timed[flat.owner]
        if timed.any():
            slot = self._times_begin[flat.owner[timed]] + flat.position[timed]
            entry[timed] = self._entry_of_time[slot]
        return entry

    def spread(self, flat: Flat, scale: Floats) -> Floats:
        """A field's rows, scaled per tube, at their entries; NaN elsewhere."""
        scaled: Floats = flat.values if (scale == 1).all() else flat.values * scale[flat.owner]
        if len(scaled) == self.offset[-1]:
            return scaled  # one for each entry, in order
        rows = np.full((self.offset[-1], scale.shape[1]), np.nan)
        rows[self.entries(flat)] = scaled
        return rows


def _entry_scores(scores: Floats, given: Flat, layout: _Layout) -> Floats:
    """The tube's score at each entry, or the entry's own where given."""
    scores[layout.entries(given)] = given.values[:, 0]
    return scores


def _heatmap_groups(heatmaps: Flat, layout: _Layout) -> tuple[HeatmapGroup, ...]:
    by_shape: dict[tuple[int, int], list[int]] = defaultdict(list)
    for item, values in enumerate(heatmaps.values):
        by_shape[values.shape].append(item)
    entries = layout.entries(heatmaps)
    return tuple(
        HeatmapGroup(entries[items], np.stack([heatmaps.values[i] for i in items]))
        for items in by_shape.values()
    )


def _mask_groups(masks: Flat, layout: _Layout) -> tuple[MaskGroup, ...]:
    by_size: dict[tuple[int, int], list[int]] = defaultdict(list)
    for item, (size, _) in enumerate(masks.values):
        by_size[size].append(item)
    entries = layout.entries(masks)
    return tuple(
        _mask_group(entries[items], size, [masks.values[i][1] for i in items])
        for size, items in by_size.items()
    )


def _mask_group(entry: Ints, size: tuple[int, int], runs: list[Ints]) -> MaskGroup:
    edges = [np.cumsum(run) for run in runs]
    first = [edge[0:-1:2] for edge in edges]
    stop = [edge[1::2] for edge in edges]
    owner = np.repeat(np.arange(len(runs)), [part.size for part in stop])
    return MaskGroup(entry, size, owner, np.concatenate(first), np.concatenate(stop))


def _fill_points(
    point: Floats,
    box: Floats,
    heatmaps: tuple[HeatmapGroup, ...],
    masks: tuple[MaskGroup, ...],
    frames: Floats,
    tube: Ints,
) -> None:
    """Derive a point where none is given: box centre, else first maximal heatmap cell,
    else centroid of the mask's pixels."""
    np.copyto(point, (box[:, :2] + box[:, 2:]) / 2, where=np.isnan(point))
    for group in heatmaps:
        rows, cols = group.values.shape[1:]
        peak = group.values.reshape(-1, rows * cols).argmax(axis=1)
        centre = np.stack(((peak % cols + 0.5) / cols, (peak // cols + 0.5) / rows), axis=1)
        _fill(point, group.entry, centre * frames[tube[group.entry]])
    for masked in masks:
        _fill(point, masked.entry, mask_centroids(masked) * frames[tube[masked.entry]])


def _fill(point: Floats, entry: Ints, candidates: Floats) -> None:
    missing = np.isnan(point[entry, 0])
    point[entry[missing]] = candidates[missing]


def mask_centroids(masks: MaskGroup) -> Floats:
    """Mean pixel centre of each mask as fractions of its width and height; NaN if empty."""
    height, width = masks.size
    sums = np.zeros((masks.entry.size, 3))
    for sign, pixel in ((1.0, masks.stop), (-1.0, masks.first)):
        # Sums over all pixels before `pixel`: whole columns, then the rows of one more.
        column, row = pixel // height, pixel % height
        x = height * column**2 / 2 + row * (column + 0.5)
        y = column * height**2 / 2 + row**2 / 2
        for at, values in enumerate((pixel.astype(float), x, y)):
            sums[:, at] += sign * np.bincount(masks.owner, values, masks.entry.size)
    sums[sums[:, 0] == 0] = np.nan
    centroids: Floats = sums[:, 1:] / sums[:, :1] / (width, height)
    return centroids
