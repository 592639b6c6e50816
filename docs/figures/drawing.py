"""The figures of docs/metrics.md, drawn from the scored examples alone."""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import pairwise
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from docs.figures import examples
from docs.figures.examples import Box
from gytbench.metrics.arrays import Bools
from gytbench.scenes.captions import INK, PREDICTION, TRUTH

Style = dict[str, Any]

WIDTH: Final = 7.2
"""Inches: 691 pixels of a page."""
RIGHT, WRONG, QUIET = "#00795a", "#9a3b8f", "#707070"
PALE_TRUTH, PALE_PREDICTION, PALE_QUIET = "#f6c9c9", "#c4dcf7", "#ececec"
_MARKS: Final = {True: ("o", RIGHT), False: ("X", WRONG)}
_FONT: Final = b"font-family: 'DejaVu Sans'"
_STYLE: Final[Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "svg.fonttype": "none",
    "svg.hashsalt": "gytbench",
    "hatch.linewidth": 0.6,
}


def svg_of(name: str) -> bytes:
    """A figure of `FIGURES` as SVG, the same bytes each time."""
    with mpl.rc_context(_STYLE):
        figure = FIGURES[name]()
        content = BytesIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(content, format="svg", facecolor="white", metadata=nothing)
    # Verdana is as wide as DejaVu Sans, which few have.
    return content.getvalue().replace(_FONT, _FONT + b", Verdana, sans-serif")


def _blank(height: float) -> Figure:
    layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06)
    return Figure(figsize=(WIDTH, height), layout=layout)


def _grid(height: float, rows: int, columns: int, **options: Any) -> tuple[Figure, Sequence[Axes]]:
    """A figure and its axes, row by row."""
    figure = _blank(height)
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, list(axes.ravel())


def _key(figure: Figure, *entries: tuple[str, Style], marks: Sequence[str] = ()) -> None:
    """A legend below the figure: areas, and what the marks of right and wrong are called."""
    handles: list[Artist] = [
        Rectangle((0, 0), 1, 1, label=label, **style) for label, style in entries
    ]
    for label, (shape, colour) in zip(marks, (_MARKS[True], _MARKS[False]), strict=False):
        mark: Style = {
            "marker": shape,
            "color": colour,
            "markersize": 8,
            "markeredgecolor": "white",
        }
        handles.append(Line2D([], [], linestyle="", label=label, **mark))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=9
    )


_TRUE_LINE: Final[Style] = {"fill": False, "edgecolor": TRUTH, "linewidth": 1.8, "zorder": 3}
_SAID_LINE: Final[Style] = {
    "fill": False,
    "edgecolor": PREDICTION,
    "linewidth": 1.8,
    "linestyle": (0, (4, 2)),
    "zorder": 3,
}
_SHARED: Final[Style] = {
    "facecolor": "#d9c4ea",
    "edgecolor": "#6b3fa0",
    "linewidth": 0,
    "hatch": "////",
}


def _frame(axes: Axes, size: tuple[float, float], beyond: float = 0.0) -> None:
    """An empty video frame; y runs down. beyond: how much is shown below its border."""
    width, height = size
    axes.add_patch(Rectangle((0, 0), width, height, facecolor="#fafafa", edgecolor="0.55"))
    axes.set_xlim(-0.01 * width, 1.01 * width)
    axes.set_ylim(1.01 * height + beyond, -0.01 * height)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _box(axes: Axes, box: Sequence[float], **style: Any) -> None:
    x1, y1, x2, y2 = box
    axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, **style))


def _mark(axes: Axes, x: float, y: float, right: bool | None) -> None:
    """A hit, a miss, or a point that nobody asks for."""
    shape, colour = ("D", QUIET) if right is None else _MARKS[right]
    axes.plot(x, y, shape, color=colour, markersize=8, markeredgecolor="white", zorder=5)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


_POINT_NOTES: Final = (
    "inside",
    "on the border",
    "outside",
    "no box",
    "no answer",
    "box without area",
    "centre of its box",
    "highest cell",
)


