"""`gytbench evaluate` for files of human-object pairs."""

import json
from pathlib import Path

import pytest

from tests.benchmark.vhico import entry, write
from tests.pairs.making import CUP, HUMAN, file_of, said, save

from .conftest import Run


@pytest.fixture
def vhico(tmp_path: Path) -> Path:
    """A data folder with a small V-HICO."""
    rows = [entry("a b", 1, [HUMAN], [CUP]), entry("c d", 1, [HUMAN], [CUP])]
    return write(tmp_path / "data", {"a": {"v": rows}})


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """One class of two, answered right."""
    return save(tmp_path / "p.json", file_of([said("a b", 1, (HUMAN, CUP, 1.0))]))


def test_the_table(run: Run, vhico: Path, pairs: Path) -> None:
    code, out, err = run("evaluate", pairs, "--dataset", "vhico", "--data", vhico)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == str(pairs)
    assert lines[3].split() == ["this", "file", "whole-frame", "oracle-pairs"]
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("pair_ap")}
    assert rows["pair_ap@0.3_relation_ko"] == ["90.91", "0.00", "90.91"]
    assert rows["pair_ap@0.3_relation_ko_all_point"] == ["50.00", "0.00", "100.00"]
    assert len(rows) == 8
    assert lines[-1].startswith("Signature: gytbench:1.0|task:pairs|dataset:vhico|data:local@")


def test_json(run: Run, vhico: Path, pairs: Path, tmp_path: Path) -> None:
    call = ("evaluate", pairs, "--dataset", "vhico", "--data", vhico, "--json")
    code, out, err = run(*call, "-")
    assert (code, err) == (0, "")
    assert json.loads(out)["metrics"]["pair_ap@0.3_phrase_def"] == pytest.approx(10 / 11)
    code, _, _ = run(*call, tmp_path / "out.json")
    assert code == 0
    assert (tmp_path / "out.json").read_text() == out
    code, out, err = run(*call, pairs)
    assert (code, out) == (2, "")
    assert "--json would overwrite the predictions" in err


def test_another_subset(run: Run, vhico: Path, pairs: Path) -> None:
    write(vhico, {"a": {"v": [entry("a b", 1)]}}, "unseen")
    call = ("evaluate", pairs, "--dataset", "vhico", "--data", vhico, "--subset", "unseen")
    assert "|subset:unseen|" in run(*call).out


@pytest.mark.parametrize(
    "options",
    [
        "--task spatial",
        "--boxes human",
        "--coordinates fixed",
        "--heatmap-threshold 0.5",
        "--tolerance 0",
        "--average isba",
        "--fps 20",
        "--profile vhico",
        "--profiles",
        "--ci",
        "--seed 0",
        "--resamples 100",
        "--outcomes o.npz",
        "--report r.html",
        "--videos dir",
    ],
)
def test_options_without_a_meaning(run: Run, vhico: Path, pairs: Path, options: str) -> None:
    call = ("evaluate", pairs, "--dataset", "vhico", "--data", vhico, *options.split())
    code, out, err = run(*call)
    assert (code, out) == (2, "")
    assert err == f"error: {options.split()[0]} has no meaning for a file of pairs\n"


def test_a_dataset_that_has_pairs_is_needed(run: Run, vhico: Path, pairs: Path) -> None:
    code, _, err = run("evaluate", pairs, "--data", vhico)
    assert (code, err) == (2, "error: pairs of a human and an object need --dataset vhico\n")


def test_faults_are_messages(run: Run, vhico: Path, tmp_path: Path) -> None:
    path = save(tmp_path / "p.json", file_of([said("a c", 1), said("a b", 1) | {"frame": "x"}]))
    code, out, err = run("evaluate", path, "--dataset", "vhico", "--data", vhico)
    assert (code, out) == (2, "")
    assert err == f"error: {path}: $.frames[1].frame: expected integer, got string\n"
    path = save(tmp_path / "p.json", file_of([said("a c", 1)]))
    code, out, err = run("evaluate", path, "--dataset", "vhico", "--data", vhico)
    assert (code, out) == (2, "")
    assert "$.frames[0].label: unknown label 'a c'; did you mean 'a_b'" in err
