"""Frames at any times, resized as they are converted: the right one, of the right look."""

from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gytbench.errors import InputError
from gytbench.videos import FrameSource, open_frames

from .making import (
    CORNER,
    grey,
    picture,
    steady,
    write_image,
    write_sizes,
    write_sound,
    write_video,
)

MILLISECOND = Fraction(1, 1000)
NTSC = Fraction(1001, 30000)


def greys(source: FrameSource, times: list[float], size: tuple[int, int] = (32, 24)) -> list[int]:
    """The grey of the frame at each time, asked in one pass; each alone must be the same."""
    seen = list(source.sampled(times, size))
    for time, pixels in zip(times, seen, strict=True):
        assert (pixels.shape, pixels.dtype) == ((size[1], size[0], 3), np.uint8)
        assert np.array_equal(next(source.sampled([time], size)), pixels)
    return [int(pixels[-4, -4, 0]) for pixels in seen]


def nearly(values: list[int]) -> object:
    return pytest.approx(values, abs=4)


def numbered(rate: Fraction) -> Callable[[float, tuple[int, int]], np.ndarray]:
    """Draws a grey that tells the number of the frame, of ten in turn."""
    return lambda time, size: picture(round(Fraction(time) / rate) % 10, size)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", ""),
        ("a.mov", "mpeg4"),
        ("a.mkv", ""),
        ("a.webm", "libvpx-vp9"),
        ("a.avi", "mpeg4"),
        ("a.ts", ""),
        ("a.ts", "mpeg4"),
    ],
)
@pytest.mark.parametrize("rate", [1, 10, 60])
def test_each_time_has_its_frame(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    unit = Fraction(1, rate)
    path = write_video(tmp_path / name, steady(4, rate), codec=codec, unit=unit)
    times = [0, 0.4, 0.999, 1, 1.5, 1.5, 2, 2.99, 3, 3.01]
    assert greys(open_frames(path), times) == nearly([grey(time) for time in times])


@pytest.mark.parametrize(
    ("name", "codec", "unit"),
    [
        ("a.mp4", "", Fraction(1, 30000)),
        ("a.mkv", "", MILLISECOND),
        ("a.webm", "libvpx-vp9", MILLISECOND),
        ("a.avi", "mpeg4", NTSC),
    ],
)
def test_exact_boundaries_of_frames(tmp_path: Path, name: str, codec: str, unit: Fraction) -> None:
    numbers = range(70)
    times = [number * 1001 / 30000 for number in numbers]
    path = write_video(tmp_path / name, times, codec=codec, unit=unit, draw=numbered(NTSC))
    source = open_frames(path)
    assert greys(source, times) == nearly([grey(number % 10) for number in numbers])
    before = [time - 0.002 for time in times[1:]]
    assert greys(source, before) == nearly([grey(number % 10) for number in numbers[:-1]])


def test_a_sum_of_floats_is_its_time(tmp_path: Path) -> None:
    source = open_frames(write_video(tmp_path / "a.mp4", steady(3), draw=numbered(Fraction(1, 10))))
    times = list(accumulate([0.1] * 29, initial=0.0))
    assert times[8] < 0.8
    assert greys(source, times) == nearly([grey(number % 10) for number in range(30)])


def test_a_frame_rate_that_varies(tmp_path: Path) -> None:
    # Times count from the first frame, at 0.2.
    frames = [0.2, 0.9, 1.0, 1.3, 3.1, 3.9, 4.2, 7.0]
    source = open_frames(write_video(tmp_path / "a.mp4", frames))
    times = [0, 0.69, 0.8, 1.1, 2.89, 2.9, 3.99, 4, 6.79, 6.8]
    assert greys(source, times) == nearly([grey(time) for time in (0, 0, 1, 1, 1, 3, 3, 4, 4, 7)])


def test_times_outside_the_video(tmp_path: Path) -> None:
    source = open_frames(write_video(tmp_path / "a.mp4", steady(3)))
    assert greys(source, [-50, -0.5, 2, 3.5, 4000]) == nearly([grey(t) for t in (0, 0, 2, 2, 2)])
    assert list(source.sampled([], (8, 8))) == []


@pytest.mark.parametrize("times", [[1, 0.5], [0, float("nan")], [float("inf")]])
@pytest.mark.parametrize("folder", [False, True])
def test_times_that_do_not_ascend(tmp_path: Path, times: list[float], folder: bool) -> None:
    if folder:
        write_image(tmp_path / "0.png")
    source = open_frames(tmp_path if folder else write_video(tmp_path / "a.mp4", steady(2)))
    with pytest.raises(ValueError, match="times must"):
        next(source.sampled(times, (8, 8)))


def test_a_frame_is_converted_once(tmp_path: Path) -> None:
    source = open_frames(write_video(tmp_path / "a.mp4", steady(2)))
    first, same, again, other = source.sampled([0.51, 0.51, 0.55, 0.61], (8, 8))
    assert same is first
    assert again is first
    assert other is not first


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "mpeg4"), ("a.mkv", "ffv1"), ("a.mkv", "rawvideo")]
)
def test_odd_sizes(tmp_path: Path, name: str, codec: str) -> None:
    source = open_frames(write_video(tmp_path / name, steady(2), (63, 47), codec=codec))
    assert source.size == (63, 47)
    for size in ((63, 47), (31, 61), (200, 9), (1, 1)):
        assert len(list(source.sampled([0, 1], size))) == 2
    assert greys(source, [0, 1], (31, 61)) == nearly([grey(0), grey(1)])


