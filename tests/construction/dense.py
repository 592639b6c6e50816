"""The box rule and the heatmaps a frame at a time, over every pixel: slow and obvious."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Array = NDArray[np.float64]


def box(
    points: Sequence[Point], size: Point, margin: float = 100, swapped: bool = False
) -> list[float]:
    """The box of one frame; the margin is in pixels of 640x480 (upright: 480x640)."""
    width, height = size
    lying = width >= height
    across = margin * width / (640 if lying else 480)
    down = margin * height / (480 if lying else 640)
    right, bottom = (min(size), max(size)) if swapped else size
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return [
        max(min(xs) - across, 0),
        max(min(ys) - down, 0),
        min(max(xs) + across, right),
        min(max(ys) + down, bottom),
    ]


def mean_and_distance(points: Sequence[Point]) -> tuple[float, float, float]:
    """Mean point, and mean distance from it."""
    x = sum(x for x, _ in points) / len(points)
    y = sum(y for _, y in points) / len(points)
    return x, y, sum(float(np.hypot(px - x, py - y)) for px, py in points) / len(points)


def heat(points: Sequence[Point], size: tuple[int, int], sigma: float) -> Array:
    """The heatmap of one frame, at every pixel's centre (rows x columns), its sum 1."""
    width, height = size
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    total = np.zeros((height, width))
    for x, y in points:
        total += np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return np.asarray(total / total.sum())


def region(points: Sequence[Point], size: tuple[int, int], sigma: float, level: float) -> Array:
    """The values of a heatmap, and below 0 where it does not reach the level."""
    values = heat(points, size, sigma)
    return values - level * values.max()
