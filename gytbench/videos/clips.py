"""Clips of a video: the frames around each of many starts, decoded in one pass."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from gytbench.videos.sources import FrameSource, check_times


def clips(
    source: FrameSource,
    starts: Sequence[float],
    offsets: Sequence[float],
    size: tuple[int, int],
    *,
    ends: Sequence[float] | None = None,
) -> Iterator[np.ndarray]:
    """For each start a clip, as uint8 RGB: frames x height x width x 3.

    Frame i is the one shown at start + offsets[i], in seconds; starts and offsets
    ascend, and offsets may be negative. `size` is the width and height in pixels that
    frames are stretched to. `ends` has a time for each clip, from which on its frames are
    black; without it the last frame of the video is repeated.

    Clips may overlap or leave gaps. Beside the clip that is handed out, only frames from
    its first to its last are kept: no more than there are times asked for between them.

    Raises as `FrameSource.sampled` does.
    """
    check_times(starts)
    check_times(offsets)
    times = np.add.outer(np.asarray(starts, float), np.asarray(offsets, float))
    last = np.full(len(times), np.inf) if ends is None else np.asarray(ends, float)
    seen = times < last[:, None]
    asked = np.unique(times[seen])
    frames = source.sampled(asked.tolist(), size)
    kept: deque[np.ndarray] = deque()
    first = 0
    for places, count in zip(np.searchsorted(asked, times), seen.sum(1), strict=True):
        # Times ascend within a clip, so that the black frames are its last.
        wanted = places[:count].tolist()
        while wanted and first < wanted[0]:
            kept.popleft()
            first += 1
        while wanted and first + len(kept) <= wanted[-1]:
            kept.append(next(frames))
        clip = np.zeros((len(offsets), size[1], size[0], 3), np.uint8)
        for frame, place in enumerate(wanted):
            clip[frame] = kept[place - first]
        yield clip


def batched(clips: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Clips stacked: up to `size` x frames x height x width x 3; the last may have fewer."""
    rest = iter(clips)
    while batch := list(islice(rest, size)):
        yield np.stack(batch)
