"""What a change to a board touches, in scratch repositories."""

import os
from pathlib import Path

import pytest

from gytbench.errors import InputError
from gytbench.leaderboard.board import Board
from gytbench.leaderboard.changes import Changes, changed

from .boards import commit, git


@pytest.fixture(params=["leaderboard", "."])
def board(tmp_path: Path, request: pytest.FixtureRequest) -> Board:
    """A board with two entries, in a folder of a repository or at its top, on a branch."""
    top = tmp_path / "checkout"
    board = Board(top / request.param)
    put(board, "submissions/mine/submission.yaml")
    put(board, "submissions/theirs/submission.yaml")
    put(board, "submissions/theirs/st.json.gz")
    put(board, "results/theirs.json")
    git(tmp_path, "init", "--quiet", str(top))
    commit(top)
    git(top, "switch", "--quiet", "--create", "submit")
    return board


def put(board: Board, path: str, content: str = "first\n") -> None:
    (board.root / path).parent.mkdir(parents=True, exist_ok=True)
    (board.root / path).write_text(content, encoding="utf-8")


def after_commit(board: Board, base: str = "main") -> Changes:
    commit(board.root)
    return changed(board, base)


def reasons(changes: Changes) -> str:
    return "\n".join(map(str, changes.faults))


def test_a_new_entry_and_a_changed_one_are_found(board: Board) -> None:
    put(board, "submissions/new/submission.yaml")
    put(board, "submissions/new/st.json.gz")
    assert after_commit(board) == Changes(("new",), ())
    git(board.root, "reset", "--quiet", "--hard", "main")
    put(board, "submissions/mine/submission.yaml", "second\n")
    assert after_commit(board) == Changes(("mine",), ())


def test_without_a_commit_nothing_has_changed(board: Board) -> None:
    put(board, "submissions/new/submission.yaml")
    assert changed(board, "main") == Changes((), ())


def test_what_the_base_has_gained_since_is_no_change(board: Board) -> None:
    put(board, "submissions/new/submission.yaml")
    commit(board.root)
    git(board.root, "switch", "--quiet", "main")
    put(board, "submissions/mine/submission.yaml", "second\n")
    commit(board.root)
    git(board.root, "switch", "--quiet", "submit")
    assert changed(board, "main") == Changes(("new",), ())


def test_one_entry_at_a_time(board: Board) -> None:
    put(board, "submissions/new/submission.yaml")
    put(board, "submissions/theirs/submission.yaml", "mine now\n")
    changes = after_commit(board)
    assert changes.entries == ("new", "theirs")
    assert "changes 2 entries, new, theirs: submit one at a time" in reasons(changes)


def test_to_rename_anothers_folder_is_to_change_two(board: Board) -> None:
    git(board.root, "mv", "submissions/theirs", "submissions/new")
    git(board.root, "config", "diff.renames", "copies")
    changes = after_commit(board)
    assert changes.entries == ("new", "theirs")
    assert "2 entries" in reasons(changes)
    assert "theirs: removes the entry" in reasons(changes)


def test_an_entry_is_not_removed(board: Board) -> None:
    git(board.root, "rm", "--quiet", "-r", "submissions/theirs")
    changes = after_commit(board)
    assert changes.entries == ("theirs",)
    assert "removes the entry" in reasons(changes)


def test_nothing_else_is_changed_with_an_entry(board: Board) -> None:
    put(board, "submissions/new/submission.yaml")
    put(board, "README.md")
    put(board, "submissions/new.txt")
    (board.root / "submissions" / "link").symlink_to("theirs")
    changes = after_commit(board)
    assert changes.entries == ("new",)
    for path in ("README.md", "submissions/new.txt", "submissions/link"):
        assert any(fault.where.endswith(path) for fault in changes.faults), path


def test_what_touches_no_entry_is_no_submission(board: Board) -> None:
    put(board, "README.md")
    put(board, "results/centre.json")
    assert after_commit(board) == Changes((), ())


@pytest.mark.parametrize("path", ["results/theirs.json", "history/protocol-1.0-0/theirs.json"])
def test_results_are_not_changed_by_hand(board: Board, path: str) -> None:
    put(board, path, "better\n")
    changes = after_commit(board)
    assert changes.entries == ()
    assert "gytbench leaderboard build" in reasons(changes)


HOSTILE = ("new\nline", "-option", "..hidden", "\u202egnp", "theirs ", "Theirs", "; rm -rf ~", "'")


@pytest.mark.parametrize("name", [*map(os.fsencode, HOSTILE), b"\xff\xfe", b"\x1b[2J"])
def test_hostile_names_are_told_of_on_one_line(board: Board, name: bytes) -> None:
    put(board, f"submissions/{os.fsdecode(name)}/submission.yaml")
    changes = after_commit(board)
    assert changes.entries == ()
    (fault,) = changes.faults
    assert str(fault).isprintable()
    assert "cannot name an entry" in fault.reason


def test_many_files_outside_are_told_in_few_lines(board: Board) -> None:
    put(board, "submissions/new/submission.yaml")
    for number in range(500):
        put(board, f"docs/{number}.md")
    changes = after_commit(board)
    assert 0 < len(changes.faults) < 20
    assert "490 more files" in reasons(changes)


@pytest.mark.parametrize("base", ["--output=stolen", "-p", "", "no-such", "main..submit", "\0"])
def test_what_is_no_revision_is_refused(board: Board, base: str) -> None:
    with pytest.raises(InputError):
        changed(board, base)
    assert not list(board.root.rglob("stolen"))


def test_a_base_without_a_common_commit_is_refused(board: Board) -> None:
    git(board.root, "switch", "--quiet", "--orphan", "other")
    put(board, "submissions/new/submission.yaml")
    with pytest.raises(InputError, match="git"):
        after_commit(board)


def test_outside_a_repository_git_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(InputError, match="not a git repository"):
        changed(Board(tmp_path), "main")
