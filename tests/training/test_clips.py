"""The pixels of a sample: the right frames, the right square, the right way round."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from gytbench.errors import InputError
from gytbench.training.clips import ClipReader, Clips
from gytbench.training.config import Data
from gytbench.training.drawing import Draw, draw
from gytbench.training.narrations import Narrated, Narration

from ..videos.making import grey, steady, write_image, write_video
from .narrating import narrated

pytest.importorskip("av")

SIZE = (96, 64)
"""Of the videos, in pixels."""


def ramp(time: float, size: tuple[int, int]) -> np.ndarray:
    """Lighter to the right and the bottom: 2 greys a pixel to the right, 1 down, 1 a second."""
    x, y = np.arange(size[0]), np.arange(size[1])[:, None]
    return np.repeat((2 * x + y // 2 + int(time))[..., None], 3, -1).astype(np.uint8)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Narrated:
    folder = tmp_path_factory.mktemp("world")
    (folder / "videos" / "folder").mkdir(parents=True)
    write_video(folder / "videos" / "grey.mp4", steady(6, 5))
    write_video(folder / "videos" / "ramp.mkv", steady(3, 5), SIZE, draw=ramp)
    (folder / "videos" / "broken.mp4").write_bytes(b"\x00\x00\x00 ftypisom" * 50)
    for second in (2, 3, 5):
        write_image(folder / "videos" / "folder" / f"folder_{second}.jpg", second)
    said = {
        "grey": [(1.0, 3.0, "in it"), (90.0, 95.0, "after it")],
        "ramp": [(0.5, 2.0, "a ramp")],
        "broken": [(0.0, 1.0, "one"), (1.0, 2.0, "two"), (2.0, 3.0, "three")],
        "folder": [(0.0, 9.0, "of images")],
    }
    files = {"grey": "grey.mp4", "ramp": "ramp.mkv", "broken": "broken.mp4"}
    return narrated(folder, said, files)


def reader(world: Narrated, size: int = 32, **changed: object) -> ClipReader:
    data = Data(**{"videos": "videos", "captions": "captions.csv", **changed})
    return ClipReader(world, data, size)


def drawn(
    video: str = "grey",
    times: tuple[float, ...] = (0.5,),
    *,
    flip: bool = False,
    crop: tuple[float, float] | None = None,
    start: float = 1.0,
) -> Draw:
    return Draw(Narration(video, start, start + 2, "in it"), times, flip, crop)


def test_frames_are_those_of_their_times_and_black_outside(world: Narrated) -> None:
    times = (-1.0, -0.01, 0.0, 1.2, 2.9, 5.9, 6.0, 40.0)
    sample = reader(world).read(drawn(times=times))
    assert sample.present.tolist() == [False, False, True, True, True, True, False, False]
    assert sample.present.dtype == bool
    frames = sample.frames
    assert frames is not None
    assert (frames.shape, frames.dtype) == ((8, 32, 32, 3), np.uint8)
    assert not frames[~sample.present].any()
    for place in (2, 3, 4, 5):
        assert frames[place, -4:, -4:].mean() == pytest.approx(grey(times[place]), abs=4)
    assert sample.name == "grey.mp4, 1.0 to 3.0 s"
    assert sample.text == "in it"


def expected(left: int, top: int, side: int) -> np.ndarray:
    """The square of the ramp's second second."""
    return ramp(1, SIZE)[top : top + side, left : left + side].astype(int)


def read_one(world: Narrated, size: int, **draw_as: object) -> np.ndarray:
    sample = reader(world, size).read(drawn("ramp", (1.1,), **draw_as))
    assert sample.frames is not None
    return sample.frames[0].astype(int)


@pytest.mark.parametrize(
    ("crop", "left", "top"),
    [
        ((0, 0), 0, 0),
        ((0.999, 0), 56, 0),
        ((0, 0.999), 0, 24),
        ((1, 1), 56, 24),
        ((0.5, 0.5), 28, 12),
    ],
)
def test_a_crop_is_a_square_of_the_frame_as_it_is(
    world: Narrated, crop: tuple[float, float], left: int, top: int
) -> None:
    pixels = read_one(world, 40, crop=crop)
    assert np.abs(pixels - expected(left, top, 40)).max() <= 3
    # A square one pixel further would be lighter by 2 greys.
    assert pixels.mean() == pytest.approx(expected(left, top, 40).mean(), abs=0.7)


def test_flipping_mirrors_left_and_right_of_what_is_read(world: Narrated) -> None:
    plain = read_one(world, 40, crop=(0.2, 0.3))
    flipped = read_one(world, 40, crop=(0.2, 0.3), flip=True)
    assert np.array_equal(flipped, plain[:, ::-1])
    assert plain[:, -1].mean() > plain[:, 0].mean() + 60


