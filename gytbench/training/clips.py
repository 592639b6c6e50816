"""The frames of a sample: decoded, cropped and mirrored as they were drawn."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from gytbench.errors import InputError
from gytbench.training.config import Data
from gytbench.training.drawing import Draw, draws
from gytbench.training.narrations import Narrated
from gytbench.training.samples import Sample
from gytbench.videos import open_frames

# Opening reads through a file; what is kept of one is about a kilobyte.
_KEPT = 256


class Frames(Protocol):
    """What is read of a video: a part of `FrameSource`."""

    @property
    def seconds(self) -> Sequence[int]:
        """The whole seconds that have a frame, ascending."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    def sampled(self, times: Sequence[float], size: tuple[int, int]) -> Iterator[np.ndarray]:
        """The frame of each of the ascending times; see `FrameSource.sampled`."""


class ClipReader:
    """Reads samples; may be pickled for other processes.

    Keeps what it found out on opening the last few hundred videos, and no file open.
    """

    def __init__(self, narrated: Narrated, data: Data, size: int) -> None:
        """`size` is the width and height of a sample's frames in pixels."""
        self.narrated, self.data, self.size = narrated, data, size
        self._sources: OrderedDict[str, Frames] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_sources": OrderedDict()}

    def read(self, draw: Draw) -> Sample:
        """The sample: U x size x size x 3, uint8 RGB; black where there is no frame.

        With a crop, frames are not scaled, but for sides shorter than `size`, which are
        stretched to it; without, the whole frame is stretched.

        Raises `InputError` that names the video where it cannot be opened or decoded, and
        where the narration or all the frames are outside it.
        """
        present = self.present(draw)
        frames = np.zeros((len(draw.times), self.size, self.size, 3), np.uint8)
        source = self._opened(draw.narration.video)
        size, (left, top) = self._square(source, draw)
        wanted = np.flatnonzero(present).tolist()
        pictures = source.sampled([draw.times[place] for place in wanted], size)
        for place, pixels in zip(wanted, pictures, strict=True):
            square = pixels[top : top + self.size, left : left + self.size]
            frames[place] = square[:, ::-1] if draw.flip else square
        return Sample(self.name(draw), draw.narration.text, present, frames)

    def present(self, draw: Draw) -> np.ndarray:
        """Which of the frames are in the video (U, bool); raises as `read`. Decodes nothing.

        A video ends a whole second after its last whole second that has a frame.
        """
        first, last = self._first_and_last(draw)
        end = last + 1
        if draw.narration.start >= end:
            reason = f"the narration starts after the video's end at {end} s"
            raise InputError(reason, where=self._where(draw))
        times = np.array(draw.times)
        present: np.ndarray = (first <= times) & (times < end)
        if not present.any():
            reason = (
                f"no frame: those drawn are from {times[0]:.1f} to {times[-1]:.1f} s, "
                f"the video's from {first} to {end} s"
            )
            raise InputError(reason, where=self._where(draw))
        return present

    def name(self, draw: Draw) -> str:
        """What messages call a draw: the file's name and the narration's seconds."""
        video, start, end, _ = draw.narration
        return f"{self.narrated.file(video).name}, {start:.1f} to {end:.1f} s"

    def _where(self, draw: Draw) -> str:
        _, start, end, _ = draw.narration
        return f"{self.narrated.file(draw.narration.video)}, {start:.1f} to {end:.1f} s"

    def _first_and_last(self, draw: Draw) -> tuple[int, int]:
        """The first and the last whole second of the video that has a frame."""
        seconds = self._opened(draw.narration.video).seconds
        return seconds[0], seconds[-1]

    def _square(self, source: Frames, draw: Draw) -> tuple[tuple[int, int], tuple[int, int]]:
        """The size that frames are decoded to, and the left and top corner of the square."""
        if draw.crop is None:
            return (self.size, self.size), (0, 0)
        width, height = (max(side, self.size) for side in source.size)
        left, top = (
            min(int(place * (side - self.size + 1)), side - self.size)
            for place, side in zip(draw.crop, (width, height), strict=True)
        )
        return (width, height), (left, top)

    def _opened(self, video: str) -> Frames:
        """The frames of a video; only the last few are kept."""
        source = self._sources.pop(video, None) or self._open(video)
        self._sources[video] = source
        if len(self._sources) > _KEPT:
            self._sources.popitem(last=False)
        return source

    def _open(self, video: str) -> Frames:
        return open_frames(self.narrated.file(video))


class Read(NamedTuple):
    """A sample, and why those drawn before it could not be read."""

    sample: Sample
    failures: tuple[str, ...]


class Clips:
    """A sample for each video and epoch; one that cannot be read is replaced by another.

    What it gives depends on the seed, the epoch and the index alone. May be pickled.
    """

    def __init__(self, reader: ClipReader, seed: int) -> None:
        self.reader, self.seed = reader, seed

    def __len__(self) -> int:
        return len(self.reader.narrated.videos)

    def sample(self, epoch: int, index: int) -> Read:
        """The sample of a video in an epoch, or what takes its place.

        Raises `InputError` where none of `drawing.ATTEMPTS` draws can be read.
        """
        failures: list[str] = []
        reader = self.reader
        for draw in draws(reader.narrated, reader.data, self.seed, epoch, index):
            try:
                return Read(reader.read(draw), tuple(failures))
            except InputError as error:
                failures.append(str(error))
        reason = f"no sample could be read in {len(failures)} attempts; the last: {failures[-1]}"
        raise InputError(reason)
