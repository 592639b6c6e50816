"""The page for submitters names every field, choice and limit as they are."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from gytbench.leaderboard import checking, fetching, fields, submission, unpacking
from gytbench.leaderboard.results import RELEASES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "submitting.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading."""
    below = PAGE[PAGE.index(f"\n## {heading}") :]
    rows = below[below.index("|---|") :].partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def test_every_field_and_choice_is_explained() -> None:
    named = "\n".join(cell for row in table("5.") for cell in row)
    for field in msgspec.structs.fields(submission.Submission):
        assert f"`{field.name}`" in named or field.name == "predictions"
    for choice in (*get_args(submission.Supervision), *get_args(submission.Modality)):
        assert f"`{choice}`" in named


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("`submission.yaml`", f"{fields.MAX_SUBMISSION_BYTES:,} bytes"),
        ("files in the folder", str(checking.MAX_FILES)),
        ("predictions in the folder, together", f"{checking.MAX_FOLDER_BYTES >> 20} MiB"),
        ("one file by address", f"{fetching.MAX_FETCHED_BYTES >> 20} MiB"),
        ("one file, unpacked", f"{unpacking.MAX_UNPACKED_BYTES >> 30} GiB"),
    ],
)
def test_limits_are_those_that_are_checked(what: str, limit: str) -> None:
    assert dict(table("6."))[what] == limit


def test_releases_are_those_that_are_scored() -> None:
    assert " and ".join(f"`{name}`" for name in RELEASES) in PAGE
