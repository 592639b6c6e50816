"""`gytbench show`: pictures and clips of predictions over the truth."""

import io
import sys
from pathlib import Path

import av
import pytest
from click.testing import CliRunner
from PIL import Image

from gytbench.cli.main import main
from tests.videos.making import steady, write_video

from .conftest import TALL, WIDE, Run, predictions, tube


@pytest.fixture
def file(tmp_path: Path) -> Path:
    points = [[320, 240], [600, 10], [50, 50]]
    return predictions(
        tmp_path, tube(points=points), tube(video=TALL, start=7, end=8), frame_size=[640, 480]
    )


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        image.load()
        return image.size


def test_one_second(run: Run, data: Path, tmp_path: Path, file: Path) -> None:
    out = tmp_path / "one.png"
    code, printed, err = run(
        "show", file, "--video", WIDE, "--second", 2, "-o", out, "--data", data
    )
    assert (code, printed, err) == (0, f"Picture: {out}\n", "")
    assert size(out)[0] == 640


def test_a_sheet_under_its_own_name(
    run: Run, data: Path, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("show", file, "--video", WIDE, "--data", data).code == 0
    assert size(tmp_path / f"{WIDE}.png")[0] > 640
    # One that is upright, and has a false alarm.
    assert run("show", file, "--video", TALL, "--second", 7, "--data", data).code == 0
    assert size(tmp_path / f"{TALL}_7.png")[0] == 480


def test_spatial_draws_the_instances_of_a_second_side_by_side(
    run: Run, data: Path, tmp_path: Path
) -> None:
    file = predictions(tmp_path, tube(instance=0, points=[[1, 1]] * 3), task="spatial")
    out = tmp_path / "two.png"
    done = run("show", file, "--video", WIDE, "--second", 4, "-o", out, "--data", data)
    assert done.code == 0
    assert size(out)[0] > 2 * 640
    assert run("show", file, "--video", WIDE, "-o", out, "--data", data).code == 0


def test_a_clip_on_the_video(run: Run, data: Path, tmp_path: Path, file: Path) -> None:
    videos, clip = tmp_path / "videos", tmp_path / "clip.mp4"
    videos.mkdir()
    write_video(videos / f"{WIDE}.mp4", steady(4))
    options = ("--clip", clip, "--videos", videos, "--data", data)
    code, out, err = run("show", file, "--video", WIDE, *options)
    assert (code, out) == (0, f"Clip: {clip}\n")
    assert err == f"note: {WIDE}: has no frame of 2 of the seconds shown; drawn without it\n"
    with av.open(str(clip)) as container:
        # The seconds 2 to 5.
        assert len(list(container.decode(video=0))) == 4
    assert not list(tmp_path.glob(".*"))
    sheet = tmp_path / "sheet.png"
    assert run("show", file, "--video", WIDE, *options, "-o", sheet).code == 0
    size(sheet)


@pytest.mark.parametrize("content", [None, b"no video"])
def test_a_missing_or_broken_video_is_a_note(
    run: Run, data: Path, tmp_path: Path, file: Path, content: bytes | None
) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    if content:
        (videos / f"{WIDE}.mp4").write_bytes(content)
    out = tmp_path / "out.png"
    options = ("--videos", videos, "-o", out, "--data", data)
    code, _, err = run("show", file, "--video", WIDE, *options)
    assert code == 0
    assert err.startswith(f"note: {WIDE}: ")
    assert "cannot be decoded" in err if content else "no video of it in the folder" in err
    size(out)


def test_printed(data: Path, file: Path) -> None:
    options = ["show", str(file), "--video", WIDE, "-o", "-", "--data", str(data)]
    result = CliRunner().invoke(main, options)
    assert Image.open(io.BytesIO(result.stdout_bytes)).format == "PNG"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--video", "aaaaaaaaaab"), f"no video 'aaaaaaaaaab': did you mean {WIDE}?"),
        (("--video", "???"), f"no video '???': it has 2, such as {WIDE}, {TALL}"),
        (("--video", WIDE, "--second", 7), "in second 7 of aaaaaaaaaaa: it has 2-5"),
        (("--video", WIDE, "--second", -1), "in second -1 of aaaaaaaaaaa: it has 2-5"),
        (("--video", WIDE, "--task", "temporal"), "has no places to draw"),
        (("--video", WIDE, "-o", "out.jpg"), "out.jpg: -o writes a PNG file"),
        (("--video", WIDE, "--clip", "out.avi"), "out.avi: --clip writes an MP4 file"),
        (("--video", WIDE, "--clip", "o.mp4", "--second", 2), "leave --second out"),
        (("--video", WIDE, "--videos", "absent"), "absent: cannot be read"),
        (("--video", WIDE, "--boxes", "no-such"), "no-such"),
        (("--video", WIDE, "-o", "no/such/folder.png"), "cannot be written"),
    ],
)
def test_faults(
    run: Run,
    data: Path,
    tmp_path: Path,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[object, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    code, out, err = run("show", file, "--data", data, *options)
    assert (code, out) == (2, "")
    assert message in err
    assert sorted(tmp_path.iterdir()) == before


def test_a_clip_of_a_video_without_anything(run: Run, data: Path, tmp_path: Path) -> None:
    file, clip = predictions(tmp_path), tmp_path / "clip.mp4"
    options = ("--subset", "3to20", "--clip", clip, "--data", data)
    code, _, err = run("show", file, "--video", TALL, *options)
    assert (code, clip.exists()) == (2, False)
    assert "no clip to write" in err


@pytest.mark.parametrize("missing", ["av", "PIL"])
def test_what_is_not_installed_is_named(
    run: Run, data: Path, file: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in ("gytbench.scenes.clips", "gytbench.scenes.painting"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    code, out, err = run("show", file, "--video", WIDE, "--data", data)
    assert (code, out) == (2, "")
    assert err == "error: needs PyAV and Pillow: pip install 'gytbench[video]'\n"