def test_without_a_crop_the_whole_frame_is_stretched(world: Narrated) -> None:
    pixels = read_one(world, 40)
    assert pixels.shape == (40, 40, 3)
    whole = ramp(1, SIZE)
    assert pixels[:, 0].mean() == pytest.approx(whole[:, :2].mean(), abs=4)
    assert pixels[:, -1].mean() == pytest.approx(whole[:, -2:].mean(), abs=4)
    assert pixels[-1].mean() - pixels[0].mean() == pytest.approx(31, abs=4)


def test_a_side_that_is_too_short_is_stretched_before_the_crop(world: Narrated) -> None:
    # 96 x 64 becomes 96 x 80 for a square of 80.
    pixels = read_one(world, 80, crop=(1, 1))
    whole = ramp(1, SIZE)
    assert pixels[:, 0].mean() == pytest.approx(whole[:, 16].mean(), abs=2)
    assert pixels[-1].mean() - pixels[0].mean() == pytest.approx(31, abs=3)
    # Both too short: the whole frame.
    assert np.array_equal(read_one(world, 120, crop=(0.3, 0.9)), read_one(world, 120))


def test_a_folder_of_images_has_frames_from_its_first_second_on(world: Narrated) -> None:
    times = tuple(float(second) for second in range(8))
    sample = reader(world).read(drawn("folder", times))
    assert np.flatnonzero(sample.present).tolist() == [2, 3, 4, 5]
    assert sample.frames is not None
    levels = sample.frames[2:6, -4:, -4:].mean((1, 2, 3))
    assert levels == pytest.approx([grey(2), grey(3), grey(3), grey(5)], abs=3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (drawn("broken"), "broken.mp4: cannot be decoded as a video"),
        (drawn(start=6.0), r"grey.mp4, 6.0 to 8.0 s: the narration starts after the video's end"),
        (drawn(times=(-2.0, -1.0)), "grey.mp4, 1.0 to 3.0 s: no frame: those drawn are from -2.0"),
        (drawn(times=(6.0, 7.0)), "no frame: those drawn are from 6.0 to 7.0 s"),
    ],
)
def test_what_cannot_be_read_names_the_video(world: Narrated, wrong: Draw, said: str) -> None:
    with pytest.raises(InputError, match=said):
        reader(world).read(wrong)


def test_a_video_that_is_gone(tmp_path: Path) -> None:
    gone = narrated(tmp_path, {"a": [(0, 1, "x")]})
    (tmp_path / "videos" / "a.mp4").unlink()
    with pytest.raises(InputError, match=r"a\.mp4: no such video"):
        reader(gone).read(drawn("a"))


def test_a_reader_opens_a_video_once_and_may_be_pickled(
    world: Narrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gytbench.training import clips

    opened: list[Path] = []
    real = clips.open_frames
    monkeypatch.setattr(clips, "open_frames", lambda path: opened.append(path) or real(path))
    monkeypatch.setattr(clips, "_KEPT", 2)
    one = reader(world)
    names = ["grey", "grey", "ramp", "grey", "folder", "grey", "ramp"]
    for name in names:
        one.read(drawn(name, (2.5,)))
    assert [path.stem for path in opened] == ["grey", "ramp", "folder", "ramp"]
    other = pickle.loads(pickle.dumps(one))
    wanted = drawn(times=(0.0, 2.0), crop=(0.1, 0.9), flip=True)
    assert np.array_equal(other.read(wanted).frames, one.read(wanted).frames)


def test_samples_are_those_drawn_and_failures_are_replaced(world: Narrated) -> None:
    made = reader(world, 16, frames=4, start="fixed", min_seconds=0.0)
    clips = pickle.loads(pickle.dumps(Clips(made, 7)))
    assert len(clips) == 4
    for index, video in enumerate(world.videos):
        replaced = 0
        for epoch in range(6):
            sample, failures = clips.sample(epoch, index)
            again = clips.sample(epoch, index)
            assert np.array_equal(again.sample.frames, sample.frames)
            assert (again.sample.name, again.failures) == (sample.name, failures)
            replaced += bool(failures)
            first = draw(world, made.data, 7, epoch, index)
            assert failures or sample.name == made.name(first)
        if video == "broken":
            # Both attempts of its own fail, and then another video takes the place.
            assert replaced == 6
            assert sum("broken.mp4" in line for line in failures) == 2
        elif video == "grey":
            assert 0 < replaced < 6
        else:
            assert replaced == 0


def test_after_all_attempts_the_last_reason_is_said(tmp_path: Path) -> None:
    broken = narrated(tmp_path, {f"v{number}": [(0, 1, "x"), (1, 2, "y")] for number in range(9)})
    with pytest.raises(InputError, match=r"in 5 attempts; the last: .*v\d\.mp4: cannot be"):
        Clips(reader(broken), 1).sample(0, 0)
