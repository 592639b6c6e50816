"""The frames of a path: those of a video file or of a folder of images."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gytbench.errors import InputError
from gytbench.videos.sources import IMAGE_SUFFIXES, FrameSource

if TYPE_CHECKING:
    from PIL.Image import Image


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


def listed_videos(folder: Path) -> list[Path]:
    """What may be a video in a folder of videos, by name: files, and folders of images.

    Hidden files and single pictures, such as a preview beside its video, are left out.
    Raises `InputError` where the folder cannot be read.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(folder)) from None
    return [
        path
        for path in paths
        if not path.name.startswith(".") and path.suffix.lower() not in IMAGE_SUFFIXES
    ]


def videos_by_id(folder: Path) -> dict[str, list[Path]]:
    """What may be each video of a folder, by the id that it is named for; as `listed_videos`."""
    found: dict[str, list[Path]] = {}
    for path in listed_videos(folder):
        found.setdefault(path.stem, []).append(path)
    return found


def frames_at(path: Path, seconds: Sequence[int]) -> "Iterator[tuple[int, Image]]":
    """Each of the ascending seconds with its frame in RGB; see `FrameSource.frames`."""
    return open_frames(path).frames(seconds)
