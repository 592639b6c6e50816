"""A comparison as a table for the terminal, Markdown, LaTeX or CSV, and as JSON.

CSV and JSON hold fractions; the other tables show percent, and differences in points.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from tabulate import tabulate

from gytbench.evaluation.comparison import LEVEL, Comparison, Contrast, Difference
from gytbench.report.csv import csv_text
from gytbench.report.tables import NONE, percent


def comparison_table(found: Comparison) -> str:
    """For the terminal: one block for each other system, and below how it was tested."""
    blocks = []
    for each in found.contrasts:
        head = ["in percent", found.title, *_head(found, each)]
        blocks += [tabulate(_rows(each), head, **_layout(head, "simple")), ""]
    return "\n".join([*blocks, *_below(found)])


def comparison_markdown(found: Comparison) -> str:
    """One table for each other system; below, a list of what the tables need."""
    blocks = []
    for each in found.contrasts:
        head = ["in percent", *(_markdown(cell) for cell in (found.title, *_head(found, each)))]
        rows = [[f"`{name}`", *map(_markdown, cells)] for name, *cells in _rows(each)]
        blocks += [tabulate(rows, head, **_layout(head, "pipe")), ""]
    return "\n".join([*blocks, *(f"- {_markdown(line)}" for line in _below(found))])


def comparison_latex(found: Comparison) -> str:
    """One table environment (package booktabs), the other systems one under the other."""
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}",
        "\\centering",
        "\\begin{tabular}{lrrrrr}",
        "\\toprule",
    ]
    for number, each in enumerate(found.contrasts):
        cells = ["in percent", found.title, *_head(found, each)]
        lines += [*(["\\midrule"] if number else []), _latex_row(cells), "\\midrule"]
        lines += [_latex_row(row) for row in _rows(each)]
    caption = " ".join(f"{_latex(line.rstrip('.'))}." for line in _below(found))
    lines += ["\\bottomrule", "\\end{tabular}", f"\\caption{{{caption}}}", "\\end{table}"]
    return "\n".join(lines)


_SCORES = ("first_score", "other_score", "difference", "low", "high", "p", "p_holm", "significant")


def comparison_csv(found: Comparison) -> str:
    """One row for each other system and metric: fractions, empty where not defined."""
    rows = []
    for each in found.contrasts:
        for name, (first, other, difference, interval, p, p_holm) in each.metrics.items():
            low, high = (None, None) if interval is None else interval[:2]
            significant = "" if p_holm is None else int(p_holm < LEVEL)
            scores = (first, other, difference, low, high, p, p_holm, significant)
            rows.append((name, found.title, each.title, *scores))
    return csv_text(("metric", "first", "other", *_SCORES), rows).rstrip("\n")


def comparison_json(found: Comparison) -> str:
    """Everything, as fractions."""
    content = {
        "first": {"title": found.title, "signature": found.signature},
        "videos": found.videos,
        "resamples": found.resamples,
        "permutations": found.permutations,
        "seed": found.seed,
        "others": [
            {
                "title": each.title,
                "signature": each.signature,
                "untested": each.untested or None,
                "metrics": {name: _plain(one) for name, one in each.metrics.items()},
            }
            for each in found.contrasts
        ],
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=1).decode()


FORMATS: Final[dict[str, Callable[[Comparison], str]]] = {
    "table": comparison_table,
    "json": comparison_json,
    "latex": comparison_latex,
    "markdown": comparison_markdown,
    "csv": comparison_csv,
}


def _plain(one: Difference) -> dict[str, Any]:
    interval = None if one.interval is None else one.interval._asdict()
    return one._asdict() | {"interval": interval, "significant": one.significant}


def _layout(head: Sequence[str], form: str) -> dict[str, Any]:
    aligned = ("left", *("right",) * (len(head) - 1))
    return {"tablefmt": form, "colalign": aligned, "disable_numparse": True}


def _head(found: Comparison, each: Contrast) -> list[str]:
    """The heads of the columns after the first system's."""
    return [each.title, "difference", "95 % interval", "p (Holm)" if _several(found) else "p"]


def _several(found: Comparison) -> bool:
    return sum(not each.untested for each in found.contrasts) > 1


def _rows(each: Contrast) -> list[list[str]]:
    return [
        [name, percent(one.first), percent(one.other), *_tests(one)]
        for name, one in each.metrics.items()
    ]


def _tests(one: Difference) -> list[str]:
    """Difference in points, with a star where it is significant; its interval; p."""
    star = "*" if one.significant else ""
    difference = NONE if one.difference is None else f"{100 * one.difference:+.2f}{star}"
    if one.interval is None:
        interval = NONE
    else:
        interval = f"{100 * one.interval.low:+.2f} to {100 * one.interval.high:+.2f}"
    return [difference, interval, NONE if one.p_holm is None else f"{one.p_holm:.3f}"]


def _below(found: Comparison) -> list[str]:
    """What stands under the tables: the tests, warnings, the signatures."""
    lines = ["Difference: the other system minus the first, in points"]
    if any(not each.untested for each in found.contrasts):
        corrected = ", Holm's correction over the other systems" if _several(found) else ""
        lines += [
            f"Intervals: 95 %, paired bootstrap over {found.videos:,} videos, "
            f"{found.resamples:,} resamples, seed {found.seed}",
            f"p: paired permutation test over the videos, {found.permutations:,} permutations, "
            f"seed {found.seed}{corrected}; * p < {LEVEL:g}",
        ]
    lines += [
        f"Not tested: {each.title}: {each.untested}" for each in found.contrasts if each.untested
    ]
    if not found.unlike:
        return [*lines, f"Signature: {found.signature}"]
    lines.append("Warning: these are numbers of different protocols beside each other")
    lines.append(f"Signature of {found.title}: {found.signature}")
    return lines + [f"Signature of {each.title}: {each.signature}" for each in found.contrasts]


def _markdown(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_|<>[]#~" else c for c in text)


_LATEX = {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    "*": "$^{*}$",
} | {c: f"\\{c}" for c in "{}$&#%_"}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(c, c) for c in text)


def _latex_row(cells: Sequence[str]) -> str:
    escaped = " & ".join(map(_latex, cells))
    return re.sub(r"(?<!\w)-(?=\d)", "$-$", escaped) + " \\\\"
