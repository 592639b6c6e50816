"""`gytbench ablate`: grids that are run, and those that do not serve."""

import sys
from pathlib import Path

import msgspec
import pytest
import yaml

pytest.importorskip("torch")

from gytbench.reproduction import running
from gytbench.reproduction.cells import Cell
from gytbench.reproduction.grid import Row, find_grid
from gytbench.reproduction.running import Work

from ..reproduction.making import grid_file, miniature, result
from .conftest import Run


def one_row(values: dict) -> None:
    """One row and one seed: the least that there is to do."""
    values["rows"], values["seeds"], values["findings"] = values["rows"][:1], [1], []
    values["tables"][0]["rows"] = ["both"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Work]:
    """What would be worked on: every row is as good as its seed's number."""
    works: list[Work] = []

    def seeded(_: object, base: Path, *__: object) -> Path:
        return base

    def cell(_: object, row: Row, __: object, seed: int, ___: str) -> Cell:
        return result(row.name, seed, {"st:iou_point": seed / 100})

    def cells(work: Work, seed: int, tell: running.Tell) -> object:
        works.append(work)
        return inner(work, seed, tell)

    inner = running._cells
    monkeypatch.setattr(running, "seeded", seeded)
    monkeypatch.setattr(running, "cell", cell)
    monkeypatch.setattr(running, "_cells", cells)
    return works


def test_a_grid_is_run_and_its_table_printed(run: Run, tmp_path: Path) -> None:
    path, out = grid_file(tmp_path, one_row), tmp_path / "out"
    code, text, err = run("ablate", path, "-o", out)
    assert code == 0
    told = err.splitlines()
    assert told[:2] == ["seed 1: world of 4 videos rendered", "seed 1: backbone trained"]
    assert told[2].startswith("seed 1: both: ")
    lines = text.splitlines()
    assert lines[0] == "A table"
    assert lines[3].startswith("both  ")
    assert "[12.3]" in lines[3]
    assert lines[4:] == ["in percent; in brackets the paper's"]
    # What is done is not done again: the same table, at once.
    again = run("ablate", path, "-o", out)
    assert (again.code, again.out) == (0, text)
    assert "rendered" not in again.err
    damaged = out / "seed-1" / "both" / "result.json"
    damaged.write_text('{"row": "both", "seed"')
    code, text, err = run("ablate", path, "-o", out)
    assert (code, text) == (2, "")
    assert f"error: {damaged}: no result (Input data was truncated): remove it" in err
    damaged.unlink()
    assert run("ablate", path, "-o", out).out == again.out


def test_seeds_in_place_of_the_grids(run: Run, tmp_path: Path, asked: list[Work]) -> None:
    path, out = grid_file(tmp_path), tmp_path / "out"
    code, text, err = run("ablate", path, "-o", out, "--seed", 5, "--seed", 9, "--seed", 5)
    assert code == 0
    assert [line[:6] for line in err.splitlines()] == ["seed 5", "seed 5", "seed 9", "seed 9"]
    # The mean of 5 and 9 %; t(0.975, 1) = 12.706 times 2 %.
    assert "7.0 ±25.4 [12.3]" in text
    assert "mean of 2 seeds" in text
    assert "both are better: not told apart here (st:iou_point +0.0 ±0.0)" in text
    assert "one seed cannot tell" in run("ablate", path, "-o", out, "--seed", 5).out
    assert {work.base for work in asked} == {tmp_path}


def test_the_packaged_grid_is_found_by_its_name(
    run: Run, tmp_path: Path, asked: list[Work]
) -> None:
    code, text, _ = run("ablate", "narrated-world", "-o", tmp_path / "out")
    assert code == 0
    assert "Table 6" in text
    assert asked[0].base == find_grid("narrated-world").parent


def test_jobs_are_handed_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    def run_grid(*_: object, jobs: int, device: str, **__: object) -> list[Cell]:
        given.append((jobs, device))
        return [result(row, seed) for row in ("both", "local alone") for seed in (1, 2)]

    monkeypatch.setattr(running, "run_grid", run_grid)
    path = grid_file(tmp_path)
    for options in ((), ("--jobs", 3, "--device", "cuda")):
        assert run("ablate", path, "-o", tmp_path / "out", *options).code == 0
    assert given == [(1, "cpu"), (3, "cuda")]