def scene(time: float, size: tuple[int, int]) -> np.ndarray:
    """A picture with coarse and fine detail and colour."""
    rng = np.random.default_rng(int(time))
    parts = [
        np.asarray(
            Image.fromarray(rng.integers(0, 256, (rows, 2 * rows, 3), np.uint8)).resize(size),
            float,
        )
        for rows in (3, 12, 60)
    ]
    return np.asarray(0.5 * parts[0] + 0.3 * parts[1] + 0.2 * parts[2], np.uint8)


@pytest.mark.parametrize("turned", [0, 90])
def test_at_full_size_it_is_the_frame_of_the_second(tmp_path: Path, turned: int) -> None:
    path = write_video(tmp_path / "a.mp4", steady(3, 4), (160, 90), turned=turned, draw=scene)
    source = open_frames(path)
    seconds = list(source.seconds)
    for (_, image), pixels in zip(
        source.frames(seconds), source.sampled(seconds, source.size), strict=True
    ):
        assert np.abs(np.asarray(image, int) - pixels).max() <= 1


def test_lossless_pixels_come_back(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", [0, 1], (160, 90), codec="ffv1", draw=scene)
    for time, pixels in zip([0, 1], open_frames(path).sampled([0, 1], (160, 90)), strict=True):
        apart = pixels.astype(int) - scene(time, (160, 90))
        assert abs(apart.mean()) < 0.5  # the default flags of swscale are 1.5 darker
        assert np.abs(apart).mean() < 6  # colour has half the resolution


@pytest.mark.parametrize("size", [(224, 224), (64, 64), (33, 120), (700, 400)])
def test_as_pillow_resizes(tmp_path: Path, size: tuple[int, int]) -> None:
    source = open_frames(write_video(tmp_path / "a.mp4", [0], (320, 180), draw=scene))
    (_, image), pixels = next(source.frames([0])), next(source.sampled([0], size))
    expected = np.asarray(image.resize(size, Image.Resampling.BICUBIC), int)
    coarse = np.asarray(image.resize(size, Image.Resampling.NEAREST), int)
    apart = np.abs(pixels - expected)
    assert apart.mean() < 1
    assert np.percentile(apart, 99) <= 4
    assert abs((pixels - expected).mean()) < 0.3
    assert apart.mean() < np.abs(pixels - coarse).mean()


@pytest.mark.parametrize(
    ("turned", "corner"), [(0, (0, 0)), (90, (-1, 0)), (180, (-1, -1)), (-90, (0, -1))]
)
def test_a_rotation_flag(tmp_path: Path, turned: int, corner: tuple[int, int]) -> None:
    source = open_frames(write_video(tmp_path / "a.mp4", steady(2), turned=turned))
    pixels = next(source.sampled([1.2], (40, 20)))
    assert pixels.shape == (20, 40, 3)
    assert pixels.flags.c_contiguous
    marked = [at for at in [(0, 0), (-1, 0), (-1, -1), (0, -1)] if pixels[at][0] > 200]
    assert marked == [corner]
    assert int(pixels[corner][0]) == pytest.approx(CORNER, abs=8)
    assert int(pixels[10, 20, 0]) == pytest.approx(grey(1), abs=4)


def test_a_size_that_changes(tmp_path: Path) -> None:
    sizes = [(64, 48), (64, 48), (32, 80), (120, 20), (64, 48)]
    source = open_frames(write_sizes(tmp_path / "a.mkv", sizes))
    assert source.size == (64, 48)
    assert greys(source, [0, 1, 2, 3, 4]) == nearly([grey(t) for t in range(5)])
    assert [image.size for _, image in source.frames(source.seconds)] == [(64, 48)] * 5


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".ts", ".mkv", ".avi"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.4, 0.6, 0.95])
def test_a_file_that_is_cut_off(tmp_path: Path, suffix: str, kept: float) -> None:
    codec = "libvpx-vp9" if suffix == ".webm" else "mpeg4"
    unit = Fraction(1, 10)
    path = write_video(tmp_path / f"a{suffix}", steady(6), codec=codec, unit=unit)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    try:
        source = open_frames(path)
    except InputError:
        return
    times = [0, 1, 2, 3, 4, 5, 6, 7, 60]
    seen = greys(source, times)
    last = len(source.seconds) - 1
    assert seen[:last] == nearly([grey(time) for time in range(last)])
    assert len(set(seen[last + 1 :])) == 1
    assert seen[-1] == pytest.approx(grey(last), abs=4)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_file_that_is_broken_in_the_middle(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", steady(9), (128, 96), codec="mpeg4", draw=scene)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    path.write_bytes(content)
    source = open_frames(path)
    seen = list(source.sampled([number / 2 for number in range(30)], (16, 12)))
    assert len(seen) == 30
    assert np.array_equal(seen[-1], seen[-2])


def test_nothing_that_can_be_decoded(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", steady(2))
    source = open_frames(path)
    for content in (b"", b"no video", write_sound(tmp_path / "b.mp4").read_bytes()):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"a\.mp4: (cannot be decoded|has no video stream)"):
            next(source.sampled([0.5], (8, 8)))
    path.unlink()
    with pytest.raises(InputError, match=r"a\.mp4: cannot be decoded"):
        next(source.sampled([0.5], (8, 8)))


def test_a_folder_shows_the_last_second_not_after(tmp_path: Path) -> None:
    for second in (2, 3, 7):
        write_image(tmp_path / f"{second}.png", second)
    source = open_frames(tmp_path)
    times = [-1, 0, 2, 2.9, 3 - 1e-9, 3.5, 6.9, 7, 7.5, 99]
    shown = [2, 2, 2, 2, 3, 3, 3, 7, 7, 7]
    assert greys(source, times) == [grey(second) for second in shown]
    first, same, *_ = source.sampled([2, 2.9], (8, 8))
    assert first is same
    assert list(source.sampled([], (8, 8))) == []


def test_a_folder_of_images_on_their_side(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture(1)).save(tmp_path / "1.jpg", exif=exif)
    pixels = next(open_frames(tmp_path).sampled([1], (30, 40)))
    assert pixels.shape == (40, 30, 3)
    assert [pixels[at][0] > 200 for at in ((0, 0), (0, -1), (-1, 0))] == [False, True, False]


def test_an_image_that_is_cut_off(tmp_path: Path) -> None:
    path = write_image(tmp_path / "1.jpg", size=(400, 300))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"1\.jpg: cannot be decoded as an image"):
        next(open_frames(tmp_path).sampled([1], (8, 8)))
