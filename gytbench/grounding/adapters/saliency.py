"""Saliency: a floor for places, which looks at single frames without the query."""

from functools import cache
from typing import ClassVar

import numpy as np

from gytbench.grounding.contract import Features, NoSettings, Sampling, Setup, Stretch
from gytbench.metrics.arrays import Floats

_SIDE = 64
"""Width and height of a frame in pixels; a power of 2 makes the mean of equal pixels exact."""
_CENTRE = 1.5
_SURROUND = 12.0
"""Standard deviations in pixels."""
_CELL = 2
"""Width and height of a map's cell in pixels."""
# Of red, green and blue: brightness, red against green, yellow against blue. Whole
# numbers, so that a flat frame has no rounding errors that could stand out.
_OPPONENTS = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]])


class SaliencyGrounder:
    """What stands out from its surround: a floor from one frame, blind to the query.

    Of brightness and of two opponent colours, the difference of a small and a large
    Gaussian mean is squared, and the three are added: centre against surround, as in
    Itti, Koch and Niebur (1998), on one scale. Frames go on beyond their borders as in
    a mirror, so that borders do not stand out. A query changes nothing, and there is no
    score of seconds: this system cannot say when.
    """

    Settings: ClassVar = NoSettings
    extra: ClassVar[str] = "video"
    roles: ClassVar[dict[str, str]] = {}

    def __init__(self, settings: NoSettings, setup: Setup) -> None:
        """There is nothing to load."""

    @property
    def sampling(self) -> Sampling:
        """The frame at the start of each second."""
        return Sampling(size=(_SIDE, _SIDE))

    def encode(self, clips: np.ndarray) -> Features:
        """`map`, n x 32 x 32 float32, at least 0."""
        channels = np.moveaxis(clips[:, 0].astype(np.float64) @ _OPPONENTS.T, -1, 1)
        channels -= channels.mean(axis=(2, 3), keepdims=True)
        contrast = _blurred(channels, _CENTRE) - _blurred(channels, _SURROUND)
        maps = np.square(contrast).sum(axis=1)
        cells = _SIDE // _CELL
        maps = maps.reshape(-1, cells, _CELL, cells, _CELL).mean(axis=(2, 4))
        return {"map": maps.astype(np.float32)}

    def heatmaps(self, stretch: Stretch, query: str) -> Floats:  # noqa: ARG002
        """Seconds x 32 x 32, the same for every query."""
        return stretch.by_second(stretch.features["map"]).astype(float)


def _blurred(images: Floats, sigma: float) -> Floats:
    """Gaussian means around each pixel (... x rows x columns)."""
    weights = _mirrored_gaussian(sigma)
    blurred: Floats = weights @ images @ weights.T
    return blurred


@cache
def _mirrored_gaussian(sigma: float) -> Floats:
    """Weights (pixel x pixel, rows sum to 1) that give the mean around each pixel of a line."""
    reach = np.arange(-_SIDE, 2 * _SIDE)
    bell = np.exp(-0.5 * np.square((reach - np.arange(_SIDE)[:, None]) / sigma))
    before, inside, after = np.split(bell, 3, axis=1)
    weights = before[:, ::-1] + inside + after[:, ::-1]
    normalised: Floats = weights / weights.sum(axis=1, keepdims=True)
    return normalised
