"""The small benchmark of the command line's tests, and a board without entries."""

from pathlib import Path

import pytest

from gytbench.leaderboard.board import Board

from ..cli.conftest import data, run  # noqa: F401


@pytest.fixture
def board(tmp_path: Path) -> Board:
    """A board without entries."""
    board = Board(tmp_path / "leaderboard")
    board.submissions.mkdir(parents=True)
    return board
