"""Tubes of results that answer one query each, in frames of the video."""

from typing import NamedTuple

from gytbench.errors import InputError
from gytbench.predictions.convert.contract import Options, Placed, Query, Report
from gytbench.predictions.convert.tubes import (
    Row,
    checked,
    entries_of,
    frame_of,
    lose_fields,
    scaled,
    tube_of,
)
from gytbench.predictions.schema import Box, Tube


class Found(NamedTuple):
    """The answer to a query: frames [first, last), and the boxes of some frames."""

    where: str
    key: str
    first: int
    last: int
    boxes: dict[int, Box]
    kind: str | None = None


def rate_of(query: Query, options: Options, where: str) -> float:
    """Frames a second of a query's video: its own, else --fps."""
    return query.fps or options.need_fps(where)


def tube_of_answer(found: Found, query: Query, options: Options, report: Report) -> Tube:
    """The tube of an answer; boxes outside its interval are counted as left out."""
    fps = rate_of(query, options, found.where)
    start, end = found.first / fps, found.last / fps
    meta = {"query": found.key} | ({} if found.kind is None else {"qtype": found.kind})
    bare = Tube(query.video, query.label, start, end, instance=query.instance, meta=meta)
    checked(found.where, bare)
    inside = {f: box for f, box in found.boxes.items() if found.first <= f < found.last}
    report.lose("boxes outside the predicted interval", len(found.boxes) - len(inside))
    rows = [
        Row(found.where, query.video, query.label, frame / fps, (frame + 1) / fps, box=box)
        for frame, box in sorted(inside.items())
    ]
    if not rows:
        return bare
    tube = tube_of(rows, report, start, end=end, instance=query.instance, meta=meta)
    tube.frame_size = query.frame_size
    return checked(found.where, tube)


def key_of(tube: Tube) -> str:
    """The id of the query that a tube answers: that of its `meta`, else video and instance."""
    told = (tube.meta or {}).get("query")
    if isinstance(told, str):
        return told
    return tube.video if tube.instance is None else f"{tube.video}_{tube.instance}"


def frames_of_tube(placed: Placed, options: Options, report: Report) -> Found:
    """What a tube says, in frames; bounds between frames are rounded, and counted.

    Raises `InputError` where neither the query nor --fps gives a rate.
    """
    tube = placed.tube
    key = key_of(tube)
    query = options.queries.get(key)
    fps = (query and query.fps) or options.need_fps(placed.where)
    kept = ["boxes", "instance"]
    told = tube.meta or {}
    if set(told) <= {"query", "qtype"}:
        kept.append("meta")
    lose_fields(tube, report, kept)
    if tube.score != 1.0:
        report.lose("scores")
    bounds = tube.start * fps, tube.end * fps
    if any(abs(bound - round(bound)) > 1e-6 * max(1.0, bound) for bound in bounds):
        report.lose("bounds between frames, rounded to the nearest")
    first = round(bounds[0])
    boxes = {}
    for entry in entries_of(placed):
        if entry.box is not None:
            size = frame_of(placed, options.frame_size or (query and query.frame_size))
            old = tube.frame_size or (1.0, 1.0)
            boxes[round(entry.second * fps)] = scaled(entry.box, old, size)
    kind = told.get("qtype")
    last = max(round(bounds[1]), first + 1)
    return Found(placed.where, key, first, last, boxes, kind if isinstance(kind, str) else None)


def first_box(boxes: object, where: str) -> Box:
    """The one box of a frame, which results hold in a list; raises `InputError` for another."""
    inner = boxes[0] if isinstance(boxes, list) and boxes else None
    if (
        not isinstance(inner, list | tuple)
        or len(inner) != 4
        or not all(isinstance(v, int | float) and abs(v) <= 1e9 for v in inner)
    ):
        raise InputError("must be a list of one box [x1, y1, x2, y2]", where=where)
    x1, y1, x2, y2 = map(float, inner)
    return x1, y1, x2, y2
