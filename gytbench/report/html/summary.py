"""The metrics beside their floors and ceilings, as rows and as a chart."""

from collections.abc import Mapping
from typing import NamedTuple

from gytbench.bounds import BOUNDS
from gytbench.evaluation import Result
from gytbench.evaluation.result import Interval
from gytbench.report.html.canvas import Canvas, Key, Scale, ticks
from gytbench.report.html.inputs import ReportInputs
from gytbench.report.tables import interval, percent

_ROW = 36.0
_TOP = 8.0
_LEFT, _RIGHT = 12.0, 324.0

_SHAPES = {"floor": ("triangle",), "ceiling": ("square", "diamond"), "": ("bar",)}


class Reference(NamedTuple):
    """A floor or ceiling that was scored."""

    name: str
    kind: str
    """`floor`, `ceiling`, or empty where it is neither."""
    result: Result
    key: Key


class Row(NamedTuple):
    """One metric as text."""

    name: str
    score: str
    interval: str
    references: tuple[str, ...]


def scored_references(references: Mapping[str, Result | str]) -> list[Reference]:
    """The references that have a result, the last ceiling with a marker of its own."""
    scored = [(name, found) for name, found in references.items() if isinstance(found, Result)]
    kinds = [_kind(name, place, len(scored)) for place, (name, _) in enumerate(scored)]
    return [
        Reference(name, kind, found, Key(_titled(name, kind), *_look(kind, kinds[place + 1 :])))
        for place, ((name, found), kind) in enumerate(zip(scored, kinds, strict=True))
    ]


def _kind(name: str, place: int, count: int) -> str:
    if name in BOUNDS:
        return BOUNDS[name].kind
    if place == 0:
        return "floor"
    return "ceiling" if place == count - 1 else ""


def _titled(name: str, kind: str) -> str:
    return f"{kind}: {name}" if kind else name


def _look(kind: str, after: list[str]) -> tuple[str, str]:
    shapes = _SHAPES[kind]
    return f"mark {kind or 'between'}", shapes[min(after.count(kind), len(shapes) - 1)]


def rows(inputs: ReportInputs, references: list[Reference]) -> list[Row]:
    """The metrics as the table shows them."""
    return [
        Row(
            name,
            percent(score),
            interval(interval_of(inputs.result, name)),
            tuple(percent(each.result.metrics.get(name)) for each in references),
        )
        for name, score in inputs.result.metrics.items()
    ]


def interval_of(result: Result, metric: str) -> Interval | None:
    """The interval of a metric, where there is one."""
    return result.intervals.metrics.get(metric) if result.intervals else None


def ranges_chart(inputs: ReportInputs, references: list[Reference]) -> Canvas:
    """Every metric from 0 to 100 %, with its interval, floors and ceilings."""
    metrics = inputs.result.metrics
    bottom = _TOP + _ROW * len(metrics)
    canvas = Canvas("From floor to ceiling", bottom + 36, keys=_keys(inputs, references))
    scale = Scale(0, 1, _LEFT, _RIGHT)
    for tick in ticks(0, 1):
        canvas.line("grid", scale(tick), _TOP, scale(tick), bottom)
        canvas.text("tick", scale(tick), bottom + 14, f"{100 * tick:.0f}", "middle")
    canvas.text("axis", (_LEFT + _RIGHT) / 2, bottom + 30, "percent", "middle")
    for place, name in enumerate(metrics):
        _draw_metric(canvas, scale, _TOP + _ROW * place, name, inputs, references)
    canvas.description = "; ".join(f"{name} {percent(score)} %" for name, score in metrics.items())
    return canvas


def _keys(inputs: ReportInputs, references: list[Reference]) -> tuple[Key, ...]:
    keys = [Key("this file", "mark own", "circle")]
    if inputs.result.intervals:
        keys.append(Key("95 % interval", "mark interval", "line"))
    return (*keys, *(each.key for each in references))


def _draw_metric(
    canvas: Canvas,
    scale: Scale,
    top: float,
    name: str,
    inputs: ReportInputs,
    references: list[Reference],
) -> None:
    own, y = inputs.result.metrics[name], top + 25
    shown = percent(own)
    canvas.text("name", _LEFT, top + 13, name)
    canvas.text("value", _RIGHT, top + 13, shown, "end")
    beside = [(each, each.result.metrics.get(name)) for each in references]
    known = [(each, score) for each, score in beside if score is not None]
    if known:
        ends = [scale(score) for _, score in known]
        canvas.rect("track", min(ends), y - 3, max(ends) - min(ends), 6)
    for each, score in known:
        title = f"{each.key.name}: {percent(score)} %"
        canvas.marker(each.key.css, each.key.shape, scale(score), y, title)
    found = interval_of(inputs.result, name)
    if found is not None:
        canvas.line("interval", scale(found.low), y, scale(found.high), y)
    if own is not None:
        canvas.marker("mark own", "circle", scale(own), y, f"this file: {shown} %")
