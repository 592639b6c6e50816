"""Predictions laid over the truth as the scorer lays them: a verdict for every second.

The tube that speaks, the label that is right and the point that hits are found by
the very functions that the scorer counts with, so that the two cannot disagree.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.errors import InputError
from gytbench.evaluation import Protocol
from gytbench.evaluation.frames import ClassSeconds, spoken_seconds
from gytbench.evaluation.precedence import tie_ranks
from gytbench.evaluation.spatial import answers_of, entries_of_units
from gytbench.evaluation.truth import Truth, lay_out, truth_of
from gytbench.metrics import boxes
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.predictions import PackedTubes
from gytbench.predictions.packing import HeatmapGroup, MaskGroup
from gytbench.scenes.model import (
    BACKGROUND,
    FALSE_ALARM,
    IGNORED,
    MISSED,
    RIGHT,
    VERDICTS,
    WRONG_LABEL,
    WRONG_PLACE,
    PredictedRun,
    Scene,
    Scenes,
    TrueSegment,
    VideoScenes,
)


@dataclass(frozen=True)
class _Table:
    """Every row of every video, ordered by video and second."""

    video: Ints
    second: Ints
    entry: Ints
    """What is predicted; -1 = nothing."""
    instance: Ints
    """An index into the instances: in the task `st` the first that covers; -1 = none."""
    box: Floats
    """Rows x 4, NaN = none."""
    verdict: Ints


def scenes_of(
    packed: PackedTubes, benchmark: Benchmark, protocol: Protocol
) -> Mapping[str, VideoScenes]:
    """The scenes of every video, in the order of `Benchmark.videos`.

    packed: for `protocol.task`. Raises InputError for the task `temporal`, which has no places.
    """
    if protocol.task == "temporal":
        raise InputError("the task 'temporal' has no places to show: choose st or spatial")
    truth = truth_of(benchmark)
    spatial = protocol.task == "spatial"
    table = _units(packed, truth, protocol) if spatial else _seconds(packed, truth, benchmark)
    scores, distances, groups = _columns(packed, table)
    segments = _segments(benchmark)
    runs = (_tubes if spatial else _runs)(packed, table, benchmark)
    make = _Maker(packed, benchmark, table, segments, spatial)
    begins = np.searchsorted(table.video, np.arange(len(benchmark.videos) + 1)).tolist()
    found = {}
    for index, video in enumerate(benchmark.videos):
        rows = slice(begins[index], begins[index + 1])
        found[video] = VideoScenes(
            video=video,
            frame=benchmark.frames[video],
            truth=segments[video],
            predicted=tuple(runs[index]),
            scenes=Scenes(rows.stop - rows.start, partial(make.scene, rows.start)),
            seconds=table.second[rows],
            verdicts=table.verdict[rows],
            scores=scores[rows],
            distances=distances[rows],
            groups=groups[rows],
        )
    return found


def _seconds(packed: PackedTubes, truth: Truth, benchmark: Benchmark) -> _Table:
    """Task `st`: a row for each second, with the entry that speaks in it."""
    grid = lay_out(truth, packed)
    ties = tie_ranks(packed, benchmark)
    pairs = ClassSeconds(truth, grid)
    spoken, cell, covered, right, hit = spoken_seconds(packed, grid, pairs, ties)
    entry = np.full(grid.cells, -1)
    entry[cell] = spoken
    instance = np.full(grid.cells, -1)
    # Backwards, so that the first instance of a second is the one that stays.
    instance[grid.unit_cell[::-1]] = truth.unit_instance[::-1]

    verdict = np.where(grid.covered, MISSED, BACKGROUND)
    wrong = np.where(covered, WRONG_LABEL, FALSE_ALARM)
    verdict[cell] = np.where(right, np.where(hit, RIGHT, WRONG_PLACE), wrong)
    verdict[grid.ignored] = IGNORED
    second = np.arange(grid.cells) - grid.begin[grid.video]
    return _Table(grid.video, second, entry, instance, grid.box, verdict)


def _units(packed: PackedTubes, truth: Truth, protocol: Protocol) -> _Table:
    """Task `spatial`: a row for each second of each instance, with its answer's entry."""
    entry = entries_of_units(packed, truth, answers_of(packed, truth))
    instance, second = truth.unit_instance, truth.unit_second
    verdict = np.full(entry.size, MISSED)
    answered = np.flatnonzero(entry >= 0)
    point = packed.point[entry[answered]]
    hit = boxes.contains(truth.unit_box[answered], point, protocol.tolerance)
    placed = answered[~np.isnan(point[:, 0])]
    verdict[placed] = WRONG_PLACE
    verdict[answered[hit]] = RIGHT
    verdict[~truth.unit_has_box] = IGNORED
    order = np.lexsort((instance, second, truth.video[instance]))
    return _Table(
        truth.video[instance][order],
        second[order],
        entry[order],
        instance[order],
        truth.unit_box[order],
        verdict[order],
    )


def _columns(packed: PackedTubes, table: _Table) -> tuple[Floats, Floats, Ints]:
    """Score, distance of the point from the box's centre, and group of each row."""
    spoken = np.flatnonzero(table.entry >= 0)
    entry = table.entry[spoken]
    scores = np.full(table.entry.size, np.nan)
    scores[spoken] = packed.entry_score[entry]
    distances = np.full(table.entry.size, np.nan)
    centre = (table.box[spoken, :2] + table.box[spoken, 2:]) / 2
    distances[spoken] = np.hypot(*(packed.point[entry] - centre).T)
    # Instances are numbered apart from the tubes.
    groups = -2 - table.instance
    groups[spoken] = packed.tube[entry]
    return scores, distances, groups


