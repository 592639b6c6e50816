"""Heatmaps and masks against boxes, counted in pixels without drawing a pixel.

Bilinear resizing is separable: along one row of the frame the resized heatmap is
linear between cell centres, so the pixels that reach a threshold form one run
per gap, whose ends follow from the crossing point. Nearest-neighbour resizing of
a mask maps each cell to a block, so run lengths turn into counts by prefix sums.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Frame = tuple[int, int]

_CHUNK_CELLS = 1 << 17
"""Interpolated cells held at once: small enough to stay in cache."""
_ROUNDING = 1e-12
"""Relative to the maximum: values this close below the threshold reach it, so that
exact ties (0.5 of a maximum of 1) do not hang on the rounding of an interpolation."""
_PIXEL_ROUNDING = 1e-9


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
    step = max(1, _CHUNK_CELLS // (frame[1] * values.shape[2]))
    for begin in range(0, len(values), step):
        part = slice(begin, begin + step)
        areas[part], overlaps[part] = _chunk_overlaps(values[part], frame, spans[part], threshold)
    return areas, overlaps


def _chunk_overlaps(
    values: Floats, frame: Frame, spans: Ints, threshold: float
) -> tuple[Floats, Floats]:
    peak = values.max(axis=(1, 2))
    level = np.where(peak > 0, threshold * peak, np.inf)
    floor = level - _ROUNDING * np.abs(peak)
    rows = _interpolated_rows(values, frame[1])
    reaches = rows >= floor[:, None, None]
    following = np.concatenate((reaches[:, :, 1:], reaches[:, :, -1:]), axis=2)
    begins = _gap_begins(values.shape[2], frame[0])

    in_box = _rows_in_box(spans, frame[1])
    whole = (reaches & following).astype(np.float32)
    widths = np.diff(begins)
    areas = whole.sum(axis=1) @ widths.astype(float)
    box_widths = np.diff(np.clip(begins, spans[:, :1], spans[:, 2:3]), axis=1)
    overlaps = ((in_box[:, None, :] @ whole)[:, 0] * box_widths).sum(axis=1)

    at, low, high = _crossings(rows, level, reaches, following, begins, frame[0])
    areas += np.bincount(at[0], high - low, minlength=len(values))
    shared = np.minimum(high, spans[at[0], 2]) - np.maximum(low, spans[at[0], 0])
    shared = np.maximum(shared, 0) * in_box[at[0], at[1]]
    overlaps += np.bincount(at[0], shared, minlength=len(values))
    return areas, overlaps


def _source_positions(cells: int, pixels: int) -> Floats:
    """Where each pixel centre falls on the axis of cell centres, edges replicated."""
    positions = (np.arange(pixels) + 0.5) * cells / pixels - 0.5
    return np.clip(positions, 0, cells - 1)


def _interpolated_rows(values: Floats, height: int) -> Floats:
    """Every pixel row of the frame, still at the heatmap's columns: k x H x columns."""
    count = values.shape[1]
    position = _source_positions(count, height)
    above = position.astype(np.int64)
    below = np.minimum(above + 1, count - 1)
    weight = (position - above)[:, None]
    return np.asarray(values[:, above] * (1 - weight) + values[:, below] * weight)


def _gap_begins(columns: int, width: int) -> Ints:
    """First pixel of each gap [cell, next cell), and the end: columns + 1 integers."""
    cell = _source_positions(columns, width).astype(np.int64)
    return np.searchsorted(cell, np.arange(columns + 1)).astype(np.int64)


def _rows_in_box(spans: Ints, height: int) -> NDArray[np.float32]:
    row = np.arange(height)
    return ((row >= spans[:, 1:2]) & (row < spans[:, 3:4])).astype(np.float32)


def _crossings(
    rows: Floats,
    level: Floats,
    reaches: NDArray[np.bool_],
    following: NDArray[np.bool_],
    begins: Ints,
    width: int,
) -> tuple[tuple[Ints, Ints, Ints], Ints, Ints]:
    """Pixel runs [low, high) of the gaps where only one of the two cells reaches the level."""
    at = np.nonzero(reaches != following)
    heatmap, row, gap = at
    left = rows[at]
    right = rows[heatmap, row, gap + 1]
    fraction = np.clip((level[heatmap] - left) / (right - left), 0, 1)
    crossing = (gap + fraction + 0.5) * width / rows.shape[2] - 0.5
    falling = reaches[at]
    low = np.where(falling, begins[gap], np.ceil(crossing - _PIXEL_ROUNDING))
    high = np.where(falling, np.floor(crossing + _PIXEL_ROUNDING) + 1, begins[gap + 1])
    low = np.clip(low, begins[gap], begins[gap + 1])
    high = np.clip(high, low, begins[gap + 1])
    return (heatmap, row, gap), low.astype(np.int64), high.astype(np.int64)


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
