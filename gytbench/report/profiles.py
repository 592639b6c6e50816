"""One file under the conventions of several evaluators, side by side."""

from collections.abc import Mapping

from tabulate import tabulate

from gytbench.evaluation import Result, Score
from gytbench.profiles import Profile
from gytbench.report.tables import NONE, percent, result_table


def profile_table(profile: Profile, result: Result, title: str) -> str:
    """A result under a profile, whose conventions it has, and what is known of them."""
    lines = [
        result_table(result, {}, title),
        "",
        f"Conventions of {profile.used_by}",
        *(f"Known fault, part of the number: {fault}" for fault in profile.faults),
        *(f"Limit: {limit}" for limit in profile.limits),
    ]
    return "\n".join(lines)


def profiles_table(results: Mapping[str, Result], title: str) -> str:
    """A row for each metric, a column for each evaluator, and the spread of the row.

    results: by name, this benchmark's own protocol first. The spread is the difference of
    the highest and the lowest number, in points; a metric that one evaluator alone has, has
    none. Below stand the signature and the notes of each.
    """
    names = list(dict.fromkeys(name for each in results.values() for name in each.metrics))
    rows = [
        [
            name,
            *(
                percent(each.metrics[name]) if name in each.metrics else ""
                for each in results.values()
            ),
            spread([each.metrics[name] for each in results.values() if name in each.metrics]),
        ]
        for name in names
    ]
    head = ["in percent", *results, "spread"]
    aligned = ("left", *("right",) * (len(head) - 1))
    lines = [title, "", tabulate(rows, headers=head, colalign=aligned, disable_numparse=True), ""]
    lines += [
        "The same predictions and ground truth in every column: what differs is convention.",
        f"Spread: highest less lowest of a row, in points. {NONE}: not defined, see the notes.",
    ]
    for name, each in results.items():
        lines += ["", f"{name}: {each.signature}", *(f"Note: {note}" for note in each.notes)]
    return "\n".join(lines)


def spread(scores: list[Score]) -> str:
    """Highest less lowest, in points; nothing for fewer than two numbers."""
    known = [score for score in scores if score is not None]
    return f"{100 * (max(known) - min(known)):.2f}" if len(known) > 1 else ""