def pointing() -> Figure:
    """Eight seconds and what each counts."""
    found = examples.pointing()
    by_second = found.benchmark.boxes["a"]
    figure, panels = _grid(4.15, 2, 4)
    for second, (axes, point) in enumerate(zip(panels, found.entries.packed.point, strict=True)):
        _frame(axes, examples.WIDE)
        if second in found.heatmap:
            _cells(axes, found.heatmap[second], examples.WIDE)
        if second in found.predicted_box:
            _box(axes, found.predicted_box[second], **_SAID_LINE)
        if second in by_second:
            _box(axes, by_second[second], **_TRUE_LINE)
        right = found.hit.get(second)
        if not np.isnan(point[0]):
            _mark(axes, point[0], point[1], right)
        verdict = {True: "hit", False: "miss", None: "not a unit"}[right]
        axes.set_title(f"{second} s: {verdict}\n{_POINT_NOTES[second]}", fontsize=9)
    _key(figure, ("true box", _TRUE_LINE), ("predicted box", _SAID_LINE), marks=("hit", "miss"))
    return figure


def _cells(axes: Axes, heatmap: list[list[float]], size: tuple[float, float]) -> None:
    """A heatmap's cells in shades of the prediction's colour, with their values."""
    values = np.array(heatmap)
    height, width = size[1] / values.shape[0], size[0] / values.shape[1]
    for (row, column), value in np.ndenumerate(values):
        corner = (column * width, row * height)
        axes.add_patch(
            Rectangle(corner, width, height, facecolor=PREDICTION, alpha=0.45 * value, linewidth=0)
        )


def region() -> Figure:
    """A box that is cut to the frame, a heatmap's region and a mask, in pixels."""
    found = examples.region()
    figure, panels = _grid(3.25, 1, 3)
    _cut_box(panels[0], found.benchmark.boxes["a"][0], found.predicted_box)
    for axes, number, pixels in zip(panels[1:], (1, 2), found.pixels, strict=True):
        _frame(axes, examples.SMALL, beyond=1.75)
        _pixels(axes, pixels, found.spans[number - 1].tolist())
        _box(axes, found.benchmark.boxes["bc"[number - 1]][0], **_TRUE_LINE)
    _cell_values(panels[1], found.heatmap)
    measured = found.entries.measured
    for entry, (axes, name) in enumerate(
        zip(panels, ("box", "heatmap, from half its maximum", "mask"), strict=True)
    ):
        right = bool(found.result.outcomes.success[entry])
        reach, verdict = ("≥", "right") if right else ("<", "wrong")
        axes.set_title(f"{name}\nIoU {measured.iou[entry]:.3f} {reach} 0.3: {verdict}", fontsize=9)
        areas = (
            f"shared {measured.shared[entry]:,.0f}, region {measured.area[entry]:,.0f},\n"
            f"box {measured.box_area[entry]:,.0f}"
        )
        style: Style = {"ha": "center", "va": "top", "fontsize": 8}
        axes.text(0.5, -0.01, areas, transform=axes.transAxes, **style)
    _key(
        figure,
        ("true box", _TRUE_LINE),
        ("predicted", _SAID_LINE | {"facecolor": PALE_PREDICTION, "fill": True}),
        ("shared", _SHARED),
    )
    return figure


def _cut_box(axes: Axes, true: Box, said: Box) -> None:
    """A true box that reaches below the frame, and a predicted one."""
    _frame(axes, examples.WIDE, beyond=70)
    within = _common(true, (0.0, 0.0, *examples.WIDE))
    _box(axes, _common(within, said), **_SHARED)
    _box(axes, true, **(_TRUE_LINE | {"linewidth": 1, "linestyle": ":"}))
    _box(axes, within, **_TRUE_LINE)
    _box(axes, said, **_SAID_LINE)
    axes.text(true[2] + 12, 530, "cut to the frame", fontsize=8, color=QUIET, va="center")


def _common(a: Sequence[float], b: Sequence[float]) -> Box:
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])


