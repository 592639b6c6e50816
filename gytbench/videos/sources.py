"""What gives frames by second."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gytbench.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image


IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
"""Of the images that a folder of frames may hold."""


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


def check_seconds(asked: Sequence[int], known: Sequence[int], where: Path) -> None:
    """Raises `InputError` for the first second that is asked for and has no frame."""
    for second in asked:
        if second not in known:
            has = f"its seconds are {known[0]} to {known[-1]}"
            raise InputError(f"has no frame of second {second}; {has}", where=str(where))
