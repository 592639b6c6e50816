"""Frames of video files: the right one for each second, whatever the file is like."""

import io
from pathlib import Path

import pytest
from PIL import Image

from gytbench.errors import InputError
from gytbench.videos import FrameSource, frames_at, open_frames

from .making import CORNER, grey, level, steady, write_sound, write_video


def greys(source: FrameSource) -> list[int]:
    """What is seen second by second in one pass; each second alone must show the same."""
    seen = [level(image, -9, -9) for _, image in source.frames(source.seconds)]
    for second, expected in zip(source.seconds, seen, strict=True):
        image = Image.open(io.BytesIO(source.image(second).data))
        assert image.size == source.size
        assert level(image, -9, -9) == pytest.approx(expected, abs=2)
    return seen


def nearly(times: list[float]) -> object:
    return pytest.approx([grey(time) for time in times], abs=3)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", ""), ("b: 1.mp4", ""), ("a.webm", "libvpx-vp9"), ("a.ts", ""), ("a.mkv", "mpeg4")],
)
def test_each_second_has_its_frame(tmp_path: Path, name: str, codec: str) -> None:
    source = open_frames(write_video(tmp_path / name, steady(8), codec=codec))
    assert (source.video, source.size) == (name.rpartition(".")[0], (64, 48))
    assert list(source.seconds) == list(range(8))
    assert source.steps == {}
    assert greys(source) == nearly([0, 1, 2, 3, 4, 5, 6, 7])
    assert source.image(3).content_type == "image/jpeg"


def test_a_frame_rate_that_varies(tmp_path: Path) -> None:
    # Times count from the first frame, at 0.2: second 3 is 3.2, where 3.1 is still shown.
    times = [0.2, 0.9, 1.0, 1.3, 3.1, 3.9, 4.2, 7.0]
    source = open_frames(write_video(tmp_path / "a.mp4", times))
    count = len(source.seconds)
    assert count >= 7
    assert greys(source) == nearly([0, 1, 1, 3, 4, 4, 4, 7, 7, 7][:count])


def test_the_boundary_belongs_to_the_new_frame(tmp_path: Path) -> None:
    source = open_frames(write_video(tmp_path / "a.mp4", [0, 0.999, 1, 1.999, 2, 2.001]))
    assert greys(source) == nearly([0, 1, 2])


def test_a_sparse_choice_of_seconds(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", steady(9))
    seen = [(second, level(image, -9, -9)) for second, image in frames_at(path, [2, 7, 8])]
    assert [second for second, _ in seen] == [2, 7, 8]
    assert [value for _, value in seen] == nearly([2, 7, 8])
    assert list(frames_at(path, [])) == []


def test_an_odd_size(tmp_path: Path) -> None:
    source = open_frames(write_video(tmp_path / "a.mp4", steady(2), (65, 49), codec="mpeg4"))
    assert source.size == (65, 49)
    assert greys(source) == nearly([0, 1])


@pytest.mark.parametrize(
    ("turned", "size", "corner"),
    [
        (0, (64, 48), (3, 3)),
        (90, (48, 64), (3, -4)),  # as Chromium plays it
        (180, (64, 48), (-4, -4)),
        (-90, (48, 64), (-4, 3)),
    ],
)
def test_a_rotation_flag(
    tmp_path: Path, turned: int, size: tuple[int, int], corner: tuple[int, int]
) -> None:
    source = open_frames(write_video(tmp_path / "a.mp4", steady(1), turned=turned))
    assert source.size == size
    _, image = next(source.frames([0]))
    assert image.size == size
    marked = [c for c in [(3, 3), (3, -4), (-4, -4), (-4, 3)] if level(image, *c) > 200]
    assert marked == [corner]
    assert level(image, *corner) == pytest.approx(CORNER, abs=8)


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".ts", ".mkv"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.4, 0.95])
def test_a_file_that_is_cut_off(tmp_path: Path, suffix: str, kept: float) -> None:
    codec = "libvpx-vp9" if suffix == ".webm" else "mpeg4"
    path = write_video(tmp_path / f"a{suffix}", steady(6), codec=codec)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    try:
        source = open_frames(path)
    except InputError:
        return
    count = len(source.seconds)
    assert 0 < count <= 6
    assert greys(source)[: count - 1] == nearly([0, 1, 2, 3, 4][: count - 1])


@pytest.mark.parametrize("content", [b"", b"no video", bytes(5000), b"\x1aE\xdf\xa3" * 99])
def test_a_file_that_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.mp4: (cannot be decoded as a video|has no)"):
        open_frames(path)


def test_a_file_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.mp4: has no video stream"):
        open_frames(write_sound(tmp_path / "a.mp4"))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such video file or folder of images"):
        open_frames(tmp_path / "a.mp4")


@pytest.mark.parametrize("second", [-1, 2])
def test_a_second_beyond_the_video(tmp_path: Path, second: int) -> None:
    source = open_frames(write_video(tmp_path / "a.mp4", steady(2)))
    with pytest.raises(InputError, match=f"no frame of second {second}; its seconds are 0 to 1"):
        source.image(second)
