"""What gives frames by second, or at any times."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from gytbench.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image


IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
"""Of the images that a folder of frames may hold."""

ROUNDING = 0.000501
"""Seconds by which a frame may start after the time that it is shown at.

Matroska stores times in whole milliseconds, so that a frame of 29.97 a second may
start half a millisecond late; the rest is for times that are no exact floats.
"""


class EncodedImage(NamedTuple):
    """An image as a browser takes it: its MIME type and its bytes."""

    content_type: str
    data: bytes


class FrameSource(Protocol):
    """The frames of one video, by whole second. Its methods may be called from any thread."""

    @property
    def video(self) -> str:
        """The video's id."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of every frame in pixels, turned as it is shown."""

    @property
    def seconds(self) -> Sequence[int]:
        """The whole seconds that have a frame, ascending."""

    @property
    def steps(self) -> Mapping[int, Sequence[str]]:
        """The steps that the source itself names for a second; mostly none."""

    def image(self, second: int) -> EncodedImage:
        """The frame of a second, of `size`.

        Raises `InputError` where the second has no frame or the frame cannot be decoded.
        """

    def frames(self, seconds: Sequence[int]) -> "Iterator[tuple[int, Image]]":
        """Each of the ascending seconds with its frame (RGB, of `size`), decoded in one pass.

        Raises as `image` does.
        """

    def sampled(self, times: Sequence[float], size: tuple[int, int]) -> Iterator[np.ndarray]:
        """The frame shown at each time, as uint8 RGB: height x width x 3.

        Times are in seconds after the first frame and ascend; equal ones may repeat.
        Before the first frame it is the first, after the last the last. `size` is width
        and height in pixels, to which a frame is stretched whatever its shape. All are
        decoded in one pass, and only the frames that are asked for are converted: where
        two times show the same frame, the same array may come again, so do not write to it.

        Raises `InputError` where nothing can be decoded, and ValueError for times that
        do not ascend or are not finite.
        """


def check_seconds(asked: Sequence[int], known: Sequence[int], where: Path) -> None:
    """Raises `InputError` for the first second that is asked for and has no frame."""
    for second in asked:
        if second not in known:
            has = f"its seconds are {known[0]} to {known[-1]}"
            raise InputError(f"has no frame of second {second}; {has}", where=str(where))


def check_times(times: Sequence[float]) -> None:
    """Raises ValueError for times that do not ascend or are not finite."""
    if not all(math.isfinite(time) for time in times):
        raise ValueError("times must be finite")
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError("times must ascend")


def image_paths(folder: Path) -> list[Path]:
    """The images of a folder by name, hidden ones left out.

    Raises `InputError` where the folder cannot be read or has none.
    """
    try:
        paths = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(folder)) from None
    images = [
        path
        for path in paths
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    ]
    if not images:
        raise InputError("has no images (.jpg, .jpeg, .png or .webp)", where=str(folder))
    return images
