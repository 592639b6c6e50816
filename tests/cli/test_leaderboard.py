"""`gytbench leaderboard` check, build and diff: what they print, and how they end."""

import shutil
from pathlib import Path

import pytest

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.bounds import BOUNDS
from gytbench.demo import predict, write_annotations
from gytbench.leaderboard.board import Board
from gytbench.leaderboard.building import build
from tests.leaderboard.boards import commit, empty_board, files, git, submit, worse

from .conftest import Run


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_annotations(folder)
    return folder


@pytest.fixture(scope="module")
def truth(demo: Path) -> Benchmark:
    return load_benchmark(data=demo)


@pytest.fixture(scope="module")
def finished(demo: Path, truth: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a board that has one entry and has been built."""
    top = tmp_path_factory.mktemp("finished")
    board = empty_board(top)
    submit(board, "first", predict(truth, "st"))
    build(board, data=demo)
    shutil.rmtree(board.site)
    git(top, "init", "--quiet")
    commit(top)
    return top


@pytest.fixture
def run(run: Run, demo: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands that know the data."""
    monkeypatch.setenv("GYTBENCH_DATA", str(demo))
    return run


@pytest.fixture
def board(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    """A copy of it, on a branch; commands stand at its top."""
    top = tmp_path / "checkout"
    shutil.copytree(finished, top)
    git(top, "switch", "--quiet", "--create", "submit")
    monkeypatch.chdir(top)
    return Board(Path("leaderboard"))


def new_entry(board: Board, truth: Benchmark, **about: object) -> None:
    submit(board, "second", worse(truth, "st", 2), **about)
    commit(Path())


def test_all_entries_are_checked(board: Board, truth: Benchmark, run: Run) -> None:
    new_entry(board, truth)
    printed = run("leaderboard", "check")
    assert printed.code == 0, printed.err
    assert printed.out == "first: ready\nsecond: ready\nentries checked: 2\n"


def test_with_a_base_only_changed_entries_are(board: Board, truth: Benchmark, run: Run) -> None:
    assert run("leaderboard", "check", "--base", "main").out == "entries checked: 0\n"
    new_entry(board, truth)
    printed = run("leaderboard", "check", "--base", "main")
    assert printed.out == "second: ready\nentries checked: 1\n"


def test_all_faults_are_told_at_once(board: Board, truth: Benchmark, run: Run) -> None:
    (board.root / "README.md").write_text("mine")
    new_entry(board, truth, date="soon", tuned_on_test=True)
    printed = run("leaderboard", "check", "--base", "main")
    assert printed.code == 2
    assert "README.md: is outside" in printed.err
    assert "second" in printed.err
    assert len(printed.err.splitlines()) >= 2


def test_a_name_that_another_entry_has_is_a_fault(board: Board, truth: Benchmark, run: Run) -> None:
    new_entry(board, truth, system="F-IRST")
    printed = run("leaderboard", "check", "--base", "main")
    assert printed.code == 2
    assert "first" in printed.err


def test_flags_are_told_and_are_no_faults(board: Board, truth: Benchmark, run: Run) -> None:
    predictions = predict(truth, "st")
    for tube in predictions.tubes:
        known = truth.boxes.get(tube.video, {})
        width, height = truth.frames[tube.video]
        tube.frame_size = (width, height)
        seconds = range(int(tube.start), int(tube.start) + len(tube.boxes or ()))
        tube.boxes = [
            box if box is not None and box[0] < box[2] and box[1] < box[3] else None
            for box in map(known.get, seconds)
        ]
    submit(board, "leak", predictions)
    printed = run("leaderboard", "check")
    assert printed.code == 0, printed.err
    assert "leak: flagged: " in printed.out


def test_a_build_tells_what_it_did(board: Board, truth: Benchmark, run: Run) -> None:
    new_entry(board, truth)
    printed = run("leaderboard", "build")
    assert printed.code == 0, printed.err
    assert printed.out == (
        f"1 scored, {1 + len(BOUNDS)} as they were, 0 removed\npage: {board.site}\n"
    )
    assert printed.err == "1 of 1: second\n"
    assert (board.site / "index.html").is_file()


def test_a_build_names_what_it_left_out(board: Board, truth: Benchmark, run: Run) -> None:
    new_entry(board, truth, backbone="")
    printed = run("leaderboard", "build", "--site", "page")
    assert printed.code == 2
    assert "1 of 1: second: left out" in printed.err
    assert "error: " in printed.err
    assert Path("page", "index.html").is_file()


def test_a_difference_is_written_and_nothing_else(
    board: Board, truth: Benchmark, run: Run, tmp_path: Path
) -> None:
    new_entry(board, truth)
    before = files(board.root)
    printed = run("leaderboard", "diff", "--base", "main", "-o", tmp_path / "comment.md")
    assert printed.code == 0, printed.err
    text = (tmp_path / "comment.md").read_text(encoding="utf-8")
    assert text.count("| new | `second` | `Second` |") == 2
    assert files(board.root) == before
    # Without a base, it is what a build would change.
    assert run("leaderboard", "diff", "-o", "-").out == text


@pytest.mark.usefixtures("board")
def test_without_a_change_there_is_no_difference(run: Run) -> None:
    printed = run("leaderboard", "diff", "-o", "-")
    assert "No row of any table changes." in printed.out


def test_where_an_entry_is_wrong_the_comment_says_so(
    board: Board, truth: Benchmark, run: Run, tmp_path: Path
) -> None:
    new_entry(board, truth, backbone="<img src=x>\u202e")
    printed = run("leaderboard", "diff", "--base", "main", "-o", tmp_path / "comment.md")
    assert printed.code == 2
    text = (tmp_path / "comment.md").read_text(encoding="utf-8")
    assert "cannot go on the leaderboard yet" in text
    assert "backbone" in text
    assert "\u202e" not in text
    assert "<" not in text


def test_a_change_that_touches_two_entries_has_a_comment(
    board: Board, truth: Benchmark, run: Run
) -> None:
    submit(board, "first", worse(truth, "st", 1))
    new_entry(board, truth)
    printed = run("leaderboard", "diff", "--base", "main", "-o", "-")
    assert printed.code == 2
    assert "one at a time" in printed.out


@pytest.mark.parametrize("command", [["check"], ["build"], ["diff", "-o", "-"]])
def test_without_a_board_it_is_said_what_to_do(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = run("leaderboard", *command)
    assert printed.code == 2
    assert "--board" in printed.err


@pytest.mark.usefixtures("board")
@pytest.mark.parametrize("command", [["check"], ["diff", "-o", "-"]])
def test_an_option_is_no_base(run: Run, command: list[str]) -> None:
    printed = run("leaderboard", *command, "--base", "--output=stolen")
    assert printed.code == 2
    assert "--base takes a branch or commit" in printed.err
    assert not Path("stolen").exists()
