"""Clips in one pass, beside a twin that asks for each clip by itself."""

import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gytbench.errors import InputError
from gytbench.videos import FrameSource, open_frames
from gytbench.videos.clips import batched, clips

from .making import grey, steady, write_video

SIZE = (8, 6)

TIMES = st.floats(-2, 6, width=16)
ASCENDING = st.lists(TIMES, max_size=6).map(sorted)
OFFSETS = st.lists(st.floats(-2, 3, width=16), min_size=1, max_size=6).map(sorted)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> FrameSource:
    return open_frames(write_video(tmp_path_factory.mktemp("clips") / "a.mp4", steady(4)))


def twin(
    source: FrameSource, starts: list[float], offsets: list[float], ends: list[float] | None
) -> list[np.ndarray]:
    """Each clip, and each of its frames, by itself."""
    black = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    return [
        np.stack(
            [
                black
                if ends is not None and start + offset >= ends[number]
                else next(source.sampled([start + offset], SIZE))
                for offset in offsets
            ]
        )
        for number, start in enumerate(starts)
    ]


@given(ASCENDING, OFFSETS, st.none() | TIMES)
@example([0, 0, 1, 2], [0, 0, 0.5], 1.5)
@example([0, 0.1, 5], [-1, 0], None)
@example([1, 2], [0, 1], -2.0)
def test_as_each_clip_alone(
    source: FrameSource, starts: list[float], offsets: list[float], end: float | None
) -> None:
    ends = None if end is None else [end + number % 3 for number in range(len(starts))]
    together = list(clips(source, starts, offsets, SIZE, ends=ends))
    alone = twin(source, starts, offsets, ends)
    assert len(together) == len(alone)
    for one, other in zip(together, alone, strict=True):
        assert one.dtype == np.uint8
        assert np.array_equal(one, other)


def test_the_frames_of_clips(source: FrameSource) -> None:
    overlapping = list(clips(source, [0, 1, 3], [-1, 0, 1, 2], SIZE, ends=[4, 4, 4]))
    assert [clip.shape for clip in overlapping] == [(4, 6, 8, 3)] * 3
    seen = [clip[:, -1, -1, 0].tolist() for clip in overlapping]
    greys = [[0, 0, 1, 2], [0, 1, 2, 3], [2, 3]]
    for values, seconds in zip(seen, greys, strict=True):
        expected = [grey(second) for second in seconds] + [0] * (4 - len(seconds))
        assert values == pytest.approx(expected, abs=4)
    assert seen[2][2:] == [0, 0]


def test_a_clip_may_be_changed(source: FrameSource) -> None:
    expected = [clip.copy() for clip in clips(source, [0, 0.5], [0, 1], SIZE)]
    for clip, other in zip(clips(source, [0, 0.5], [0, 1], SIZE), expected, strict=True):
        assert np.array_equal(clip, other)
        clip[:] = 7


class Counted:
    """Frames that tell their time, and how many of them are alive."""

    def __init__(self) -> None:
        self.alive = 0
        self.most = 0
        self.asked: list[float] = []

    def sampled(self, times: Sequence[float], size: tuple[int, int]) -> Iterator[np.ndarray]:
        for time in times:
            self.asked.append(time)
            self.alive += 1
            self.most = max(self.most, self.alive)
            pixels = np.full((size[1], size[0], 3), round(time * 2), np.uint8)
            weakref.finalize(pixels, self._freed)
            yield pixels
            del pixels

    def _freed(self) -> None:
        self.alive -= 1


def test_one_pass_and_no_more_frames_than_a_clip_spans() -> None:
    source = Counted()
    starts = [number / 2 for number in range(100)]
    offsets = [0, 1, 2, 3]
    for start, clip in zip(starts, clips(source, starts, offsets, SIZE), strict=True):  # type: ignore[arg-type]
        assert clip[:, 0, 0, 0].tolist() == [2 * start + 2 * offset for offset in offsets]
        assert source.asked[-1] == start + 3  # nothing is read ahead
    assert source.asked == sorted(set(source.asked))
    assert source.most <= 7 + 1  # each half second from the first to the last, and a new one


def test_starts_and_offsets_must_ascend(source: FrameSource) -> None:
    with pytest.raises(ValueError, match="ascend"):
        next(clips(source, [1, 0], [0], SIZE))
    with pytest.raises(ValueError, match="ascend"):
        next(clips(source, [0, 1], [0, -1], SIZE))


def test_a_file_that_goes_away(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", steady(2))
    source = open_frames(path)
    path.unlink()
    with pytest.raises(InputError, match=r"a\.mp4: cannot be decoded"):
        next(clips(source, [0], [0], SIZE))


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (4, [2, 2]), (5, [2, 2, 1])])
def test_batches(count: int, sizes: list[int]) -> None:
    each = [np.full((3, 6, 8, 3), number, np.uint8) for number in range(count)]
    batches = list(batched(iter(each), 2))
    assert [batch.shape for batch in batches] == [(size, 3, 6, 8, 3) for size in sizes]
    assert [clip[0, 0, 0, 0] for batch in batches for clip in batch] == list(range(count))
