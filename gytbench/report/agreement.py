"""The agreement of annotators as tables, as JSON and as plots."""

import json
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tabulate import tabulate

from gytbench.annotation.agreement import (
    FLOOR,
    LEAST_FRAMES,
    Agreement,
    Annotator,
    Group,
    frames_to_repeat,
    ranked,
)
from gytbench.construction import MARGIN, REFERENCE_FRAME
from gytbench.errors import InputError
from gytbench.report.tables import NONE
from gytbench.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEADS = (
    "frames",
    "with\npoints",
    "nothing\nseen, %",
    "median\nspread, px",
    "90 % of\nspreads, px",
    "in others'\nbox, %",
)

_LEGEND = (
    "Spread: mean distance of a frame's points from their mean, in pixels of "
    f"{REFERENCE_FRAME[0]}x{REFERENCE_FRAME[1]}.",
    "In others' box: share of the points that lie in the box that the frame's other points make.",
    "Nothing seen: share of answers without a point; of mean points, of frames without one.",
    f"Classes and videos with fewer than {LEAST_FRAMES} frames are not ranked.",
)

# Okabe and Ito's colours: told apart with any kind of colour vision.
_BLUE, _ORANGE = "#0072B2", "#D55E00"
_COLOURS = (_BLUE, _ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_LINES = ("-", "--", "-.", ":")

_SHOWN = 20
"""Rows of a plot, so that its names stay readable."""

_LONGEST = 32
"""Characters of a name in a plot."""


def agreement_tables(found: Mapping[str, Agreement], top: int = 10) -> str:
    """Text for the terminal: each annotation by name, then its hardest classes, its videos
    with the largest spread and its annotators, `top` rows of each.

    Classes and videos with too few frames to be ranked are left out.
    """
    blocks = [
        _table("annotation", [each.overall._replace(name=name) for name, each in found.items()]),
        "\n".join((*_LEGEND, *(_remark(name, each) for name, each in found.items()))),
    ]
    for name, each in found.items():
        blocks += _details(name, each, top)
    return "\n\n".join(blocks)


def agreement_json(found: Mapping[str, Agreement]) -> bytes:
    """The same as JSON, complete: shares as fractions, distances in pixels of 640x480.

    What is not known is null.
    """
    content = {
        "frame": REFERENCE_FRAME,
        "margin": MARGIN,
        "annotations": {name: _content(each) for name, each in found.items()},
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def draw_agreement(found: Mapping[str, Agreement], folder: Path) -> list[Path]:
    """Plots as PNG files in a folder, made where there is none; returns their paths.

    spread.png holds the distribution of the spreads of all annotations; NAME-classes.png
    the classes with the largest spread, NAME-annotators.png how annotators compare (where
    their own points are known). A plot without anything to draw is left out. Raises
    `InputError` without Matplotlib, and where the folder cannot be written to.
    """
    _need_matplotlib()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made: {error.strerror}", where=str(folder)) from None
    figures: dict[str, Figure] = {}
    if any(each.overall.measured for each in found.values()):
        figures["spread"] = _spread_figure(found)
    for (name, each), stem in zip(found.items(), _file_names(found), strict=True):
        if classes := ranked(each.classes):
            figures[f"{stem}-classes"] = _class_figure(classes, name)
        if any(annotator.median_distance is not None for annotator in each.annotators):
            figures[f"{stem}-annotators"] = _annotator_figure(each.annotators, name)
    return [_save(figure, folder / f"{name}.png") for name, figure in figures.items()]


def _details(name: str, each: Agreement, top: int) -> list[str]:
    """Headed tables of one annotation."""
    sections = {
        "classes with the largest spread": _table("class", ranked(each.classes)[:top]),
        "classes most often not seen": _table("class", ranked(each.classes, "unseen")[:top]),
        "videos with the largest spread": _table("video", ranked(each.videos)[:top]),
    }
    if each.annotators:
        sections["annotators farthest from the others"] = _annotator_table(each.annotators, top)
    return [f"{name}: {title}\n\n{table}" for title, table in sections.items()]


def _remark(name: str, each: Agreement) -> str:
    repeats = len(frames_to_repeat(each))
    remark = f"{name}: {repeats:,} of {len(each.frames):,} frames to annotate again"
    return remark + (f"; no point is tested: {each.untested}" if each.untested else "")


def _table(what: str, groups: Sequence[Group]) -> str:
    if not groups:
        return f"no {what} has {LEAST_FRAMES} such frames"
    rows = [
        (
            group.name or NONE,
            f"{group.frames:,}",
            f"{group.pointed:,}",
            _percent(group.unseen),
            _pixels(group.median_spread),
            _pixels(group.high_spread),
            _percent(group.inside),
        )
        for group in groups
    ]
    columns = len(rows[0]) - all(group.inside is None for group in groups)
    return _tabulated((what, *_HEADS)[:columns], [row[:columns] for row in rows])


def _annotator_table(annotators: Iterable[Annotator], top: int) -> str:
    rows = [
        (
            each.name or NONE,
            f"{each.answers:,}",
            _percent(each.unseen),
            _pixels(each.median_distance),
            _percent(each.inside),
        )
        for each in _farthest(annotators)[:top]
    ]
    heads = (
        "annotator",
        "answers",
        "nothing\nseen, %",
        "median distance from\nmean of others, px",
        "in others'\nbox, %",
    )
    return _tabulated(heads, rows)


def _tabulated(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    aligned = ("left", *("right",) * (len(heads) - 1))
    return tabulate(rows, headers=heads, colalign=aligned, disable_numparse=True)


def _farthest(annotators: Iterable[Annotator]) -> list[Annotator]:
    """Annotators, the farthest from the others first; those without a distance last."""
    return sorted(
        annotators,
        key=lambda each: -1.0 if each.median_distance is None else each.median_distance,
        reverse=True,
    )


def _content(each: Agreement) -> dict[str, Any]:
    return {
        "overall": each.overall._asdict(),
        "untested": each.untested,
        "classes": [group._asdict() for group in each.classes],
        "videos": [group._asdict() for group in each.videos],
        "annotators": [annotator._asdict() for annotator in each.annotators],
        "repeat": [
            {**repeat.frame._asdict(), "reasons": repeat.reasons, "spread": repeat.spread}
            for repeat in frames_to_repeat(each)
        ],
    }


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.1f}"


def _pixels(distance: float | None) -> str:
    return NONE if distance is None else f"{distance:.1f}"


def _need_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise InputError("needs Matplotlib: pip install 'gytbench[report]'") from None


def _spread_figure(found: Mapping[str, Agreement]) -> "Figure":
    """Histogram and cumulative distribution of the spreads, one line an annotation."""
    figure, (left, right) = _figure(10, 4.4, columns=2)
    spreads = {
        name: np.sort(each.spread[~np.isnan(each.spread)])
        for name, each in found.items()
        if each.overall.measured
    }
    farthest = max(values[-1] for values in spreads.values())
    edges = np.arange(0, max(farthest, 2 * FLOOR) + 5, 5)
    for number, (name, values) in enumerate(spreads.items()):
        style: dict[str, Any] = {
            "color": _COLOURS[number % len(_COLOURS)],
            "linestyle": _LINES[number % len(_LINES)],
            "linewidth": 1.8,
        }
        shares = 100 * np.histogram(values, edges)[0] / len(values)
        left.stairs(shares, edges, **style)
        reached = 100 * np.arange(1, len(values) + 1) / len(values)
        label = f"{_short(name)} ({len(values):,} frames)"
        right.step([0, *values, edges[-1]], [0, *reached, 100], where="post", label=label, **style)
    left.set_title("How often each spread occurs")
    left.set_ylabel("Share of frames per 5 px (%)")
    right.set_title("Frames up to each spread")
    right.set_ylabel("Share of frames up to here (%)")
    for axes in (left, right):
        axes.set_xlabel("Spread (px of 640x480)")
        axes.set_xlim(0, edges[-1])
        axes.set_ylim(0, 101 if axes is right else None)
    right.axvline(FLOOR, color="0.45", linewidth=1)
    right.text(FLOOR + 2, 3, f"half the\nmargin ({FLOOR:.0f} px)", color="0.3", fontsize=10)
    legend = figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=10)
    _plain_math(legend.get_texts())
    return figure


def _class_figure(classes: Sequence[Group], name: str) -> "Figure":
    """Median and 90th percentile of the spread of the hardest classes."""
    shown = classes[:_SHOWN]
    figure, (axes,) = _figure(8, 1.6 + 0.3 * len(shown))
    rows = np.arange(len(shown))
    median = np.array([group.median_spread for group in shown], dtype=np.float64)
    high = np.array([group.high_spread for group in shown], dtype=np.float64)
    axes.hlines(rows, median, high, color="0.65", linewidth=3)
    axes.plot(median, rows, "o", color=_BLUE, markersize=8, label="median")
    axes.plot(high, rows, "D", color=_ORANGE, markersize=6, label="90 % of frames are below")
    _name_rows(axes, [f"{_short(group.name)} ({group.measured:,})" for group in shown])
    axes.set_xlim(0, 1.05 * max(high.max(), 10))
    axes.set_xlabel("Spread (px of 640x480)")
    axes.set_ylabel("Class (frames)")
    title = f"Classes with the largest spread, {_short(name)}"
    _plain_math([axes.set_title(title, loc="left", pad=26)])
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=10)
    return figure


