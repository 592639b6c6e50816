"""Grids that are run whole, broken off, run by several processes, and refused."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from time import monotonic, sleep

import msgspec
import pytest

torch = pytest.importorskip("torch")

from gytbench.errors import InputError  # noqa: E402
from gytbench.reproduction import running  # noqa: E402
from gytbench.reproduction.cells import Cell, read_cell  # noqa: E402
from gytbench.reproduction.grid import COLUMNS, Row  # noqa: E402
from gytbench.reproduction.running import run_grid  # noqa: E402

from .making import Change, grid, result  # noqa: E402
from .test_grid import VIDEOS, put, without  # noqa: E402


def silent(_: str) -> None:
    """Progress that nobody reads."""


def plain(cells: list[Cell]) -> list[Cell]:
    """But for the time that they took."""
    return [msgspec.structs.replace(cell, seconds=0.0) for cell in cells]


def one_row(values: dict) -> None:
    """One row, trained on frames: the least that there is to do."""
    values["rows"] = values["rows"][:1]
    values["tables"][0]["rows"] = ["both"]
    values["findings"] = []


class Unbroken:
    """A grid of two seeds and two rows, and what it came to in one process."""

    def __init__(self, folder: Path) -> None:
        self.out, self.told = folder / "out", list[str]()
        self.cells = run_grid(grid(), folder, self.out, tell=self.told.append)

    def copied(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.out, folder / "out"))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    return Unbroken(tmp_path_factory.mktemp("unbroken"))


def test_every_row_has_a_cell_for_every_seed(unbroken: Unbroken) -> None:
    named = [(cell.seed, cell.row) for cell in unbroken.cells]
    assert named == [(1, "both"), (1, "local alone"), (2, "both"), (2, "local alone")]
    for cell in unbroken.cells:
        assert list(cell.metrics) == [column.name for column in COLUMNS]
        assert all(value is None or 0 <= value <= 1 for value in cell.metrics.values())
        assert cell.signatures.keys() == {"st", "spatial"}
        assert cell.seconds > 0
    # Rows and seeds differ, in what was trained and in what was chosen.
    assert len({cell.tau for cell in unbroken.cells}) == 4
    for folder in ("seed-1", "seed-2"):
        both, local = (
            torch.load(unbroken.out / folder / row / "head.pth.tar", weights_only=True)[
                "state_dict"
            ]
            for row in ("both", "local-alone")
        )
        assert any(not torch.equal(both[name], local[name]) for name in both)


def test_progress_is_told(unbroken: Unbroken) -> None:
    first = unbroken.told[:4]
    assert first[:2] == ["seed 1: world of 4 videos rendered", "seed 1: backbone trained"]
    assert [line.rpartition(":")[0] for line in first[2:]] == [
        "seed 1: both",
        "seed 1: local alone",
    ]


def test_a_grid_that_was_stopped_goes_on(unbroken: Unbroken, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def stop(line: str) -> None:
        if line.startswith("seed 1: both"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_grid(grid(), tmp_path, out, tell=stop)
    kept = out / "seed-1" / "both" / "result.json"
    before = kept.read_bytes(), kept.stat().st_mtime_ns
    film = out / "seed-1" / "world" / "train" / "videos" / "world-00000.mp4"
    rendered = film.stat().st_mtime_ns
    assert not (out / "seed-1" / "local-alone" / "result.json").exists()
    whole = run_grid(grid(), tmp_path, out, tell=silent)
    assert [(cell.seed, cell.row) for cell in whole] == [(c.seed, c.row) for c in unbroken.cells]
    assert (kept.read_bytes(), kept.stat().st_mtime_ns) == before
    assert film.stat().st_mtime_ns == rendered


def test_what_is_done_is_not_done_again(unbroken: Unbroken, tmp_path: Path) -> None:
    out = unbroken.copied(tmp_path)
    changed = msgspec.structs.replace(unbroken.cells[2], tau=123.0)
    (out / "seed-2" / "both" / "result.json").write_bytes(msgspec.json.encode(changed))
    again = run_grid(grid(), tmp_path, out, tell=silent)
    assert again == [*unbroken.cells[:2], changed, unbroken.cells[3]]


def test_two_processes_come_to_the_same_cells(unbroken: Unbroken, tmp_path: Path) -> None:
    # Rendered films may differ in bytes; what is trained on them shall not.
    out = unbroken.copied(tmp_path)
    for seed in (1, 2):
        for name in ("backbone", "both", "kept", "local-alone"):
            shutil.rmtree(out / f"seed-{seed}" / name)
    told: list[str] = []
    threads = torch.get_num_threads()
    with_two = run_grid(grid(), tmp_path, out, jobs=2, tell=told.append)
    assert plain(with_two) == plain(unbroken.cells)
    assert sorted(line.rpartition(": ")[0] for line in told) == [
        *("seed 1", "seed 1: both", "seed 1: local alone"),
        *("seed 2", "seed 2: both", "seed 2: local alone"),
    ]
    assert told[0].endswith(": ready for its rows")
    assert torch.get_num_threads() == threads


def test_what_goes_wrong_in_a_process_is_told(tmp_path: Path) -> None:
    for seed in (1, 2):
        world = tmp_path / "out" / f"seed-{seed}" / "world"
        world.mkdir(parents=True)
        # It counts as rendered, and has no videos.
        (world / "world.json").write_text("{}")
    with pytest.raises(InputError, match=r"seed-\d/world/train/videos: ") as caught:
        run_grid(grid(one_row), tmp_path, tmp_path / "out", jobs=2, tell=silent)
    assert len(caught.value.faults) == 1


ORPHANED = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from gytbench.processes import end_with_parent

if __name__ == "__main__":
    with ProcessPoolExecutor(1, get_context("spawn"), end_with_parent) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 600).result()
"""


