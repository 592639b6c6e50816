"""What gives frames by second, and how it is opened."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gytbench.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image


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


def open_frames(path: Path) -> FrameSource:
    """The frames of a video file or of a folder of images.

    Raises `InputError` where the path leads to neither, cannot be decoded, or
    where PyAV and Pillow are not installed.
    """
    try:
        from gytbench.videos.folders import ImageFolder
        from gytbench.videos.frames import VideoFile
    except ImportError:
        hint = "needs PyAV and Pillow: pip install 'gytbench[video]'"
        raise InputError(hint, where=str(path)) from None
    if not path.is_dir() and not path.is_file():
        raise InputError("no such video file or folder of images", where=str(path))
    source: FrameSource = ImageFolder(path) if path.is_dir() else VideoFile(path)
    if not source.video.isprintable():
        raise InputError("its name cannot be printed; rename it to the video's id", where=str(path))
    return source


def frames_at(path: Path, seconds: Sequence[int]) -> "Iterator[tuple[int, Image]]":
    """Each of the ascending seconds with its frame in RGB; see `FrameSource.frames`."""
    return open_frames(path).frames(seconds)


def check_seconds(asked: Sequence[int], known: Sequence[int], where: Path) -> None:
    """Raises `InputError` for the first second that is asked for and has no frame."""
    for second in asked:
        if second not in known:
            has = f"its seconds are {known[0]} to {known[-1]}"
            raise InputError(f"has no frame of second {second}; {has}", where=str(where))
