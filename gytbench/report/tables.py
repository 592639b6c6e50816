"""Results as tables for the terminal. Files hold fractions; tables show percent."""

from collections.abc import Mapping

from tabulate import tabulate

from gytbench.evaluation import Result, Score

NONE = "n/a"


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
    lines = [title, "", table, "", _scored(result.counts), *_missing(result.missing)]
    lines += [f"Note: {note}" for note in result.notes]
    lines += [
        f"Note: {name} is not shown: {reason}"
        for name, reason in references.items()
        if isinstance(reason, str)
    ]
    return "\n".join([*lines, f"Signature: {result.signature}"])


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
