"""`gytbench evaluate`: intervals beside the scores, and stored outcomes."""

import json
from pathlib import Path

import pytest

from gytbench.evaluation.outcomes import read_outcomes

from .conftest import TALL, WIDE, Run, predictions, tube

CENTRE = tube(points=[[0.5, 0.5]] * 3)
BELOW = "Intervals: 95 %, bootstrap over 2 videos, 1,000 resamples, seed 0"


def test_the_table_shows_intervals(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, CENTRE)
    code, out, err = run("evaluate", path, "--data", data, "--ci")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[3].split()[:5] == ["this", "file", "95", "%", "interval"]
    cells = {line.split()[0]: line.split()[1:] for line in lines if line}
    # Resampled it is 0, 1/4 or 1/3, at 20.3 in the mean, and moved up by the rest.
    assert cells["iou_point"][:4] == ["25.00", "4.69", "to", "38.02"]
    assert cells["video_map@0.5"][:2] == ["n/a", "n/a"]
    assert BELOW in lines
    assert BELOW not in run("evaluate", path, "--data", data).out


def test_json_holds_the_same_intervals(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, CENTRE)
    options = ("--data", data, "--ci", "--resamples", 200, "--seed", 7, "--json", "-")
    code, out, err = run("evaluate", path, *options)
    assert (code, err) == (0, "")
    found = json.loads(out)["intervals"]
    assert (found["videos"], found["resamples"], found["seed"]) == (2, 200, 7)
    assert set(found["metrics"]["iou_point"]) == {"low", "high", "mean", "resamples"}
    assert found["metrics"]["video_map@0.5"] is None
    assert out == run("evaluate", path, *options).out
    plain = run("evaluate", path, "--data", data, "--json", "-").out
    without = json.loads(out)
    del without["intervals"]
    assert without == json.loads(plain)


def test_intervals_of_several_releases(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, CENTRE)
    both = ("--boxes", "published", "--boxes", "readme")
    code, out, err = run("evaluate", path, "--data", data, "--ci", *both)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    head = "published 95 % interval readme 95 % interval"
    assert " ".join(lines[3].split()).startswith(head)
    (row,) = [line.split() for line in lines if line.startswith("iou_point ")]
    assert (row[1], row[3], row[5], row[7]) == ("25.00", "to", "100.00", "to")
    assert lines.count(BELOW) == 2


@pytest.mark.parametrize("options", ["--resamples 99", "--resamples x", "--seed -1"])
def test_draws_that_cannot_be_made(run: Run, data: Path, tmp_path: Path, options: str) -> None:
    path = predictions(tmp_path, CENTRE)
    code, out, err = run("evaluate", path, "--data", data, "--ci", *options.split())
    assert (code, out) == (2, "")
    assert options.split()[0] in err


def test_outcomes_are_stored(run: Run, data: Path, tmp_path: Path) -> None:
    path, out_path = predictions(tmp_path, CENTRE), tmp_path / "a.npz"
    code, out, err = run("evaluate", path, "--data", data, "--outcomes", out_path)
    assert (code, err) == (0, "")
    assert out == run("evaluate", path, "--data", data).out
    found = read_outcomes(out_path)
    assert (found.title, found.videos) == ("preds.json", (WIDE, TALL))
    assert f"Signature: {found.signature}" in out
    scored = json.loads(run("evaluate", path, "--data", data, "--json", "-").out)
    assert found.metrics == scored["metrics"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--outcomes a.json", "the name of stored outcomes must end in .npz"),
        ("--outcomes -", "the name of stored outcomes must end in .npz"),
        ("--outcomes preds.json", "--outcomes would overwrite the predictions"),
        ("--outcomes a.npz --json a.npz", "--json and --outcomes name the same file"),
        ("--outcomes a.npz --boxes full --boxes readme", "--outcomes holds one result"),
        ("--outcomes missing/a.npz", "cannot be written: No such file or directory"),
    ],
)
def test_outcomes_that_cannot_be_stored(
    run: Run,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: str,
    told: str,
) -> None:
    path = predictions(tmp_path, CENTRE)
    before = path.read_bytes()
    monkeypatch.chdir(tmp_path)
    code, out, err = run("evaluate", path, "--data", data, *options.split())
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [data, path]


def test_a_report_of_every_task(run: Run, data: Path, tmp_path: Path) -> None:
    """With intervals, and with a folder of videos that holds none of them."""
    videos, page = tmp_path / "videos", tmp_path / "report.html"
    videos.mkdir()
    for task, part in (
        ("st", tube(points=[[0.5, 0.5]] * 3)),
        ("spatial", tube(points=[[0.5, 0.5]] * 3, instance=0)),
        ("temporal", tube()),
    ):
        path = predictions(tmp_path, part, name=f"{task}.json", task=task)
        options = ("--data", data, "--ci", "--report", page, "--videos", videos)
        code, out, err = run("evaluate", path, *options)
        assert code == 0
        assert "Signature: " in out
        assert "have no frame" in err or task == "temporal"
        text = page.read_text()
        assert f"|task:{task}|" in text
        assert "95 %" in text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--report a.html --boxes full --boxes readme", "--report holds one result"),
        ("--report preds.json", "--report would overwrite the predictions"),
        ("--report a.html --json a.html", "--json and --report name the same file"),
        ("--videos videos", "--videos puts frames into the page of --report"),
        ("--resamples 200", "--resamples is for intervals; give --ci too"),
        ("--seed 3", "--seed is for intervals; give --ci too"),
    ],
)
def test_reports_that_cannot_be_written(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, told: str
) -> None:
    path = predictions(tmp_path, CENTRE)
    before = path.read_bytes()
    monkeypatch.chdir(tmp_path)
    code, out, err = run("evaluate", path, "--data", data, *options.split())
    assert (code, out) == (2, "")
    assert told in err
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [data, path]
