"""`gytbench diagnose`: what it prints and writes, and how it refuses."""

import json
from pathlib import Path

from gytbench.diagnosis import CAUSES

from .conftest import Run, predictions, tube

CENTRE = tube(boxes=[[0.34, 0.29, 0.66, 0.71]] * 3)


def test_tables_and_signature(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, CENTRE)
    code, out, err = run("diagnose", path, "--data", data)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == str(path)
    for cause in CAUSES:
        assert any(line.startswith(f"{cause} ") for line in lines)
    for part in ("time", "label", "place", "iou_point", "by length", "by position"):
        assert any(line.startswith(part) for line in lines)
    assert lines[-1].startswith("Signature: gytbench:1.0|task:st|")


def test_json_is_complete(run: Run, data: Path, tmp_path: Path) -> None:
    path, out_path = predictions(tmp_path, CENTRE), tmp_path / "diagnosis.json"
    code, out, _ = run("diagnose", path, "--data", data, "--json", "-", "--threshold", 0.5)
    assert code == 0
    found = json.loads(out)
    assert found["threshold"] == 0.5
    assert [cause["name"] for cause in found["causes"]] == list(CAUSES)
    assert found["tau"]["best_is_chosen_on_the_test_set"] is True
    assert set(found["factors"]) == {"time", "label", "place", "iou_point"}
    run("diagnose", path, "--data", data, "--json", out_path, "--threshold", 0.5)
    assert out_path.read_text() == out


def test_a_file_without_regions(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, tube(points=[[0.5, 0.5]] * 3))
    code, out, _ = run("diagnose", path, "--data", data)
    assert code == 0
    assert "No tube has a region" in out
    assert "scores" not in out


def test_what_cannot_be_is_said(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, CENTRE)
    before = path.read_bytes()
    for options, reason in (
        (("--threshold", 0), "--threshold must be above 0"),
        (("--json", path), "would overwrite the predictions"),
        (("--boxes", "ful"), "did you mean 'full'?"),
    ):
        code, out, err = run("diagnose", path, "--data", data, *options)
        assert (code, out) == (2, "")
        assert reason in err
    assert path.read_bytes() == before
