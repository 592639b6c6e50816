"""What a change does to the tables, in Markdown that strangers' text cannot break."""

import re

import msgspec
import pytest

from gytbench.errors import Fault
from gytbench.evaluation.uncertainty import interval_of
from gytbench.leaderboard.differences import escaped, faults_markdown, markdown
from gytbench.leaderboard.ranking import resampled
from gytbench.leaderboard.results import EntryResults
from gytbench.leaderboard.stored import without_classes

from .inventing import (
    hostile_entry,
    invented_bounds,
    invented_entries,
    invented_reported,
    many_entries,
)

COMMENT = 65_536
"""Characters that a comment on GitHub may have."""

HOSTILE = (
    "<script>alert(1)</script>",
    '<img src="https://example.org/x.png" onerror=x>',
    "![x](https://example.org/x.png)",
    "[click](javascript:alert(1))",
    "@everyone",
    "#1 GH-1 someone/else#1",
    "a | b | c",
    "ends with a backslash \\",
    "a \\| b",
    "`code` and ``more`` and ```",
    "line\n\n# Heading\n\n| a | b |\n|---|---|",
    "line\r<!-- comment",
    "https://example.org www.example.org me@example.org",
    "&lt;b&gt; &#64;here",
    "\u202egnp.exe\u2066 \u200bhidden",
    "**bold** _it_ ~~no~~ $x^2$ :smile:",
    "***",
    "\x00\x1b[2J",
)


@pytest.fixture(scope="module")
def entries() -> list[EntryResults]:
    return invented_entries()


