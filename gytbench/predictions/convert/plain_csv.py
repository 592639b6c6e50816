"""A plain CSV of boxes, points or intervals: the first line names the columns, in any order.

Columns: video, label; start, end (seconds, half-open); score (of the tube); second, second_score
(0-based whole seconds); x1, y1, x2, y2 (corners, continuous) or x, y, w, h; or x, y alone (a
point); frame_width, frame_height (pixels; else --frame-size, else fractions); instance; tube.
Only video and label are required (a label may also come from --label), and one of start and end
or second. Rows with the same `tube` are one; without that column rows that follow each other in
time are joined. The rows of a video lie together. Layout: this project's own.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import IO, Any

from gytbench.errors import InputError
from gytbench.predictions.convert.contract import Options, Placed, Report
from gytbench.predictions.convert.text import csv_rows, number_of, shown_number, whole_of
from gytbench.predictions.convert.tubes import (
    Row,
    bounded,
    check_box,
    checked,
    entries_of,
    joined,
    lose_fields,
    scaled,
)
from gytbench.predictions.schema import MAX_COORDINATE, Box, FrameSize, Point, Tube

PIXELS = True

_ALIASES = {
    "video_id": "video",
    "class": "label",
    "time": "second",
    "t_start": "start",
    "t_end": "end",
    "confidence": "score",
    "width": "w",
    "height": "h",
    "xmin": "x1",
    "ymin": "y1",
    "xmax": "x2",
    "ymax": "y2",
}
_COLUMNS = (
    "tube",
    "video",
    "label",
    "start",
    "end",
    "score",
    "instance",
    "frame_width",
    "frame_height",
    "second",
    "second_score",
    "x1",
    "y1",
    "x2",
    "y2",
    "x",
    "y",
)
_KNOWN = {*_COLUMNS, "w", "h"}

Record = dict[str, str]
Found = tuple[str, Record]


def read(path: Path, options: Options, report: Report) -> Iterator[Tube]:
    """The tubes of a file; raises `InputError` with the line of the first fault."""
    records = _records(path, options)
    for (_, number), group in groupby(records, key=_same):
        if number:
            yield _numbered(bounded(group, "of one tube", lambda found: found[0]))
        else:
            yield from _loose(group, report)


def _same(found: Found) -> tuple[str, str]:
    """The video, and which of its tubes: by number, else by interval; empty for a loose row."""
    record = found[1]
    number = record.get("tube", "")
    if not number and {"start", "end", "second"} <= record.keys():
        told = (record["label"], record["start"], record["end"], record.get("instance", ""))
        number = repr(told)
    return record["video"], number


def _records(path: Path, options: Options) -> Iterator[Found]:
    rows = csv_rows(path)
    where, header = next(rows, (str(path), []))
    names = [_ALIASES.get(name, name) for name in map(str.lower, map(str.strip, header))]
    _check_columns(names, where, options)
    for place, row in rows:
        if len(row) != len(names):
            reason = f"has {len(row)} fields where the first line names {len(names)}"
            raise InputError(reason, where=place)
        record = {name: field for name, field in zip(names, row, strict=True) if field.strip()}
        record.setdefault("label", options.label or "")
        if not record.get("video"):
            raise InputError("the video is missing", where=place)
        yield place, record


def _check_columns(names: list[str], where: str, options: Options) -> None:
    unknown = [name for name in names if name not in _KNOWN]
    twice = [name for name in names if names.count(name) > 1]
    missing = [name for name in ("video", "label") if name not in names]
    if options.label is not None and "label" in missing:
        missing.remove("label")
    if not {"second", "start"} & set(names):
        missing.append("second` or `start")
    for reason, found in (("unknown", unknown), ("repeated", twice), ("missing", missing)):
        if found:
            known = ", ".join(sorted(_KNOWN))
            raise InputError(f"{reason} column `{found[0]}`; known are {known}", where=where)


def _numbered(group: list[Found]) -> Tube:
    """The one tube of rows that share a number, or their interval."""
    where, first = group[0]
    rows = sorted((found for found in group if "second" in found[1]), key=_second)
    seconds = [_second(found) for found in rows]
    for found, before, second in zip(rows[1:], seconds, seconds[1:], strict=False):
        if before == second:
            raise InputError(f"the second {second} stands there twice", where=found[0])
    tube = _interval(where, first, seconds)
    covered = list(range(ceil(tube.start), ceil(tube.end)))
    for second, (place, _) in zip(seconds, rows, strict=True):
        if not tube.start <= second < tube.end:
            reason = f"second {second} is not from {tube.start:g} to before {tube.end:g}"
            raise InputError(reason, where=place)
    if not seconds:
        return tube
    tube.times = seconds if seconds != covered else None
    boxes = [_box(*found) for found in rows]
    points = [_point(*found) for found in rows]
    tube.boxes = boxes if any(boxes) else None
    tube.points = points if any(points) else None
    named = "second_score" if "second_score" in first else "score"
    scores = [_number(record, named, place, 1.0) for place, record in rows]
    tube.scores = scores if named == "second_score" or len(set(scores)) > 1 else None
    return checked(where, tube)


def _second(found: Found) -> int:
    return whole_of(found[1]["second"], "second", found[0])


def _number(record: Record, name: str, where: str, default: float) -> float:
    return number_of(record[name], name, where) if name in record else default


def _interval(where: str, record: Record, seconds: Sequence[int] = ()) -> Tube:
    """The tube of a row, without a box or point."""
    missing = [name for name in ("start", "end") if name not in record]
    if missing and not seconds:
        raise InputError(f"`{missing[0]}` is missing, and so is `second`", where=where)
    if not record.get("label"):
        raise InputError("the label is missing; give one for all with --label", where=where)
    tube = Tube(
        record["video"],
        record["label"],
        _number(record, "start", where, min(seconds, default=0)),
        _number(record, "end", where, max(seconds, default=0) + 1),
        _number(record, "score", where, 1.0),
        frame_size=_size(record, where),
    )
    if "instance" in record:
        tube.instance = whole_of(record["instance"], "instance", where)
    return checked(where, tube)


def _size(record: Record, where: str) -> FrameSize | None:
    if not {"frame_width", "frame_height"} & record.keys():
        return None
    width = _number(record, "frame_width", where, 0)
    height = _number(record, "frame_height", where, 0)
    if not 1 <= min(width, height) <= max(width, height) <= MAX_COORDINATE:
        raise InputError(f"{width:g} x {height:g} is no size of a frame", where=where)
    return width, height


def _box(where: str, record: Record) -> Box | None:
    corners, sides = ("x1", "y1", "x2", "y2"), ("x", "y", "w", "h")
    if {"x1", "y1", "x2", "y2"} & record.keys():
        x1, y1, x2, y2 = _all(record, corners, where)
    elif {"w", "h"} & record.keys():
        x1, y1, width, height = _all(record, sides, where)
        x2, y2 = x1 + width, y1 + height
    else:
        return None
    return check_box((x1, y1, x2, y2), where)


def _point(where: str, record: Record) -> Point | None:
    if not {"x", "y"} & record.keys() or {"w", "h"} & record.keys():
        return None
    x, y = _all(record, ("x", "y"), where)
    return x, y


def _all(record: Record, names: tuple[str, ...], where: str) -> list[float]:
    missing = [name for name in names if name not in record]
    if missing:
        raise InputError(f"`{missing[0]}` is missing", where=where)
    return [number_of(record[name], name, where) for name in names]


def _row(found: Found) -> Row:
    """A row that belongs to no tube yet."""
    where, record = found
    second = float(_second(found))
    tube = _interval(where, record, [int(second)])
    score = _number(record, "second_score", where, tube.score)
    return Row(
        where,
        tube.video,
        tube.label,
        second,
        second + 1,
        score,
        box=_box(where, record),
        point=_point(where, record),
        track=None if tube.instance is None else str(tube.instance),
        frame_size=tube.frame_size,
    )


def _loose(group: Iterable[Found], report: Report) -> Iterator[Tube]:
    """The tubes of the rows of a video that have no number, joined where they follow."""
    rows: list[Row] = []
    for found in group:
        if "second" in found[1]:
            rows.append(_row(found))
        else:
            yield _interval(*found)
    yield from joined(rows, report)


def write(
    tubes: Iterable[Placed], file: IO[bytes], options: Options, report: Report, _model: object
) -> None:
    """A row for each second of a tube, or one for a tube without any."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for number, placed in enumerate(tubes, start=1):
        writer.writerows(_rows(number, placed, options.frame_size, report))
        file.write(text.getvalue().encode())
        text.seek(0)
        text.truncate()
    file.write(text.getvalue().encode())


