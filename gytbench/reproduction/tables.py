"""Tables of a grid: means over seeds with intervals, differences, and what was found."""

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import NamedTuple

from scipy.stats import t

from gytbench.reproduction.cells import Cell
from gytbench.reproduction.grid import COLUMNS, Finding, Grid, Table

_LEVEL = 0.95

Values = Mapping[tuple[str, int], Cell]
"""Cells by row and seed."""


class Estimate(NamedTuple):
    """A mean over seeds, and half of its 95 % interval; None where one seed tells none."""

    mean: float
    half: float | None

    def __str__(self) -> str:
        spread = "" if self.half is None else f" ±{100 * self.half:.1f}"
        return f"{100 * self.mean:.1f}{spread}"


def estimate(values: Sequence[float]) -> Estimate:
    """Of values that are drawn alike, Student's interval (scipy)."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return Estimate(mean, None)
    deviation = sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    quantile = float(t.ppf((1 + _LEVEL) / 2, len(values) - 1))
    return Estimate(mean, quantile * deviation / sqrt(len(values)))


def grid_report(grid: Grid, cells: Iterable[Cell]) -> str:
    """All tables of a grid and its findings, as text."""
    values = {(cell.row, cell.seed): cell for cell in cells}
    parts = [_table(grid, table, values) for table in grid.tables]
    if grid.findings:
        lines = [_finding(finding, grid.seeds, values) for finding in grid.findings]
        parts.append("\n".join(["Findings", *lines]))
    return "\n\n".join(parts)


def _table(grid: Grid, table: Table, values: Values) -> str:
    from tabulate import tabulate

    reported = {row.name: row.paper for row in grid.rows}
    first = table.rows[0]
    lines = []
    for name in table.rows:
        line = [name]
        for column in COLUMNS:
            mean = estimate(_values(name, column.name, grid.seeds, values))
            differs = ""
            if name != first and len(grid.seeds) > 1:
                difference = _difference(name, first, column.name, grid.seeds, values)
                differs = f" ({100 * difference.mean:+.1f} ±{100 * (difference.half or 0):.1f})"
            paper = reported[name].get(column.metric)
            line.append(f"{mean}{differs}" + ("" if paper is None else f" [{paper:.1f}]"))
        lines.append(line)
    headers = ["", *(column.title for column in COLUMNS)]
    return f"{table.title}\n{tabulate(lines, headers, disable_numparse=True)}\n{_legend(grid)}"


def _legend(grid: Grid) -> str:
    seeds = len(grid.seeds)
    said = ["in percent"]
    if seeds > 1:
        said.append(
            f"mean of {seeds} seeds ± half of the 95 % interval; in parentheses the difference "
            "from the first row, seed by seed"
        )
    reported = any(row.paper for row in grid.rows)
    said.append("in brackets the paper's" if reported else "the paper's numbers are not at hand")
    return "; ".join(said)


def _finding(finding: Finding, seeds: Sequence[int], values: Values) -> str:
    found = _difference(finding.better, finding.than, finding.metric, seeds, values)
    if found.half is None:
        verdict = "one seed cannot tell"
    elif found.mean - found.half > 0:
        verdict = "seen here"
    elif found.mean + found.half < 0:
        verdict = "the opposite is seen here"
    else:
        verdict = "not told apart here"
    half = "" if found.half is None else f" ±{100 * found.half:.1f}"
    return f"- {finding.claim}: {verdict} ({finding.metric} {100 * found.mean:+.1f}{half})"


def _difference(
    row: str, other: str, metric: str, seeds: Sequence[int], values: Values
) -> Estimate:
    """Seeds share their world and backbone, so differences are taken seed by seed."""
    ours, theirs = (_values(name, metric, seeds, values) for name in (row, other))
    return estimate([a - b for a, b in zip(ours, theirs, strict=True)])


def _values(row: str, metric: str, seeds: Sequence[int], values: Values) -> list[float]:
    """A row that predicts nothing that counts has 0."""
    return [values[row, seed].metrics[metric] or 0.0 for seed in seeds]
