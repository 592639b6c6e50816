"""Motion: a floor for places, which sees changes between frames and nothing else."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gytbench.grounding.contract import Features, NoSettings, Sampling, Setup, Stretch
from gytbench.metrics.arrays import Floats

_WIDTH, _HEIGHT = 96, 72
_GREY = np.array([299, 587, 114])
"""Red, green and blue in thousandths; whole numbers, so that equal pixels stay equal."""
_SHIFTS = 4
"""Peaks of the correlation that are tried; a large object may make the highest one."""
_FARTHEST = 4
"""A shift of more than one part in so many of the frame is not taken for the camera's."""
_RADIUS = 4
"""Of the box that smooths, in pixels."""
_CELL = 4
"""Width and height of a map's cell in pixels."""


class MotionGrounder:
    """What moves against the background: a floor from real pixels, blind to the query.

    Three frames half a second apart, the middle one at the start of its second, are
    made grey. The camera's shift between the middle frame and either of the others is
    undone, and of the two absolute differences the smaller one counts, pixel by pixel:
    it is high where the middle frame differs from both (three-frame differencing).

    The shift comes from phase correlation (Kuglin and Hines 1975): of its highest peaks,
    and of no shift, the one after which the median difference is the smallest. Turning
    and zooming are not undone. A query changes nothing, and there is no score of
    seconds: this system cannot say when.
    """

    Settings: ClassVar = NoSettings
    extra: ClassVar[str] = "video"
    roles: ClassVar[dict[str, str]] = {}

    def __init__(self, settings: NoSettings, setup: Setup) -> None:
        """There is nothing to load."""

    @property
    def sampling(self) -> Sampling:
        """A clip for each second: half a second before it, its start, half a second after."""
        return Sampling(size=(_WIDTH, _HEIGHT), frames=3, fps=2.0, lead=1)

    def encode(self, clips: np.ndarray) -> Features:
        """`map`, n x 18 x 24 float32, at least 0: mean change, in grey levels of 255."""
        grey = clips.astype(np.float64) @ _GREY / 1000
        changes = [_change(*frames) for frames in grey]
        maps = np.reshape(changes, (-1, _HEIGHT // _CELL, _CELL, _WIDTH // _CELL, _CELL))
        return {"map": maps.mean(axis=(2, 4)).astype(np.float32)}

    def heatmaps(self, stretch: Stretch, query: str) -> Floats:  # noqa: ARG002
        """Seconds x 18 x 24, the same for every query."""
        return stretch.by_second(stretch.features["map"]).astype(float)


def _change(before: Floats, middle: Floats, after: Floats) -> Floats:
    """How much the middle frame differs from both others, smoothed (rows x columns)."""
    differences = [_difference(middle, before), _difference(middle, after)]
    # A frame that is repeated, as after the end of a video, says nothing of what moves.
    telling = [each for each in differences if each.any()] or differences
    return _smoothed(np.minimum.reduce(telling))


def _difference(frame: Floats, other: Floats) -> Floats:
    """Absolute differences after the camera's shift is undone; 0 where only one frame sees."""
    best = _shifted_difference(frame, other, 0, 0)
    for down, right in _likely_shifts(frame, other):
        tried = _shifted_difference(frame, other, down, right)
        if tried[0] < best[0]:
            best = tried
    return best[1]


def _shifted_difference(
    frame: Floats, other: Floats, down: int, right: int
) -> tuple[float, Floats]:
    """The median and the values of the absolute differences to the other frame, moved."""
    rows, columns = frame.shape
    here = np.s_[max(down, 0) : rows + min(down, 0), max(right, 0) : columns + min(right, 0)]
    there = np.s_[max(-down, 0) : rows + min(-down, 0), max(-right, 0) : columns + min(-right, 0)]
    change = frame[here] - other[there]
    # The median change is that of the light, not of something that moves.
    change = np.abs(change - np.median(change))
    values = np.zeros_like(frame)
    values[here] = change
    return float(np.median(change)), values


def _likely_shifts(frame: Floats, other: Floats) -> list[tuple[int, int]]:
    """Rows and columns by which the other frame may have to be moved to match."""
    spectrum = _spectrum(frame) * _spectrum(other).conj()
    strength = np.abs(spectrum)
    # The least strength keeps the rounding errors of flat frames from counting as phases.
    correlation = np.fft.ifft2(spectrum / (strength + 1e-6)).real
    peaks = np.argsort(-correlation, axis=None, kind="stable")[:_SHIFTS]
    shifts = []
    for row, column in zip(*np.unravel_index(peaks, frame.shape), strict=True):
        down, right = (
            int((place + side // 2) % side - side // 2)
            for place, side in zip((row, column), frame.shape, strict=True)
        )
        if abs(down) <= frame.shape[0] // _FARTHEST and abs(right) <= frame.shape[1] // _FARTHEST:
            shifts.append((down, right))
    return shifts


def _spectrum(frame: Floats) -> NDArray[np.complex128]:
    """Its transform, faded out to the borders, which would match themselves otherwise."""
    rows, columns = frame.shape
    window = np.outer(np.hanning(rows), np.hanning(columns))
    return np.fft.fft2((frame - frame.mean()) * window)


def _smoothed(values: Floats) -> Floats:
    """Means over boxes around each pixel, the borders repeated outwards."""
    side = 2 * _RADIUS + 1
    for axis in (0, 1):
        padded = np.moveaxis(np.pad(values, _RADIUS, mode="edge"), axis, 0)
        inner = padded[:, _RADIUS:-_RADIUS]
        windows = np.lib.stride_tricks.sliding_window_view(inner, side, axis=0)
        values = np.moveaxis(windows.mean(axis=-1), 0, axis)
    return values
