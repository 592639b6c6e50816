"""The frames of videos kept on disk as pixels: each second is decoded once.

For videos that are small or few, and for a backbone that is trained: what it says of a
frame changes, the frame does not.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from gytbench.errors import InputError
from gytbench.training.clips import ClipReader
from gytbench.training.config import Data
from gytbench.training.narrations import Narrated
from gytbench.videos import content_hash, open_frames
from gytbench.writing import open_whole

_SECOND, _FRAME = "second", "frame"


def _row(size: int) -> np.dtype:
    """A second and its frame, size x size x 3, uint8 RGB."""
    return np.dtype([(_SECOND, np.int64), (_FRAME, np.uint8, (size, size, 3))])


class KeptFrames:
    """The frames of one video at whole seconds, in one size."""

    def __init__(self, rows: np.ndarray) -> None:
        """`rows`: one for each second, ascending, of the type `_row`."""
        self._frames, self._first = rows[_FRAME], int(rows[_SECOND][0])
        self.seconds: Sequence[int] = range(self._first, self._first + len(rows))
        self.size: tuple[int, int] = (self._frames.shape[2], self._frames.shape[1])

    def sampled(self, times: Sequence[float], size: tuple[int, int]) -> Iterator[np.ndarray]:
        """The frame of each time, a whole second of the video; `size` is the kept one."""
        assert size == self.size
        for time in times:
            yield self._frames[round(time) - self._first]


class PixelReader(ClipReader):
    """Reads samples of frames that it keeps; may be pickled for other processes.

    A file has all frames of a video, from its first second on, and is named for the video's
    content and the size of frames. Several processes may share the folder.
    """

    def __init__(self, narrated: Narrated, data: Data, size: int, folder: Path) -> None:
        """`size` as for `ClipReader`. Raises `InputError` where the folder cannot be made."""
        super().__init__(narrated, data, size)
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot be made: {error.strerror}", where=str(folder)) from None

    def _open(self, video: str) -> KeptFrames:
        path = self.narrated.file(video)
        row = _row(self.size)
        key = hashlib.sha256(f"{row} {content_hash(path)}".encode()).hexdigest()[:32]
        kept = self._folder / f"{video}.{key}.npy"
        with suppress(OSError, ValueError, EOFError):
            found = np.load(kept, mmap_mode="r", allow_pickle=False)
            if isinstance(found, np.ndarray) and found.dtype == row and found.size:
                return KeptFrames(found)
        source = open_frames(path)
        seconds = range(source.seconds[0], source.seconds[-1] + 1)
        rows = np.empty(len(seconds), row)
        rows[_SECOND] = seconds
        pictures = source.sampled(list(seconds), (self.size, self.size))
        for place, picture in enumerate(pictures):
            rows[_FRAME][place] = picture
        with open_whole(kept) as file:
            np.save(file, rows, allow_pickle=False)
        return KeptFrames(rows)
