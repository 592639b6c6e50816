"""Tubes from rows of single frames, and the rows of a tube."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from math import ceil, fsum
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from gytbench.errors import InputError
from gytbench.predictions.convert.contract import Placed, Report
from gytbench.predictions.faults import quoted
from gytbench.predictions.schema import (
    MAX_COORDINATE,
    MAX_SECONDS,
    Box,
    FrameSize,
    Heatmap,
    Mask,
    Point,
    Tube,
)

T = TypeVar("T")


class Row(NamedTuple):
    """What was found in one frame: it stands for the time from `time` to `until` (seconds)."""

    where: str
    video: str
    label: str
    time: float
    until: float
    score: float = 1.0
    box: Box | None = None
    point: Point | None = None
    mask: Mask | None = None
    track: str | None = None
    frame_size: FrameSize | None = None


class Entry(NamedTuple):
    """What a tube says about one second."""

    second: int
    score: float
    box: Box | None
    point: Point | None
    heatmap: Heatmap | None
    mask: Mask | None


_SPATIAL = ("points", "boxes", "heatmaps", "masks")


def checked(where: str, tube: Tube) -> Tube:
    """The tube; raises `InputError` where its times or coordinates are beyond the format's."""
    if not 0 <= tube.start < tube.end <= MAX_SECONDS:
        reason = (
            f"the interval {tube.start:g} to {tube.end:g} s is not one from 0 to "
            f"{MAX_SECONDS:,} whose end is after its start"
        )
        raise InputError(reason, where=where)
    if not tube.video:
        raise InputError("the video is missing", where=where)
    for shape in (*(tube.boxes or ()), *(tube.points or ())):
        if shape is not None and not all(abs(value) <= MAX_COORDINATE for value in shape):
            raise InputError(f"{list(shape)} lies beyond {MAX_COORDINATE:g}", where=where)
    return tube


def check_box(box: Box, where: str) -> Box:
    """The box; raises `InputError` where its corners are swapped."""
    if box[2] < box[0] or box[3] < box[1]:
        reason = f"the box {list(box)} has x2 < x1 or y2 < y1; corners are x1, y1, x2, y2"
        raise InputError(reason, where=where)
    return box


def joined(rows: Iterable[Row], report: Report) -> Iterator[Tube]:
    """The tubes of rows, in memory for one video at a time: its rows must lie together.

    Rows of one track make one tube. Rows without a track are joined where they follow
    each other without a gap: of one label, the rows that are best in their frames make
    one tube, the second best another.
    """
    for _, of_video in groupby(rows, key=attrgetter("video")):
        chains: dict[Any, list[Row]] = defaultdict(list)
        frames: dict[tuple[str, float], list[Row]] = defaultdict(list)
        for row in bounded(of_video, "of one video", attrgetter("where")):
            if row.track is None:
                frames[row.label, row.time].append(row)
            else:
                chains[row.label, row.track].append(row)
        for (label, _), found in frames.items():
            found.sort(key=lambda row: -row.score)
            for rank, row in enumerate(found):
                chains[label, rank].append(row)
        for chain in chains.values():
            chain.sort(key=attrgetter("time"))
            for part in [chain] if chain[0].track is not None else _unbroken(chain):
                yield tube_of(part, report)


