"""`gytbench data card`: what it prints, and its exit codes."""

import pytest

from gytbench.benchmark import DATASETS
from gytbench.benchmark.cards import read_card
from gytbench.benchmark.releases import released_sha256

from .conftest import Run


def test_all_datasets(run: Run) -> None:
    code, out, err = run("data", "card")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line for line in out.splitlines()[2:]}
    assert list(rows) == list(DATASETS)
    for name, row in rows.items():
        assert ", ".join(DATASETS[name].tasks) in row
        assert row.endswith(read_card(name).summary)


@pytest.mark.parametrize("name", DATASETS)
def test_everything_of_a_card_is_printed(run: Run, name: str) -> None:
    code, out, err = run("data", "card", name)
    assert (code, err) == (0, "")
    card, printed = read_card(name), " ".join(out.split())
    texts = [card.title, card.summary, card.licence, card.videos, card.tested, card.time_unit]
    texts += [card.frame, *card.source, *card.faults, *card.stated.values()]
    texts += [paper.title for paper in card.papers]
    texts += [f"{file.path} {file.holds}" for file in card.files]
    texts += [f"{scored.column}: {scored.metric} {scored.note}" for scored in card.scored]
    texts += [f"{what} {number:,}" for what, number in card.counts.items()]
    texts += [f"{video} {w}x{h}" for video, (w, h) in card.guessed_frames.items()]
    for option, meanings in card.choices.items():
        texts += [f"--{option} {value} {meaning}" for value, meaning in meanings.items()]
    for text in texts:
        assert " ".join(text.split()) in printed
    # Room for the longest checksum, and no line that a terminal would break in a word.
    assert max(map(len, out.splitlines())) <= 100


def test_checksums_where_they_are_known(run: Run) -> None:
    _, out, _ = run("data", "card", "youcook-interactions")
    lines = out.splitlines()
    at = lines.index("  youcook-interactions/final_dataset_segments.pkl")
    digest = released_sha256("youcook-interactions/final_dataset_segments.pkl")
    assert lines[at + 2] == f"    4,164 bytes, sha256 {digest}"
    assert "sha256" not in run("data", "card", "vhico").out


def test_headings_without_anything_below_are_left_out(run: Run) -> None:
    headings = {line for line in run("data", "card", "vhico").out.splitlines() if line[:1] != " "}
    assert "Stated by the publisher, not checked here" in headings
    assert "Counted in the released files" not in headings
    assert "Guessed frames (no released file tells these)" not in headings


def test_unknown_dataset(run: Run) -> None:
    code, out, err = run("data", "card", "youcook")
    assert (code, out) == (2, "")
    assert "error: no such dataset: 'youcook'; known are groundingyoutube, miningyoutube" in err
