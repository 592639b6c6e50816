"""Short videos for the demo benchmark: something moves where its annotators pointed."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.errors import InputError
from gytbench.writing import open_whole

if TYPE_CHECKING:
    from av.video import VideoStream

RATE = 4
"""Frames a second."""

_SCALE = 0.25
"""Of the annotation frame: the videos are 160x120, one of them upright."""

_AFTER = 2
"""Seconds after the last instance."""

_RADIUS, _SWING = 9, 5
"""Pixels: of the disc, and how far it swings to either side of its place."""


def write_videos(benchmark: Benchmark, folder: Path) -> None:
    """Write an H.264 video (else MPEG-4) for every video of the demo benchmark.

    Raises `InputError` where PyAV is missing, or the folder cannot be written to.
    """
    _check_av()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made: {error.strerror}", where=str(folder)) from None
    for video in benchmark.videos:
        width, height = (round(side * _SCALE) for side in benchmark.frames[video])
        frames = _frames(benchmark, video, width, height)
        write_video(folder / f"{video}.mp4", (width, height), frames, RATE)


def _frames(benchmark: Benchmark, video: str, width: int, height: int) -> Iterator[np.ndarray]:
    """RGB pixels, frame by frame: a still background, and a disc that swings while it acts."""
    instances = [i for i in benchmark.instances if i.video == video]
    places = {p.second: (p.x * _SCALE, p.y * _SCALE) for p in benchmark.points if p.video == video}
    acting = {second for i in instances for second in i.seconds()}
    still = _background(width, height, seed=benchmark.videos.index(video))
    rows, columns = np.mgrid[:height, :width]
    for number in range(round(max(i.end for i in instances) + _AFTER) * RATE):
        second = number // RATE
        picture = still.copy()
        if second in acting and second in places:
            x, y = places[second]
            swing = _SWING if number % 2 else -_SWING
            disc = (columns - x - swing) ** 2 + (rows - y) ** 2 <= _RADIUS**2
            picture[disc] = (235, 200, 60)
        yield picture


def _background(width: int, height: int, seed: int) -> np.ndarray:
    """A worktop: a soft gradient, and a few plates that lie still."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    shade = 90 + 50 * columns / width + 40 * rows / height
    picture = np.stack([shade, shade * 0.9, shade * 0.8], axis=-1)
    for _ in range(4):
        x, y, radius = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(8, 18)
        picture[(columns - x) ** 2 + (rows - y) ** 2 <= radius**2] = rng.uniform(60, 220, 3)
    return picture.astype(np.uint8)


def write_video(path: Path, size: tuple[int, int], frames: Iterable[np.ndarray], rate: int) -> None:
    """Write RGB pixels (height x width x 3, uint8) as H.264, where that is missing as MPEG-4.

    size: width and height, both even. rate: frames a second. Raises `InputError` where PyAV
    is missing, or the file cannot be written.
    """
    _check_av()
    import av

    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with open_whole(path) as file, av.open(file, "w", format="mp4") as container:
        stream = cast("VideoStream", container.add_stream(codec, rate=rate))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        # With several, the same pictures do not always come to the same bytes.
        stream.thread_count = 1
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _check_av() -> None:
    if find_spec("av") is None:
        raise InputError("needs PyAV: pip install 'gytbench[video]'")
