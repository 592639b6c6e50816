"""Small videos and images whose grey says which second they show."""

import io
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

CORNER = 240
"""The grey of the square at the top left, which tells how a frame is turned."""


def grey(time: float) -> int:
    """The grey of the frame that starts at a time."""
    return 30 + 20 * int(time)


def picture(time: float, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """RGB pixels (height, width, 3) of that grey, with the corner."""
    pixels = np.full((size[1], size[0], 3), grey(time), np.uint8)
    pixels[:12, :12] = CORNER
    return pixels


def steady(seconds: int, rate: int = 10) -> list[float]:
    """The times of the frames at a steady rate."""
    return [number / rate for number in range(seconds * rate)]


def write_video(
    path: Path,
    times: Iterable[float],
    size: tuple[int, int] = (64, 48),
    codec: str = "",
    turned: int = 0,
    unit: Fraction = Fraction(1, 1000),
    draw: Callable[[float, tuple[int, int]], np.ndarray] = picture,
) -> Path:
    """A video with a frame at each of the times, a key frame each 25, and a rotation flag.

    Times are rounded to the unit, in seconds; the container may round them again.
    """
    codec = codec or ("libx264" if "libx264" in av.codecs_available else "mpeg4")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=1 / unit)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = 25
        if turned:
            stream.set_display_rotation(turned)
        for time in times:
            frame = av.VideoFrame.from_ndarray(draw(time, size), format="rgb24")
            frame.pts, frame.time_base = round(Fraction(time) / unit), unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_sizes(path: Path, sizes: Iterable[tuple[int, int]]) -> Path:
    """A video whose frames are of these sizes, one a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.pix_fmt = "yuvj420p"
        for second, size in enumerate(sizes):
            if not second:
                stream.width, stream.height = size
            content = io.BytesIO()
            Image.fromarray(picture(second, size)).save(content, "JPEG", quality=95)
            packet = av.Packet(content.getvalue())
            packet.stream, packet.time_base = stream, Fraction(1)
            packet.pts = packet.dts = second
            packet.duration, packet.is_keyframe = 1, True
            container.mux(packet)
    return path


def write_image(path: Path, time: float = 0, size: tuple[int, int] = (64, 48)) -> Path:
    """An image of the grey of a time."""
    Image.fromarray(picture(time, size)).save(path)
    return path


def write_sound(path: Path) -> Path:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        silence = np.zeros((1, 44100), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def level(image: Image.Image, x: int, y: int) -> int:
    """The grey of a pixel; negative counts from the right and the bottom."""
    pixel = image.convert("L").getpixel((x % image.width, y % image.height))
    assert isinstance(pixel, int)
    return pixel
