"""Text that hides, reorders or poses as other text, and names that pose as others."""

import base64
from pathlib import Path
from typing import Any

import pytest

from gytbench.leaderboard.board import Board
from gytbench.leaderboard.lookalikes import same_names, skeleton
from gytbench.leaderboard.submission import Submission

from ..cli.conftest import tube
from .entries import ABOUT, checked, content, entry, named, write, yaml_faults


@pytest.mark.parametrize(
    ("character", "told"),
    [
        ("\x00", "a control character, U+0000"),
        ("\x1b", "a control character, U+001B"),
        ("\x7f", "a control character, U+007F"),
        ("\x85", "a control character, U+0085"),
        ("\t", "a control character, U+0009"),
        ("\r", "a control character, U+000D"),
        ("\u00ad", "an invisible or bidirectional character, U+00AD"),
        ("\u200b", "an invisible or bidirectional character, U+200B"),
        ("\u200d", "an invisible or bidirectional character, U+200D"),
        ("\u200f", "an invisible or bidirectional character, U+200F"),
        ("\u202e", "an invisible or bidirectional character, U+202E"),
        ("\u2066", "an invisible or bidirectional character, U+2066"),
        ("\ufeff", "an invisible or bidirectional character, U+FEFF"),
        ("\U000e0041", "an invisible or bidirectional character, U+E0041"),
        ("\u2028", "a line separator, U+2028"),
        ("\u00a0", "a space that is not the plain one, U+00A0"),
        ("\u3164", "an invisible character, U+3164"),
        ("\ufe0f", "an invisible character, U+FE0F"),
        ("\ud800", "half a character, U+D800"),
        ("\ue000", "a private character, U+E000"),
        ("\uffff", "an unassigned character, U+FFFF"),
    ],
)
@pytest.mark.parametrize("field", ["system", "authors", "backbone", "training_data", "contact"])
def test_characters_that_no_text_may_hold(
    board: Board,
    data: Path,
    field: str,
    character: str,
    told: str,
) -> None:
    text = f"ab{character}cd"
    found = yaml_faults(board, data, **{field: text if field not in LISTS else ["x", text]})
    place = f"$.{field}[1]" if field in LISTS else f"$.{field}"
    assert f"{place}: holds {told}" in found


def test_paragraphs_may_have_lines_and_nothing_else(board: Board, data: Path) -> None:
    found = yaml_faults(board, data, notes="a\n\tb\x1bc", citation="a\nb\u202ec")
    assert found == [
        "$.notes: holds a control character, U+001B",
        "$.citation: holds an invisible or bidirectional character, U+202E",
    ]


LISTS = ("authors", "training_data")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("two\nlines", "must be one line"),
        (" ab", "begins or ends with a space"),
        ("ab ", "begins or ends with a space"),
        ("  ", "is empty"),
        ("Zoe\u0308", "is not in the Unicode form NFC"),
        ("a" + "\u0335" * 4, "has more than 3 combining marks on one letter"),
        ("\u0301a", "has more than 3 combining marks on one letter"),
    ],
)
def test_text_that_is_not_as_it_looks(board: Board, data: Path, text: str, told: str) -> None:
    found = yaml_faults(board, data, system=text)
    assert [each for each in found if each.startswith(f"$.system: {told}")], found


@pytest.mark.parametrize(
    "text",
    [
        "\u5f20\u4f1f",
        "\u0410\u043d\u043d\u0430",
        "Nguy\u1ec5n V\u0103n A",
        "O'Brien-Smith, Jr.",
        "\u0647\u0648\u0634",
    ],
)
def test_names_of_all_alphabets_may_stand(board: Board, data: Path, text: str) -> None:
    entry(board, authors=[text], system=text)
    assert checked(board, data).submission.authors == (text,)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://example.org/", "must begin with https://"),
        ("javascript:alert(1)", "must begin with https://"),
        ("data:text/html,x", "must begin with https://"),
        ("file:///etc/passwd", "must begin with https://"),
        ("//example.org", "must begin with https://"),
        ("HTTPS://example.org", "must begin with https://"),
        (" https://example.org", "must begin with https://"),
        ("https://example.org/ x", "is no address"),
        ("https://example.org/\n", "is no address"),
        ('https://example.org/"onclick="x', "is no address"),
        ("https://example.org/<script>", "is no address"),
        ("https://example.org\\@evil.example", "is no address"),
        ("https://ex\u0430mple.org/", "is no address"),
        ("https://user:secret@example.org/", "must hold no user name and no password"),
        ("https://github.com@evil.example/", "must hold no user name and no password"),
        ("https://example.org:22/", "must name no port"),
        ("https://example.org:/", "must name no port"),
        ("https://example.org:99999/", "is no address"),
        ("https://[::1]/", "needs the full name of a host"),
        ("https://[::1/", "is no address"),
        ("https://127.0.0.1/", "needs the full name of a host"),
        ("https://2130706433/", "needs the full name of a host"),
        ("https://localhost/", "needs the full name of a host"),
        ("https:///path", "needs the full name of a host"),
        ("https://.example.org/", "needs the full name of a host"),
        ("https://-a.example/", "needs the full name of a host"),
        ("https://%65xample.org/", "needs the full name of a host"),
    ],
)
@pytest.mark.parametrize("field", ["paper", "url"])
def test_addresses(board: Board, data: Path, field: str, address: str, told: str) -> None:
    given: dict[str, Any] = {"paper": address}
    if field == "url":
        given = {"predictions": {"st": named(b"x") | {"file": "", "url": address}}}
    found = yaml_faults(board, data, **given)
    place = "$.predictions.st.url" if field == "url" else "$.paper"
    assert [each for each in found if each.startswith(f"{place}: {told}")], found


