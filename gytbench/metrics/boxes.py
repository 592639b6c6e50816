"""Boxes and points: areas, overlaps and the pointing game."""

import numpy as np

from gytbench.metrics.arrays import Bools, Floats, Ints


def area(boxes: Floats) -> Floats:
    """Area of each box (k x 4); 0 where it is degenerate, NaN where there is none."""
    return _product(boxes[:, 2:] - boxes[:, :2])


def clip(boxes: Floats, frames: Floats) -> Floats:
    """Boxes (k x 4) cut to [0, W] x [0, H], with frames (k x 2) giving W and H."""
    cut = np.empty_like(boxes)
    for side in (0, 1):
        np.clip(boxes[:, side::2], 0, frames[:, side, np.newaxis], out=cut[:, side::2])
    return cut


def intersection(a: Floats, b: Floats) -> Floats:
    """Area shared by the boxes of each row (both k x 4); NaN where either is none."""
    size = np.minimum(a[:, 2:], b[:, 2:])
    size -= np.maximum(a[:, :2], b[:, :2])
    return _product(size)


def _product(size: Floats) -> Floats:
    """Width times height, neither below 0; works in place, since there may be millions."""
    np.maximum(size, 0, out=size)
    return np.asarray(size[:, 0] * size[:, 1])


def contains(boxes: Floats, points: Floats, tolerance: float = 0.0) -> Bools:
    """The pointing game: whether each box (k x 4) holds its point (k x 2), borders included.

    `tolerance` (same unit as the boxes) grows the box on every side. A degenerate
    box (x2 <= x1 or y2 <= y1) holds nothing; neither does or is a NaN.
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    inside = (points >= low - tolerance) & (points <= high + tolerance) & (high > low)
    return np.asarray(inside.all(axis=1))


def iou(intersections: Floats, areas_a: Floats, areas_b: Floats) -> Floats:
    """Intersection over union from areas; 0 where the union is empty."""
    unions = areas_a + areas_b - intersections
    return np.divide(intersections, unions, out=np.zeros_like(unions), where=unions > 0)


def pixel_spans(boxes: Floats, frame: tuple[float, float]) -> Ints:
    """Columns and rows whose pixel centres lie in each box cut to the frame.

    boxes: k x 4, no NaN; frame: (W, H). Returns k x 4 integers
    [column1, row1, column2, row2], half-open, with column2 >= column1.
    """
    cut = clip(boxes, np.broadcast_to(np.array(frame), (len(boxes), 2)))
    spans = np.ceil(cut - 0.5).astype(np.int64)
    spans[:, 2:] = np.maximum(spans[:, :2], spans[:, 2:])
    return spans


def span_areas(spans: Ints) -> Floats:
    """Pixels in each span (k x 4 of `pixel_spans`)."""
    size = spans[:, 2:] - spans[:, :2]
    return (size[:, 0] * size[:, 1]).astype(float)