def _pixels(axes: Axes, pixels: Bools, span: list[int]) -> None:
    """The pixels of a region and of a box, each by its centre."""
    x1, y1, x2, y2 = span
    for row, column in np.ndindex(pixels.shape):
        corner, boxed = (column, row), x1 <= column < x2 and y1 <= row < y2
        if pixels[row, column]:
            style = _SHARED if boxed else {"facecolor": PALE_PREDICTION, "linewidth": 0}
            axes.add_patch(Rectangle(corner, 1, 1, **style))
    height, width = pixels.shape
    axes.hlines(range(1, height), 0, width, color="0.8", linewidth=0.5, zorder=2)
    axes.vlines(range(1, width), 0, height, color="0.8", linewidth=0.5, zorder=2)
    x, y = np.meshgrid(np.arange(x1, x2) + 0.5, np.arange(y1, y2) + 0.5)
    axes.plot(x.ravel(), y.ravel(), ".", color=TRUTH, markersize=2.5)


def _cell_values(axes: Axes, heatmap: list[list[float]]) -> None:
    """A heatmap's values at the centres of its cells."""
    values = np.array(heatmap)
    height, width = (
        examples.SMALL[1] / values.shape[0],
        examples.SMALL[0] / values.shape[1],
    )
    for (row, column), value in np.ndenumerate(values):
        axes.text(
            (column + 0.5) * width,
            (row + 0.5) * height,
            f"{value:g}",
            ha="center",
            va="center",
            fontsize=8,
            fontweight="bold" if value == values.max() else "normal",
            zorder=6,
        )


def ranking() -> Figure:
    """The ranked units of a class, and precision over recall."""
    found = examples.ranking()
    figure, (left, right) = _grid(2.9, 1, 2, width_ratios=(1, 1.25))
    order = np.lexsort((found.right, -found.score))
    left.set_xlim(0, 4)
    left.set_ylim(len(order) + 0.3, -1.2)
    left.set_axis_off()
    left.set_title("units of the class, best first")
    for x, head in zip((0.2, 1.2, 2.4), ("rank", "score", "IoU ≥ 0.3"), strict=True):
        left.text(x, -0.5, head, fontsize=8.5, color=QUIET, va="center")
    for rank, unit in enumerate(order.tolist()):
        score = found.score[unit]
        known = not np.isnan(score)
        tied = known and np.count_nonzero(found.score == score) > 1
        if tied:
            left.add_patch(Rectangle((0, rank), 4, 1, facecolor=PALE_QUIET, linewidth=0, zorder=0))
        left.text(0.4, rank + 0.5, str(rank + 1) if known else "-", va="center", ha="center")
        left.text(
            1.2, rank + 0.5, f"{score:.1f}" if known else "no region: not ranked", va="center"
        )
        if known:
            _mark(left, 2.6, rank + 0.5, bool(found.right[unit]))
            word = "right" if found.right[unit] else "wrong"
            left.text(2.9, rank + 0.5, word + (" (tie)" if tied else ""), va="center")
    _curve(right, found.curve, "AP = area below the envelope")
    _curve_key(figure, right)
    return figure


def _curve(axes: Axes, curve: examples.Curve, title: str) -> None:
    """Precision where it is read, and the envelope with the area below it."""
    at = np.concatenate(([0.0], curve.recall))
    height = np.concatenate((curve.envelope[:1], curve.envelope))
    axes.fill_between(at, height, step="pre", color=PALE_PREDICTION, linewidth=0)
    axes.step(at, height, where="pre", color=PREDICTION, linewidth=1.8, label="envelope")
    last = len(curve.envelope) - 1
    axes.plot([curve.recall[last]] * 2, [0, curve.envelope[last]], color=PREDICTION, linewidth=1.8)
    axes.plot(
        curve.recall,
        curve.precision,
        "o-",
        color=INK,
        linewidth=0.8,
        markersize=5,
        label="precision after each score",
    )
    axes.set(xlim=(0, 1.02), ylim=(0, 1.08), xlabel="recall", ylabel="precision")
    axes.set_title(f"{title}: {curve.area:.3f}")
    _plain(axes)


def _curve_key(figure: FigureBase, axes: Axes) -> None:
    handles = axes.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2, frameon=False, fontsize=9)