def _annotator_figure(annotators: Iterable[Annotator], name: str) -> "Figure":
    """The annotators who lie farthest from the others: distance and shares."""
    shown = _farthest(annotators)[:_SHOWN]
    figure, (left, right) = _figure(10, 2.0 + 0.34 * len(shown), columns=2, sharey=True)
    rows = np.arange(len(shown))
    left.barh(rows, [each.median_distance or 0 for each in shown], height=0.6, color=_BLUE)
    _name_rows(left, [f"{_short(each.name)} ({each.answers:,})" for each in shown])
    left.set_ylabel("Annotator (answers)")
    left.set_xlabel("Median distance from mean of others\n(px of 640x480)")
    left.set_xlim(left=0)
    unseen, inside = (
        [np.nan if share is None else 100 * share for share in shares]
        for shares in zip(*((each.unseen, each.inside) for each in shown), strict=True)
    )
    right.plot(unseen, rows, "o", color=_ORANGE, markersize=8, label="saw nothing")
    right.plot(inside, rows, "D", color=_BLUE, markersize=7, label="point in others' box")
    right.set_xlabel("Share (%)\nof answers, or of points")
    right.set_xlim(-3, 103)
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False, fontsize=10)
    _plain_math([figure.suptitle(f"Annotators, {_short(name)}")])
    return figure


