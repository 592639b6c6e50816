"""Scores as marks on a line: one small drawing for each row of a table."""

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from gytbench.evaluation import Score
from gytbench.evaluation.result import Interval
from gytbench.leaderboard.results import Kind
from gytbench.report.html.canvas import Canvas, Key, Mark, Scale, ticks
from gytbench.report.tables import percent

WIDTH: Final = 140.0
_HEIGHT: Final = 20.0
_EDGE: Final = 9.0
_MIDDLE: Final = _HEIGHT / 2
SHAPES: Final[dict[Kind, str]] = {
    "submission": "bar",
    "floor": "triangle",
    "ceiling": "square",
}
CSS: Final[dict[Kind, str]] = {
    "submission": "mark own",
    "floor": "mark floor",
    "ceiling": "mark ceiling",
}


class Span(NamedTuple):
    """Where the strips of a table begin and end, as fractions, and their ticks."""

    low: float
    high: float
    marks: tuple[float, ...]

    @property
    def scale(self) -> Scale:
        """From fractions to pixels of a strip."""
        return Scale(self.low, self.high, _EDGE, WIDTH - _EDGE)


WHOLE: Final = Span(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))


def span_of(values: Sequence[float], most: int = 3) -> Span:
    """The round span that holds the values; from 0 to 1 where there is none."""
    if not values:
        return Span(0.0, 1.0, (0.0, 0.5, 1.0))
    low, high = max(0.0, min(values)), min(1.0, max(values))
    if high - low < 0.02:
        low, high = max(0.0, low - 0.01), min(1.0, high + 0.01)
    inside = ticks(low, high, most)
    step = inside[1] - inside[0] if len(inside) > 1 else high - low
    first = max(0.0, step * math.floor(low / step + 1e-9))
    last = min(1.0, step * math.ceil(high / step - 1e-9))
    return Span(first, last, tuple(ticks(first, last, most + 1)))


def axis(span: Span) -> Canvas:
    """The ticks of the strips of a table with their numbers, in percent."""
    canvas = Canvas("", 16, width=WIDTH)
    for tick in span.marks:
        canvas.text("tick", span.scale(tick), 12, f"{100 * tick:.4g}", "middle")
    return canvas


def strip(
    span: Span, score: Score, interval: Interval | None, kind: Kind, floor: Score = None
) -> Canvas:
    """A score with its interval on the line, and where the best floor lies.

    A score outside the span is drawn as an arrow at its end.
    """
    canvas = _lined(span)
    if floor is not None and span.low <= floor <= span.high:
        x = span.scale(floor)
        canvas.line("floor-line", x, 0, x, _HEIGHT)
    _draw(canvas, span, score, interval, kind)
    return canvas


class Look(NamedTuple):
    """How a floor or ceiling is marked where several stand on one line."""

    kind: Kind
    shape: str


def looks_of(references: Sequence[tuple[str, Kind]]) -> dict[str, Look]:
    """The look of each floor and ceiling, by name; the last of a kind has the kind's own."""
    kinds = [kind for _, kind in references]
    return {
        name: Look(kind, "diamond" if kind in kinds[place + 1 :] else SHAPES[kind])
        for place, (name, kind) in enumerate(references)
    }


def strip_keys(looks: Mapping[str, Look]) -> tuple[Key, ...]:
    """What the marks of `metric_strip` are."""
    own = Key("this entry, with its interval", CSS["submission"], SHAPES["submission"])
    beside = [
        Key(f"{each.kind}: {name}", CSS[each.kind], each.shape) for name, each in looks.items()
    ]
    return (own, *beside)


def metric_strip(
    score: Score,
    interval: Interval | None,
    looks: Mapping[str, Look],
    references: Mapping[str, Score],
) -> Canvas:
    """A score with its interval from 0 to 100 %, between the scores of floors and ceilings."""
    canvas, scale = _lined(WHOLE), WHOLE.scale
    known = {name: value for name, value in references.items() if value is not None}
    if len(known) > 1:
        ends = [scale(value) for value in known.values()]
        canvas.rect("track", min(ends), _MIDDLE - 3, max(ends) - min(ends), 6)
    for name, value in known.items():
        look = looks[name]
        title = f"{look.kind} {name}: {percent(value)} %"
        canvas.marker(CSS[look.kind], look.shape, scale(value), _MIDDLE, title)
    _draw(canvas, WHOLE, score, interval, "submission")
    return canvas


def _lined(span: Span) -> Canvas:
    canvas, scale = Canvas("", _HEIGHT, width=WIDTH), span.scale
    # One path for all: a board of many rows is half as long.
    lines = "".join(f"M{scale(tick):.1f} 0V{_HEIGHT:.0f}" for tick in span.marks)
    canvas.marks.append(Mark("path", {"class": "grid", "d": lines}))
    return canvas


def _draw(canvas: Canvas, span: Span, score: Score, interval: Interval | None, kind: Kind) -> None:
    scale = span.scale
    if score is None:
        return
    if not span.low <= score <= span.high:
        _arrow(canvas, scale(score), 1 if score > span.high else -1)
        return
    if interval is not None:
        css = f"interval {kind}"
        canvas.line(css, scale(interval.low), _MIDDLE, scale(interval.high), _MIDDLE)
    canvas.marker(CSS[kind], SHAPES[kind], scale(score), _MIDDLE, "")


def _arrow(canvas: Canvas, x: float, way: int) -> None:
    back = x - 4 * way
    canvas.path("beyond", [(back, _MIDDLE - 4), (x, _MIDDLE), (back, _MIDDLE + 4)])