def _bar(
    axes: Axes,
    interval: tuple[float, float],
    row: float,
    text: str,
    height: float = 0.8,
    **style: Any,
) -> None:
    """A labelled interval in a row of a timeline."""
    start, end = interval
    corner = (start, row + (1 - height) / 2)
    axes.add_patch(Rectangle(corner, end - start, height, **({"linewidth": 1} | style)))
    _name(axes, (start + end) / 2, row + 0.5, text, style.get("facecolor", "white"))


def _name(axes: Axes, x: float, y: float, text: str, ground: str) -> None:
    """A name on a bar, readable on hatching."""
    patch = {"facecolor": ground, "edgecolor": "none", "pad": 1}
    if text:
        axes.text(x, y, text, ha="center", va="center", fontsize=8, bbox=patch, zorder=4)


_TRUE_BAR: Final[Style] = {"facecolor": PALE_TRUTH, "edgecolor": TRUTH}
_SAID_BAR: Final[Style] = {"facecolor": PALE_PREDICTION, "edgecolor": PREDICTION}


def time() -> Figure:
    """Truth, submitted tubes and what speaks of them, in two videos."""
    found = examples.time()
    figure, panels = _grid(4.1, 2, 1, height_ratios=(6, 4), sharex=True)
    for number, axes in enumerate(panels):
        _timeline(axes, found, number)
    panels[0].set_xlim(0, 29)
    panels[1].set_xlabel("time (s)")
    _key(
        figure,
        ("ground truth", _TRUE_BAR),
        ("prediction", _SAID_BAR),
        ("same class: counts as shared", _SHARED | {"facecolor": PALE_PREDICTION}),
    )
    return figure


def _timeline(axes: Axes, found: examples.TimeExample, number: int) -> None:
    """The rows of one video."""
    video = found.benchmark.videos[number]
    tubes = [tube for tube in found.tubes if tube.video == video]
    cues = [cue for cue in found.benchmark.cues if cue.video == video]
    rows = ["truth", *(f"tube, {tube.score:g}" for tube in tubes), "speaks"]
    for cue in cues:
        _bar(axes, (cue.start, cue.end), 0, cue.label, **_TRUE_BAR)
    for row, tube in enumerate(tubes, 1):
        _bar(axes, (tube.start, tube.end), row, tube.label, **_SAID_BAR)
    for start, end, label in _speaking(found, number):
        _bar(axes, (start, end), len(rows) - 1, label, **_SAID_BAR)
        for cue in cues:
            both = max(start, cue.start), min(end, cue.end)
            if cue.label == label and both[0] < both[1]:
                style: Style = {"fill": False, "edgecolor": "#6b3fa0", "hatch": "////"}
                _bar(axes, both, len(rows) - 1, "", **(style | {"linewidth": 0}))
    scores = found.result.per_video[video]
    axes.set_title(f"video {video}: IoU {scores['iou']:.3f}, IoD {scores['iod']:.3f}")
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
    axes.set_ylim(len(rows), 0)
    _plain(axes)
    axes.tick_params(axis="y", length=0)


def _speaking(found: examples.TimeExample, video: int) -> list[tuple[float, float, str]]:
    """Stretches of one label: at each moment the tube of the highest score."""
    name = found.benchmark.videos[video]
    mine = [tube for tube in found.tubes if tube.video == name]
    ends = sorted({time for tube in mine for time in (tube.start, tube.end)})
    spoken: list[tuple[float, float, str]] = []
    for start, end in pairwise(ends):
        speaking = [tube for tube in mine if tube.start <= start < tube.end]
        if speaking:
            label = max(speaking, key=lambda tube: tube.score).label
            if spoken and spoken[-1][1:] == (start, label):
                spoken[-1] = (spoken[-1][0], end, label)
            else:
                spoken.append((start, end, label))
    said = [found.durations[video, examples.CLASSES.index(label), 1] for *_, label in spoken]
    assert said == [end - start for start, end, _ in spoken]
    return spoken


