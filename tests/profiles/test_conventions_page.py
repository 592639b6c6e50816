"""docs/conventions.md names the profiles that choose each convention, and no others."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gytbench.benchmark import Benchmark, ClassMap
from gytbench.evaluation import Protocol
from gytbench.predictions import TASKS
from gytbench.profiles import PROFILES
from gytbench.profiles.conventions import (
    AnswerOverlap,
    FramePrecision,
    Part,
    Pointing,
    TimeAverage,
    TimePrecision,
    TubePrecision,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conventions.md"

IN_WORDS: dict[str, Callable[[Part], bool]] = {
    "half-open seconds": lambda part: isinstance(part, AnswerOverlap),
    "whole seconds or frames, both ends": lambda part: (
        isinstance(part, TubePrecision) and part.overlap == "product"
    ),
    "boxes as they are": lambda part: isinstance(
        part, TubePrecision | FramePrecision | AnswerOverlap
    ),
    "a point on the border": lambda part: isinstance(part, Pointing),
    "no tolerance": lambda part: isinstance(part, Pointing),
    "mean IoU of the boxes over a union": lambda part: isinstance(part, AnswerOverlap),
    "in time alone": lambda part: isinstance(part, TimePrecision | TimeAverage),
    "every tube of the file": lambda part: (
        isinstance(part, TimePrecision)
        or (isinstance(part, TubePrecision) and part.suppression is None)
    ),
    "seconds without a box are not asked": lambda part: isinstance(part, Pointing),
    "pointing: all seconds at once": lambda part: isinstance(part, Pointing),
    "mean over descriptions": lambda part: isinstance(part, AnswerOverlap),
    "IoD of a class that is never predicted is 0": lambda part: (
        isinstance(part, TimeAverage) and part.average != "videogem"
    ),
    "IoD of a class that is never predicted is left out": lambda part: (
        isinstance(part, TimeAverage) and part.average == "videogem"
    ),
    "what is not answered is missed": lambda part: isinstance(
        part, TubePrecision | FramePrecision | TimePrecision | TimeAverage
    ),
}
"""Conventions that no choice of a signature names, by how their row begins: what part has it."""


def rows() -> Iterator[list[str]]:
    """The cells of every row of the tables of conventions."""
    text = PAGE.read_text(encoding="utf-8").partition("## 10.")[0]
    for table in re.findall(r"^\| convention \|.*\n\|.*\n((?:\|.*\n)+)", text, re.MULTILINE):
        for row in table.splitlines():
            yield [cell.strip() for cell in row.strip("|").split("|")]


def users(has: Callable[[Part], bool]) -> list[str]:
    return [
        name
        for name, profile in PROFILES.items()
        if any(has(part) for parts in profile.parts.values() for part in parts)
    ]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_choice_of_a_profile_has_one_row() -> None:
    choices = {
        choice
        for profile in PROFILES.values()
        for parts in profile.parts.values()
        for part in parts
        for choice in part.text().split(",")
    }
    named = [codes(cell)[0] for cell, *_ in rows() if re.fullmatch(r"`[^`]+`", cell)]
    assert sorted(named) == sorted(choices)


def test_the_profiles_of_a_choice_are_those_that_declare_it() -> None:
    for convention, profiles, *_ in rows():
        if re.fullmatch(r"`[^`]+`", convention):
            choice = codes(convention)[0]
            expected = users(lambda part, choice=choice: choice in part.text().split(","))
            assert codes(profiles) == expected, convention


def test_the_profiles_of_a_convention_in_words_are_those_of_its_parts() -> None:
    met = set()
    for convention, profiles, *_ in rows():
        begins = [words for words in IN_WORDS if convention.startswith(words)]
        if begins:
            met |= set(begins)
            assert codes(profiles) == users(IN_WORDS[begins[0]]), convention
        elif not convention.startswith("`"):
            assert profiles in {"", "all"}, f"{convention}: what tells its profiles?"
    assert met == set(IN_WORDS)


def test_every_row_has_a_user() -> None:
    for convention, *used in rows():
        assert any(used), convention


@pytest.fixture
def fields() -> set[str]:
    """The fields of the signatures of all tasks, as they are by default."""
    empty = Benchmark(
        classes=ClassMap("mining512", ("a",), {"a": 0}), frames={}, instances=(), boxes={}
    )
    return {field for task in TASKS for field in Protocol(task).signature(empty).split("|")}


def test_fields_of_the_signature_are_those_of_the_protocol(fields: set[str]) -> None:
    named = {code for *_, own in rows() for code in codes(own) if re.fullmatch(r"[a-z]+:\S+", code)}
    assert named <= fields
    ground_truth = ("gytbench:", "task:", "data:", "boxes:", "classes:", "subset:", "coordinates:")
    assert {field for field in fields if not field.startswith(ground_truth)} <= named


def test_every_profile_has_a_row_by_tool() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## 10.")[2]
    tasks = {}
    for row in re.findall(r"^\|.*`--profile (\S+)`(?:[^|]*)\|([^|]*)\|", text, re.MULTILINE):
        tasks.setdefault(row[0], row[1].strip().split(", "))
    assert set(tasks) == set(PROFILES)
    for name, named in tasks.items():
        assert set(named) == set(PROFILES[name].parts), name
