"""Frames that are kept are those that decoding gives, and damage is mended."""

import errno
import os
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from gytbench.errors import InputError
from gytbench.training import pixels
from gytbench.training.clips import ClipReader
from gytbench.training.config import Data
from gytbench.training.drawing import Draw, draw
from gytbench.training.narrations import Narrated, Narration
from gytbench.training.pixels import PixelReader
from gytbench.training.samples import Sample

from ..videos.making import picture, steady, write_image, write_video
from .narrating import narrated

pytest.importorskip("av")

SIZE = 24
DATA = Data(
    videos="videos", captions="captions.csv", frames=6, crop="stretch", flip=False, keep="frames"
)
SAID = {
    "short": [(0.0, 1.2, "one"), (1.0, 2.5, "two")],
    "long": [(3.0, 6.0, "three"), (8.5, 9.0, "four"), (90.0, 95.0, "after it")],
}


def noisy(time: float, size: tuple[int, int]) -> np.ndarray:
    """A picture that differs in every place and at every time."""
    noise = np.random.default_rng(round(time * 100)).integers(0, 60, (size[1], size[0], 3))
    return (picture(time / 10, size) + noise).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Narrated:
    folder = tmp_path_factory.mktemp("world")
    (folder / "videos").mkdir()
    write_video(folder / "videos" / "short.mp4", steady(3, 4), draw=noisy)
    write_video(folder / "videos" / "long.mp4", steady(9, 4), draw=noisy)
    return narrated(folder, SAID)


def samples(reader: ClipReader) -> list[Sample]:
    """Those of a few epochs that can be read."""
    count = len(reader.narrated.videos)
    drawn = [
        draw(reader.narrated, DATA, 7, epoch, index) for epoch in range(6) for index in range(count)
    ]
    return [reader.read(each) for each in drawn if each.narration.start < 50]


def assert_same(one: list[Sample], other: list[Sample]) -> None:
    assert len(one) == len(other) > 0
    for a, b in zip(one, other, strict=True):
        assert (a.name, a.text) == (b.name, b.text)
        np.testing.assert_array_equal(a.present, b.present)
        np.testing.assert_array_equal(a.frames, b.frames)


