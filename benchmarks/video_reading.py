"""One pass over a video for the seconds of all its clips, beside a whole decoding for each clip."""

import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import show, timed
from gytbench.videos import frames_at

SECONDS = 120
RATE = 25
SIZE = (640, 360)
CLIPS = 20
CLIP_SECONDS = 5

Frames = list[NDArray[np.uint8]]


def video_reading() -> None:
    """Make a video, read the annotated seconds of its clips both ways, print the table."""
    apart = SECONDS // CLIPS
    clips = [range(at, at + CLIP_SECONDS) for at in range(0, SECONDS, apart)]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "video.mp4"
        _write(path)
        ours, once = timed(lambda: _in_one_pass(path, clips))
        theirs, anew = timed(lambda: _a_decoding_each(path, clips), repeat=1)
    same = all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))
    show(
        f"{sum(map(len, clips))} seconds of {CLIPS} clips in a video of {SECONDS} s, "
        f"{SIZE[0]}x{SIZE[1]} at {RATE} frames a second, H.264",
        [
            ["gytbench: frames_at, one pass for all clips", once],
            ["the whole video decoded for each clip", anew],
        ],
        f"decoding for each clip / gytbench = {anew / once:.1f}, "
        f"frames {'equal' if same else 'DIFFERENT'}",
    )


def _in_one_pass(path: Path, clips: Sequence[range]) -> Frames:
    seconds = sorted({second for clip in clips for second in clip})
    return [np.asarray(image) for _, image in frames_at(path, seconds)]


def _a_decoding_each(path: Path, clips: Sequence[range]) -> Frames:
    """The frame at each whole second of each clip, of a video that is decoded to its end."""
    return [frame for clip in clips for frame in _decoded_whole(path, clip)]


def _decoded_whole(path: Path, clip: range) -> Frames:
    kept: Frames = []
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for number, frame in enumerate(container.decode(video=0)):
            if number % RATE == 0 and number // RATE in clip:
                kept.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
    return kept


def _write(path: Path) -> None:
    """A coarse pattern that drifts under a little noise, with a key frame every ten seconds."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (SIZE[1] // 20, SIZE[0] // 20, 3), dtype=np.uint8)
    scene = blocks.repeat(20, axis=0).repeat(20, axis=1)
    noise = rng.integers(0, 12, scene.shape, dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = 10 * RATE
        for number in range(SECONDS * RATE):
            pixels = np.roll(scene, number, axis=1) // 2 + np.roll(noise, 7 * number, axis=0)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
