"""Tubes as columns: each field of all tubes in one flat array, checked as it is read.

Nothing here loops over boxes or points in Python; a loop starts only where a
check has found tubes to complain about.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from operator import attrgetter
from typing import Any

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.errors import Fault, InputError
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.predictions import faults
from gytbench.predictions.faults import quoted
from gytbench.predictions.schema import MAX_COORDINATE, MAX_SECONDS, Predictions, Tube


@dataclass(frozen=True)
class Flat:
    """One array field of all tubes, end to end, its nulls left out.

    counts: the field's length in each tube, -1 where the tube lacks it.
    owner, position: tube and index within the tube's list, of each value.
    """

    counts: Ints
    owner: Ints
    position: Ints
    values: Any

    @property
    def present(self) -> Bools:
        return self.counts >= 0


MAX_EXPLAINED = 100
"""Different unknown names that are compared with all known ones: that takes its time."""


class FaultCollector:
    """Gathers faults, each with file, JSON path and video.

    Raises InputError with what it has when it holds as many as are listed.
    """

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions
        self.faults: list[Fault] = []

    def add(self, tube: int | np.int64, field: str, reason: str, kind: str) -> None:
        place = self.predictions.place(int(tube)) + field
        source = self.predictions.source
        video = self.predictions.tubes[int(tube)].video
        where = f"{source}: {place}" if source else place
        if len(self.faults) == faults.MAX_FAULTS:
            raise InputError([*self.faults, faults.not_listed(source)])
        self.faults.append(Fault(where, f"{reason} (video {quoted(video)})", kind))

    def add_each(
        self, tubes: Iterable[Any], field: str, reason: Callable[[int], str], kind: str
    ) -> None:
        for tube in tubes:
            self.add(int(tube), field, reason(int(tube)), kind)


def column(tubes: Sequence[Tube], name: str) -> Floats:
    """A number of every tube."""
    return np.fromiter(map(attrgetter(name), tubes), dtype=np.float64, count=len(tubes))


def flatten(tubes: Sequence[Tube], name: str) -> Flat:
    """A list field of every tube; `values` is a list of its entries that are not null."""
    lists = list(map(attrgetter(name), tubes))
    if lists.count(None) == len(lists):
        none = np.zeros(0, dtype=np.int64)
        return Flat(np.full(len(lists), -1), none, none, [])
    given = lists
    if None in lists:
        given = [x for x in lists if x is not None]
        counts = np.fromiter((-1 if x is None else len(x) for x in lists), np.int64, len(lists))
    else:
        counts = np.fromiter(map(len, lists), np.int64, len(lists))
    lengths = np.maximum(counts, 0)
    total = int(lengths.sum())
    owner = np.repeat(np.arange(len(lists)), lengths)
    position = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    values = list(chain.from_iterable(given))
    if None in values:
        kept = np.fromiter((x is not None for x in values), np.bool_, total)
        values = [x for x in values if x is not None]
        owner, position = owner[kept], position[kept]
    return Flat(counts, owner, position, values)


def number_rows(flat: Flat, width: int) -> Flat:
    """The same field with `values` as an array of k rows of `width` numbers."""
    count = len(flat.values) * width
    numbers = chain.from_iterable(flat.values) if width > 1 else flat.values
    rows = np.fromiter(numbers, dtype=np.float64, count=count).reshape(-1, width)
    return Flat(flat.counts, flat.owner, flat.position, rows)


_MANY = 5
"""Tubes that hardly all name their videos wrongly."""


def video_indices(benchmark: Benchmark, found: FaultCollector) -> Ints:
    """Each tube's video as an index into `benchmark.videos`; -1 and a fault where unknown."""
    index = {video: i for i, video in enumerate(benchmark.videos)}
    tubes = found.predictions.tubes
    videos = _looked_up(index, "video", tubes)
    other = f": not one of the benchmark's {len(index)}"
    if len(tubes) >= _MANY and (videos < 0).all():
        other += f"; none of the file's is: is it for another --dataset than {benchmark.dataset}?"

    def explain(video: str) -> str:
        from difflib import get_close_matches

        similar = get_close_matches(video, index, n=1, cutoff=0.8)
        return _unknown("video", video, similar, other)

    _add_unknown("video", np.flatnonzero(videos < 0), explain, found)
    return videos


def label_indices(benchmark: Benchmark, found: FaultCollector) -> Ints:
    """Each tube's label as an index into the class names; -1 and a fault where unknown."""
    classes = benchmark.classes
    tubes = found.predictions.tubes
    known = {label: classes.index(label) for label in set(map(attrgetter("label"), tubes))}
    indices = {label: i for label, i in known.items() if i is not None}
    labels = _looked_up(indices, "label", tubes)

    def explain(label: str) -> str:
        if label.strip().lower() == "background":
            return "background is not a class: leave those seconds out"
        return _unknown("label", label, classes.suggest(label))

    _add_unknown("label", np.flatnonzero(labels < 0), explain, found)
    return labels


