"""The classes of an entry against the field: all submissions to the same table."""

from array import array
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np

from gytbench.evaluation import Score
from gytbench.leaderboard.ranking import ranked_score
from gytbench.leaderboard.results import RANKED, EntryResults, TaskScores
from gytbench.leaderboard.site.words import TASK_WORDS
from gytbench.report.html.canvas import Canvas, Scale
from gytbench.report.tables import NONE, percent

FEW: Final = 10
"""Classes with fewer are not drawn."""
_MOST: Final = 5
_ROW: Final = 22.0
_MIDDLE: Final = 242.0
_REACH: Final = 50.0


class ClassField(NamedTuple):
    """What the submissions to a table score in a class."""

    median: Score
    best: Score


class ClassRow(NamedTuple):
    """A class, as the entry and the field of submissions answer it, in percent."""

    name: str
    size: str
    own: str
    median: str
    best: str
    difference: str
    """Own - median, in points."""


Fields = Mapping[str, Mapping[str, ClassField]]
"""By signature, then by class."""


def class_fields(entries: Iterable[EntryResults]) -> Fields:
    """Median and best of the ranked submissions' ranked metric, for each class of each table.

    Holds one number for each class and entry, whatever else the entries hold.
    """
    values: dict[str, dict[str, array[float]]] = {}
    for entry in entries:
        for scores in entry.scores if entry.kind == "submission" else ():
            if ranked_score(scores) is None:
                continue
            table = values.setdefault(scores.signature, {})
            for label, row in scores.per_class.items():
                value = row.get(RANKED[scores.task])
                if value is not None:
                    table.setdefault(label, array("d")).append(value)
    return {
        signature: {
            label: ClassField(float(np.median(found)), max(found)) for label, found in table.items()
        }
        for signature, table in values.items()
    }


def class_rows(scores: TaskScores, field: Mapping[str, ClassField]) -> tuple[ClassRow, ...]:
    """Every class of an entry, in the order of its results."""
    size, metric = TASK_WORDS[scores.task].size, RANKED[scores.task]
    rows = []
    for label, row in scores.per_class.items():
        own, number = row.get(metric), row.get(size)
        others = field.get(label, ClassField(None, None))
        found = _difference(own, others.median)
        rows.append(
            ClassRow(
                name=_name(label),
                size=NONE if number is None else f"{number:,.0f}",
                own=percent(own),
                median=percent(others.median),
                best=percent(others.best),
                difference=NONE if found is None else _signed(found),
            )
        )
    return tuple(rows)


def outstanding(scores: TaskScores, field: Mapping[str, ClassField]) -> Canvas | None:
    """The classes that lie furthest above and below the median of the field, as bars.

    None where nothing differs.
    """
    size, metric = TASK_WORDS[scores.task].size, RANKED[scores.task]
    found = []
    for label, row in scores.per_class.items():
        others = field.get(label)
        apart = _difference(row.get(metric), others.median if others else None)
        if apart is not None and (row.get(size) or 0) >= FEW:
            found.append((apart, _name(label)))
    above = sorted((pair for pair in found if pair[0] > 0), key=lambda pair: (-pair[0], pair[1]))
    below = sorted((pair for pair in found if pair[0] < 0), key=lambda pair: (-pair[0], pair[1]))
    shown = [*above[:_MOST], *below[-_MOST:]]
    if not shown:
        return None
    canvas = Canvas("Classes furthest from the median submission", 10 + _ROW * len(shown))
    reach = max(abs(apart) for apart, _ in shown)
    scale = Scale(-reach, reach, _MIDDLE - _REACH, _MIDDLE + _REACH)
    for place, (apart, name) in enumerate(shown):
        _bar(canvas, 5 + _ROW * place, apart, name, scale)
    canvas.line("base", _MIDDLE, 3, _MIDDLE, canvas.height - 3)
    canvas.description = "; ".join(f"{name} {_signed(apart)}" for apart, name in shown)
    counted = TASK_WORDS[scores.task].counted
    canvas.note = f"In points, of the classes with {FEW} {counted} or more."
    return canvas


def _bar(canvas: Canvas, top: float, apart: float, name: str, scale: Scale) -> None:
    ends = sorted((_MIDDLE, scale(apart)))
    css = "above" if apart > 0 else "below"
    canvas.fitted("name", 4, top + 15, name, 140)
    canvas.rect(css, ends[0], top + 3, ends[1] - ends[0], _ROW - 6)
    x, anchor = (ends[1] + 4, "start") if apart > 0 else (ends[0] - 4, "end")
    canvas.text("tick", x, top + 15, _signed(apart, 1), anchor)


def _name(label: str) -> str:
    return label.replace("_", " ")


def _difference(own: Score, median: Score) -> Score:
    return None if own is None or median is None else own - median


def _signed(difference: float, digits: int = 2) -> str:
    return f"{100 * difference:+.{digits}f}".replace("-", "\N{MINUS SIGN}")
