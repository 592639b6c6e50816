"""Results as tables for the terminal. Files hold fractions; tables show percent."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tabulate import tabulate

from gytbench.evaluation import Result, Score

NONE = "n/a"


class ReleaseScores(NamedTuple):
    """A result on one box release, with the floors and ceilings of the same release."""

    release: str
    result: Result
    references: Mapping[str, Result | str]


def result_table(result: Result, references: Mapping[str, Result | str], title: str) -> str:
    """A result beside the floors and ceilings of its task, with its signature below.

    references: results under the same protocol, the floor first, the ceiling last,
    by name; a text in place of a result says why it could not be had.
    """
    scored = {name: found for name, found in references.items() if isinstance(found, Result)}
    sides = ["floor", *[""] * (len(scored) - 2), "ceiling"] if len(scored) > 1 else [""]
    head = ["in percent", "\nthis file"]
    head += [f"{side}\n{name}" for side, name in zip(sides, scored, strict=False)]
    rows = [
        [name, percent(value), *(percent(other.metrics[name]) for other in scored.values())]
        for name, value in result.metrics.items()
    ]
    aligned = ("left", *("right",) * (len(head) - 1))
    table = tabulate(rows, headers=head, colalign=aligned, disable_numparse=True)
    return "\n".join([title, "", table, "", *_below(result, references)])


def releases_table(scores: Sequence[ReleaseScores], title: str) -> str:
    """The same predictions on several box releases, side by side for every column.

    The releases have signatures of their own; each stands below the table.
    """
    first = scores[0]
    shown = [
        name
        for name in first.references
        if all(isinstance(each.references[name], Result) for each in scores)
    ]
    systems = [[each.result for each in scores]]
    systems += [[_result(each.references[name]) for each in scores] for name in shown]
    head = ["in percent"]
    for name in ("this file", *shown):
        head += [
            f"{name if not position else ''}\n{each.release}"
            for position, each in enumerate(scores)
        ]
    rows = [
        [metric, *(percent(result.metrics[metric]) for system in systems for result in system)]
        for metric in first.result.metrics
    ]
    aligned = ("left", *("right",) * (len(head) - 1))
    table = tabulate(rows, headers=head, colalign=aligned, disable_numparse=True)
    lines = [
        title,
        "",
        table,
        "",
        "The releases are different ground truths: compare down a column.",
    ]
    for each in scores:
        lines += ["", f"On {each.release}:", *_below(each.result, each.references)]
    return "\n".join(lines)


def _result(reference: Result | str) -> Result:
    assert isinstance(reference, Result)
    return reference


def _below(result: Result, references: Mapping[str, Result | str]) -> list[str]:
    """What stands under a table: what was scored, what was missing, notes, the signature."""
    lines = [_scored(result.counts), *_missing(result.missing)]
    lines += [f"Note: {note}" for note in result.notes]
    lines += [
        f"Note: {name} is not shown: {reason}"
        for name, reason in references.items()
        if isinstance(reason, str)
    ]
    return [*lines, f"Signature: {result.signature}"]


def percent(score: Score) -> str:
    """A fraction as percent with two digits."""
    return NONE if score is None else f"{100 * score:.2f}"


def _scored(counts: Mapping[str, int]) -> str:
    return "Scored: " + ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items())


def _missing(missing: Mapping[str, int]) -> list[str]:
    absent = [f"{n:,} {name.replace('_', ' ')}" for name, n in missing.items() if n]
    if not absent:
        return ["Missing: nothing"]
    return [f"Missing, counted as missed: {', '.join(absent)}"]
