"""The diagnosis as charts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gytbench.diagnosis.model import Bin, Calibration, Diagnosis, Factors, TauSweep
from gytbench.report.html.canvas import Canvas, Key, Scale, room, ticks
from gytbench.report.html.meanings import PROPERTIES
from gytbench.report.tables import NONE

FEW = 20
"""Below so many instances a share is marked as made of few."""

_ENDS = (0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8)
_PLOT = Scale(0, 1, 42, 326)
_SERIES = (
    ("label right", "series-a", "label_found"),
    ("label and point right", "series-b", "point_found"),
    ("taken by a tube", "series-c", "tube_found"),
)


@dataclass(frozen=True)
class DiagnosisCharts:
    """All charts of a diagnosis, in the order of the page."""

    causes: tuple[Canvas, ...]
    factors: Canvas
    identity: str
    sensitivity: tuple[Canvas, ...]
    calibration: Canvas | None
    tau: Canvas | None


def diagnosis_charts(diagnosis: Diagnosis) -> DiagnosisCharts:
    """The charts of a diagnosis; None for one that has nothing to show."""
    return DiagnosisCharts(
        causes=_causes(diagnosis) if diagnosis.causes else (),
        factors=_factors(diagnosis.factors),
        identity=identity(diagnosis.factors),
        sensitivity=tuple(
            _property(PROPERTIES.get(name, name.capitalize()), bins, diagnosis.threshold)
            for name, all_bins in diagnosis.sensitivity.items()
            if (bins := [each for each in all_bins if each.instances])
        ),
        calibration=_calibration(diagnosis.calibration) if diagnosis.calibration else None,
        tau=_tau(diagnosis.tau),
    )


def share(value: float, digits: int = 1) -> str:
    """A fraction as percent with its sign; n/a for NaN."""
    return NONE if math.isnan(value) else f"{100 * value:.{digits}f} %"


def identity(factors: Factors) -> str:
    """The factors of IoU+Point with their numbers put in."""
    product = factors.time * factors.label * factors.place
    return (
        f"F = {share(factors.time)} x {share(factors.label)} x {share(factors.place)} "
        f"= {share(product)}; IoU+Point = F / (2 - F) = {share(factors.iou_point, 2)}"
    )


@dataclass(frozen=True)
class _Bar:
    name: str
    value: float
    shown: str
    css: str


def _bars(title: str, bars: Sequence[_Bar], high: float, unit: str, percents: bool) -> Canvas:
    """Horizontal bars with their names on the left and their values at the end."""
    canvas = Canvas(title, 8 + 26 * len(bars) + 38)
    bottom = 8.0 + 26 * len(bars)
    scale = Scale(0, high, 106, 272)
    for tick in ticks(0, high, 4):
        canvas.line("grid", scale(tick), 8, scale(tick), bottom)
        shown = f"{100 * tick:.4g}" if percents else f"{tick:,.4g}"
        canvas.text("tick", scale(tick), bottom + 14, shown, "middle")
    canvas.text("axis", 189, bottom + 31, unit, "middle")
    for place, bar in enumerate(bars):
        y = 8 + 26.0 * place
        canvas.text("name", 100, y + 17, bar.name, "end")
        length = 0 if math.isnan(bar.value) else scale(bar.value) - scale(0)
        canvas.rect(bar.css, scale(0), y + 4, length, 18)
        canvas.text("value", scale(0) + length + 5, y + 17, bar.shown)
    canvas.line("base", scale(0), 8, scale(0), bottom)
    canvas.description = "; ".join(f"{bar.name}: {bar.shown}" for bar in bars)
    return canvas


def _causes(diagnosis: Diagnosis) -> tuple[Canvas, Canvas]:
    def css(name: str) -> str:
        return "series-c" if name == "missed" else "series-a"

    counts = [
        _Bar(each.name, each.total, f"{each.total:,}", css(each.name)) for each in diagnosis.causes
    ]
    gains = [
        _Bar(each.name, each.gain, share(each.gain, 2), css(each.name)) for each in diagnosis.causes
    ]
    most = max([each.value for each in gains if not math.isnan(each.value)], default=0.0)
    how_many = _bars(
        "How many", counts, max(1.0, *(each.value for each in counts)), "number", False
    )
    how_many.keys = (
        Key("false tubes", "series-a", "swatch"),
        Key("instances", "series-c", "swatch"),
    )
    worth = _bars(
        f"What mending all of them would gain in video mAP@{diagnosis.threshold:g}",
        gains,
        _rounded_up(most),
        "percentage points of video mAP",
        True,
    )
    return how_many, worth


def _rounded_up(share: float) -> float:
    """The end of an axis that starts at 0 and has to hold a share."""
    return next((end for end in _ENDS if share <= end), 1.0)


def _factors(factors: Factors) -> Canvas:
    bars = [
        _Bar("time", factors.time, share(factors.time), "series-a"),
        _Bar("label", factors.label, share(factors.label), "series-b"),
        _Bar("place", factors.place, share(factors.place), "series-c"),
        _Bar("IoU+Point", factors.iou_point, share(factors.iou_point), "series-all"),
    ]
    return _bars("Time x label x place", bars, 1.0, "percent", True)


def _property(title: str, bins: Sequence[Bin], threshold: float) -> Canvas:
    """One group of three bars for each range of a property."""
    group = 70.0
    bottom = 8 + group * len(bins)
    canvas = Canvas(title, bottom + 38)
    scale = Scale(0, 1, 6, 282)
    for tick in ticks(0, 1, 4):
        canvas.line("grid", scale(tick), 8, scale(tick), bottom)
        canvas.text("tick", scale(tick), bottom + 14, f"{100 * tick:g}", "middle")
    canvas.text("axis", 144, bottom + 31, "percent of seconds, or of instances", "middle")
    for place, each in enumerate(bins):
        _draw_bin(canvas, scale, 8 + group * place, each)
    canvas.line("base", scale(0), 8, scale(0), bottom)
    taken = f"instance taken by a tube at IoU {threshold:g}"
    names = ("seconds with the right label", "seconds with label and point right", taken)
    canvas.keys = tuple(
        Key(name, css, "swatch") for name, (_, css, _) in zip(names, _SERIES, strict=True)
    )
    canvas.description = "; ".join(
        f"{each.name} ({each.instances:,} instances): "
        + ", ".join(f"{name} {share(getattr(each, field))}" for name, _, field in _SERIES)
        for each in bins
    )
    return canvas


def _draw_bin(canvas: Canvas, scale: Scale, top: float, each: Bin) -> None:
    few = each.instances < FEW
    noun = "instance" if each.instances == 1 else "instances"
    canvas.fitted("name halo", 11, top + 15, each.name, 200)
    canvas.text(
        "few-text halo" if few else "tick halo", 330, top + 15, f"{each.instances:,} {noun}", "end"
    )
    for number, (_, css, field) in enumerate(_SERIES):
        value, y = getattr(each, field), top + 20 + 15 * number
        length = 0.0 if math.isnan(value) else scale(value) - scale(0)
        canvas.rect(f"{css} few" if few else css, scale(0), y, length, 13)
        canvas.text("small", scale(0) + length + 4, y + 10.5, share(value))


def _plot(title: str, low: float, high: float, top: float) -> tuple[Canvas, Scale, Scale]:
    """Axes for a line: values from low to high along, shares from 0 to top upwards."""
    canvas = Canvas(title, 300)
    along = Scale(low, high, _PLOT.start, _PLOT.end)
    upward = Scale(0, top, 250, 14)
    for tick in ticks(0, top):
        canvas.line("grid", along.start, upward(tick), along.end, upward(tick))
        canvas.text("tick", along.start - 6, upward(tick) + 4, f"{100 * tick:.4g}", "end")
    for tick in ticks(low, high):
        canvas.line("grid", along(tick), upward.end, along(tick), upward.start)
        canvas.text("tick", along(tick), upward.start + 16, f"{tick:.4g}", "middle")
    canvas.line("base", along.start, upward.start, along.end, upward.start)
    return canvas, along, upward


def _calibration(ranges: Sequence[Calibration]) -> Canvas:
    """The share of right tubes over their score; with the diagonal where scores are shares."""
    low, high = min(each.low for each in ranges), max(each.high for each in ranges)
    shares = low >= 0 and high <= 1
    low, high = (0.0, 1.0) if shares else (low, high)
    canvas, along, upward = _plot("Scores against what is right", low, high, 1.0)
    canvas.text("axis", 184, 286, "mean score of the tubes", "middle")
    canvas.text("axis", 46, 10, "percent of the tubes that are right")
    if shares:
        canvas.path("diagonal", [(along(0), upward(0)), (along(1), upward(1))])
    seen = [each for each in ranges if each.tubes and not math.isnan(each.right + each.mean_score)]
    places = [(along(each.mean_score), upward(each.right)) for each in seen]
    if len(places) > 1:
        canvas.path("curve series-a-line", places)
    labelled: list[tuple[float, float]] = []
    for each, (x, y) in zip(seen, places, strict=True):
        title = f"{each.low:.4g} to {each.high:.4g}: {share(each.right)} of {each.tubes:,} tubes"
        canvas.marker("series-a", "circle", x, y, title)
        if all(abs(x - other) > 46 or abs(y - level) > 14 for other, level in labelled):
            labelled.append((x, y))
            edge = "end" if x > 280 else "start" if x < 70 else "middle"
            canvas.text("small halo", x, y - 9 if y > 34 else y + 18, share(each.right), edge)
    canvas.keys = (Key("tubes of one range of scores", "series-a", "circle"),)
    if shares:
        canvas.keys += (Key("a calibrated score", "diagonal", "line"),)
    else:
        canvas.note = "The scores are not between 0 and 1, so they cannot be read as shares."
    canvas.description = "; ".join(
        f"score {each.mean_score:.3g}: {share(each.right)} right" for each in seen
    )
    return canvas


def _tau(sweep: TauSweep) -> Canvas | None:
    """IoU+Point and label IoU over the score below which seconds are dropped."""
    kept = [
        place
        for place, tau in enumerate(sweep.tau.tolist())
        if math.isfinite(tau) and not math.isnan(sweep.iou_point[place])
    ]
    if len(kept) < 2:
        return None
    tau = sweep.tau[kept]
    lines = {"IoU+Point": sweep.iou_point[kept], "label IoU": sweep.label_iou[kept]}
    most = max(float(values.max()) for values in lines.values())
    low, high = float(tau.min()), float(tau.max())
    canvas, along, upward = _plot(
        "When only confident seconds are kept", low, high, _rounded_up(most)
    )
    canvas.text("axis", 184, 286, "tau: seconds with a lower score are dropped", "middle")
    canvas.text("axis", 46, 10, "percent")
    for (name, values), css in zip(lines.items(), ("series-b", "series-a"), strict=True):
        places = [(along(x), upward(y)) for x, y in zip(tau.tolist(), values.tolist(), strict=True)]
        canvas.path(f"curve {css}-line", places)
        canvas.keys += (Key(name, f"{css}-line", "line"),)
    _mark_best(canvas, sweep, along, upward)
    return canvas


def _mark_best(canvas: Canvas, sweep: TauSweep, along: Scale, upward: Scale) -> None:
    best = sweep.best
    tau, value = float(sweep.tau[best]), float(sweep.iou_point[best])
    place = along(tau) if math.isfinite(tau) else along.start
    x, y = place, upward(value)
    shown = f"{share(value, 2)} at tau {tau:.3g}"
    canvas.marker("series-b", "diamond", x, y, shown)
    canvas.keys += (Key("best IoU+Point, chosen on the test set", "series-b", "diamond"),)
    left = min(max(x - room(shown) / 2, along.start + 4), along.end - room(shown))
    # Label IoU is never lower: below the best there is room, unless the axis is near.
    canvas.text("value halo", left, y + 20 if y < 225 else y - 10, shown)
    kept = f"{int(sweep.tubes[best]):,} of {int(sweep.tubes[0]):,} tubes"
    canvas.note = (
        f"Keeping everything gives {share(float(sweep.iou_point[0]), 2)}. The best, {shown} "
        f"with {kept}, is chosen on the test set: it is no result."
    )
    canvas.description = canvas.note
