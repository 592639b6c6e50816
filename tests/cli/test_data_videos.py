"""`gytbench data videos`: what it prints, and its exit codes."""

import json
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import TALL, WIDE, Run
from tests.videos.making import steady, write_video


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Both videos, usable: one smaller than the original, one as it is."""
    folder = tmp_path / "videos"
    folder.mkdir()
    write_video(folder / f"{WIDE}.mp4", steady(10), (128, 72))
    write_video(folder / f"{TALL}.mp4", steady(2), (480, 640))
    return folder


def test_all_usable(run: Run, data: Path, folder: Path) -> None:
    (folder / "notes.txt").touch()
    code, out, err = run("data", "videos", folder, "--data", data)
    assert (code, err) == (0, "")
    assert out == (
        "Usable: 1 as the original, 1 of another size\n"
        "Files of no video of the benchmark: 1\n"
        "all 2 videos are usable\n"
    )


def test_what_is_wrong_is_listed(run: Run, data: Path, folder: Path) -> None:
    (folder / f"{TALL}.mp4").unlink()
    write_video(folder / f"{WIDE}.mkv", steady(3), (640, 480))
    code, out, _ = run("data", "videos", folder, "--data", data)
    assert code == 1
    lines = out.splitlines()
    assert lines[2].split() == [
        *f"{WIDE} too short its last second is 2, but it is annotated to 5;".split(),
        *f"several files: {WIDE}.mkv is used, not {WIDE}.mp4".split(),
    ]
    assert lines[3].split()[:2] == [TALL, "missing"]
    assert lines[4:] == [
        "",
        "Usable: none",
        "Files of no video of the benchmark: 0",
        "2 of 2 videos are not usable: 1 missing, 1 too short",
    ]


def test_a_usable_video_that_lies_there_twice_is_named(run: Run, data: Path, folder: Path) -> None:
    write_video(folder / f"{WIDE}.mkv", steady(10), (640, 480))
    code, out, _ = run("data", "videos", folder, "--data", data)
    assert code == 0
    assert f"{WIDE}  stretched  several files: {WIDE}.mkv is used, not {WIDE}.mp4" in out
    assert "Usable: 1 as the original, 1 stretched to the annotation frame\n" in out


def test_json(run: Run, data: Path, folder: Path, tmp_path: Path) -> None:
    (folder / f"{TALL}.mp4").unlink()
    (folder / "other.mp4").touch()
    path = tmp_path / "check.json"
    code, out, _ = run("data", "videos", folder, "--data", data, "--json", path)
    assert (code, out.splitlines()[-1]) == (1, "1 of 2 videos are not usable: 1 missing")
    content = json.loads(path.read_text())
    assert content["counts"] == {"other size": 1, "missing": 1}
    assert content["other_files"] == ["other.mp4"]
    assert content["videos"][0] == {
        "video": WIDE,
        "state": "other size",
        "usable": True,
        "reason": "",
        "files": [f"{WIDE}.mp4"],
        "size": [128, 72],
        "native": [1280, 720],
        "last_second": 9,
        "annotated_to": 5,
    }

    code, out, err = run("data", "videos", folder, "--data", data, "--json", "-")
    assert (code, err) == (1, "1 of 2 videos are not usable: 1 missing\n")
    assert json.loads(out) == content


def test_names_do_not_reach_the_terminal_raw(run: Run, data: Path, folder: Path) -> None:
    (folder / f"{TALL}.mp4").rename(folder / f"{TALL}.\x1b[31m")
    write_video(folder / f"{TALL}.mp4", steady(2), (480, 640))
    code, out, _ = run("data", "videos", folder, "--data", data)
    assert code == 0
    assert "\x1b" not in out
    assert f"{TALL}.\\x1b[31m is used" in out


def test_a_folder_that_does_not_exist(run: Run, data: Path, tmp_path: Path) -> None:
    code, out, err = run("data", "videos", tmp_path / "none", "--data", data)
    assert (code, out) == (2, "")
    assert err == f"error: {tmp_path / 'none'}: cannot be read: No such file or directory\n"


def test_without_original_sizes(run: Run, data: Path, folder: Path) -> None:
    (data / "groundingyoutube" / "id2wh.json").unlink()
    code, _, err = run("data", "videos", folder, "--data", data)
    assert code == 2
    assert "id2wh.json: no such file; `gytbench data fetch` gets it" in err


def test_without_the_extra(
    run: Run, data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    code, _, err = run("data", "videos", folder, "--data", data)
    assert code == 2
    assert err == "error: needs PyAV and Pillow: pip install 'gytbench[video]'\n"