def _figure(
    width: float, height: float, columns: int = 1, sharey: bool = False
) -> tuple["Figure", Sequence["Axes"]]:
    """A figure of a size in inches, and its axes side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    panels: Sequence[Axes] = figure.subplots(1, columns, squeeze=False, sharey=sharey)[0]
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="0.9", linewidth=0.8)
        axes.set_axisbelow(True)
    return figure, panels


def _name_rows(axes: "Axes", names: Sequence[str]) -> None:
    """Rows from the top down, with names."""
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _plain_math(texts: Iterable[Any]) -> None:
    """Have dollar signs in names drawn as they are."""
    for text in texts:
        text.set_parse_math(False)


def _save(figure: "Figure", path: Path) -> Path:
    drawn = BytesIO()
    with warnings.catch_warnings():
        # Letters that the font lacks are drawn as empty boxes.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure.savefig(drawn, format="png", dpi=120)
    figure.clear()
    write_whole(path, drawn.getvalue())
    return path


def _file_names(names: Iterable[str]) -> list[str]:
    """The names with only what every file system takes, and each once."""
    stems: list[str] = []
    for number, name in enumerate(names, start=1):
        stem = re.sub(r"[^\w.-]+", "-", name[-100:]).strip("-.") or "annotation"
        stems.append(f"{stem}-{number}" if stem in stems else stem)
    return stems


def _short(name: str) -> str:
    """A name that fits a plot; a long one loses its middle, as numbers stand at the end."""
    name, half = name or NONE, _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[: half - 1]}…{name[-half:]}"