def seconds() -> Figure:
    """Two videos as grids of seconds: truth, the label that speaks, and two verdicts."""
    found = examples.seconds()
    grid = found.laid.grid
    spoken = dict(zip(found.spoken.cell.tolist(), range(found.spoken.cell.size), strict=True))
    lengths = np.bincount(grid.video).tolist()
    figure, panels = _grid(2.7, 1, 2, width_ratios=lengths)
    for number, (axes, video) in enumerate(zip(panels, found.benchmark.videos, strict=True)):
        for instance in found.benchmark.instances:
            if instance.video == video:
                _covering(axes, instance.label, instance.start, instance.end)
        for second in range(lengths[number]):
            _second(axes, second, int(grid.begin[number]) + second, found, spoken)
        row = found.result.per_video[video]
        axes.set_title(
            f"video {video}: IoU+Point {row['iou_point']:.3f}\nlabel IoU {row['label_iou']:.3f}"
        )
        axes.set(xlim=(-0.03, lengths[number] + 0.03), ylim=(5, 0))
        axes.set_xticks(np.arange(lengths[number]) + 0.5, list(map(str, range(lengths[number]))))
        rows = ("truth", "", "speaks", "label right", "point in box") if not number else ()
        axes.set_yticks([0.5, 1.0, 2.5, 3.5, 4.5][: len(rows)], rows)
        _plain(axes)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        axes.set_xlabel("second")
    _key(
        figure,
        ("ground truth (G)", _TRUE_BAR),
        ("predicted (D)", _SAID_BAR),
        ("ignored", {"facecolor": "white", "edgecolor": QUIET, "hatch": "xxxx"}),
        marks=("yes", "no"),
    )
    return figure


def _covering(axes: Axes, label: str, start: float, end: float) -> None:
    """An instance, in the upper or the lower lane of the truth."""
    lane = 0 if label == "crack" else 1
    axes.add_patch(Rectangle((start, lane + 0.1), end - start, 0.8, **_TRUE_BAR))
    _name(axes, (start + end) / 2, lane + 0.5, label, PALE_TRUTH)


def _second(
    axes: Axes, second: int, cell: int, found: examples.SecondsExample, spoken: Mapping[int, int]
) -> None:
    """What speaks at a second, and whether label and point are right."""
    if cell in spoken:
        at = spoken[cell]
        packed = found.packed
        label = examples.CLASSES[packed.label[packed.tube[found.spoken.entry[at]]]]
        _bar(axes, (second, second + 1), 2, label, **_SAID_BAR)
    if found.laid.grid.ignored[cell]:
        style: Style = {"facecolor": "none", "edgecolor": QUIET, "hatch": "xxxx", "linewidth": 0}
        axes.add_patch(Rectangle((second, 2.1), 1, 2.8, **style))
    elif cell in spoken:
        _mark(axes, second + 0.5, 3.5, bool(found.spoken.right[at]))
        if found.spoken.right[at]:
            _mark(axes, second + 0.5, 4.5, bool(found.spoken.hit[at]))


def tube() -> Figure:
    """Seven seconds of a tube against an instance, with the areas of each."""
    found = examples.tube()
    by_second = found.benchmark.boxes["a"]
    figure, panels = _grid(4.3, 2, 4)
    panels[7].set_axis_off()
    for second, axes in zip(range(7), panels, strict=False):
        _frame(axes, (480.0, 400.0))
        ignored = second in found.ignored
        true, said = by_second.get(second), found.predicted.get(second)
        if true and said:
            _box(axes, _common(true, said), **_SHARED)
        if true:
            _box(axes, true, **_TRUE_LINE)
        if said:
            style = {"edgecolor": QUIET, "linestyle": ":"} if ignored else {}
            _box(axes, said, **(_SAID_LINE | style))
        shared = found.shared.get(second, 0)
        union = found.area.get(second, 0) + found.true_area.get(second, 0) - shared
        text = "ignored" if ignored else f"shared {shared:,.0f}\nunion {union:,.0f}"
        axes.set_title(f"{second} s: {text}", fontsize=9)
    shared = sum(found.shared.values())
    union = sum(found.area.values()) + sum(found.true_area.values()) - shared
    panels[7].text(
        0.0,
        0.5,
        f"all seconds:\nshared {shared:,.0f}\nunion {union:,.0f}\ntube IoU {found.iou:.3f}",
        transform=panels[7].transAxes,
        va="center",
        fontsize=10,
    )
    _key(figure, ("true box", _TRUE_LINE), ("predicted box", _SAID_LINE), ("shared", _SHARED))
    return figure


