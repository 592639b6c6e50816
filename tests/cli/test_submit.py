"""`gytbench submit`: init, check, pack."""

import tarfile
from pathlib import Path

import pytest
import yaml

from gytbench.leaderboard.board import Board

from ..leaderboard.entries import content, entry
from .conftest import TALL, Run, predictions, tube


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    """A board without entries, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("leaderboard").mkdir()
    return Board(Path("leaderboard"))


ABOUT = {
    "--system": "Mine",
    "--author": "Ada",
    "--date": "2024-05-31",
    "--paper": "https://example.org/a",
    "--backbone": "CLIP",
    "--training-data": "HowTo100M",
    "--supervision": "self",
    "--modality": "video",
    "--tuned": "",
}
SAID = [part for pair in ABOUT.items() for part in pair]


def test_from_a_prediction_file_to_the_archive(run: Run, data: Path, board: Board) -> None:
    path = predictions(Path(), tube(points=[[0.4, 0.5]] * 3), tube(video=TALL, end=4))
    folder = board.submissions / "mine"
    code, out, err = run("submit", "init", path, "--name", "mine", *SAID, "--author", "Ben")
    assert (code, err) == (0, "")
    assert out == f"{folder}: fill in submission.yaml, then run `gytbench submit check {folder}`\n"
    assert yaml.safe_load((folder / "submission.yaml").read_text())["authors"] == ["Ada", "Ben"]
    for given in ("mine", folder, folder.absolute(), f"{folder}/"):
        done = run("submit", "check", given, "--data", data)
        assert done == (0, "mine: nothing is wrong; 1 task: st\n", "")
    assert run("submit", "pack", "mine") == (0, "Written: mine.tar.gz\n", "")
    with tarfile.open("mine.tar.gz") as archive:
        assert archive.getnames() == ["mine/st.json.gz", "mine/submission.yaml"]


def test_what_is_missing_is_said_in_plain_words(run: Run, data: Path, board: Board) -> None:
    path = predictions(Path(), tube())
    assert run("submit", "init", path, "--name", "mine").code == 0
    code, out, err = run("submit", "check", "mine", "--data", data)
    assert (code, out) == (2, "")
    where = f"error: {board.submissions / 'mine' / 'submission.yaml'}"
    assert err.splitlines()[0] == (
        f"{where}: $.system: is still to be filled in: the system's name, as the table shows it"
    )
    assert len(err.splitlines()) == 9


def test_tuning_on_the_test_set_is_said_with_what_was_tuned(run: Run, board: Board) -> None:
    path = predictions(Path(), tube())
    for name, options, tuned in (("a", ["--tuned", "tau"], True), ("b", ["--tuned", ""], False)):
        run("submit", "init", path, "--name", name, *options)
        said = yaml.safe_load((board.submissions / name / "submission.yaml").read_text())
        assert (said["tuned_on_test"], said["tuned"]) == (tuned, "tau" if tuned else "")


def test_flags_are_told(run: Run, data: Path, board: Board) -> None:
    entry(board, data=content(tube(points=[[300, 200]] * 3)))
    code, out, _ = run("submit", "check", "mine", "--data", data)
    assert code == 0
    assert "\nFlag, shown beside the entry: st: most points lie far outside" in out


@pytest.mark.usefixtures("board")
def test_predictions_that_lie_elsewhere(run: Run, data: Path) -> None:
    path = predictions(Path(), tube())
    url = "https://data.example.org/st.parquet"
    done = run(
        *("submit", "init", path, "--name", "mine", "--form", "parquet", "--url", f"st={url}"),
        *SAID,
    )
    assert f"st: `gytbench submit pack mine` writes the file to put at {url}\n" in done.out
    assert run("submit", "check", "mine", "--data", data).code == 0
    packed = run("submit", "pack", "mine", "-o", "out.tar.gz")
    assert packed.out == "Written: out.tar.gz\nWritten: mine-st.parquet\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--url", "all=https://x.example/a"], "--url knows no task 'all'; tasks are st,"),
        (["--url", "spatial=https://x.example/a"], "--url names the task spatial, of which no"),
        (["--url", "st"], "--url takes TASK=URL, such as st=https://"),
        (["--board", "nowhere"], "nowhere: no board here: give the folder with --board"),
        (["--form", "zip"], "'zip' is not one of 'json.gz', 'parquet'"),
    ],
)
def test_options_that_are_wrong(run: Run, board: Board, options: list[str], told: str) -> None:
    path = predictions(Path(), tube())
    code, out, err = run("submit", "init", path, "--name", "mine", *options)
    assert (code, out) == (2, "")
    assert told in err
    assert not board.submissions.exists() or not list(board.submissions.iterdir())


def test_a_file_that_is_none_makes_no_folder(run: Run, board: Board) -> None:
    code, _, err = run("submit", "init", "nowhere.json", "--name", "mine")
    assert (code, err) == (2, "error: nowhere.json: no such file\n")
    assert not (board.submissions / "mine").exists()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("other", "leaderboard/submissions/other: no such entry"),
        ("../other", "../other: an entry lies in the folder submissions of a board"),
        ("..", "..: an entry lies in the folder submissions of a board"),
        ("leaderboard/submissions/mine/st.json.gz", "an entry lies in the folder submissions"),
        ("leaderboard/submissions/../../data", "an entry lies in the folder submissions"),
        ("leaderboard/submissions/Mine", "'Mine' cannot name an entry"),
        ("", "an entry lies in the folder submissions"),
    ],
)
def test_entries_that_are_none(run: Run, data: Path, board: Board, given: str, told: str) -> None:
    entry(board)
    for command in (("check", given, "--data", data), ("pack", given)):
        code, out, err = run("submit", *command)
        assert (code, out) == (2, "")
        assert told in err


def test_a_folder_of_another_board(run: Run, data: Path, board: Board) -> None:
    folder = entry(board)
    Path("other").mkdir()
    _, _, err = run("submit", "check", folder, "--board", "other", "--data", data)
    assert err == f"error: {folder}: does not lie in the board other\n"
    assert run("submit", "check", folder, "--board", board.root, "--data", data).code == 0


def test_control_characters_are_printed_as_escapes(run: Run, data: Path, board: Board) -> None:
    (entry(board) / "a\x1b[31m\n::error::x").write_text("")
    _, _, err = run("submit", "check", "mine", "--data", data)
    assert "\x1b" not in err
    assert len(err.splitlines()) == 1
