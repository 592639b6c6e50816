"""Answers of video language models: a JSON line (or array element) for each answer.

Keys: `video`; `answer` (also `response`, `output`, `prediction`, `text`, or lmms-eval's `resps`);
`label` (also `query`, `caption`, `sentence`), what was asked, else the answer must name it;
`instance`; `start` and `end` (seconds), where they were given; `offset`, the second at which the
clip that was shown begins; `width` and `height` in pixels. Keys of an object `doc`
(lmms-eval's samples) count too. Forms of text: see `claims.py`. Coordinates: --coordinates, else
values up to 1 are fractions, and tags and `box_2d` thousandths; other values are not guessed.
A box without a time holds throughout its interval.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

from gytbench.errors import InputError
from gytbench.inputs import open_input
from gytbench.predictions.convert.claims import Claim, NotReadError, claims_of, seconds
from gytbench.predictions.convert.contract import Options, Report
from gytbench.predictions.convert.json_pieces import JsonPieces, decode_piece
from gytbench.predictions.convert.text import byte_lines
from gytbench.predictions.convert.tubes import checked
from gytbench.predictions.schema import FrameSize, Tube

PIXELS = False

_ANSWER = ("answer", "response", "output", "prediction", "pred", "text", "filtered_resps", "resps")
_VIDEO = ("video", "video_id", "vid", "video_name")
_LABEL = ("label", "query", "caption", "sentence")

_THOUSAND: FrameSize = (1000.0, 1000.0)
_UNIT: FrameSize = (1.0, 1.0)


class _Asked(NamedTuple):
    """What a record says beside the answer."""

    where: str
    video: str
    label: str
    instance: int | None
    start: float | None
    end: float | None
    offset: float
    frame_size: FrameSize | None


def read(path: Path, options: Options, report: Report) -> Iterator[Tube]:
    """The tubes of all answers that can be read; the others are reported."""
    for where, record in _records(path):
        report.records += 1
        asked = _asked(record, where, options)
        answer = _text(_first(record, _ANSWER))
        if answer is None:
            raise InputError(f"has no answer; its key is one of {', '.join(_ANSWER)}", where=where)
        try:
            claims = claims_of(answer)
            if not claims and answer.strip() not in ("[]", "{}"):
                raise NotReadError("no time, no box and no point")
        except NotReadError as error:
            report.skip(where, f"{_shown(answer)}: {error}", _kind(str(error)))
            continue
        yield from _tubes(claims, asked, answer, options, report)


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with open_input(path) as file:
        pieces = JsonPieces(file, str(path))
        if pieces.peek() == b"[":
            for index in pieces.elements():
                where = f"{path}: $[{index}]"
                yield where, _flat(decode_piece(pieces.raw(), dict[str, Any], where))
            pieces.end()
            return
    with open_input(path) as file:
        for number, line in byte_lines(file, str(path)):
            where = f"{path}: line {number}"
            yield where, _flat(decode_piece(line, dict[str, Any], where))


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    doc = record.get("doc")
    return {**doc, **record} if isinstance(doc, dict) else record


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _text(value: Any) -> str | None:
    """The text of an answer, which lmms-eval nests in lists."""
    for _ in range(3):
        if isinstance(value, list) and value:
            value = value[0]
    return value if isinstance(value, str) else None


def _asked(record: dict[str, Any], where: str, options: Options) -> _Asked:
    video = _first(record, _VIDEO) or options.video
    label = options.label or _first(record, _LABEL) or ""
    if not isinstance(video, str) or not isinstance(label, str):
        raise InputError("the video and the label must be text", where=where)
    numbers = {}
    for name in ("start", "end", "offset", "width", "height"):
        numbers[name] = seconds(record.get(name))
        if record.get(name) is not None and numbers[name] is None:
            raise InputError(f"`{name}` must be a number", where=where)
    instance = record.get("instance")
    if instance is not None and (not isinstance(instance, int) or isinstance(instance, bool)):
        raise InputError("`instance` must be a whole number", where=where)
    size = options.frame_size
    if numbers["width"] and numbers["height"]:
        size = (numbers["width"], numbers["height"])
    return _Asked(
        where,
        video,
        label,
        instance,
        numbers["start"],
        numbers["end"],
        numbers["offset"] or 0.0,
        size,
    )


def _kind(reason: str) -> str:
    """The reason without its numbers, to count by."""
    return "".join("N" if c.isdigit() else c for c in reason).replace("NN", "N")


def _shown(answer: str) -> str:
    return repr(answer if len(answer) <= 80 else answer[:80] + "...")


def _tubes(
    claims: list[Claim], asked: _Asked, answer: str, options: Options, report: Report
) -> Iterator[Tube]:
    groups: dict[tuple[float | None, float | None, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        start, end = _moved(claim.start, asked), _moved(claim.end, asked)
        if start is None or end is None:
            start, end = asked.start, asked.end
        groups[start, end, asked.label or claim.label or ""].append(claim)
    for (start, end, label), found in groups.items():
        try:
            yield _tube(found, asked._replace(start=start, end=end, label=label), options)
        except (NotReadError, InputError) as error:
            reason = error.faults[0].reason if isinstance(error, InputError) else str(error)
            report.skip(asked.where, f"{_shown(answer)}: {reason}", _kind(reason))


def _moved(time: float | None, asked: _Asked) -> float | None:
    return None if time is None else time + asked.offset


def _tube(claims: list[Claim], asked: _Asked, options: Options) -> Tube:
    """One tube; raises `NotReadError`, or `InputError`, for claims that make none."""
    if not asked.label:
        raise NotReadError("no label: neither the record nor the answer has one")
    shaped = [claim for claim in claims if claim.box is not None or claim.point is not None]
    times = [_moved(claim.time, asked) for claim in shaped or claims]
    start, end = asked.start, asked.end
    if start is None or end is None:
        told = [time for time in times if time is not None]
        if not told:
            raise NotReadError("a box or point without a time")
        start, end = float(ceil(min(told) - 0.5)), ceil(max(told) - 0.5) + 1.0
    score = next((claim.score for claim in claims if claim.score is not None), 1.0)
    tube = Tube(asked.video, asked.label, start, end, score, instance=asked.instance)
    checked(asked.where, tube)
    if shaped:
        _place(tube, shaped, times, asked, options)
    return checked(asked.where, tube)


def _place(
    tube: Tube,
    shaped: list[Claim],
    times: list[float | None],
    asked: _Asked,
    options: Options,
) -> None:
    """Fill in the boxes and points of a tube."""
    frames = {_frame(claim, options, asked) for claim in shaped}
    if len(frames) > 1:
        raise NotReadError("coordinates in several units")
    covered = range(ceil(tube.start), ceil(tube.end))
    by_second: dict[int, Claim] = {}
    for claim, time in zip(shaped, times, strict=True):
        wanted = covered if time is None else [ceil(time - 0.5)]
        for second in wanted:
            if second not in covered:
                raise NotReadError("a box or point outside its interval")
            if time is not None and second in by_second and by_second[second].time is not None:
                raise NotReadError("several boxes or points for one second")
            if time is None and second in by_second:
                raise NotReadError("several boxes or points for one interval")
            by_second[second] = claim
    kept = sorted(by_second)
    tube.times = None if kept == list(covered) else kept
    boxes: list[Any] = [by_second[second].box for second in kept]
    points: list[Any] = [by_second[second].point for second in kept]
    tube.boxes = boxes if any(boxes) else None
    tube.points = points if any(points) else None
    tube.frame_size = frames.pop()


def _frame(claim: Claim, options: Options, asked: _Asked) -> FrameSize:
    """The frame that the numbers of a claim are in; raises `NotReadError` where it is not told."""
    numbers = (*(claim.box or ()), *(claim.point or ()))
    if claim.box is not None and (claim.box[2] < claim.box[0] or claim.box[3] < claim.box[1]):
        raise NotReadError("a box with x2 < x1 or y2 < y1")
    unit: str = options.coordinates
    if unit == "auto":
        unit = "fraction" if max(map(abs, numbers)) <= 1 else "thousand" if claim.thousand else ""
    if not unit:
        raise NotReadError("coordinates of an unknown unit: say --coordinates thousand or pixels")
    most = {"fraction": 1.0, "thousand": 1000.0}.get(unit)
    if most is not None and max(numbers) > most:
        raise NotReadError(f"coordinates beyond {most:g}")
    if unit != "pixels":
        return _UNIT if unit == "fraction" else _THOUSAND
    if asked.frame_size is None:
        raise NotReadError("pixels of an unknown frame: give --frame-size WxH")
    return asked.frame_size
