"""`gytbench annotate`: what it refuses, and the export. The page has tests of its own."""

import json
from pathlib import Path

import pytest

from gytbench.collection import AnswerLog

from ..collection.making import annotating, answer
from ..videos.making import write_image
from .conftest import Run
from .test_main import script


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "video"
    folder.mkdir()
    for second in (1, 2):
        write_image(folder / f"{second}.png")
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "points.jsonl"
    with AnswerLog(path) as opened:
        opened.append(answer())
        opened.append(answer(second=4, answer="skip", x=None, y=None))
    return path


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_export(run: Run, source: Path, log: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out.{suffix}"
    code, said, _ = run("annotate", source, "-o", log, "--export", out)
    assert (code, said) == (0, f"1 answer in {out}\n")
    text = out.read_text()
    rows = json.loads(text) if suffix == "json" else text.splitlines()[1:]
    assert len(rows) == 1


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_the_export_is_what_build_boxes_reads(
    run: Run, source: Path, tmp_path: Path, suffix: str
) -> None:
    """Ann's first click is replaced, ben saw nothing, cem skipped; dora clicked too."""
    log, out, boxes = tmp_path / "log.jsonl", tmp_path / f"out.{suffix}", tmp_path / "boxes.json"
    with AnswerLog(log) as opened:
        opened.append(answer(annotator="ann", x=5, y=5))
        opened.append(answer(annotator="ann", x=30, y=20))
        opened.append(answer(annotator="ben", answer="none", x=None, y=None))
        opened.append(answer(annotator="cem", answer="skip", x=None, y=None))
        opened.append(answer(annotator="dora", x=40, y=30))
    given = answer()
    run("annotate", source, "-o", log, "--export", out)
    code, said, err = run("build-boxes", out, "-o", boxes, "--frame", "native", "--margin", 0)
    assert (code, err) == (0, "")
    assert "1 frame, 2 points of 3 annotators" in said
    found = json.loads(boxes.read_text())
    assert found == {given.video: {str(given.second): [30, 20, 40, 30]}}
    refused = run("build-boxes", log, "-o", boxes)
    assert (refused.code, "export it with --export OUT.csv" in refused.err) == (2, True)


def test_export_while_a_server_writes(run: Run, source: Path, log: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with annotating(source, "-o", log) as served:
        assert run("annotate", source, "-o", log, "--export", out).code == 0
        code, _, err = run("annotate", source, "-o", log)
        assert (code, "another `gytbench annotate` is writing to it" in err) == (2, True)
        assert served.interrupt() == 0
    assert run("annotate", source, "-o", log, "--export", out).code == 0


def test_export_without_a_log(run: Run, source: Path, tmp_path: Path) -> None:
    args = ["-o", tmp_path / "none.jsonl", "--export", tmp_path / "out.csv"]
    code, _, err = run("annotate", source, *args)
    assert code == 2
    assert err.startswith(f"error: {tmp_path / 'none.jsonl'}: no such file; nothing was answered")


def test_a_source_that_is_no_video(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    code, _, err = run("annotate", tmp_path / "a.mp4", "-o", tmp_path / "points.jsonl")
    assert (code, "a.mp4: cannot be decoded as a video" in err) == (2, True)
    assert not (tmp_path / "points.jsonl").exists()


def test_options_that_make_no_sense(run: Run, source: Path, tmp_path: Path) -> None:
    for args in (["--every", 0], ["--port", 70_000], ["--segments", tmp_path / "none.json"]):
        assert run("annotate", source, *args).code == 2
    assert run("annotate", tmp_path / "none.mp4").code == 2


def test_without_the_video_extra(source: Path, tmp_path: Path) -> None:
    (tmp_path / "av.py").write_text("raise ImportError")
    done = script("annotate", source, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("needs PyAV and Pillow: pip install 'gytbench[video]'\n")
