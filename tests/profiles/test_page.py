"""docs/profiles.md says what the profiles are: its tables are made from them."""

import re
from pathlib import Path

import numpy as np
import pytest

from gytbench.evaluation import Protocol
from gytbench.metrics.precision_rules import RULES, ruled_average_precision
from gytbench.profiles import PROFILES
from gytbench.profiles.conventions import AnswerOverlap, FramePrecision, TimePrecision
from gytbench.profiles.signature import metric_name

PAGE = Path(__file__).resolve().parents[2] / "docs" / "profiles.md"


def conventions_table() -> str:
    """A row for each metric of each profile and task."""
    lines = ["| profile | used by | task | metric | conventions |", "|---|---|---|---|---|"]
    for profile in PROFILES.values():
        for task, parts in profile.parts.items():
            for part in parts:
                name = metric_name(part, Protocol(task))
                ranked = isinstance(part, FramePrecision | TimePrecision) or "map" in name
                shown = f"{name}@T" if ranked else name
                shown = "m_viou" if isinstance(part, AnswerOverlap) else shown
                choices = ", ".join(f"`{choice}`" for choice in part.text().split(","))
                lines.append(
                    f"| `{profile.name}` | {profile.used_by} | {task} | `{shown}` | {choices} |"
                )
    return "\n".join(lines) + "\n"


def notes_list() -> str:
    """Faults and limits of each profile."""
    lines = []
    for profile in PROFILES.values():
        lines += [f"**{profile.name}**", ""]
        lines += [f"- Fault: {fault}." for fault in profile.faults]
        lines += [f"- Limit: {limit}." for limit in profile.limits]
        lines += [""]
    return "\n".join(lines[:-1]) + "\n"


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def table(first: str) -> dict[str, list[str]]:
    """The cells of the table whose head begins with `first`, by their first cell."""
    text = page()
    rows = text[text.index(f"| {first} |") :].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_the_table_of_conventions_is_made_from_the_profiles() -> None:
    assert conventions_table() in page()


def test_faults_and_limits_are_those_of_the_profiles() -> None:
    assert notes_list() in page()


def test_every_choice_is_explained_and_no_other() -> None:
    choices = {
        choice
        for profile in PROFILES.values()
        for parts in profile.parts.values()
        for part in parts
        for choice in part.text().split(",")
    }
    assert set(table("choice")) == choices


def test_every_metric_is_explained() -> None:
    text = page()[page().index("| metric | definition |") :].partition("\n\n")[0]
    explained = {re.sub(r"@[T\d].*", "", name) for name in re.findall(r"`([^`]+)`", text)}
    for profile in PROFILES.values():
        for task, parts in profile.parts.items():
            for part in parts:
                assert metric_name(part, Protocol(task)) in explained


@pytest.mark.parametrize("rule", RULES)
def test_what_a_rule_is_worth(rule: str) -> None:
    long, short, users = table("rule")[rule]
    for flags, positives, shown in (((1, 1, 0, 1, 0, 0, 1, 0), 5, long), ((0, 1), 1, short)):
        group = np.zeros(len(flags), dtype=np.int64)
        correct = np.array([flags], dtype=bool)
        value = ruled_average_precision(group, correct, np.array([positives]), rule)[0, 0]  # type: ignore[arg-type]
        assert f"{value:.3f}" == shown
    using = [
        name
        for name, profile in PROFILES.items()
        if any(
            getattr(part, "ranking", None) and part.ranking.ap == rule  # type: ignore[union-attr]
            for parts in profile.parts.values()
            for part in parts
        )
    ]
    assert users.partition(";")[0] == (", ".join(using) or "none here")