def together(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows; raises `InputError` where a video comes a second time."""
    seen: set[str] = set()
    for video, group in groupby(rows, key=attrgetter("video")):
        for row in group:
            if video in seen:
                reason = f"the rows of video {quoted(video)} do not lie together; sort them"
                raise InputError(reason, where=row.where)
            yield row
        seen.add(video)


MAX_ROWS = 2_000_000
"""Rows that are in memory together."""


def bounded(rows: Iterable[T], what: str, place: Callable[[T], str]) -> list[T]:
    """The rows as a list; raises `InputError` for more than are held in memory."""
    found = list(islice(rows, MAX_ROWS + 1))
    if len(found) > MAX_ROWS:
        raise InputError(f"more than {MAX_ROWS:,} rows {what}", where=place(found[-1]))
    return found


def _unbroken(chain: list[Row]) -> Iterator[list[Row]]:
    part = [chain[0]]
    for row in chain[1:]:
        if row.time - part[-1].until > 0.01 * (row.until - row.time):
            yield part
            part = []
        part.append(row)
    yield part


def tube_of(rows: list[Row], report: Report, start: float | None = None, **more: Any) -> Tube:
    """One tube of the rows of one label, ordered by time.

    A second takes the row that is nearest to it, within half a second, the earlier of
    two; other rows are counted as left out.
    """
    first = rows[0]
    end = more.pop("end", None)
    start = min(row.time for row in rows) if start is None else start
    end = max(row.until for row in rows) if end is None else end
    checked(first.where, Tube(first.video, first.label, start, end))
    nearest: dict[int, Row] = {}
    for row in rows:
        second = ceil(row.time - 0.5)
        held = nearest.get(second)
        if held is None or abs(row.time - second) < abs(held.time - second):
            nearest[second] = row
    seconds = range(ceil(start), ceil(end))
    kept = {second: nearest[second] for second in sorted(nearest) if second in seconds}
    report.lose(
        "frames between the whole seconds: a tube holds one a second", len(rows) - len(kept)
    )
    scores = [row.score for row in kept.values()]
    same = len(set(scores)) <= 1
    score = scores[0] if scores and same else _mean([row.score for row in rows])
    tube = Tube(first.video, first.label, start, end, score, frame_size=first.frame_size, **more)
    tube.times = list(kept) if len(kept) != len(seconds) else None
    tube.scores = None if same else scores
    for name in ("box", "point", "mask"):
        values = [getattr(row, name) for row in kept.values()]
        if any(value is not None for value in values):
            setattr(tube, f"{name}es" if name == "box" else f"{name}s", values)
    if tube.times is not None and not any(getattr(tube, name) for name in _SPATIAL):
        tube.times = None
        tube.scores = None
    return checked(first.where, tube)


def _mean(values: list[float]) -> float:
    return fsum(values) / len(values)


def seconds_of(placed: Placed) -> list[int]:
    """The seconds that a tube's lists speak for.

    Raises `InputError` where a list has another length, or the interval is none.
    """
    where, tube = placed
    checked(where, tube)
    seconds = tube.times
    if seconds is None:
        seconds = list(range(ceil(tube.start), ceil(tube.end)))
    for name in (*_SPATIAL, "scores"):
        values = getattr(tube, name)
        if values is not None and len(values) != len(seconds):
            reason = f"{len(values)} entries for {len(seconds)} seconds"
            raise InputError(reason, where=f"{where}.{name}")
    return seconds


def entries_of(placed: Placed) -> Iterator[Entry]:
    """What a tube says about each of its seconds."""
    seconds, tube = seconds_of(placed), placed.tube
    nothing: list[None] = [None] * len(seconds)
    columns = [
        seconds,
        tube.scores or [tube.score] * len(seconds),
        tube.boxes or nothing,
        tube.points or nothing,
        tube.heatmaps or nothing,
        tube.masks or nothing,
    ]
    yield from (Entry(*values) for values in zip(*columns, strict=True))


_WORDS = {"scores": "scores of single seconds", "instance": "ids of instances"}


def lose_fields(tube: Tube, report: Report, kept: Iterable[str]) -> None:
    """Count the fields of a tube that a format does not keep."""
    for name in (*_SPATIAL, "scores"):
        values = getattr(tube, name)
        if values and name not in kept:
            count = sum(value is not None for value in values)
            report.lose(_WORDS.get(name, name), count)
    for name in ("instance", "meta"):
        if getattr(tube, name) is not None and name not in kept:
            report.lose(_WORDS.get(name, name))
    if tube.scores is not None and "scores" in kept and "score" not in kept:
        report.lose("scores of tubes that have scores of seconds")
    if tube.frame_size not in {None, (1.0, 1.0)} and "frame_size" not in kept:
        report.lose("sizes of frames")


def lose_interval(tube: Tube, seconds: list[int], report: Report, *, tracks: bool = True) -> None:
    """Count what the seconds with a box or point do not tell of a tube.

    tracks: whether the format says which boxes belong together.
    """
    if not seconds:
        report.lose("tubes without a box or point")
    elif (tube.start, tube.end) != (seconds[0], seconds[-1] + 1):
        report.lose("bounds of intervals that are not those of the first and the last box")
    if not tracks:
        report.lose("which boxes make a tube: read again, they are joined by their seconds")


def scaled(values: tuple[float, ...], old: FrameSize, new: FrameSize) -> Any:
    """A point or box in another frame."""
    if old == new:
        return values
    return tuple(value / old[i % 2] * new[i % 2] for i, value in enumerate(values))


def frame_of(placed: Placed, size: FrameSize | None) -> FrameSize:
    """The pixel frame to write in: the one asked for, else the tube's.

    Raises `InputError` where neither has pixels.
    """
    own = placed.tube.frame_size or (1.0, 1.0)
    if size is None and own == (1.0, 1.0):
        reason = "its frame is [1, 1], but the format has pixels: give --frame-size WxH"
        raise InputError(reason, where=placed.where)
    return size or own
