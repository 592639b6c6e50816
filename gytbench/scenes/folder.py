"""A folder of videos, and the frames of the one that is wanted."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gytbench.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from gytbench.videos import FrameSource


class VideoFolder:
    """The videos of a folder by id: VIDEO.mp4 and the like, or a folder VIDEO of images."""

    def __init__(self, folder: Path) -> None:
        """Raises `InputError` where the folder cannot be read or PyAV is missing."""
        try:
            import av  # noqa: F401
            import PIL.Image  # noqa: F401
        except ImportError:
            raise InputError(
                "--videos needs PyAV and Pillow: pip install 'gytbench[video]'"
            ) from None
        from gytbench.videos import videos_by_id

        self._paths = videos_by_id(folder)

    def __contains__(self, video: str) -> bool:
        return video in self._paths

    def open(self, video: str) -> "FrameSource":
        """The frames of a video; raises `InputError` where there is none that can be opened."""
        from gytbench.videos import open_frames

        broken = InputError("no video of it in the folder")
        for path in self._paths.get(video, ()):
            try:
                return open_frames(path)
            except InputError as error:
                broken = error
        raise broken


class Frames:
    """Frames of one video for as long as there are any; `notes` says what is missing and why."""

    def __init__(self, folder: VideoFolder | None, video: str) -> None:
        """folder: None for no frames at all, without a note."""
        self.notes: list[str] = []
        self._source: FrameSource | None = None
        if folder is None:
            return
        try:
            self._source = folder.open(video)
        except InputError as error:
            self.notes.append(str(error))

    def at(self, seconds: Sequence[int]) -> "Iterator[Image | None]":
        """The frame of each of the ascending seconds, decoded in one pass; None where missing."""
        source = self._source
        if source is None:
            yield from [None] * len(seconds)
            return
        known = set(source.seconds)
        wanted = sorted(known.intersection(seconds))
        missing = len(set(seconds)) - len(wanted)
        if missing:
            self.notes.append(f"has no frame of {missing:,} of the seconds shown")
        frames = source.frames(wanted)
        latest: tuple[int, Image] | None = None
        for second in seconds:
            if second in known and (latest is None or latest[0] != second):
                latest = self._next(frames)
            yield latest[1] if latest is not None and latest[0] == second else None

    def _next(self, frames: "Iterator[tuple[int, Image]]") -> "tuple[int, Image] | None":
        """The next frame; None, and one note, from the first that cannot be decoded on."""
        try:
            return next(frames, None)
        except InputError as error:
            self.notes.append(str(error))
            return None