def kept(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


@pytest.fixture
def undecodable(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From when it is called on, no video is opened."""

    def refuse(path: Path) -> Iterator[np.ndarray]:
        raise AssertionError(f"{path} was decoded again")

    return lambda: monkeypatch.setattr(pixels, "open_frames", refuse)


def test_kept_frames_are_those_that_decoding_gives(
    world: Narrated, tmp_path: Path, undecodable: Callable[[], None]
) -> None:
    expected = samples(ClipReader(world, DATA, SIZE))
    assert any(not sample.present.all() for sample in expected)
    first = PixelReader(world, DATA, SIZE, tmp_path / "kept" / "here")
    assert_same(samples(first), expected)
    undecodable()
    assert_same(samples(first), expected)
    # Another run, or another process of this one, reads what is there.
    assert_same(samples(PixelReader(world, DATA, SIZE, tmp_path / "kept" / "here")), expected)
    assert_same(samples(pickle.loads(pickle.dumps(first))), expected)
    assert [path.name.split(".")[0] for path in kept(first._folder)] == ["long", "short"]


def test_a_narration_after_the_end_is_refused_alike(world: Narrated, tmp_path: Path) -> None:
    late = Draw(Narration("long", 90.0, 95.0, "after it"), (90.0,), False, None)
    before = Draw(Narration("short", 0.0, 1.0, "one"), (-4.0, -3.0), False, None)
    for drawn in (late, before):
        reasons = []
        for reader in (ClipReader(world, DATA, SIZE), PixelReader(world, DATA, SIZE, tmp_path)):
            with pytest.raises(InputError) as caught:
                reader.read(drawn)
            reasons.append(str(caught.value))
        assert reasons[0] == reasons[1]


def test_sizes_are_kept_side_by_side(world: Narrated, tmp_path: Path) -> None:
    for size in (SIZE, 16, SIZE):
        kept_, anew = PixelReader(world, DATA, size, tmp_path), ClipReader(world, DATA, size)
        assert_same(samples(kept_), samples(anew))
    assert len(kept(tmp_path)) == 4


def test_a_video_that_was_replaced_is_decoded_again(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    video = tmp_path / "videos" / "a.mp4"
    for place in (noisy, picture):
        write_video(video, steady(3, 4), draw=place)
        world = narrated(tmp_path, {"a": [(0.0, 3.0, "one")]})
        reader = PixelReader(world, DATA, SIZE, tmp_path / "kept")
        assert_same(samples(reader), samples(ClipReader(world, DATA, SIZE)))
    assert len(kept(tmp_path / "kept")) == 2


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-500])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def no_array(path: Path) -> None:
    path.write_bytes(b"something else entirely")


def pickled(path: Path) -> None:
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def an_archive(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, frames=np.zeros(3))


def of_another_size(path: Path) -> None:
    np.save(path, np.zeros((3, 16, 16, 3), np.uint8))


def of_no_frames(path: Path) -> None:
    np.save(path, np.zeros((0, SIZE, SIZE, 3), np.uint8))


def of_floats(path: Path) -> None:
    np.save(path, np.zeros((3, SIZE, SIZE, 3)))


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        emptied,
        no_array,
        pickled,
        an_archive,
        of_another_size,
        of_no_frames,
        of_floats,
    ],
)
def test_a_damaged_file_is_made_anew(
    world: Narrated,
    tmp_path: Path,
    damage: Callable[[Path], None],
    undecodable: Callable[[], None],
) -> None:
    expected = samples(PixelReader(world, DATA, SIZE, tmp_path))
    for path in kept(tmp_path):
        damage(path)
    assert_same(samples(PixelReader(world, DATA, SIZE, tmp_path)), expected)
    undecodable()
    assert_same(samples(PixelReader(world, DATA, SIZE, tmp_path)), expected)


def test_a_folder_of_images_may_begin_late(tmp_path: Path) -> None:
    (tmp_path / "videos" / "images").mkdir(parents=True)
    for second in (3, 4, 6):
        write_image(tmp_path / "videos" / "images" / f"images_{second}.jpg", second)
    world = narrated(tmp_path, {"images": [(2.0, 5.0, "one")]}, {"images": "images"})
    reader = PixelReader(world, DATA, SIZE, tmp_path / "kept")
    assert_same(samples(reader), samples(ClipReader(world, DATA, SIZE)))


def test_a_full_disk_leaves_nothing_half_written(
    world: Narrated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = PixelReader(world, DATA, SIZE, tmp_path)

    def full(file: object, *_: object, **__: object) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", full)
        with pytest.raises(InputError, match="cannot be written: No space left on device"):
            samples(reader)
    assert kept(tmp_path) == []
    assert_same(samples(reader), samples(ClipReader(world, DATA, SIZE)))


def test_a_video_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "broken.mp4").write_bytes(b"\x00\x00\x00 ftypisom" * 50)
    world = narrated(tmp_path, {"broken": [(0.0, 3.0, "one")]})
    reader = PixelReader(world, DATA, SIZE, tmp_path / "kept")
    with pytest.raises(InputError, match=r"broken\.mp4: cannot be decoded"):
        samples(reader)
    assert kept(tmp_path / "kept") == []


def test_several_processes_share_a_folder(world: Narrated, tmp_path: Path) -> None:
    reader = PixelReader(world, DATA, SIZE, tmp_path)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        found = list(pool.map(samples, [reader, reader]))
    expected = samples(ClipReader(world, DATA, SIZE))
    for each in found:
        assert_same(each, expected)
    assert len(kept(tmp_path)) == 2


def test_a_folder_that_cannot_be_made_is_named(world: Narrated, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: cannot be made: File exists"):
        PixelReader(world, DATA, SIZE, tmp_path / "file")