def _segments(benchmark: Benchmark) -> Mapping[str, tuple[TrueSegment, ...]]:
    by_video: dict[str, list[TrueSegment]] = {video: [] for video in benchmark.videos}
    for each in benchmark.instances:
        by_video[each.video].append(TrueSegment(each.start, each.end, each.label, each.id))
    return {video: tuple(sorted(segments)) for video, segments in by_video.items()}


_ByVideo = Mapping[int, list[PredictedRun]]


def _runs(packed: PackedTubes, table: _Table, benchmark: Benchmark) -> _ByVideo:
    """Neighbouring seconds of a video in which the same label speaks."""
    runs: dict[int, list[PredictedRun]] = defaultdict(list)
    rows = np.flatnonzero(table.entry >= 0)
    if not rows.size:
        return runs
    entry = table.entry[rows]
    label = packed.label[packed.tube[entry]]
    video, second = table.video[rows], table.second[rows]
    new = np.ones(rows.size, dtype=bool)
    new[1:] = (np.diff(video) != 0) | (np.diff(second) != 1) | (np.diff(label) != 0)
    first = np.flatnonzero(new)
    last = np.append(first[1:], rows.size) - 1
    score = np.maximum.reduceat(packed.entry_score[entry], first)
    columns = (video[first], second[first], second[last] + 1, label[first], score)
    for owner, start, end, name, best in zip(*(c.tolist() for c in columns), strict=True):
        runs[owner].append(PredictedRun(start, end, benchmark.classes.names[name], best))
    return runs


def _tubes(packed: PackedTubes, _: _Table, benchmark: Benchmark) -> _ByVideo:
    """The tubes of each video, by their starts."""
    runs: dict[int, list[PredictedRun]] = defaultdict(list)
    columns = (packed.video, packed.start, packed.end, packed.label, packed.score)
    for owner, start, end, name, score in zip(*(c.tolist() for c in columns), strict=True):
        runs[owner].append(PredictedRun(start, end, benchmark.classes.names[name], score))
    return defaultdict(list, {owner: sorted(tubes) for owner, tubes in runs.items()})


class _Maker:
    """Makes the scene of a row of the table."""

    def __init__(
        self,
        packed: PackedTubes,
        benchmark: Benchmark,
        table: _Table,
        segments: Mapping[str, tuple[TrueSegment, ...]],
        spatial: bool,
    ) -> None:
        self._packed = packed
        self._benchmark = benchmark
        self._table = table
        self._segments = segments
        self._spatial = spatial
        self._heatmap_at = _places(packed.heatmaps, packed.second.size)
        self._mask_at = _places(packed.masks, packed.second.size)

    def scene(self, begin: int, row: int) -> Scene:
        """The scene `row` rows after the first of its video."""
        table, at = self._table, begin + row
        video = self._benchmark.videos[table.video[at]]
        second = int(table.second[at])
        asked = self._benchmark.instances[table.instance[at]] if self._spatial else None
        covering = (s.label for s in self._segments[video] if s.start <= second < s.end)
        return Scene(
            video=video,
            second=second,
            frame=self._benchmark.frames[video],
            verdict=VERDICTS[table.verdict[at]],
            true_labels=(asked.label,) if asked else tuple(dict.fromkeys(covering)),
            true_box=_numbers(table.box[at]),
            instance=asked.id if asked else None,
            **self._predicted(int(table.entry[at])),
        )

    def _predicted(self, entry: int) -> dict[str, Any]:
        """The fields of a scene that the entry fills; none for -1."""
        if entry < 0:
            return {}
        packed = self._packed
        return {
            "label": self._benchmark.classes.names[packed.label[packed.tube[entry]]],
            "score": float(packed.entry_score[entry]),
            "point": _numbers(packed.point[entry]),
            "box": _numbers(packed.box[entry]),
            "heatmap": self._heatmap(entry),
            "mask": self._mask(entry),
        }

    def _heatmap(self, entry: int) -> Floats | None:
        group, row = self._heatmap_at(entry)
        return None if group < 0 else self._packed.heatmaps[group].values[row]

    def _mask(self, entry: int) -> Bools | None:
        group, row = self._mask_at(entry)
        return None if group < 0 else _pixels(self._packed.masks[group], row)


def _numbers(row: Floats) -> Any:
    """The row as a tuple; None where it is NaN."""
    return None if np.isnan(row).any() else tuple(row.tolist())


def _places(
    groups: Sequence[HeatmapGroup | MaskGroup], entries: int
) -> Callable[[int], tuple[int, int]]:
    """Where an entry's heatmap or mask is: (group, row), -1 = it has none."""
    if not groups:
        return lambda _: (-1, -1)
    place = np.full((entries, 2), -1)
    for number, group in enumerate(groups):
        place[group.entry] = np.stack(
            (np.full(group.entry.size, number), np.arange(group.entry.size)), axis=1
        )
    return lambda entry: (int(place[entry, 0]), int(place[entry, 1]))


def _pixels(masks: MaskGroup, row: int) -> Bools:
    """A mask drawn out: rows x columns."""
    height, width = masks.size
    pixels = np.zeros(height * width, dtype=bool)
    runs = np.flatnonzero(masks.owner == row)
    for first, stop in zip(masks.first[runs].tolist(), masks.stop[runs].tolist(), strict=True):
        pixels[first:stop] = True
    return pixels.reshape((height, width), order="F")
