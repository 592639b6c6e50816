"""What an answer in free text says: intervals, times, boxes and points.

The conventions are those in use: JSON in a code fence or alone, with `bbox_2d` (x1, y1, x2, y2;
Qwen) or `box_2d` (y1, x1, y2, x2 in thousandths; Gemini); `<box>` and `<ref>` tags, and
`<|box_start|>` and `<|object_ref_start|>` (thousandths; Qwen-VL, InternVL); brackets of four
numbers (fractions; Shikra); times as seconds, mm:ss or hh:mm:ss; "from 12 to 18",
"between 0:12 and 0:18", "12s - 18s", "[12, 18]".
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from gytbench.predictions.syntax import NOT_DECODED

MAX_ANSWER = 1 << 20
"""Characters of one answer."""

_N = r"-?\d+(?:\.\d+)?"
_CLOCK = r"(?<![\d.])(?<!\d:)\d{1,3}:\d{2}(?::\d{2})?(?:\.\d+)?(?!\d|:\d)"
_PLAIN = r"(?<![\d.])(?<!\d:)\d+(?:\.\d+)?(?!\d|:\d)"
_T = rf"(?:{_CLOCK}|{_PLAIN})"
_UNIT = r"(?:\s*(?:seconds|second|secs|sec|s)\b)"
_TO = r"\s*(?:to|until|till|and|-|\u2013|\u2014)\s*"
_FOUR = rf"\s*{_N}\s*,\s*{_N}\s*,\s*{_N}\s*,\s*{_N}\s*"
_TWO = rf"\s*{_N}\s*,\s*{_N}\s*"

_TOKENS = re.compile(
    rf"""
    <ref>(?P<ref>[^<]*)</ref> | <\|object_ref_start\|>(?P<ref2>[^<]*)<\|object_ref_end\|>
    | <box>(?P<box>[^<]*)</box> | <\|box_start\|>(?P<box2>[^<]*)<\|box_end\|>
    | (?P<four>\[{_FOUR}\] | \({_FOUR}\) | \({_TWO}\)\s*,\s*\({_TWO}\))
    | (?:from|between)\s+(?:second\s+)?(?P<from>{_T}){_UNIT}?{_TO}(?:second\s+)?(?P<to>{_T}){_UNIT}?
    | \[\s*(?P<open>{_T}){_UNIT}?\s*(?:,|-|\u2013|to)\s*(?P<close>{_T}){_UNIT}?\s*\]
    | <(?P<open2>{_T}){_UNIT}?>{_TO}<(?P<close2>{_T}){_UNIT}?>
    | (?P<first>{_T}){_UNIT}?\s*(?:to|until|till|-|\u2013|\u2014)\s*(?P<last>{_T}){_UNIT}
    | (?P<first2>{_CLOCK})\s*(?:to|until|till|-|\u2013|\u2014)\s*(?P<last2>{_CLOCK})
    | (?P<pair>\({_TWO}\))
    | (?:\bat|@|\bt\s*=|\bsecond|\btime)\s*:?\s*(?P<at>{_T}){_UNIT}?
    | (?P<clock>{_CLOCK}) | (?P<time>{_PLAIN}){_UNIT}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_FENCE = re.compile(r"```[a-zA-Z]*\s*\n?(.*?)```", re.DOTALL)
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_NUMBER = re.compile(_N)
_TIME = re.compile(rf"\s*<?({_T}){_UNIT}?>?\s*", re.IGNORECASE)

_START = ("start", "start_time", "begin", "t_start", "from", "start_sec")
_END = ("end", "end_time", "t_end", "to", "end_sec")
_SPAN = ("segment", "interval", "time_range", "span", "timestamps", "time", "timestamp")
_MOMENT = ("time", "second", "timestamp", "t", "sec")
_BOX = ("bbox", "box", "bounding_box", "bbox_2d")
_POINT = ("point", "point_2d")
_LABEL = ("label", "action", "class")
_SCORE = ("score", "confidence")


_MOST = 1e9
"""The largest magnitude of a time or coordinate that is looked at."""


class Claim(NamedTuple):
    """One thing that an answer says; a box or point has its numbers, and how they are meant."""

    start: float | None = None
    end: float | None = None
    time: float | None = None
    box: tuple[float, ...] | None = None
    point: tuple[float, ...] | None = None
    label: str | None = None
    score: float | None = None
    thousand: bool = False
    """Whether the form of the answer says that its coordinates are thousandths."""


