"""The results in the repository are those that the released files give."""

import shutil
from pathlib import Path

import pytest

from gytbench.bounds import BOUNDS
from gytbench.leaderboard.board import Board, entry_names
from gytbench.leaderboard.building import build
from gytbench.leaderboard.stored import read_results, results_file

COMMITTED = Board(Path(__file__).resolve().parents[2] / "leaderboard")
NAMES = sorted((*BOUNDS, *entry_names(COMMITTED)))


def test_every_entry_floor_and_ceiling_has_results() -> None:
    assert [path.stem for path in sorted(COMMITTED.results.iterdir())] == NAMES


def test_floors_and_ceilings_are_scored_on_both_box_releases() -> None:
    for name in BOUNDS:
        found = read_results(results_file(COMMITTED, name))
        assert found is not None
        under = [(each.task, "boxes:repaired" in each.signature) for each in found.scores]
        expected = [(t, False) for t in BOUNDS[name].tasks]
        expected += [(t, True) for t in BOUNDS[name].tasks if t != "temporal"]
        assert sorted(under) == sorted(expected)
        assert "|data:local" not in "".join(each.signature for each in found.scores)


@pytest.fixture(scope="module")
def rebuilt(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Board:
    """The board, scored from nothing."""
    board = Board(tmp_path_factory.mktemp("rebuilt") / "leaderboard")
    left_out = shutil.ignore_patterns("results", "history", "site")
    shutil.copytree(COMMITTED.root, board.root, ignore=left_out)
    build(board, data=released)
    return board


def test_a_build_from_nothing_gives_the_same_bytes(rebuilt: Board) -> None:
    for name in NAMES:
        assert results_file(rebuilt, name).read_bytes() == (
            results_file(COMMITTED, name).read_bytes()
        ), name


def test_the_page_holds_all_entries_and_the_rows_of_papers(rebuilt: Board) -> None:
    page = (rebuilt.site / "index.html").read_text(encoding="utf-8")
    assert all(f"entries/{name}.html" in page for name in NAMES)
    assert "60.62" in page
    assert "GROVE" in page