def _rows(
    number: int, placed: Placed, size: FrameSize | None, report: Report
) -> Iterator[dict[str, Any]]:
    tube = placed.tube
    lose_fields(tube, report, ("points", "boxes", "score", "scores", "instance", "frame_size"))
    old = tube.frame_size or (1.0, 1.0)
    new = size or old
    common = {
        "tube": number,
        "video": tube.video,
        "label": tube.label,
        "start": shown_number(tube.start),
        "end": shown_number(tube.end),
        "score": shown_number(tube.score),
        "instance": tube.instance,
        "frame_width": shown_number(new[0]),
        "frame_height": shown_number(new[1]),
    }
    for text in (tube.video, tube.label):
        if not text.strip() or set(text) & set("\r\n"):
            raise InputError(f"CSV has no form for the name {text!r}", where=placed.where)
    found = list(entries_of(placed))
    if tube.boxes is None and tube.points is None and tube.scores is None and tube.times is None:
        found = []
    for entry in found:
        shapes = dict(
            zip(("x1", "y1", "x2", "y2"), scaled(entry.box or (), old, new), strict=False)
        )
        shapes |= dict(zip(("x", "y"), scaled(entry.point or (), old, new), strict=False))
        more = {name: shown_number(value) for name, value in shapes.items()}
        if tube.scores is not None:
            more["second_score"] = shown_number(entry.score)
        yield common | {"second": entry.second} | more
    if not found:
        yield common
