"""`gytbench data`: what it prints, and its exit codes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from gytbench.cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def gytbench(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line; returns exit code, standard output and standard error."""
    monkeypatch.delenv("GYTBENCH_DATA", raising=False)

    def run(*args: object) -> tuple[int, str, str]:
        result = CliRunner().invoke(main, [str(arg) for arg in args])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr

    return run


def test_fetch_verify_and_a_damaged_file(gytbench: Run, released: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    code, out, err = gytbench("data", "fetch", "--from", released, "--data", folder)
    assert (code, err) == (0, "")
    assert f"28 of 28 files written to {folder}; all are right" in out
    assert "licence GPL-3.0: hildekuehne/Mining_YouTube_dataset" in out
    assert "licence none stated: brian7685/GroundingYouTube" in out

    code, out, _ = gytbench("data", "verify", "--data", folder)
    assert code == 0
    assert f"all 28 files in {folder} are right" in out

    (folder / "groundingyoutube" / "seg.json").write_text("{}")
    (folder / "groundingyoutube" / "id2wh.json").unlink()
    code, out, _ = gytbench("data", "verify", "--data", folder)
    assert code == 1
    states = {line.split()[0]: line for line in out.splitlines() if line}
    assert "wrong size" in states["groundingyoutube/seg.json"]
    assert "missing" in states["groundingyoutube/id2wh.json"]
    assert " ok " in states["groundingyoutube/id2wh_new.json"]
    assert "2 of 28 files are not right; `gytbench data fetch` gets them" in out

    code, out, _ = gytbench("data", "fetch", "--from", released, "--data", folder)
    assert "2 of 28 files written" in out


def test_fetch_from_a_folder_without_them(gytbench: Run, tmp_path: Path) -> None:
    code, out, err = gytbench("data", "fetch", "--from", tmp_path, "--data", tmp_path / "data")
    assert (code, out) == (2, "")
    assert f"error: groundingyoutube/seg.json: {tmp_path} does not hold it" in err
    assert "Traceback" not in err


def test_fetch_goes_to_the_cache_by_default(
    gytbench: Run, released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    code, _, _ = gytbench("data", "fetch", "--from", released)
    assert code == 0
    assert (tmp_path / "gytbench" / "data" / "groundingyoutube" / "seg.json").is_file()
    code, out, _ = gytbench("data", "path")
    assert (code, out) == (0, f"{tmp_path / 'gytbench' / 'data'}\n")


def test_path(gytbench: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "groundingyoutube").mkdir()
    monkeypatch.setenv("GYTBENCH_DATA", str(tmp_path))
    assert gytbench("data", "path") == (0, f"{tmp_path}\n", "")
    code, out, err = gytbench("data", "path", "--data", tmp_path / "none")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {tmp_path / 'none'}: holds no groundingyoutube/ folder")


def test_stats(gytbench: Run, released: Path) -> None:
    code, out, _ = gytbench("data", "stats", "--data", released)
    assert code == 0
    numbers = {line[:35].strip(): line[35:].split()[:2] for line in out.splitlines()[2:]}
    assert numbers["videos"] == ["250", "250"]
    assert numbers["clips"] == ["5,091", "5,091"]
    assert numbers["classes"] == ["512", "512"]
    assert numbers["annotated frames"] == ["26,987", "26,987"]
    assert numbers["points"] == ["134,935", "134,935"]
    assert numbers["instances a video, with background"] == ["41.6", "41.6"]
    assert numbers["boxes, published"][0] == "17,316"
    assert numbers["boxes, readme"][0] == "17,506"
    assert numbers["boxes, full"][0] == "21,719"


def test_stats_as_json(gytbench: Run, released: Path) -> None:
    code, out, _ = gytbench("data", "stats", "--json", "--data", released)
    assert code == 0
    found = {row["name"]: row for row in json.loads(out)}
    assert found["clips"]["paper"] == found["clips"]["measured"] == 5091
    assert found["boxes, full"] == {
        "name": "boxes, full",
        "paper": None,
        "measured": 21719,
        "note": "61 without area",
    }


def test_stats_of_a_folder_that_lacks_a_file(gytbench: Run, released: Path, tmp_path: Path) -> None:
    shutil.copytree(released / "groundingyoutube", tmp_path / "groundingyoutube")
    code, out, err = gytbench("data", "stats", "--data", tmp_path)
    assert (code, out) == (2, "")
    assert "test_annotations.tar.gz: no such file" in err


def test_help(gytbench: Run) -> None:
    code, out, _ = gytbench("data", "--help")
    assert code == 0
    for name in ("fetch", "verify", "path", "stats"):
        assert f"\n  {name}" in out
