"""The geometry of a picture: sizes, boxes cut to the frame, heatmaps as opacities."""

import numpy as np

from gytbench.benchmark import Box
from gytbench.metrics.arrays import Floats
from gytbench.scenes.model import Scene

_TALLEST = 4
"""Height over width of a picture, at most, whatever the frame."""


def picture_height(frame: tuple[float, float], width: int) -> int:
    """Pixels down a picture of that many pixels across."""
    return max(1, round(min(width * frame[1] / frame[0], width * _TALLEST)))


def drawn_box(box: Box, frame: tuple[float, float], border: float) -> Box:
    """The box cut to the frame, `border` within it, so that every edge shows.

    Also one that lies outside or is turned inside out is drawn: as a line.
    """
    low_x, high_x = sorted(min(max(x, border), frame[0] - border) for x in box[::2])
    low_y, high_y = sorted(min(max(y, border), frame[1] - border) for y in box[1::2])
    return low_x, low_y, high_x, high_y


def drawn_point(point: tuple[float, float], frame: tuple[float, float]) -> tuple[float, float]:
    """The point, moved to the frame's edge where it lies outside."""
    return min(max(point[0], 0), frame[0]), min(max(point[1], 0), frame[1])


def opacities(scene: Scene) -> Floats | None:
    """The predicted mask, else the heatmap over its maximum, as rows x columns from 0 to 1."""
    if scene.mask is not None:
        return scene.mask.astype(float)
    if scene.heatmap is None:
        return None
    peak = scene.heatmap.max()
    if peak <= 0:
        return None
    opacity: Floats = np.clip(scene.heatmap / peak, 0, 1)
    return opacity


def coarse(values: Floats, most: int) -> Floats:
    """Means of blocks, at most `most` a side."""
    for axis in (0, 1):
        cells = values.shape[axis]
        if cells > most:
            begins = np.arange(most) * cells // most
            sizes = np.diff(np.append(begins, cells))
            sums = np.add.reduceat(values, begins, axis=axis)
            values = sums / (sizes[:, None] if axis == 0 else sizes)
    return values