def rows(text: str) -> list[list[str]]:
    """The cells of all rows of all tables, apart from their heads."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines]
    return [row for row in cells if row[1] not in ("Entry", "---")]


def named(text: str, name: str) -> list[list[str]]:
    return [row for row in rows(text) if row[1] == f"`{name}`"]


def without(entries: list[EntryResults], name: str) -> list[EntryResults]:
    return [each for each in entries if each.entry != name]


def test_nothing_changes_where_nothing_differs(entries: list[EntryResults]) -> None:
    assert "No row of any table changes." in markdown(entries, entries)
    assert not rows(markdown(entries, entries))


def test_a_new_entry_has_a_row_in_each_of_its_tables(entries: list[EntryResults]) -> None:
    text = markdown(without(entries, "order-net"), entries)
    found = named(text, "order-net")
    # Two releases of boxes, and times.
    assert [row[0] for row in found] == ["new"] * 3
    assert text.count("### ") == 3
    assert {row[2] for row in found} == {"`OrderNet`"}
    entry = next(each for each in entries if each.entry == "order-net")
    score = entry.scores[0]
    interval = score.intervals["iou_point"]
    assert interval is not None
    value = 100 * (score.metrics["iou_point"] or 0)
    low, high = 100 * interval.low, 100 * interval.high
    assert found[0][4] == f"{value:.2f} ({low:.2f} to {high:.2f})"
    assert re.fullmatch(r"\d+ of 12", found[0][3])


def test_the_difference_to_the_floor_is_taken_on_the_same_videos(
    entries: list[EntryResults],
) -> None:
    text = markdown(without(entries, "order-net"), entries)
    first = {each.entry: each.scores[0] for each in entries}
    own, floor = first["order-net"], first["uniform-segments"]
    difference = (own.metrics["iou_point"] or 0) - (floor.metrics["iou_point"] or 0)
    paired = interval_of(resampled(own) - resampled(floor), difference, -1, 1)
    assert paired is not None
    shown = f"{100 * difference:+.2f} ({100 * paired.low:+.2f} to {100 * paired.high:+.2f})"
    assert named(text, "order-net")[0][7] == shown


def test_a_removed_entry_says_what_it_had(entries: list[EntryResults]) -> None:
    found = named(markdown(entries, without(entries, "order-net")), "order-net")
    assert [row[0] for row in found] == ["removed"] * 3
    assert all(row[3].startswith("was ") and row[4] == "n/a" for row in found)


def test_a_changed_entry_shows_both_scores_and_their_difference(
    entries: list[EntryResults],
) -> None:
    (other,) = (each for each in entries if each.entry == "full-house")
    better = [
        msgspec.structs.replace(other, entry="order-net", about=each.about)
        if each.entry == "order-net"
        else each
        for each in entries
    ]
    found = named(markdown(entries, better), "order-net")
    # It takes part in place now, which it did not.
    assert sorted(row[0] for row in found) == ["changed"] * 3 + ["new"] * 2
    row = next(row for row in found if row[0] == "changed")
    before, after, change = (float(re.findall(r"[+-]?[\d.]+", row[at])[0]) for at in (5, 4, 6))
    assert change == pytest.approx(after - before, abs=0.011)
    assert "→" in row[3]


def test_others_that_a_new_entry_moves_are_told(entries: list[EntryResults]) -> None:
    text = markdown(without(entries, "full-house"), entries)
    lines = [line for line in text.splitlines() if line.startswith("Ranks that move: ")]
    assert lines
    moves = [re.fullmatch(r"`[a-z-]+` (\d+) → (\d+)", each) for each in lines[0][17:-1].split(", ")]
    assert all(each and int(each[1]) < int(each[2]) for each in moves)
    assert {row[1] for row in rows(text)} == {"`full-house`"}


def test_floors_and_ceilings_are_named_as_such_and_have_no_rank() -> None:
    found = rows(markdown([], invented_bounds()))
    kinds = {row[1]: row[2] for row in found}
    assert kinds["`uniform-segments`"] == "`(floor)`"
    assert kinds["`oracle-instance`"] == "`(ceiling)`"
    assert {row[3] for row in found} == {"n/a"}


def test_new_words_and_flags_are_told(entries: list[EntryResults]) -> None:
    (entry,) = (each for each in entries if each.entry == "order-net")
    assert entry.about is not None
    about = msgspec.structs.replace(entry.about, notes="other notes")
    flagged = msgspec.structs.replace(entry, about=about, flags=("equals the boxes",))
    text = markdown([entry], [flagged])
    assert "about themselves changes: `order-net`" in text
    assert "- `order-net`: `equals the boxes`" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_strangers_text_is_one_code_span(text: str) -> None:
    span = escaped(text)
    assert span.isprintable()
    assert span[0] == span[-1] == "`"
    assert span.count("`") == 2
    assert not set("<>|\n") & set(span)


def test_text_without_anything_to_show_is_no_empty_span() -> None:
    assert escaped("") == escaped(" \u200b\n") == "n/a"


def test_long_text_is_cut() -> None:
    assert len(escaped("a" * 10_000)) == 62
    assert len(escaped("a" * 10_000, 300)) == 302


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_entry_breaks_no_table(entries: list[EntryResults], text: str) -> None:
    (entry,) = (each for each in entries if each.entry == "order-net")
    assert entry.about is not None
    about = msgspec.structs.replace(entry.about, system=text, backbone=text, notes=text)
    bad = msgspec.structs.replace(entry, about=about, flags=(text, text))
    shown = markdown(without(entries, "order-net"), [*without(entries, "order-net"), bad])
    found = named(shown, "order-net")
    assert len(found) == 3
    assert all(len(row) == 8 for row in rows(shown))
    assert all(row[2] == escaped(text) for row in found)
    outside = re.sub(r"`[^`\n]*`", "", shown)
    assert not set("<>@[]\\`") & set(outside.replace("boxes", ""))
    assert "://" not in outside
    assert "#1" not in outside


def test_every_text_of_a_hostile_entry_stays_in_its_span() -> None:
    text = markdown(invented_bounds(), [*invented_bounds(), hostile_entry()])
    outside = re.sub(r"`[^`\n]*`", "", text)
    assert not set("<>@[]\\`") & set(outside)
    assert "script" not in outside


def test_the_comment_is_never_too_long() -> None:
    many = [without_classes(each) for each in many_entries(80)]
    long = [
        msgspec.structs.replace(
            each,
            about=each.about and msgspec.structs.replace(each.about, system="W" * 200),
            flags=("W" * 5000,) * 3,
        )
        for each in many
    ]
    for before, after in (([], long), (many, long), (many, [])):
        text = markdown(before, after)
        assert len(text) < COMMENT
    assert "more rows." in text
    faults = [Fault("W" * 3000, "W" * 3000)] * 5000
    assert len(faults_markdown(faults)) < COMMENT
    assert "and 4,980 more" in faults_markdown(faults)


def test_faults_are_told_in_spans() -> None:
    text = faults_markdown([Fault("submissions/`x`", "<b>wrong</b> @all"), Fault("", "else")])
    lines = text.splitlines()
    assert re.fullmatch(r"- `submissions/'x': .b.wrong./b. @all`", lines[2])
    assert lines[3] == "- `else`"


def test_reported_rows_are_not_among_the_tables(entries: list[EntryResults]) -> None:
    text = markdown([], entries)
    assert not any(row.system in text for paper in invented_reported() for row in paper.rows)