def submission(system: str) -> Submission:
    return Submission(**(ABOUT | {"system": system, "predictions": {}}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CoMMA", "CoMMA"),
        ("CoMMA", "COMMA"),
        ("CoMMA", "Co-MMA "),
        ("CoMMA", "\u0421\u043e\u041c\u041c\u0410"),
        ("CoMMA", "\uff23\uff4f\uff2d\uff2d\uff21"),
        ("CoMMA", "\u1d04\u1d0f\u1d0d\u1d0d\u1d00"),
        ("CoMMA", "\U0001d402\U0001d428\U0001d40c\U0001d40c\U0001d400"),
        ("CoMMA", "C\u00f4MM\u00c1"),
        ("GROVE", "GR0VE"),
        ("GROVE", "GR\u039fVE"),
        ("CLIP", "CLlP"),
        ("CLIP", "C1IP"),
        ("moderne", "modeme"),
        ("wave", "vvave"),
        ("Global Local", "global_local"),
        ("\u00d8rsted", "Orsted"),
    ],
)
def test_systems_that_look_alike(one: str, other: str) -> None:
    found = same_names(["a", "b"], [submission(one), submission(other)])
    assert [fault.where for fault in found] == ["b/submission.yaml: $.system"]
    assert "entry a; add what tells them apart" in found[0].reason


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CoMMA", "CoMMA+"),
        ("CoMMA+", "CoMMA++"),
        ("Model v1.1", "Model v11"),
        ("S3D", "R3D"),
        ("\u5f20", "\u4f1f"),
        ("CLIP (ViT)", "CLIP (RN50x4)"),
    ],
)
def test_systems_that_do_not(one: str, other: str) -> None:
    assert same_names(["a", "b"], [submission(one), submission(other)]) == []
    assert skeleton(one) != skeleton(other)


def test_a_name_of_mixed_alphabets(board: Board, data: Path) -> None:
    # Whatever letter of it is in no table of those that look alike.
    found = yaml_faults(board, data, system="Gr\u0460ve")
    assert found == ["$.system: mixes Latin letters with Cyrillic ones, which look alike"]
    entry(board, "greek", content(tube(score=0.5)), system="\u03b2-VAE")
    assert checked(board, data, "greek").submission.system == "\u03b2-VAE"


@pytest.mark.parametrize("system", ["Oracle Instance", "random", "c\u0435ntre", "0RACLE_TIME"])
def test_a_system_that_poses_as_a_floor_or_ceiling(board: Board, data: Path, system: str) -> None:
    found = yaml_faults(board, data, system=system)
    assert [each for each in found if each.startswith("$.system: poses as ")]


def test_a_system_that_poses_as_another_entrys(board: Board, data: Path) -> None:
    entry(board, "theirs", content(tube(score=0.5)), system="GROVE")
    (told,) = yaml_faults(board, data, system="GR0VE")
    assert told.endswith(
        "the name 'GR0VE' looks like 'GROVE', that of the entry theirs; add what tells them apart"
    )


def test_anothers_predictions(board: Board, data: Path) -> None:
    entry(board, "theirs", system="GROVE")
    (told,) = yaml_faults(board, data)
    assert told == "$.predictions.st: is the same file as one of the entry theirs"


def test_an_entry_that_cannot_be_read_does_not_stop_the_others(board: Board, data: Path) -> None:
    write(entry(board, "broken", system="Broken"), "[" * 100)
    (entry(board, "linked", system="Linked") / "submission.yaml").unlink()
    (board.submissions / "linked" / "submission.yaml").symlink_to("/dev/zero")
    alike = entry(board, "alike")
    (alike / "submission.yaml").rename(board.root / "aside")
    (alike / "submission.yaml").symlink_to(board.root / "aside")
    (board.submissions / "file").write_text("")
    entry(board)
    assert checked(board, data).name == "mine"


def test_hostile_text_in_predictions_reaches_no_page(board: Board, data: Path) -> None:
    evil = base64.b64encode(b"<script>").decode()
    entry(board, data=content(tube(meta={"<img src=x>": evil}), model={"name": "<script>"}))
    found = checked(board, data)
    assert "<" not in repr(found.submission) + repr(found.flags)