def matching() -> Figure:
    """Tubes and instances over time, who takes whom, and the curves of two thresholds."""
    found = examples.matching()
    figure = _blank(4.9)
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.1, 1)).ravel()
    _takings(upper.subplots(1, 1), found)
    panels = lower.subplots(1, 2)
    for axes, threshold in zip(panels, (0.1, 0.5), strict=True):
        _curve(axes, found.curves[threshold], f"crack at tube IoU {threshold}, AP")
    _curve_key(lower, panels[0])
    return figure


_COLUMNS: Final = {0.1: 21.0, 0.3: 25.0, 0.5: 29.0}
"""Where the figure says what a tube takes at a threshold."""


def _takings(axes: Axes, found: examples.MatchingExample) -> None:
    """Bars of instances and ranked tubes, with what each tube takes."""
    for number, instance in enumerate(found.benchmark.instances):
        text = f"{instance.label} {'ABC '[number]}".strip()
        _bar(axes, (instance.start, instance.end), 0, text, **_TRUE_BAR)
    for row, each in enumerate(found.tubes, 1):
        _bar(axes, (each.start, each.end), row, each.label, **_SAID_BAR)
        for threshold, x in _COLUMNS.items():
            taken = int(found.taken[threshold][row - 1])
            text = f"{'ABC'[taken]}  ({found.iou[row - 1, taken]:.2f})"
            text, colour = (text, RIGHT) if taken >= 0 else ("wrong", WRONG)
            if each.label == "pour":
                text, colour = "no truth", QUIET
            axes.text(x, row + 0.5, text, va="center", fontsize=8.5, color=colour)
    for threshold, x in _COLUMNS.items():
        axes.text(x, 0.5, f"takes at {threshold}", va="center", fontsize=8.5)
    rows = ["truth", *(f"{n}: score {each.score:g}" for n, each in enumerate(found.tubes, 1))]
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
    axes.set(xlim=(0, 33), ylim=(len(rows), 0), xticks=range(0, 21, 5))
    axes.set_xlabel("time (s)", loc="left")
    _plain(axes)
    axes.spines["bottom"].set_bounds(0, 20)
    axes.tick_params(axis="y", length=0)


def interval() -> Figure:
    """The distribution of the resampled scores, the score, and its interval."""
    found = examples.interval()
    name = "pointing_accuracy"
    assert found.result.intervals is not None
    of_metric = found.result.intervals.metrics[name]
    score = found.result.metrics[name]
    assert of_metric is not None
    assert score is not None
    low, high, _, resamples = of_metric
    figure, (axes,) = _grid(2.4, 1, 1)
    counts = axes.hist(
        found.drawn,
        bins=np.arange(0.3, 0.6, 0.01).tolist(),
        color=PALE_PREDICTION,
        edgecolor="white",
    )[0]
    top = float(np.max(counts))
    axes.axvline(score, color=TRUTH, linewidth=1.8)
    axes.plot([low, high], [top * 1.08] * 2, "|-", color=PREDICTION, linewidth=1.8, markersize=10)
    axes.text(high + 0.006, top * 1.08, f"95 %: {low:.3f} to {high:.3f}", va="center")
    axes.text(score + 0.004, top * 1.22, f"score {score:.3f}", color=TRUTH, va="center")
    axes.set(xlim=(0.3, 0.6), ylim=(0, top * 1.32), xlabel="pointing accuracy")
    axes.set_ylabel(f"of {resamples:,} resamples")
    _plain(axes)
    return figure


FIGURES: Final[Mapping[str, Callable[[], Figure]]] = {
    "pointing": pointing,
    "region": region,
    "ranking": ranking,
    "time": time,
    "seconds": seconds,
    "tube": tube,
    "matching": matching,
    "interval": interval,
}
"""The figures by the name of their file."""
