"""Results as tables for the terminal. Files hold fractions; tables show percent."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tabulate import tabulate

from gytbench.evaluation import Result, Score
from gytbench.evaluation.result import Interval, Intervals

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
    head = ["in percent", "\nthis file", *(["\n95 % interval"] if result.intervals else [])]
    head += [f"{side}\n{name}" for side, name in zip(sides, scored, strict=False)]
    rows = [
        [name, *_cells(result, name), *(percent(other.metrics[name]) for other in scored.values())]
        for name in result.metrics
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
    for name, system in zip(("this file", *shown), systems, strict=True):
        for position, (each, result) in enumerate(zip(scores, system, strict=True)):
            head.append(f"{name if not position else ''}\n{each.release}")
            head += ["\n95 % interval"] if result.intervals else []
    rows = [
        [metric, *(cell for system in systems for each in system for cell in _cells(each, metric))]
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


def _cells(result: Result, metric: str) -> list[str]:
    """A metric of a result, and its interval where the result has any."""
    score = percent(result.metrics[metric])
    return [score, interval(result.intervals.metrics[metric])] if result.intervals else [score]


def _below(result: Result, references: Mapping[str, Result | str]) -> list[str]:
    """What stands under a table: what was scored, what was missing, notes, the signature."""
    lines = [_scored(result.counts), *_missing(result.missing)]
    lines += [_drawn(result.intervals)] if result.intervals else []
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


def interval(found: Interval | None) -> str:
    """An interval in percent with two digits: 16.93 to 17.41."""
    return NONE if found is None else f"{100 * found.low:.2f} to {100 * found.high:.2f}"


def _drawn(found: Intervals) -> str:
    return (
        f"Intervals: 95 %, bootstrap over {found.videos:,} videos, "
        f"{found.resamples:,} resamples, seed {found.seed}"
    )


def _scored(counts: Mapping[str, int]) -> str:
    return "Scored: " + ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items())


def _missing(missing: Mapping[str, int]) -> list[str]:
    absent = [f"{n:,} {name.replace('_', ' ')}" for name, n in missing.items() if n]
    if not absent:
        return ["Missing: nothing"]
    return [f"Missing, counted as missed: {', '.join(absent)}"]