def _looked_up(index: Mapping[str, int], field: str, tubes: Sequence[Tube]) -> Ints:
    """The index of each tube's video or label; -1 where it has none."""
    found = map(index.get, map(attrgetter(field), tubes), repeat(-1))
    return np.fromiter(found, np.int64, len(tubes))


def _add_unknown(
    field: str, bad: Ints, explain: Callable[[str], str], found: FaultCollector
) -> None:
    """A fault for each tube whose video or label is unknown."""
    reasons: dict[str, str] = {}
    for tube in bad.tolist():
        name = getattr(found.predictions.tubes[tube], field)
        if name not in reasons:
            often = len(reasons) >= MAX_EXPLAINED
            reasons[name] = _unknown(field, name, ()) if often else explain(name)
        found.add(tube, f".{field}", reasons[name], f"unknown {field}")


def _unknown(what: str, name: str, similar: Sequence[str], more: str = "") -> str:
    hint = f"; did you mean {' or '.join(map(repr, similar))}?" if similar else ""
    return f"unknown {what} {quoted(name)}{more}{hint}"


def check_intervals(start: Floats, end: Floats, found: FaultCollector) -> None:
    """Times are finite, within a day, and every tube ends after it starts."""
    tubes = found.predictions.tubes
    for name, values in ((".start", start), (".end", end)):
        bad = np.flatnonzero(~((values >= 0) & (values <= MAX_SECONDS)))
        for tube in bad:
            found.add(tube, name, f"must be a time from 0 to {MAX_SECONDS:,} seconds", "bad time")
    backwards = np.flatnonzero(end <= start)
    found.add_each(
        backwards,
        ".end",
        lambda i: f"the tube ends at {tubes[i].end:g} s, not after its start {tubes[i].start:g} s",
        "end not after start",
    )


def check_times(times: Flat, start: Floats, end: Floats, found: FaultCollector) -> None:
    """`times` increases strictly and stays in [start, end)."""
    seconds = times.values[:, 0]
    outside = (seconds < start[times.owner]) | (seconds >= end[times.owner])
    same = times.owner[1:] == times.owner[:-1]
    disorder = np.flatnonzero(same & (seconds[1:] <= seconds[:-1])) + 1
    for item in np.flatnonzero(outside):
        owner, at = times.owner[item], times.position[item]
        reason = f"second {seconds[item]:g} is outside the tube's [start, end)"
        found.add(owner, f".times[{at}]", reason, "time outside tube")
    for item in disorder:
        owner, at = times.owner[item], times.position[item]
        reason = f"second {seconds[item]:g} does not come after the one before it"
        found.add(owner, f".times[{at}]", reason, "times not increasing")


def check_lengths(name: str, flat: Flat, spoken: Ints, found: FaultCollector) -> None:
    """A per-second field has one entry per second that the tube speaks for."""
    wrong = np.flatnonzero(flat.present & (flat.counts != spoken) & (spoken >= 0))
    tubes = found.predictions.tubes
    for tube in wrong:
        what = "`times`" if tubes[tube].times is not None else "the integer seconds of the tube"
        reason = f"{flat.counts[tube]} entries, but {what} count {spoken[tube]}"
        found.add(tube, f".{name}", reason, "lengths differ")


def check_numbers(name: str, flat: Flat, limit: float, found: FaultCollector) -> None:
    """Numbers are finite and no larger than the limit."""
    bad = np.flatnonzero(~(np.abs(flat.values) <= limit).all(axis=1))
    for item in bad:
        reason = f"{_shown(flat.values[item])} is not finite, or beyond {limit:g}"
        place = f".{name}[{flat.position[item]}]"
        found.add(flat.owner[item], place, reason, "number out of range")


def check_corners(boxes: Flat, found: FaultCollector) -> None:
    """Boxes are [x1, y1, x2, y2] with x2 >= x1 and y2 >= y1."""
    x1, y1, x2, y2 = boxes.values.T
    for item in np.flatnonzero((x2 < x1) | (y2 < y1)):
        reason = f"the box {_shown(boxes.values[item])} has x2 < x1 or y2 < y1"
        place = f".boxes[{boxes.position[item]}]"
        found.add(boxes.owner[item], place, reason, "box corners swapped")


def _shown(values: Floats) -> str:
    text = ", ".join(f"{value:g}" for value in values)
    return f"[{text}]" if len(values) > 1 else text


LARGEST = {"points": MAX_COORDINATE, "boxes": MAX_COORDINATE, "scores": float(np.finfo(float).max)}
"""The largest magnitude that a number of each field may have."""
