"""Scoring what is not scored yet: what is kept, what goes to history, what a kill leaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.bounds import BOUNDS
from gytbench.demo import predict, write_annotations
from gytbench.errors import InputError
from gytbench.leaderboard import building
from gytbench.leaderboard.board import Board
from gytbench.leaderboard.building import Built, build, proposed, stale_names
from gytbench.leaderboard.stored import StoredResults, read_results, results_files

from .boards import empty_board, files, rewrite, submit, worse

NAMES = ("early", "late")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_annotations(folder)
    return folder


@pytest.fixture(scope="module")
def truth(data: Path) -> Benchmark:
    return load_benchmark(data=data)


@pytest.fixture(scope="module")
def finished(
    data: Path, truth: Benchmark, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Board, Built]:
    """A board with two entries, and what its build did. Tests take a copy."""
    board = empty_board(tmp_path_factory.mktemp("finished"))
    submit(board, "early", predict(truth, "st"), predict(truth, "temporal"))
    submit(board, "late", worse(truth, "st", 2))
    return board, build(board, data=data)


@pytest.fixture
def board(finished: tuple[Board, Built], tmp_path: Path) -> Board:
    """A board with two entries that has been built."""
    shutil.copytree(finished[0].root, tmp_path / "leaderboard")
    return Board(tmp_path / "leaderboard")


def results(board: Board) -> dict[str, bytes]:
    return files(board.results)


def test_a_build_scores_all_and_writes_the_page(finished: tuple[Board, Built]) -> None:
    board, built = finished
    assert built == Built(tuple(sorted((*BOUNDS, *NAMES))), (), (), ())
    assert set(results(board)) == {f"{name}.json" for name in (*BOUNDS, *NAMES)}
    assert "Early" in (board.site / "index.html").read_text(encoding="utf-8")
    entry = read_results(board.results / "early.json")
    assert entry is not None
    assert [each.task for each in entry.scores] == ["st", "st", "temporal"]


def test_a_second_build_scores_nothing_and_changes_nothing(board: Board, data: Path) -> None:
    before = files(board.root)
    times = {path: path.stat().st_mtime_ns for path in results_files(board)}
    assert build(board, data=data) == Built((), tuple(sorted((*BOUNDS, *NAMES))), (), ())
    assert files(board.root) == before
    assert {path: path.stat().st_mtime_ns for path in results_files(board)} == times


def test_processes_make_the_same_bytes(board: Board, data: Path) -> None:
    before = files(board.root)
    shutil.rmtree(board.results)
    shutil.rmtree(board.site)
    told: list[str] = []
    built = build(board, data=data, jobs=3, tell=told.append)
    assert built.scored == tuple(sorted((*BOUNDS, *NAMES)))
    assert files(board.root) == before
    assert len(told) == len(BOUNDS) + 2


def test_the_page_goes_where_it_is_asked_for(board: Board, data: Path, tmp_path: Path) -> None:
    shutil.rmtree(board.site)
    build(board, data=data, site=tmp_path / "page")
    assert (tmp_path / "page" / "index.html").is_file()
    assert not board.site.exists()


def other_predictions(board: Board, truth: Benchmark) -> None:
    submit(board, "late", worse(truth, "st", 3))


def other_words(board: Board, _truth: Benchmark) -> None:
    path = board.submissions / "late" / "submission.yaml"
    path.write_text(path.read_text().replace("Ada Example", "Ben Example"))


def other_form(board: Board, _truth: Benchmark) -> None:
    rewrite(board.results / "late.json", unheard_of=1)


def cut_off(board: Board, _truth: Benchmark) -> None:
    path = board.results / "late.json"
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize("change", [other_predictions, other_words, other_form, cut_off])
def test_only_what_changed_is_scored_again(
    board: Board, truth: Benchmark, data: Path, change: Callable[[Board, Benchmark], None]
) -> None:
    before = results(board)
    change(board, truth)
    assert stale_names(board, data=data) == ["late"]
    built = build(board, data=data)
    assert built.scored == ("late",)
    assert not board.history.exists()
    after = results(board)
    assert {name for name in after if after[name] != before[name]} <= {"late.json"}
    assert (change in (other_form, cut_off)) == (after == before)


def test_a_prediction_file_that_is_not_the_named_one_is_no_longer_scored(
    board: Board, data: Path
) -> None:
    path = board.submissions / "late" / "st.json.gz"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    built = build(board, data=data)
    assert built.scored == ()
    (fault,) = built.faults
    assert "SHA-256" in fault.reason
    assert not (board.results / "late.json").exists()
    assert "Late" not in (board.site / "index.html").read_text(encoding="utf-8")


def test_results_of_entries_that_are_gone_are_removed(board: Board, data: Path) -> None:
    shutil.rmtree(board.submissions / "late")
    assert stale_names(board, data=data) == ["late"]
    assert build(board, data=data).removed == ("late",)
    assert set(results(board)) == {f"{name}.json" for name in (*BOUNDS, "early")}


def test_another_protocol_scores_all_again_and_keeps_history(
    board: Board, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = results(board)
    (key,) = {building._key("1.0", json.loads(each)["data"]) for each in before.values()}
    for name in before:
        rewrite(board.results / name, protocol="0.9")
    old = results(board)
    built = build(board, data=data)
    assert built.scored == tuple(sorted((*BOUNDS, *NAMES)))
    assert results(board) == before
    kept = files(board.history)
    assert kept == {f"{key.replace('1.0', '0.9')}/{name}": each for name, each in old.items()}
    # Going back is a change, too.
    monkeypatch.setattr(building, "VERSION", "0.9")
    assert set(stale_names(board, data=data)) == {*BOUNDS, *NAMES}


def test_other_data_scores_all_again_and_keeps_history(
    board: Board, data: Path, tmp_path: Path
) -> None:
    before = results(board)
    other = tmp_path / "other"
    shutil.copytree(data, other)
    path = other / "groundingyoutube" / "GoundingYouTubeBox.json"
    boxes = json.loads(path.read_bytes())
    first = next(iter(boxes))
    del boxes[first][next(iter(boxes[first]))]
    path.write_text(json.dumps(boxes))
    assert len(build(board, data=other).scored) == len(BOUNDS) + 2
    (folder,) = board.history.iterdir()
    assert files(folder) == before
    after = results(board)
    assert all(after[name] != before[name] for name in before)
    # Back again: each is kept under its own name, and the results are what they were.
    build(board, data=data)
    assert results(board) == before
    assert len(list(board.history.iterdir())) == 2


@pytest.mark.parametrize("protocol", ["../../stolen", "/stolen", "1.0\0", ""])
def test_results_that_were_tampered_with_name_no_other_folder(
    board: Board, data: Path, tmp_path: Path, protocol: str
) -> None:
    before = results(board)
    rewrite(board.results / "late.json", protocol=protocol)
    build(board, data=data)
    assert results(board) == before
    assert not board.history.exists()
    assert not list(tmp_path.rglob("*stolen*"))


def test_a_new_version_of_the_package_scores_floors_and_ceilings_again(
    board: Board, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "__version__", "99.0")
    assert sorted(stale_names(board, data=data)) == sorted(BOUNDS)


def test_a_wrong_entry_keeps_no_other_from_being_scored(
    board: Board, truth: Benchmark, data: Path
) -> None:
    bad = submit(board, "bad", worse(truth, "st", 4), tuned_on_test=True)
    submit(board, "more", worse(truth, "st", 5))
    built = build(board, data=data, jobs=2)
    assert built.scored == ("more",)
    assert built.faults
    assert all(str(bad) in fault.where for fault in built.faults)
    assert not (board.results / "bad.json").exists()
    # The same with one process, and again.
    assert build(board, data=data).faults == built.faults


def test_a_defect_that_an_entry_brings_up_is_its_fault_alone(
    board: Board, truth: Benchmark, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(board, "odd", worse(truth, "st", 4))

    def failing(*_: Any, **__: Any) -> None:
        raise OverflowError("too large")

    monkeypatch.setattr(building, "score_entry", failing)
    (fault,) = build(board, data=data).faults
    assert fault.where == "odd"
    assert "OverflowError: too large" in fault.reason


def test_a_board_without_submissions_has_floors_ceilings_and_rows_of_papers(
    data: Path, tmp_path: Path
) -> None:
    board = Board(tmp_path / "leaderboard")
    board.reported.mkdir(parents=True)
    row = {"system": "Sieve", "table": "Table 8", "task": "spatial"}
    paper = {"paper": "A paper", "url": "https://example.org", "date": "2025-01-01"}
    told = paper | {"rows": [row | {"metrics": {"pointing_accuracy": 60.62}}]}
    (board.reported / "paper.yaml").write_text(json.dumps(told))
    assert build(board, data=data).scored == tuple(sorted(BOUNDS))
    page = (board.site / "index.html").read_text(encoding="utf-8")
    assert "Sieve" in page
    assert "60.62" in page
    assert stale_names(board, data=data) == []


def test_what_is_no_entry_stops_the_build(board: Board, data: Path) -> None:
    (board.submissions / "link").symlink_to("early")
    with pytest.raises(InputError, match="symbolic link"):
        build(board, data=data)


def test_a_wrong_table_of_a_paper_stops_the_build(board: Board, data: Path) -> None:
    board.reported.mkdir()
    (board.reported / "one.yaml").write_text("paper: 1\n")
    (board.reported / "two.yaml").write_text("rows: &a [*a]\n")
    with pytest.raises(InputError) as raised:
        build(board, data=data)
    assert len(raised.value.faults) == 2


COMMAND = "import sys; from gytbench.cli.main import main; main(sys.argv[1:])"


def started(board: Board, data: Path) -> subprocess.Popen[str]:
    arguments = ["leaderboard", "build", "--jobs", "2", "--board", board.root, "--data", data]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def children(process: int) -> list[int]:
    """Linux."""
    told = Path(f"/proc/{process}/task/{process}/children")
    return [int(each) for each in told.read_text().split()]


def ended(process: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_build_leaves_no_process_and_goes_on(board: Board, data: Path) -> None:
    before = results(board)
    shutil.rmtree(board.results)
    process = started(board, data)
    assert process.stderr is not None
    process.stderr.readline()
    workers = children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.stderr.close()
    process.wait()
    deadline = time.monotonic() + 20
    while not all(map(ended, workers)):
        assert time.monotonic() < deadline, "a process outlives the build"
        time.sleep(0.05)
    half = set(results(board))
    (board.results / f".late.json.{os.getpid()}.part").write_bytes(b"half")
    built = build(board, data=data)
    assert built.kept
    assert {f"{name}.json" for name in built.kept} <= half
    assert results(board) == before


def test_a_killed_process_is_told_with_what_it_scored(
    board: Board, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(board.results)
    monkeypatch.setattr(building, "_in_process", killing)
    with pytest.raises(InputError, match="fewer jobs") as raised:
        build(board, data=data, jobs=2)
    assert "while it scored" in str(raised.value)


def killing(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_stored_results_are_read_one_at_a_time(board: Board) -> None:
    stored = StoredResults(results_files(board))
    assert len(stored) == len(BOUNDS) + 2
    assert [each.entry for each in stored] == sorted((*BOUNDS, *NAMES))
    assert stored[-1].entry == "uniform-segments"
    assert [each.entry for each in stored[:2]] == sorted((*BOUNDS, *NAMES))[:2]
    cut_off(board, None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="build the leaderboard again"):
        list(stored)


def test_what_is_proposed_is_scored_and_nothing_is_written(
    board: Board, truth: Benchmark, data: Path
) -> None:
    submit(board, "new", worse(truth, "st", 4))
    shutil.rmtree(board.submissions / "late")
    before = files(board.root)
    found = proposed(board, ["new", "late"], data=data)
    assert {each.entry for each in found.before} == {*BOUNDS, *NAMES}
    assert {each.entry for each in found.after} == {*BOUNDS, "early", "new"}
    new = next(each for each in found.after if each.entry == "new")
    assert new.scores[0].metrics["iou_point"] is not None
    assert not new.scores[0].per_class
    assert files(board.root) == before


def test_faults_of_all_proposed_entries_are_told(
    board: Board, truth: Benchmark, data: Path
) -> None:
    for name in ("one", "two"):
        submit(board, name, worse(truth, "st", 4 + len(name)), backbone="")
    with pytest.raises(InputError) as raised:
        proposed(board, ["one", "two"], data=data)
    told = str(raised.value)
    assert "one" in told
    assert "two" in told