class NotReadError(ValueError):
    """An answer, or a part of one, that has no meaning here."""


def claims_of(text: str) -> list[Claim]:
    """Everything that an answer says, in its order.

    Raises `NotReadError`, with the reason, for JSON that cannot be understood.
    """
    if len(text) > MAX_ANSWER:
        raise NotReadError(f"longer than {MAX_ANSWER:,} characters")
    fences: list[str] = _FENCE.findall(text)
    for candidate in fences or [text]:
        document = _decoded(candidate)
        if isinstance(document, dict | list) and not _is_numbers(document):
            return list(_walk(document, Claim()))
        if fences and candidate.lstrip()[:1] in ("{", "["):
            raise NotReadError("the JSON in its code fence cannot be decoded")
    # Runs of blanks would take the search for times a time that grows with their square.
    return _from_text(_LINES.sub("\n", _BLANKS.sub(" ", text)))


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text.strip())
    except NOT_DECODED:
        return None


def _is_numbers(value: Any, count: int = 0) -> bool:
    numbers = isinstance(value, list) and all(
        type(each) in (int, float) and abs(each) <= _MOST for each in value
    )
    return numbers and bool(value) and (not count or len(value) == count)


def seconds(value: Any) -> float | None:
    """A time in seconds: a number, "12.5 s", "mm:ss" or "hh:mm:ss"; None for what is none.

    >>> seconds("01:02.5")
    62.5
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if abs(value) <= _MOST else None
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    total = 0.0
    for part in match[1].split(":"):
        total = total * 60 + float(part)
    return total if total <= _MOST else None


def _walk(value: Any, outer: Claim) -> Iterator[Claim]:
    """The claims of decoded JSON; what an outer object says holds within."""
    if isinstance(value, list):
        for each in value:
            if isinstance(each, dict | list):
                yield from _walk(each, outer)
        if _is_numbers(value, 4):
            yield outer._replace(box=tuple(value))
        return
    told = {str(key).lower(): each for key, each in value.items()}
    own = _own(told, outer)
    shaped = own.box is not None or own.point is not None
    inner = list(_inside(told, own._replace(box=None, point=None)))
    timed = own.start is not None and own.end is not None and own.start != outer.start
    if shaped or timed or (own.time is not None and not inner):
        yield own
    yield from inner


def _own(told: dict[str, Any], outer: Claim) -> Claim:
    start, end = _first(told, _START), _first(told, _END)
    span = next((told[key] for key in _SPAN if isinstance(told.get(key), list)), None)
    if span is not None and len(span) == 2:
        start, end = span
    elif isinstance(
        text := next((told[k] for k in _SPAN if isinstance(told.get(k), str)), None), str
    ):
        found = [token for token in _tokens(text) if token[0] == "interval"]
        start, end = found[0][1] if found else (start, end)
    claim = outer
    if seconds(start) is not None and seconds(end) is not None:
        claim = claim._replace(start=seconds(start), end=seconds(end))
    moment = seconds(_first(told, _MOMENT))
    claim = claim if moment is None else claim._replace(time=moment)
    label, score = _first(told, _LABEL), _first(told, _SCORE)
    if isinstance(label, str):
        claim = claim._replace(label=label)
    if isinstance(score, int | float) and not isinstance(score, bool):
        claim = claim._replace(score=float(score))
    return _shaped(told, claim)


def _shaped(told: dict[str, Any], claim: Claim) -> Claim:
    swapped = told.get("box_2d")
    if _is_numbers(swapped, 4):
        y1, x1, y2, x2 = told["box_2d"]
        return claim._replace(box=(x1, y1, x2, y2), thousand=True)
    for key in _BOX:
        if _is_numbers(told.get(key), 4):
            claim = claim._replace(box=tuple(told[key]))
    for key in _POINT:
        if _is_numbers(told.get(key), 2):
            claim = claim._replace(point=tuple(told[key]))
    return claim


def _inside(told: dict[str, Any], own: Claim) -> Iterator[Claim]:
    """The claims of nested values: by second, one a second of the interval, or by name."""
    for key, value in told.items():
        moment = seconds(key)
        if moment is not None and isinstance(value, list | dict):
            if _is_numbers(value, 4):
                yield own._replace(time=moment, box=tuple(value))
            elif _is_numbers(value, 2):
                yield own._replace(time=moment, point=tuple(value))
            else:
                yield from _walk(value, own._replace(time=moment))
        elif key in ("boxes", "bboxes") and isinstance(value, list) and _of_fours(value):
            yield from _by_second(value, own)
        elif isinstance(value, dict) or (isinstance(value, list) and not _is_numbers(value)):
            yield from _walk(value, own)


def _of_fours(value: list[Any]) -> bool:
    return bool(value) and all(_is_numbers(each, 4) for each in value)


def _by_second(boxes: list[Any], own: Claim) -> Iterator[Claim]:
    if own.start is None or own.end is None or len(boxes) == 1:
        yield from (own._replace(box=tuple(box)) for box in boxes)
        return
    first, last = -int(-own.start // 1), -int(-own.end // 1)
    if last - first != len(boxes):
        raise NotReadError(f"{len(boxes)} boxes for the {last - first} seconds of its interval")
    for second, box in zip(range(first, last), boxes, strict=True):
        yield own._replace(time=float(second), box=tuple(box))


def _first(told: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((told[name] for name in names if told.get(name) is not None), None)


Token = tuple[str, Any, int]
"""Its kind, its value, and the line that it is in."""


def _tokens(text: str) -> Iterator[Token]:
    line = at = 0
    for match in _TOKENS.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        told = {name: value for name, value in match.groupdict().items() if value is not None}
        values = list(told.values())
        name = next(iter(told))
        if name.startswith("ref"):
            yield "ref", values[0].strip(), line
        elif name.startswith("box"):
            yield from (("thousand", four, line) for four in _fours(values[0]))
        elif name == "four":
            yield "box", tuple(map(float, _NUMBER.findall(values[0]))), line
        elif name == "pair":
            yield "point", tuple(map(float, _NUMBER.findall(values[0]))), line
        elif len(values) == 2:
            yield from _times("interval", values, line)
        else:
            yield from _times("time", values, line)


def _times(kind: str, texts: list[str], line: int) -> Iterator[Token]:
    """The times that a token tells, where they are ones that a video can have."""
    told = tuple(seconds(text) for text in texts)
    if None not in told:
        yield kind, told if kind == "interval" else told[0], line


def _fours(text: str) -> Iterator[tuple[float, ...]]:
    numbers = [float(each) for each in _NUMBER.findall(text)]
    if len(numbers) % 4:
        raise NotReadError(f"a box of {len(numbers)} numbers")
    yield from (tuple(numbers[at : at + 4]) for at in range(0, len(numbers), 4))


_SHAPES = ("box", "thousand", "point")


def _from_text(text: str) -> list[Claim]:
    """The claims of free text.

    A box belongs to the time before it, or, in a line that begins with a box, to the time after
    it; without either, to the interval before it, else to the first of the answer.
    """
    tokens = list(_tokens(text))
    intervals = [value for kind, value, _ in tokens if kind == "interval"]
    trailing = _trailing(tokens)
    claims: list[Claim] = []
    now = Claim()
    for at, (kind, value, line) in enumerate(tokens):
        if kind == "interval":
            now = Claim(value[0], value[1], label=now.label)
            claims.append(now)
        elif kind == "ref":
            now = now._replace(label=value)
        elif kind == "time":
            now = now._replace(time=value)
        else:
            own = now
            if own.time is None or line in trailing:
                time = _next_time(tokens[at + 1 : at + 3], line)
                own = own._replace(time=own.time if time is None else time)
            if own.start is None and intervals:
                own = own._replace(start=intervals[0][0], end=intervals[0][1])
            shape = {"point" if kind == "point" else "box": value}
            claims.append(own._replace(thousand=kind == "thousand", **shape))
    return claims or _lone_time(tokens)


def _trailing(tokens: list[Token]) -> set[int]:
    """The lines whose first box comes before their first time."""
    first: dict[int, str] = {}
    for kind, _, line in tokens:
        if kind in _SHAPES or kind == "time":
            first.setdefault(line, kind)
    return {line for line, kind in first.items() if kind != "time"}


def _next_time(tokens: list[Token], line: int) -> float | None:
    """The time that follows in the same line, before another box."""
    for kind, value, at in tokens:
        if at != line or kind in _SHAPES:
            return None
        if kind == "time":
            found: float = value
            return found
    return None


def _lone_time(tokens: list[Token]) -> list[Claim]:
    """The one moment that an answer names; raises `NotReadError` for several."""
    times = {value for kind, value, _ in tokens if kind == "time"}
    if len(times) > 1:
        raise NotReadError("several times, but no interval and no box")
    return [Claim(time=time) for time in times]
