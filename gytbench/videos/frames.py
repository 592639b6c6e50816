"""Frames of a video file, decoded with PyAV.

The frame of second t is the one shown at time t after the start of the video
stream: the last whose timestamp is not after t, and before the first frame the
first. Frame rates may vary. A rotation flag is applied; pixels that are not
square are left as they are, because points are given in pixels.
"""

import io
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av
from av.error import FFmpegError, InvalidDataError
from PIL import Image

from gytbench.errors import InputError
from gytbench.videos.sources import EncodedImage, check_seconds

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video import VideoFrame, VideoStream

_JPEG_QUALITY = 92

# A playlist may name other files and addresses; only the file itself is opened.
_OPTIONS = {"protocol_whitelist": "file"}

# Where a seek lands too late (it goes by decoding time), it is tried from further back.
_SECONDS_BACK = (0, 1, 10)

_TURNS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}


class _Timed(NamedTuple):
    """A frame and its time in seconds after the start of the stream."""

    time: Fraction
    frame: "VideoFrame"


class VideoFile:
    """The frames of a video file; see `gytbench.videos.FrameSource`.

    Keeps no file open. Opening reads through the whole file once, undecoded, so
    that a file cut off in the middle has as many seconds as it really holds.
    """

    def __init__(self, path: Path) -> None:
        """Raises `InputError` where the file is no video or no frame of it can be decoded."""
        self._path = path
        self.video = path.stem
        self.steps: Mapping[int, Sequence[str]] = {}
        with _opened(path) as (container, stream):
            self._start, count = _extent(container, stream, path)
        self.seconds: Sequence[int] = range(count)
        with closing(self._timed(0)) as frames:
            self.size: tuple[int, int] = _upright(next(frames).frame).size

    def image(self, second: int) -> EncodedImage:
        """The frame of a second as JPEG; raises `InputError` where there is none."""
        content = io.BytesIO()
        for _, image in self.frames([second]):
            image.save(content, "JPEG", quality=_JPEG_QUALITY)
        return EncodedImage("image/jpeg", content.getvalue())

    def frames(self, seconds: Sequence[int]) -> Iterator[tuple[int, Image.Image]]:
        """Each of the ascending seconds with its frame in RGB, in one pass over the file."""
        check_seconds(seconds, self.seconds, self._path)
        if not seconds:
            return
        with closing(self._timed(seconds[0])) as timed:
            for second, frame in _shown(timed, seconds):
                image = _upright(frame)
                # The size may change within a stream; points are given in that of the start.
                yield second, image if image.size == self.size else image.resize(self.size)

    def _timed(self, second: int) -> Generator[_Timed, None, None]:
        """The frames from one at or before the second on; at least one."""
        for back in (*_SECONDS_BACK, second):
            target = second - back
            with _opened(self._path) as (container, stream):
                # Not every format can be searched, but each can be read from its start.
                if target > 0:
                    offset = int(target / _time_base(stream))
                    with suppress(FFmpegError):
                        container.seek(self._start + offset, stream=stream)
                frames = _decoded(container, stream, self._start)
                first = next(frames, None)
                if first and (first.time <= second or target <= 0):
                    yield first
                    yield from frames
                    return
        raise InputError("no frame of it can be decoded", where=str(self._path))


@contextmanager
def _opened(path: Path) -> "Iterator[tuple[InputContainer, VideoStream]]":
    """The container and its first video stream; faults of decoding become `InputError`."""
    try:
        # "file:", or a name with a colon in it would be taken for a network address.
        with av.open(f"file:{path}", metadata_errors="ignore", options=_OPTIONS) as container:
            if not container.streams.video:
                raise InputError("has no video stream", where=str(path))
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield container, stream
    except FFmpegError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot be decoded as a video: {reason}", where=str(path)) from None


def _extent(container: "InputContainer", stream: "VideoStream", path: Path) -> tuple[int, int]:
    """Where the stream starts, in its time base, and how many seconds have a frame."""
    first, last, end = None, 0, 0
    try:
        for packet in container.demux(stream):
            at = packet.dts if packet.pts is None else packet.pts
            # Packets that are only decoded for later ones show nothing.
            if at is None or packet.is_discard:
                continue
            first = at if first is None else min(first, at)
            last, end = max(last, at), max(end, at + (packet.duration or 0))
    except FFmpegError:
        pass  # cut off: what came before counts
    if first is None:
        raise InputError("has no frame with a time", where=str(path))
    base = _time_base(stream)
    return first, max(math.floor((last - first) * base) + 1, math.ceil((end - first) * base))


def _decoded(container: "InputContainer", stream: "VideoStream", start: int) -> Iterator[_Timed]:
    """The frames from where the container stands; broken ones are left out."""
    base = _time_base(stream)
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except InvalidDataError:
                continue
            for frame in frames:
                at = frame.dts if frame.pts is None else frame.pts
                if at is not None:
                    yield _Timed((at - start) * base, frame)
    except FFmpegError:
        return  # cut off: what came before counts


def _shown(frames: Iterator[_Timed], seconds: Sequence[int]) -> "Iterator[tuple[int, VideoFrame]]":
    """Each second with the last frame not after it, and before the first frame the first."""
    pending = list(reversed(seconds))
    shown = None
    for time, frame in frames:
        while pending and time > pending[-1]:
            yield pending.pop(), shown or frame
        if not pending:
            return
        shown = frame
    while pending and shown:
        yield pending.pop(), shown


def _upright(frame: "VideoFrame") -> Image.Image:
    """The frame in RGB, turned as its rotation flag says, to the nearest quarter."""
    image = Image.fromarray(frame.to_ndarray(format="rgb24"))
    turn = round(frame.rotation / 90) % 4 * 90
    return image.transpose(_TURNS[turn]) if turn else image


def _time_base(stream: "VideoStream") -> Fraction:
    """Seconds per unit of the stream's timestamps."""
    return Fraction(stream.time_base or 1)