def test_no_process_outlives_a_run_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "orphaned.py").write_text(ORPHANED)
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "orphaned.py")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = Path("/proc") / parent.stdout.readline().strip()
        assert worker.exists()
        parent.kill()
    until = monotonic() + 30
    # What has ended and was not waited for has no command line.
    while worker.exists() and (worker / "cmdline").read_bytes() and monotonic() < until:
        sleep(0.1)
    assert not worker.exists() or not (worker / "cmdline").read_bytes()


class Pretended:
    """Seeds that are worked on one after the other, in a thread that stands for processes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[int] = []
        self.jobs: list[int] = []
        self.fails: dict[int, Exception] = {}
        monkeypatch.setattr(running, "ProcessPoolExecutor", self._pool)
        monkeypatch.setattr(running, "seeded", self._seeded)
        monkeypatch.setattr(running, "cell", self._cell)
        monkeypatch.setattr(torch, "set_num_threads", silent)

    def _pool(self, jobs: int, *_: object) -> ThreadPoolExecutor:
        self.jobs.append(jobs)
        return ThreadPoolExecutor(1)

    def _seeded(self, *given: object) -> object:
        seed = given[3]
        assert isinstance(seed, int)
        self.begun.append(seed)
        if seed in self.fails:
            raise self.fails[seed]
        sleep(0.2 if self.fails and seed > min(self.fails) else 0)
        return f"what rows of seed {seed} share"

    def _cell(self, _: object, row: Row, shared: object, seed: int, __: object) -> Cell:
        assert shared == f"what rows of seed {seed} share"
        return result(row.name, seed)


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> Pretended:
    return Pretended(monkeypatch)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (InputError("no good", where="seed 2"), "^seed 2: no good$"),
        (BrokenProcessPool(), "out: a process was killed, as happens where memory runs out: try"),
    ],
)
def test_a_fault_of_one_seed_keeps_others_from_beginning(
    pretended: Pretended, tmp_path: Path, fault: Exception, told: str
) -> None:
    pretended.fails[2] = fault
    many = grid(one_row, put("seeds", [1, 2, 3, 4, 5]))
    with pytest.raises(InputError, match=told):
        run_grid(many, tmp_path, tmp_path / "out", jobs=2, tell=silent)
    # The third may have begun before anybody knew.
    assert pretended.begun in ([1, 2], [1, 2, 3])


def test_cells_are_by_seed_and_no_more_processes_than_cells(
    pretended: Pretended, tmp_path: Path
) -> None:
    many = grid(one_row, put("seeds", [7, 3, 5]))
    found = run_grid(many, tmp_path, tmp_path / "out", jobs=8, tell=silent)
    assert [cell.seed for cell in found] == [7, 3, 5]
    assert pretended.jobs == [3]
    single = grid(one_row, put("seeds", [4]))
    assert len(run_grid(single, tmp_path, tmp_path / "out", jobs=8, tell=silent)) == 1
    assert pretended.jobs == [3]


@pytest.mark.usefixtures("pretended")
class TestSameFolder:
    """What may change between one call and the next."""

    def test_texts_and_seeds_and_rows_may(self, tmp_path: Path) -> None:
        def another(values: dict) -> None:
            values["rows"].insert(0, {"name": "neither", "set": {"selection.method": "none"}})

        for changes in (
            [],
            [put("title", "Another"), put("tables.0.title", "b"), put("findings", [])],
            [put("rows.0.paper", {"label_iou": 1.0})],
            [put("seeds", [9])],
            [another],
            [one_row],
            [],
        ):
            run_grid(grid(*changes), tmp_path, tmp_path / "out", tell=silent)

    @pytest.mark.parametrize(
        "change",
        [
            put("world.train", 3),
            put("world.rules.said", 0.5),
            put("backbone.optimisation.epochs", 2),
            put("training.optimisation.lr", 0.1),
            put("rows.1.set", {}),
            put("rows.1.settings", {}),
            put("test", VIDEOS),
            put("validation", VIDEOS),
            put("tau", 0.5),
            without("backbone"),
        ],
    )
    def test_what_decides_the_numbers_may_not(self, tmp_path: Path, change: Change) -> None:
        out = tmp_path / "out"
        run_grid(grid(), tmp_path, out, tell=silent)
        before = (out / "grid.json").read_bytes()
        with pytest.raises(InputError) as caught:
            run_grid(grid(change), tmp_path, out, tell=silent)
        assert str(caught.value) == (
            f"{out}: holds the results of another grid: name another folder"
        )
        assert (out / "grid.json").read_bytes() == before

    def test_a_row_that_was_left_out_comes_back_as_it_was(self, tmp_path: Path) -> None:
        for changes in ([], [one_row]):
            run_grid(grid(*changes), tmp_path, tmp_path / "out", tell=silent)
        with pytest.raises(InputError, match="another grid"):
            run_grid(grid(put("rows.1.set", {})), tmp_path, tmp_path / "out", tell=silent)

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"rows": []}', '"rows"', "\xff"])
    def test_a_file_that_is_no_grid_is_another(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "grid.json").write_text(text, encoding="latin-1")
        with pytest.raises(InputError, match="another grid"):
            run_grid(grid(), tmp_path, tmp_path, tell=silent)

    def test_a_folder_that_cannot_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(InputError, match="file: cannot be used: File exists"):
            run_grid(grid(), tmp_path, tmp_path / "file", tell=silent)

    def test_a_device_that_is_not_there_is_said_first(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="the device nonsense cannot be used"):
            run_grid(grid(), tmp_path, tmp_path / "out", device="nonsense", tell=silent)
        assert not (tmp_path / "out").exists()


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    cell = result("both", 3, {"st:label_iou": 1 / 3, "st:iou_point": None})
    (tmp_path / "result.json").write_bytes(msgspec.json.encode(cell))
    assert read_cell(tmp_path / "result.json") == cell


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Input data was truncated"),
        (b'{"row": "both"}', "missing required field `seed`"),
        (b"\xff", "malformed"),
        (
            msgspec.json.encode(msgspec.structs.replace(result("both", 1), metrics={})),
            "st:iou_point is missing",
        ),
    ],
)
def test_a_damaged_result_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="remove it, and the same command") as caught:
        read_cell(path)
    assert str(caught.value).startswith(f"{path}: no result (")
    assert reason in str(caught.value)
