"""Where a board's things lie, and what may lie among its submissions."""

import os
from pathlib import Path

import pytest

from gytbench.bounds import BOUNDS
from gytbench.errors import InputError
from gytbench.leaderboard.board import Board, entry_names, find_board, name_fault


@pytest.fixture
def board(tmp_path: Path) -> Board:
    (tmp_path / "leaderboard" / "submissions").mkdir(parents=True)
    return Board(tmp_path / "leaderboard")


def told(board: Board) -> dict[str, str]:
    """The faults of a board's submissions, by the last part of where they are."""
    with pytest.raises(InputError) as caught:
        entry_names(board)
    return {Path(fault.where).name: fault.reason for fault in caught.value.faults}


def test_the_board_that_is_given_else_the_one_here(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_board(board.root) == board
    monkeypatch.chdir(board.root.parent)
    assert find_board().root.resolve() == board.root
    monkeypatch.chdir(board.root)
    with pytest.raises(InputError, match=r"leaderboard: no board here: give the folder with --b"):
        find_board()


def test_no_board_but_a_file(tmp_path: Path) -> None:
    (tmp_path / "board").write_text("")
    for name in ("board", "nowhere"):
        with pytest.raises(InputError, match="no board here"):
            find_board(tmp_path / name)


def test_names_are_sorted_and_none_is_no_fault(board: Board) -> None:
    assert entry_names(board) == ()
    assert entry_names(Board(board.root / "empty")) == ()
    for name in ("zebra", "a", "2-branches", "x" * 48):
        (board.submissions / name).mkdir()
    assert entry_names(board) == ("2-branches", "a", "x" * 48, "zebra")


def test_all_names_that_none_can_have_are_told(board: Board) -> None:
    wrong = ["Mine", "-mine", "my_entry", "a b", "caf\u00e9", "x" * 49, ".hidden", "a\nb", "con"]
    for name in (*wrong, "right"):
        (board.submissions / name).mkdir()
    assert set(told(board)) == set(wrong)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../mine", "a/b", "a\\b", "\0", "m\u0456ne", "mine "]
)
def test_names_that_lead_elsewhere(name: str) -> None:
    fault = name_fault(name, "here")
    assert fault is not None
    assert fault.reason.endswith("with no - in front")


@pytest.mark.parametrize("name", BOUNDS)
def test_no_entry_is_called_as_a_floor_or_ceiling(board: Board, name: str) -> None:
    (board.submissions / name).mkdir()
    assert told(board)[name].startswith(f"'{name}' is the name of a ")


def test_links_files_and_pipes_are_no_entries(board: Board, tmp_path: Path) -> None:
    (board.submissions / "mine").mkdir()
    (board.submissions / "linked").symlink_to(board.submissions / "mine")
    (board.submissions / "dangling").symlink_to(tmp_path / "nowhere")
    (board.submissions / "away").symlink_to("/etc")
    (board.submissions / "file").write_text("")
    os.mkfifo(board.submissions / "pipe")
    found = told(board)
    assert set(found) == {"linked", "dangling", "away", "file", "pipe"}
    assert all("symbolic link" in found[name] for name in ("linked", "dangling", "away"))
    assert all("is no folder" in found[name] for name in ("file", "pipe"))


def test_submissions_must_be_a_folder_itself(board: Board, tmp_path: Path) -> None:
    board.submissions.rmdir()
    (tmp_path / "aside").mkdir()
    board.submissions.symlink_to(tmp_path / "aside")
    with pytest.raises(InputError, match="must be a folder, not a link or a file"):
        entry_names(board)
