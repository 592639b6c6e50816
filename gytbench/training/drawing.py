"""Which frames a sample has: drawn anew in each epoch, the same in any process.

As in the loader that brian7685/GroundingYouTube published (after that of MIL-NCE): a
sample for each video and epoch, from a narration of it at random; the three ways to
start (`random`, its flags --fix_start and --early_start); short narrations widened to both
sides, and moved back to where the video starts; a random crop and half of all mirrored.

Ours: what is drawn depends on the seed, the epoch and the index alone (and on numpy's
version, which may change how a generator's numbers are used); starts are not
rounded to whole seconds, but for `Data.keep`; `around` may begin before the video
does, where the published loader moves the frames to its start; and what takes the place of
a sample that fails. As there, all narrations with a word that the network knows are as
likely: `read_narrations` leaves out the others.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gytbench.training.config import Data
from gytbench.training.narrations import Narrated, Narration

ATTEMPTS = 5
"""Draws for one sample until one can be read."""

# What is drawn for samples and for their order must not be the same numbers.
_SAMPLE, _ORDER = range(2)


class Draw(NamedTuple):
    """A narration, and how its frames are to be read."""

    narration: Narration
    times: tuple[float, ...]
    """U, ascending, in seconds; those before 0 or after the end are of no frame."""
    flip: bool
    """Whether frames are mirrored, left to right."""
    crop: tuple[float, float] | None
    """Where the square lies, from 0 (left, top) to 1 (right, bottom); None: no crop."""


def draw(narrated: Narrated, data: Data, seed: int, epoch: int, index: int) -> Draw:
    """The sample of a video, by its index in `narrated.videos`; the same for the same arguments.

    Seed, epoch and index are not negative.
    """
    return next(draws(narrated, data, seed, epoch, index))


def draws(narrated: Narrated, data: Data, seed: int, epoch: int, index: int) -> Iterator[Draw]:
    """`draw`, then what takes its place if it cannot be read: up to `ATTEMPTS` in all.

    The second is of another narration of the video, where it has one; the rest are of
    other videos, each another.
    """
    drawn = _generator(_SAMPLE, seed, epoch, index)
    for video, number in _candidates(narrated, index, drawn):
        yield _drawn(narrated.narration(video, number), data, drawn)


def order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The indexes 0 to count - 1 in the order of an epoch (count, int64)."""
    return _generator(_ORDER, seed, epoch).permutation(count)


def _candidates(
    narrated: Narrated, index: int, drawn: np.random.Generator
) -> Iterator[tuple[int, int]]:
    """Videos and numbers of their narrations: one to draw, and those to try instead."""
    count, videos = narrated.count(index), len(narrated.videos)
    number = int(drawn.integers(count))
    yield index, number
    left = ATTEMPTS - 1
    if count > 1:
        yield index, (number + 1 + int(drawn.integers(count - 1))) % count
        left -= 1
    if videos > 1:
        for step in drawn.choice(videos - 1, min(left, videos - 1), replace=False).tolist():
            video = (index + 1 + step) % videos
            yield video, int(drawn.integers(narrated.count(video)))


def _generator(*numbers: int) -> np.random.Generator:
    return np.random.default_rng(numbers)


def _drawn(narration: Narration, data: Data, drawn: np.random.Generator) -> Draw:
    """All numbers are drawn, used or not: a setting does not change what others draw."""
    place, mirrored, left, top = drawn.random(4)
    start = _start(narration, data, place)
    if data.keep != "nothing":
        start = math.floor(start + 0.5)
    return Draw(
        narration=narration,
        times=tuple((start + np.arange(data.frames) / data.fps).tolist()),
        flip=bool(data.flip and mirrored < 0.5),
        crop=(float(left), float(top)) if data.crop == "random" else None,
    )


def _start(narration: Narration, data: Data, place: float) -> float:
    """The time of the first frame; `place`, from 0 to 1, is where among those that may be."""
    start, end = _widened(narration, data.min_seconds)
    seconds = data.frames / data.fps
    if data.start == "around":
        return (start + end) / 2 - seconds / 2
    if data.start == "fixed":
        return start
    return start + place * max(0.0, end - seconds - start)


def _widened(narration: Narration, seconds: float) -> tuple[float, float]:
    """Start and end, at least so many seconds apart, from the start of the video on."""
    start, end = max(0.0, narration.start), narration.end
    missing = seconds - (end - start)
    if missing <= 0:
        return start, end
    start = max(0.0, start - missing / 2)
    return start, start + seconds
