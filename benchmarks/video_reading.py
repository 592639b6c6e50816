"""Frames of clips at 224x224: read in one pass and resized by the decoder, beside other ways."""

import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray
from PIL import Image

from benchmarks.measuring import show, timed
from gytbench.videos import frames_at, open_frames
from gytbench.videos.clips import clips

SECONDS = 120
RATE = 25
SIZE = (640, 360)
CLIPS = 20
CLIP_SECONDS = 5
INPUT = (224, 224)
"""What frames are stretched to."""

SCALING = (
    Interpolation.BICUBIC
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.ACCURATE_RND
)

Frames = NDArray[np.uint8]


def video_reading() -> None:
    """Make a video, read a frame a second of its clips in each way, print the table."""
    starts = range(0, SECONDS, SECONDS // CLIPS)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "video.mp4"
        write_video(path)
        ours, once = timed(lambda: _in_one_pass(path, starts))
        resized, after = timed(lambda: _resized_afterwards(path, starts))
        theirs, anew = timed(lambda: _a_decoding_each(path, starts), repeat=1)
    # The last clip ends before the video does, and reading with it.
    decoded = (starts[-1] + CLIP_SECONDS) * RATE
    show(
        f"A frame a second of {CLIPS} clips of {CLIP_SECONDS} s at {INPUT[0]}x{INPUT[1]}, "
        f"of a video of {SECONDS} s, {SIZE[0]}x{SIZE[1]} at {RATE} frames a second, H.264",
        [
            ["gytbench: clips, one pass, resized in the decoder", once],
            ["frames_at, one pass, resized with Pillow afterwards", after],
            ["the whole video decoded for each clip", anew],
        ],
        f"gytbench reads {decoded / once:,.0f} source frames a second",
        f"decoding for each clip / gytbench = {anew / once:.1f}, {_apart(ours, theirs)}",
        f"resizing with Pillow / gytbench = {after / once:.2f}, {_apart(ours, resized)}",
    )


def _apart(ours: Frames, others: Frames) -> str:
    """How far two readings differ, of 255."""
    return f"pixels apart by {np.abs(np.subtract(ours, others, dtype=int)).mean():.2f} on average"


def _in_one_pass(path: Path, starts: Sequence[int]) -> Frames:
    return np.stack(list(clips(open_frames(path), starts, range(CLIP_SECONDS), INPUT)))


def _resized_afterwards(path: Path, starts: Sequence[int]) -> Frames:
    seconds = [second for start in starts for second in range(start, start + CLIP_SECONDS)]
    frames = [
        np.asarray(image.resize(INPUT, Image.Resampling.BICUBIC))
        for _, image in frames_at(path, seconds)
    ]
    return np.stack(frames).reshape(len(starts), CLIP_SECONDS, *frames[0].shape)


def _a_decoding_each(path: Path, starts: Sequence[int]) -> Frames:
    """The frame at each whole second of each clip, of a video that is decoded to its end."""
    return np.stack([_decoded_whole(path, range(start, start + CLIP_SECONDS)) for start in starts])


def _decoded_whole(path: Path, clip: range) -> Frames:
    kept = []
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for number, frame in enumerate(container.decode(video=0)):
            if number % RATE == 0 and number // RATE in clip:
                width, height = INPUT
                small = frame.reformat(width, height, "rgb24", interpolation=SCALING)
                kept.append(np.asarray(small.to_ndarray(), np.uint8))
    return np.stack(kept)


def write_video(path: Path, seconds: int = SECONDS) -> None:
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
        for number in range(seconds * RATE):
            pixels = np.roll(scene, number, axis=1) // 2 + np.roll(noise, 7 * number, axis=0)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
