"""`--dataset` on the commands that read a ground truth."""

import json
from pathlib import Path

import pytest

from .conftest import Run

YOUCOOK = ("--dataset", "youcook-interactions")


@pytest.fixture
def centre(run: Run, released: Path, tmp_path: Path) -> Path:
    """The centre of the frame on YouCook2-Interactions."""
    path = tmp_path / "centre.json"
    assert run("run-baseline", "centre", *YOUCOOK, "--data", released, "-o", path).code == 0
    return path


def test_every_command_reads_the_dataset(
    run: Run, released: Path, centre: Path, tmp_path: Path
) -> None:
    given = (*YOUCOOK, "--data", released)
    assert run("validate", centre, *given).code == 0
    other = tmp_path / "prior.json"
    assert run("run-baseline", "heatmap-prior", *given, "-o", other).code == 0
    result, report = tmp_path / "result.json", tmp_path / "report.html"
    code, out, err = run(
        "evaluate", centre, *given, "--ci", "--resamples", 100, "--json", result, "--report", report
    )
    assert (code, err) == (0, "")
    assert "annotators" not in out
    found = json.loads(result.read_text())
    assert "|dataset:youcook-interactions|" in found["signature"]
    assert found["metrics"]["pointing_accuracy"] == 720 / 2496
    interval = found["intervals"]["metrics"]["pointing_accuracy"]
    assert interval["low"] < 720 / 2496 < interval["high"]
    code, out, _ = run("compare", centre, other, *given, "--resamples", 100, "--permutations", 100)
    assert (code, "prior.json" in out) == (0, True)
    code, out, _ = run("evaluate", centre, *given, "--profile", "videogem")
    assert (code, "|dataset:youcook-interactions|" in out) == (0, True)
    video = json.loads(centre.read_text())["tubes"][0]["video"]
    picture = tmp_path / "sheet.png"
    assert run("show", centre, *given, "--video", video, "-o", picture).code == 0
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--task", "st"), "youcook-interactions has the task spatial, not 'st'"),
        (("--boxes", "full"), "no such box release: 'full'; known are released"),
        (("--coordinates", "fixd"), "no such coordinate rule: 'fixd'"),
    ],
)
def test_choices_that_the_dataset_lacks(
    run: Run, released: Path, centre: Path, words: tuple[str, ...], told: str
) -> None:
    code, _, err = run("evaluate", centre, *YOUCOOK, "--data", released, *words)
    assert (code, told in err) == (2, True)


def test_points_that_are_not_released(run: Run, released: Path, tmp_path: Path) -> None:
    words = ("run-baseline", "annotators", *YOUCOOK, "--data", released, "--task", "spatial")
    code, _, err = run(*words, "-o", tmp_path / "no.json")
    told = "error: annotators needs annotators' points, and youcook-interactions has none\n"
    assert (code, err) == (2, told)


def test_miningyoutube_by_itself(run: Run, released: Path, tmp_path: Path) -> None:
    path, given = tmp_path / "m.json", ("--dataset", "miningyoutube", "--data", released)
    assert (
        run("run-baseline", "oracle-instance", *given, "--task", "temporal", "-o", path).code == 0
    )
    code, out, err = run("evaluate", path, *given)
    assert (code, err) == (0, "")
    assert "5,129 segments" in out
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "miningyoutube").symlink_to(released / "miningyoutube")
    again = run("evaluate", path, "--dataset", "miningyoutube", "--data", alone)
    assert (again.code, again.out) == (0, out)


@pytest.mark.parametrize("words", [("show", "--video", "v"), ("evaluate", "--report", "r.html")])
def test_pictures_are_of_seconds(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    path = tmp_path / "p.json"
    path.write_text('{"format": "gytbench-predictions/1", "task": "spatial", "tubes": []}')
    name, *options = words
    code, _, err = run(name, path, *options, "--dataset", "daly", "--data", tmp_path)
    assert (code, "draws a box a second, and daly has boxes by frame" in err) == (2, True)


def test_files_that_are_not_there(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    code, _, err = run(
        "run-baseline", "centre", "--dataset", "vhico", "--data", tmp_path, "-o", path
    )
    assert code == 2
    assert "holds no vhico/ folder" in err
    assert "`gytbench data card vhico` tells where the files are" in err
