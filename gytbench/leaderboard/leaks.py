"""Ground truth that comes back as predictions: flagged in words, for a person to judge.

Measured on the released files, the share of the seconds with a released box where a baseline
gives just that box, or that point: floors, which see no annotation of the video, reach 0.01 %
in any release. What is made of the annotations lies far above. `oracle-instance`, the
published boxes, 99.8 % of them, and 58 % of the repaired ones; `annotators`, whose squares are
boxes only where the annotators agreed, up to 13 % of the boxes, and 99.9 % of the points.
`MAX_EQUAL` lies between. Of times, a guess that rounds to seconds meets many by chance (18 %
in the demo, whose starts and ends are off by 0.8 s on average): `MAX_EQUAL_TIMES` is higher.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gytbench.benchmark import Benchmark, Box, load_benchmark
from gytbench.benchmark.datasets import GROUNDINGYOUTUBE
from gytbench.errors import InputError
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.predictions import PackedTubes, Task, frames_of

MAX_EQUAL = 0.05
MAX_EQUAL_TIMES = 0.5
TOLERANCE = 0.5
"""Pixels of the annotation frame, for each coordinate."""
TIME_TOLERANCE = 1e-3
"""Seconds."""

_SECONDS = 1 << 17
"""More seconds than a video can have: a day, and then some."""


class _Layers(NamedTuple):
    """What is true of each second, in layers; NaN where a layer has nothing for it."""

    names: tuple[str, ...]
    keys: Ints
    """k seconds, ascending, each once."""
    values: Floats
    """layers x k x width."""


class _Source:
    """A benchmark; equal to another of the same files, so that many entries read them once."""

    def __init__(self, benchmark: Benchmark) -> None:
        self.benchmark = benchmark
        own = benchmark.folder or id(benchmark)
        self._key = (own, benchmark.data, benchmark.release_sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Source) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def leaks(packed: PackedTubes, benchmark: Benchmark, task: Task) -> Iterator[str]:
    """What of packed tubes equals the ground truth more often than by chance, in words.

    Boxes are compared with those of every release, both cut to the frame; points with the
    annotators' mean points; times, where they are predicted, with those of the instances.
    """
    if task != "temporal":
        boxes, points = _truth(_Source(benchmark))
        yield from _equal_boxes(packed, benchmark, boxes)
        yield from _equal_points(packed, points)
    if task != "spatial":
        yield from _equal_times(packed, benchmark, task)


def _equal_boxes(packed: PackedTubes, benchmark: Benchmark, truth: _Layers) -> Iterator[str]:
    frames = frames_of(benchmark)[packed.video[packed.tube]]
    cut = np.clip(packed.box, 0, np.tile(frames, 2))
    equal = equal_seconds(packed, cut, truth)
    known = ~np.isnan(truth.values[:, :, 0])
    shares = equal.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    most = int(shares.argmax())
    if shares[most] > MAX_EQUAL:
        yield (
            f"{shares[most]:.1%} of the scored seconds have a box that equals the released one "
            f"({truth.names[most]}) to {TOLERANCE:g} px"
        )


def _equal_points(packed: PackedTubes, truth: _Layers) -> Iterator[str]:
    # Of a second that was annotated twice, or for two steps, each point is one to meet.
    share = equal_seconds(packed, packed.point, truth).any(axis=0).sum() / max(truth.keys.size, 1)
    if share > MAX_EQUAL:
        yield (
            f"{share:.1%} of the annotated seconds have a point that equals the annotators' "
            f"mean point to {TOLERANCE:g} px"
        )


def equal_seconds(packed: PackedTubes, given: Floats, truth: _Layers) -> Bools:
    """Layers x k: where one of the values given for a second equals the true one.

    given: a value for each entry of the tubes, NaN where there is none.
    """
    equal = np.zeros(truth.values.shape[:2], dtype=bool)
    entries = packed.video[packed.tube] * _SECONDS + packed.second
    at = np.searchsorted(truth.keys, entries)
    hit = np.flatnonzero(at < truth.keys.size)
    hit = hit[truth.keys[at[hit]] == entries[hit]]
    for layer, values in zip(equal, truth.values, strict=True):
        near = np.abs(given[hit] - values[at[hit]]).max(axis=1) <= TOLERANCE
        layer[at[hit[near]]] = True
    return equal


def _equal_times(packed: PackedTubes, benchmark: Benchmark, task: Task) -> Iterator[str]:
    """Compared are tubes that cover some time under the label of an instance."""
    instances = benchmark.cues if task == "temporal" else benchmark.instances
    if not instances:
        return
    names = benchmark.classes.names
    digits = round(1 / TIME_TOLERANCE)
    said = {
        (benchmark.videos[video], names[label], round(start * digits), round(end * digits))
        for video, label, start, end in zip(
            packed.video.tolist(),
            packed.label.tolist(),
            packed.start.tolist(),
            packed.end.tolist(),
            strict=True,
        )
    }
    true = [(i.video, i.label, round(i.start * digits), round(i.end * digits)) for i in instances]
    share = sum(each in said for each in true) / len(true)
    if share > MAX_EQUAL_TIMES:
        yield (
            f"{share:.1%} of the instances are predicted with just their own start, end and label"
        )


@lru_cache(maxsize=1)
def _truth(source: _Source) -> tuple[_Layers, _Layers]:
    """The boxes of every release, cut to the frame, and the annotators' points."""
    benchmark, folder = source.benchmark, source.benchmark.folder
    found = {benchmark.release: benchmark}
    for release in GROUNDINGYOUTUBE.boxes if folder is not None else ():
        try:
            found[release] = load_benchmark(boxes=release, data=folder)
        except InputError:
            # Who has not all of the files compares with those that are there; CI has all.
            continue
    index = {video: at for at, video in enumerate(benchmark.videos)}
    seen: dict[int, list[tuple[float, ...]]] = {}
    for point in benchmark.points:
        key = index[point.video] * _SECONDS + point.second
        seen.setdefault(key, []).append((point.x, point.y))
    most = max(map(len, seen.values()), default=1)
    rounds = ({key: each[n] for key, each in seen.items() if n < len(each)} for n in range(most))
    boxes = _layers(tuple(found), map(_boxes, found.values()), 4)
    return boxes, _layers(("",) * most, rounds, 2)


def _layers(
    names: tuple[str, ...], layers: Iterable[dict[int, tuple[float, ...]]], width: int
) -> _Layers:
    given = list(layers)
    keys = np.array(sorted(set().union(*given)), dtype=np.int64)
    values = np.full((len(given), keys.size, width), np.nan)
    for rows, layer in zip(values, given, strict=True):
        if layer:
            at = np.searchsorted(keys, np.fromiter(layer, np.int64, len(layer)))
            rows[at] = np.array(list(layer.values()))
    return _Layers(names, keys, values)


def _boxes(benchmark: Benchmark) -> dict[int, tuple[float, ...]]:
    """The boxes by second, cut to the frame."""
    return {
        at * _SECONDS + second: _cut(box, benchmark.frames[video])
        for at, video in enumerate(benchmark.videos)
        for second, box in benchmark.boxes.get(video, {}).items()
    }


def _cut(box: Box, frame: tuple[float, float]) -> tuple[float, ...]:
    return tuple(
        min(max(edge, 0.0), side) for edge, side in zip(box, (*frame, *frame), strict=True)
    )
