"""Heatmaps and masks against boxes, counted in pixels without drawing a pixel.

Bilinear resizing is separable. Down a column of cells the resized heatmap is linear
between cell centres, so in each gap the pixel rows that reach a threshold form one
run, whose end follows from the crossing point. Along a pixel row the same holds
between neighbouring columns: where both reach, the gap is full; only rows in which
one of the two does need a crossing of their own. Nearest-neighbour resizing of a
mask maps each cell to a block, so run lengths turn into counts by prefix sums.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.metrics.timeline import ranges

Frame = tuple[int, int]

_CHUNK_CELLS = 1 << 11
"""Heatmap cells measured at once: few enough to stay in cache."""
_ROUNDING = 1e-12
"""Relative to the maximum: values this close below the threshold reach it, so that
exact ties (0.5 of a maximum of 1) do not hang on the rounding of a product."""
_PIXEL_ROUNDING = 1e-9
"""In pixels: a crossing this close beyond a pixel's centre is at it, for the same reason."""


def heatmap_overlaps(
    values: Floats, frame: Frame, spans: Ints, threshold: float = 0.5
) -> tuple[Floats, Floats]:
    """Area of each heatmap's region, and its overlap with a box, in pixels of the frame.

    The heatmap is resized bilinearly to the frame (cell centres aligned, edges
    replicated: `align_corners=False`); a pixel belongs to the region where its
    value >= threshold x the heatmap's maximum. A maximum <= 0 gives no region.

    values: k x rows x columns. frame: (W, H). spans: k x 4, the boxes as
    `boxes.pixel_spans`. Returns (areas, overlaps), k each.
    """
    areas = np.zeros(len(values))
    overlaps = np.zeros(len(values))
    step = max(1, _CHUNK_CELLS // (values.shape[1] * values.shape[2]))
    for begin in range(0, len(values), step):
        part = slice(begin, begin + step)
        areas[part], overlaps[part] = _chunk_overlaps(values[part], frame, spans[part], threshold)
    return areas, overlaps


def _chunk_overlaps(
    values: Floats, frame: Frame, spans: Ints, threshold: float
) -> tuple[Floats, Floats]:
    peak = values.max(axis=(1, 2))
    level = np.where(peak > 0, threshold * peak, np.inf)
    low, high = _reached_rows(values, level, level - _ROUNDING * np.abs(peak), frame[1])
    full_areas, full_overlaps = _full_gaps(low, high, frame[0], spans)
    split_areas, split_overlaps = _split_gaps(values, level, low, high, frame, spans)
    return full_areas + split_areas, full_overlaps + split_overlaps


def _reached_rows(values: Floats, level: Floats, floor: Floats, height: int) -> tuple[Ints, Ints]:
    """Pixel rows [low, high) that reach the level at each column, from each row of cells
    to the next: k x rows x columns. Beyond the last row its own values go on."""
    below = _next_along(values, axis=1)
    reaches, reaches_below = (v >= floor[:, None, None] for v in (values, below))
    begins = _gap_begins(values.shape[1], height)
    gap = np.arange(values.shape[1])[:, None]
    change = below - values
    fraction = np.zeros_like(values)
    split = reaches != reaches_below
    np.divide(level[:, None, None] - values, change, out=fraction, where=split & (change != 0))
    low, high = _crossings(gap, fraction, reaches, begins)
    first, stop = begins[gap], begins[gap + 1]
    low = np.where(split, low, first)
    return low, np.where(split, high, np.where(reaches, stop, first))


def _next_along(values: NDArray[Any], axis: int) -> NDArray[Any]:
    """The neighbour of each cell; the last is its own."""
    count = values.shape[axis]
    return np.asarray(values.take(np.minimum(np.arange(1, count + 1), count - 1), axis=axis))


def _gap_begins(cells: int, pixels: int) -> Ints:
    """First pixel of each gap [cell, next cell), and the end: cells + 1 integers."""
    position = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    return np.searchsorted(position.astype(np.int64), np.arange(cells + 1)).astype(np.int64)


def _crossings(gap: Ints, fraction: Floats, falling: Bools, begins: Ints) -> tuple[Ints, Ints]:
    """Pixel runs [low, high) of gaps whose level is crossed a fraction of the way.

    falling: whether it is the first of the gap's two cells that reaches the level.
    """
    pixels = begins[-1] / (begins.size - 1)
    # A crossing on a pixel belongs to the region from either side.
    rounding = np.where(falling, 0.5 + _PIXEL_ROUNDING, 0.5 - _PIXEL_ROUNDING)
    border = ((gap + 0.5 + fraction) * pixels + rounding).astype(np.int64)
    first, stop = begins[gap], begins[gap + 1]
    border = np.minimum(np.maximum(border, first), stop)
    return np.where(falling, first, border), np.where(falling, border, stop)


def _full_gaps(low: Ints, high: Ints, width: int, spans: Ints) -> tuple[Floats, Floats]:
    """Pixels between two columns that both reach the level: all, and those in the box."""
    low = np.maximum(low, _next_along(low, axis=2))
    high = np.minimum(high, _next_along(high, axis=2))
    begins = _gap_begins(low.shape[2], width)
    rows = np.maximum(high - low, 0).sum(axis=1)
    top, bottom = spans[:, 1, None, None], spans[:, 3, None, None]
    box_rows = np.maximum(np.minimum(high, bottom) - np.maximum(low, top), 0).sum(axis=1)
    box_widths = np.diff(np.clip(begins, spans[:, :1], spans[:, 2:3]), axis=1)
    areas = (rows * np.diff(begins)).sum(axis=1)
    return areas.astype(np.float64), (box_rows * box_widths).sum(axis=1).astype(np.float64)


def _split_gaps(
    values: Floats, level: Floats, low: Ints, high: Ints, frame: Frame, spans: Ints
) -> tuple[Floats, Floats]:
    """Pixels between two columns of which one reaches the level: all, and those in the box."""
    (owner, top, gap), falling, begin, end = _one_sided_rows(low, high)
    below = np.minimum(top + 1, values.shape[1] - 1)
    left, right = values[owner, top, gap], values[owner, top, gap + 1]
    left_change = values[owner, below, gap] - left
    right_change = values[owner, below, gap + 1] - right
    at, row = ranges(begin, end)
    weight = _row_weights(values.shape[1], frame[1])[row]
    # (level - left) / (right - left), both linear in the weight along each run.
    rise = (level[owner] - left)[at] - left_change[at] * weight
    change = (right - left)[at] + (right_change - left_change)[at] * weight
    fraction = np.divide(rise, change, out=np.zeros_like(rise), where=change != 0)
    begins = _gap_begins(values.shape[2], frame[0])
    first, last = _crossings(gap[at], fraction, falling[at], begins)
    areas = np.bincount(owner[at], last - first, minlength=len(values))
    inside = np.flatnonzero((row >= spans[owner, 1][at]) & (row < spans[owner, 3][at]))
    within = owner[at[inside]]
    shared = np.minimum(last[inside], spans[within, 2]) - np.maximum(
        first[inside], spans[within, 0]
    )
    overlaps = np.bincount(within, np.maximum(shared, 0), minlength=len(values))
    return areas.astype(np.float64), overlaps.astype(np.float64)


def _row_weights(cells: int, pixels: int) -> Floats:
    """How far each pixel row lies between the row of cells above it and the one below."""
    position = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    return np.asarray(position - np.floor(position))


def _one_sided_rows(low: Ints, high: Ints) -> tuple[tuple[Ints, Ints, Ints], Bools, Ints, Ints]:
    """Runs of pixel rows in which only one of two neighbouring columns reaches the level.

    Returns where they are (heatmap, row of cells, column), whether it is the left
    column that reaches, and the runs' first and last row (half-open).
    """
    left = (low[:, :, :-1], high[:, :, :-1])
    right = (low[:, :, 1:], high[:, :, 1:])
    begins, ends = [], []
    for one, other in ((left, right), (right, left)):
        # What is left of a run without another: a part before it and a part after it.
        begins += [one[0], np.maximum(one[0], other[1])]
        ends += [np.minimum(one[1], other[0]), one[1]]
    begin, end = np.stack(begins), np.stack(ends)
    part, owner, cell_row, gap = np.nonzero(begin < end)
    chosen = (part, owner, cell_row, gap)
    return (owner, cell_row, gap), part < 2, begin[chosen], end[chosen]


def mask_overlaps(
    owner: Ints, first: Ints, stop: Ints, size: tuple[int, int], frame: Frame, spans: Ints
) -> tuple[Floats, Floats]:
    """Area of each mask, and its overlap with a box, in pixels of the frame.

    The mask is resized by nearest neighbour: pixel (i, j) shows the cell
    (floor((i + 0.5) h / H), floor((j + 0.5) w / W)).

    owner, first, stop: runs of set cells, counted down the columns, and the mask
    each belongs to. size: (h, w) of the masks. spans: k x 4, one for each mask.
    Returns (areas, overlaps), k each.
    """
    whole = np.tile(np.array([0, 0, *frame]), (len(spans), 1))
    counts = [
        np.bincount(
            owner,
            _pixels_before(stop, owner, size, frame, box)
            - _pixels_before(first, owner, size, frame, box),
            minlength=len(spans),
        )
        for box in (whole, spans)
    ]
    return counts[0].astype(np.float64), counts[1].astype(np.float64)


def _pixels_before(
    cell: Ints, owner: Ints, size: tuple[int, int], frame: Frame, spans: Ints
) -> Floats:
    """Pixels inside the owner's span that show one of the cells before `cell`."""
    height, width = size
    columns = _block_begins(width, frame[0])
    rows = _block_begins(height, frame[1])
    x1, y1, x2, y2 = spans[owner].T
    column, row = cell // height, cell % height
    before = np.clip(columns[column], x1, x2) - x1
    through = np.clip(columns[np.minimum(column + 1, width)], x1, x2) - x1
    rows_before = np.clip(rows[row], y1, y2) - y1
    return np.asarray(before * (y2 - y1) + (through - before) * rows_before, dtype=np.float64)


def _block_begins(cells: int, pixels: int) -> Ints:
    """First pixel that shows each cell, and the end: cells + 1 integers."""
    shown = (2 * np.arange(pixels) + 1) * cells // (2 * pixels)
    return np.searchsorted(shown, np.arange(cells + 1)).astype(np.int64)


def frame_groups(frames: Floats) -> Iterator[tuple[Frame, Ints]]:
    """The distinct frames among k x 2 rows of (W, H), each with the rows that have it."""
    for width, height in np.unique(frames, axis=0):
        rows = np.flatnonzero((frames[:, 0] == width) & (frames[:, 1] == height))
        yield (int(width), int(height)), rows
