"""The numbers that papers report, beside results of one's own."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from tabulate import tabulate

from gytbench.errors import InputError
from gytbench.inputs import read_limited
from gytbench.leaderboard.results import Reported
from gytbench.leaderboard.stored import read_reported
from gytbench.predictions import Task
from gytbench.report.tables import percent
from gytbench.resources import reported_folder

UNKNOWN = "reported, convention unknown"
_MAX_BYTES = 256 << 20


class OwnResult(msgspec.Struct, frozen=True):
    """What a file of `gytbench evaluate --json` says, as far as a table needs it."""

    signature: str
    task: Literal["st", "spatial", "temporal"]
    metrics: dict[str, float | None]
    name: str = ""


class _Row(NamedTuple):
    """A line of the table: numbers in percent, by metric."""

    system: str
    about: tuple[str, ...]
    metrics: dict[str, str]


_ABOUT = ("table", "backbone", "data", "supervision", "modality")


def packaged_reports() -> tuple[Reported, ...]:
    """The papers that travel with the package, by file name."""
    return read_reported(reported_folder())


def read_own(path: Path) -> list[OwnResult]:
    """The results of a file of `gytbench evaluate --json`, under the file's name.

    Raises `InputError` for a file that holds something else.
    """
    data = read_limited(path, _MAX_BYTES)
    try:
        found = msgspec.json.decode(data, type=OwnResult | list[OwnResult])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = f"no result of `gytbench evaluate --json` ({error})"
        raise InputError(reason, where=str(path)) from None
    several = found if isinstance(found, list) else [found]
    return [msgspec.structs.replace(each, name=path.name) for each in several]


def reported_table(papers: Iterable[Reported], own: Sequence[OwnResult], task: Task) -> str:
    """What papers report for a task, and below it one's own results; empty without either."""
    rows = [
        _Row(
            row.system,
            tuple(getattr(row, name) for name in _ABOUT),
            {name: f"{value:.2f}" for name, value in row.metrics.items()},
        )
        for paper in papers
        for row in paper.rows
        if row.task == task
    ]
    mine = [each for each in own if each.task == task]
    if not rows and not mine:
        return ""
    metrics = list(dict.fromkeys(name for row in rows for name in row.metrics))
    metrics = metrics or list(dict.fromkeys(name for each in mine for name in each.metrics))
    for each in mine:
        scores = {name: percent(each.metrics.get(name)) for name in metrics}
        rows.append(_Row(each.name, ("this file", *[""] * (len(_ABOUT) - 1)), scores))
    head = ("in percent", *_ABOUT, *metrics)
    cells = [(row.system, *row.about, *(row.metrics.get(m, "") for m in metrics)) for row in rows]
    aligned = (*["left"] * (len(_ABOUT) + 1), *["right"] * len(metrics))
    return tabulate(cells, headers=head, colalign=aligned, disable_numparse=True)