def test_another_grid_in_the_folder(run: Run, tmp_path: Path, asked: list[Work]) -> None:
    out = tmp_path / "out"
    assert run("ablate", grid_file(tmp_path), "-o", out).code == 0
    other = grid_file(tmp_path, lambda values: values["world"].update(train=5), name="other.yaml")
    code, text, err = run("ablate", other, "-o", out)
    assert (code, text) == (2, "")
    assert err == f"error: {out}: holds the results of another grid: name another folder\n"
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("title: [", "line 1: not YAML: "),
        ("title: only\n", "Object missing required field `training`"),
        (yaml.safe_dump({**miniature(), "seeds": [1, 1]}), "the seed 1 is named twice"),
        (yaml.safe_dump({**miniature(), "rules": {}}), "Object contains unknown field `rules`"),
    ],
)
def test_a_file_that_does_not_serve(run: Run, tmp_path: Path, content: str, reason: str) -> None:
    path, out = tmp_path / "mine.yaml", tmp_path / "out"
    path.write_text(content)
    code, text, err = run("ablate", path, "-o", out)
    assert (code, text) == (2, "")
    assert err.startswith(f"error: {path}: {reason}")
    assert not out.exists()


def test_every_fault_of_a_file_has_its_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**miniature(), "seeds": [1, 1], "tau": 0.5}))
    code, _, err = run("ablate", path, "-o", tmp_path / "out")
    assert code == 2
    assert err.splitlines() == [
        f"error: {path}: the seed 1 is named twice",
        f"error: {path}: tau is chosen on the validation videos: leave it out",
    ]


def test_grids_that_are_not_there(run: Run, tmp_path: Path) -> None:
    code, _, err = run("ablate", "narated-world", "-o", tmp_path / "out")
    assert code == 2
    assert err.startswith("error: no grid 'narated-world'; packaged are ")
    code, _, err = run("ablate", tmp_path / "none.yaml", "-o", tmp_path / "out")
    assert (code, err) == (2, f"error: {tmp_path}/none.yaml: cannot be read: No such file or "
                              "directory\n")  # fmt: skip


@pytest.mark.parametrize("options", [("--jobs", 0), ("--seed", -1), ("--seed", 2**32)])
def test_options_that_do_not_serve(run: Run, tmp_path: Path, options: tuple[object, ...]) -> None:
    code, _, err = run("ablate", grid_file(tmp_path), "-o", tmp_path / "out", *options)
    assert code == 2
    assert str(options[0]) in err


def test_a_device_that_is_not_there(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, _, err = run("ablate", grid_file(tmp_path), "-o", out, "--device", "nonsense")
    assert code == 2
    assert err.startswith("error: the device nonsense cannot be used: ")
    assert not out.exists()


@pytest.mark.parametrize("package", ["torch", "scipy.stats"])
def test_without_a_package_it_says_how_to_get_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    for name in [name for name in sys.modules if name.startswith("gytbench.reproduction.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    for name in ("cells", "grid", "running", "tables"):
        monkeypatch.delattr(f"gytbench.reproduction.{name}", raising=False)
    monkeypatch.delitem(sys.modules, "gytbench.models.devices", raising=False)
    code, _, err = run("ablate", grid_file(tmp_path), "-o", tmp_path / "out")
    assert code == 2
    assert err == "error: needs torch and scipy: pip install 'gytbench[training]'\n"


def test_a_result_says_what_it_is_of(run: Run, tmp_path: Path) -> None:
    path, out = grid_file(tmp_path, one_row), tmp_path / "out"
    assert run("ablate", path, "-o", out).code == 0
    found = msgspec.json.decode((out / "seed-1" / "both" / "result.json").read_bytes(), type=Cell)
    assert (found.row, found.seed) == ("both", 1)
    assert "task:st|" in found.signatures["st"]
