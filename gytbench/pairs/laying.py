"""Pairs held against the benchmark, as arrays in its frames."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.errors import Fault, InputError
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.pairs.schema import PairPredictions
from gytbench.predictions.faults import listed, quoted

_ROUNDING = 1e-9
"""In pixels: fractions of a frame are whole pixels again when they are this close."""


class Laid(NamedTuple):
    """n predicted pairs and k true ones, each on an annotated frame, under a class.

    pair, true_pair: (human, object) boxes, rows of 2 x 4. Frames are numbered by video and
    number; true pairs stand in the order of the benchmark, predicted ones in that of the
    file.
    """

    frame: Ints
    label: Ints
    pair: Floats
    score: Floats
    true_frame: Ints
    true_label: Ints
    true_pair: Floats
    asked: Bools
    """Of each class: whether the file has an entry of it."""
    frames: int
    """How many frames are annotated."""
    outside: int
    """Predicted pairs on other frames, which are left out."""


def lay_pairs(predictions: PairPredictions, benchmark: Benchmark) -> Laid:
    """Predictions and truth side by side.

    Raises `InputError` with every unknown video or label, every second entry of a label and
    frame, and every box whose corners are exchanged.
    """
    labels = _labels(predictions, benchmark)
    faults = listed(_faults(predictions, benchmark, labels), predictions.source)
    if faults:
        raise InputError(faults)
    known = annotated_frames(benchmark)
    number = {key: index for index, key in enumerate(known)}
    frames = _integers(number.get(each[:2], -1) for each in predictions.entries)
    entry = predictions.owner
    pair = predictions.pair * _scales(predictions, benchmark)[entry][:, np.newaxis]
    whole = np.rint(pair)
    pair = np.where(np.abs(pair - whole) < _ROUNDING, whole, pair)
    kept = np.flatnonzero(frames[entry] >= 0)
    return Laid(
        frames[entry[kept]],
        labels[entry[kept]],
        pair[kept],
        predictions.score[kept],
        *_truth(benchmark, number),
        np.bincount(labels, minlength=len(benchmark.classes.names)) > 0,
        len(known),
        entry.size - kept.size,
    )


def annotated_frames(benchmark: Benchmark) -> list[tuple[str, int]]:
    """(video, frame number) of every frame with pairs, sorted."""
    found = {
        (video, frame) for (video, _), by_frame in benchmark.pairs.items() for frame in by_frame
    }
    return sorted(found)


def _labels(predictions: PairPredictions, benchmark: Benchmark) -> Ints:
    """The class of each entry, -1 where it is unknown."""
    indices = {each.label: -1 for each in predictions.entries}
    for label in indices:
        index = benchmark.classes.index(label)
        indices[label] = -1 if index is None else index
    return _integers(indices[each.label] for each in predictions.entries)


def _integers(values: Iterator[int]) -> Ints:
    return np.fromiter(values, np.int64)


def _scales(predictions: PairPredictions, benchmark: Benchmark) -> Floats:
    """What brings the boxes of each entry into the benchmark's frame, entries x 4."""
    default = predictions.frame_size or (1.0, 1.0)
    frames = [benchmark.frames[each.video] for each in predictions.entries]
    given = [each.frame_size or default for each in predictions.entries]
    sizes = (np.array(each, dtype=float).reshape(-1, 2) for each in (frames, given))
    return np.tile(np.divide(*sizes), 2)


def _truth(benchmark: Benchmark, number: dict[tuple[str, int], int]) -> tuple[Ints, Ints, Floats]:
    """Frame, class and boxes of every true pair."""
    classes = {name: index for index, name in enumerate(benchmark.classes.names)}
    frame: list[int] = []
    label: list[int] = []
    boxes: list[object] = []
    for instance in benchmark.instances:
        by_frame = benchmark.pairs.get((instance.video, instance.id), {})
        for time, pairs in by_frame.items():
            frame += [number[instance.video, time]] * len(pairs)
            label += [classes[instance.label]] * len(pairs)
            boxes += pairs
    true_pair = np.array(boxes, dtype=float).reshape(-1, 2, 4)
    return np.array(frame, np.int64), np.array(label, np.int64), true_pair


def _faults(predictions: PairPredictions, benchmark: Benchmark, labels: Ints) -> Iterator[Fault]:
    seen: dict[tuple[str, int, int], int] = {}
    explained = cache(lambda label: _unknown_label(label, benchmark))
    for index, (each, label) in enumerate(zip(predictions.entries, labels.tolist(), strict=True)):
        where = predictions.where(index)
        if each.video not in benchmark.frames:
            yield Fault(f"{where}.video", f"unknown video {quoted(each.video)}", "unknown video")
        if label < 0:
            yield Fault(f"{where}.label", explained(each.label), "unknown label")
            continue
        first = seen.setdefault((each.video, each.frame, label), index)
        if first != index:
            reason = f"the frame has an entry of this label at $.frames[{first}]"
            yield Fault(where, f"{reason}: put all pairs in one", "entry twice")
    low, high = predictions.pair[..., :2], predictions.pair[..., 2:]
    begin = np.cumsum(predictions.counts) - predictions.counts
    for pair, side in np.argwhere((high < low).any(axis=2)).tolist():
        owner = int(predictions.owner[pair])
        place = f"{predictions.where(owner)}.pairs[{pair - int(begin[owner])}]"
        name = ("human", "object")[side]
        yield Fault(f"{place}.{name}", "the box has x2 < x1 or y2 < y1", "box corners swapped")


def _unknown_label(label: str, benchmark: Benchmark) -> str:
    close = benchmark.classes.suggest(label)
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    return f"unknown label {quoted(label)}{hint}"
