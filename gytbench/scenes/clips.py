"""Images as a short clip. Needs PyAV and Pillow."""

import io
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.error import FFmpegError
from PIL import Image

from gytbench.errors import InputError

if TYPE_CHECKING:
    from av.video import VideoStream

PER_SECOND = 2
"""Images a second: each is shown for half a second."""

_KEY_FRAMES = 10
"""Images from one key frame to the next, so that a player can jump to it."""


def clip_of(images: Iterable[Image.Image]) -> bytes:
    """An MP4 file (H.264 where the encoder is there, else MPEG-4) with a frame for each image.

    images: all of one size, even on both sides. Raises InputError where there is none, or
    where they cannot be encoded.
    """
    remaining = iter(images)
    first = next(remaining, None)
    if first is None:
        raise InputError("nothing is true or predicted in the video: no clip to write")
    content = io.BytesIO()
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    try:
        with av.open(content, "w", format="mp4") as container:
            stream = cast("VideoStream", container.add_stream(codec, rate=PER_SECOND))
            stream.width, stream.height = first.size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.gop_size = _KEY_FRAMES
            for image in chain((first,), remaining):
                frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    except FFmpegError as error:
        raise InputError(f"the clip cannot be encoded: {error.strerror or error}") from None
    return content.getvalue()
