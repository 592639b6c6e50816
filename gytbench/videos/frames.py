"""Frames of a video file, decoded with PyAV.

The frame at time t is the one shown t seconds after the start of the video stream:
the last whose timestamp is not after t, but for the rounding of timestamps, and
before the first frame the first. Frame rates may vary. A rotation flag is applied;
pixels that are not square are left as they are, because points are given in pixels.
"""

import io
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np
from av.error import FFmpegError, InvalidDataError
from av.video.reformatter import VideoReformatter
from PIL import Image

from gytbench.errors import InputError
from gytbench.videos.sources import ROUNDING, EncodedImage, check_seconds, check_times

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.video import VideoFrame, VideoStream

_JPEG_QUALITY = 92

# A playlist may name other files and addresses; only the file itself is opened.
_OPTIONS = {"protocol_whitelist": "file"}

# Where a seek lands too late (it goes by decoding time), it is tried from further back.
_SECONDS_BACK = (0, 1, 10)

# swscale's bicubic filter, widened as it shrinks, with full chroma and exact rounding: within
# half a grey of Pillow's on average. Without the three flags pictures come out 1.5 darker.
# The values are those of swscale.h; PyAV 14 has no names for the flags.
_BICUBIC = 0x4
_FULL_CHROMA = 0x2000 | 0x4000
_ACCURATE_ROUNDING = 0x40000
_SCALING = _BICUBIC | _FULL_CHROMA | _ACCURATE_ROUNDING


class _Timed(NamedTuple):
    """A frame and its time in seconds after the start of the stream."""

    time: float
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
            first = next(frames).frame
        sides = (first.width, first.height)
        self.size: tuple[int, int] = _turned(sides, _quarter_turns(first))

    def image(self, second: int) -> EncodedImage:
        """The frame of a second as JPEG; raises `InputError` where there is none."""
        content = io.BytesIO()
        for _, image in self.frames([second]):
            image.save(content, "JPEG", quality=_JPEG_QUALITY)
        return EncodedImage("image/jpeg", content.getvalue())

    def frames(self, seconds: Sequence[int]) -> Iterator[tuple[int, Image.Image]]:
        """Each of the ascending seconds with its frame in RGB, in one pass over the file."""
        check_seconds(seconds, self.seconds, self._path)
        # The size may change within a stream; points are given in that of the start.
        for second, pixels in zip(seconds, self.sampled(seconds, self.size), strict=True):
            yield second, Image.fromarray(pixels)

    def sampled(self, times: Sequence[float], size: tuple[int, int]) -> Iterator[np.ndarray]:
        """The frame shown at each time, resized as it is converted; see `FrameSource`."""
        check_times(times)
        if not times:
            return
        scaler = VideoReformatter()
        converted = None
        with closing(self._timed(max(0, math.floor(times[0])))) as timed:
            for frame in _shown(timed, times):
                if frame is not converted:
                    pixels = self._pixels(frame, size, scaler)
                    converted = frame
                yield pixels

    def _pixels(
        self, frame: "VideoFrame", size: tuple[int, int], scaler: VideoReformatter
    ) -> np.ndarray:
        """The frame in RGB, turned as its rotation flag says, to the nearest quarter."""
        turns = _quarter_turns(frame)
        width, height = _turned(size, turns)
        try:
            image = scaler.reformat(frame, width, height, "rgb24", interpolation=_SCALING)
        except FFmpegError as error:
            reason = f"a frame of it cannot be converted to RGB: {error.strerror or error}"
            raise InputError(reason, where=str(self._path)) from None
        return np.ascontiguousarray(np.rot90(image.to_ndarray(), turns))

    def _timed(self, second: int) -> Generator[_Timed, None, None]:
        """The frames from one at or before the second on; at least one."""
        for back in (*_SECONDS_BACK, second):
            target = second - back
            with _opened(self._path) as (container, stream):
                sought = target > 0 and _seek(container, stream, self._start, target)
                frames = _decoded(container, stream, self._start, sought)
                first = next(frames, None)
                if first and (first.time <= second + ROUNDING or target <= 0):
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
            at = _stamp(packet)
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


def _seek(container: "InputContainer", stream: "VideoStream", start: int, second: int) -> bool:
    """Go to a second; not every format can be searched, but each can be read from its start."""
    with suppress(FFmpegError):
        container.seek(start + int(second / _time_base(stream)), stream=stream)
        return True
    return False


def _decoded(
    container: "InputContainer", stream: "VideoStream", start: int, sought: bool
) -> Iterator[_Timed]:
    """The frames from where the container stands; broken ones are left out.

    After a seek they begin at a key frame: MPEG-TS may lead to any frame, and some
    decoders make up what a frame is based on.
    """
    base = float(_time_base(stream))
    earliest = None if sought else -math.inf
    try:
        for packet in container.demux(stream):
            if earliest is None and packet.is_keyframe:
                earliest = _stamp(packet)
            if earliest is None:
                continue
            try:
                frames = packet.decode()
            except InvalidDataError:
                continue
            for frame in frames:
                at = _stamp(frame)
                if at is not None and at >= earliest:
                    yield _Timed((at - start) * base, frame)
    except FFmpegError:
        return  # cut off: what came before counts


def _stamp(timed: "Packet[VideoStream] | VideoFrame") -> int | None:
    """The time of a packet or frame in its stream's time base; AVI has that of decoding only."""
    at: int | None = timed.dts if timed.pts is None else timed.pts
    return at


def _shown(frames: Iterator[_Timed], times: Sequence[float]) -> "Iterator[VideoFrame]":
    """For each time the last frame not after it, and before the first frame the first."""
    pending = [time + ROUNDING for time in reversed(times)]
    shown = None
    for time, frame in frames:
        while pending and time > pending[-1]:
            pending.pop()
            yield shown or frame
        if not pending:
            return
        shown = frame
    for _ in pending:
        if shown:
            yield shown


def _quarter_turns(frame: "VideoFrame") -> int:
    """How many times the frame is to be turned by 90 degrees, counterclockwise."""
    return round(frame.rotation / 90) % 4


def _turned(size: tuple[int, int], turns: int) -> tuple[int, int]:
    """Width and height after quarter turns."""
    return size[::-1] if turns % 2 else size


def _time_base(stream: "VideoStream") -> Fraction:
    """Seconds per unit of the stream's timestamps."""
    return Fraction(stream.time_base or 1)
