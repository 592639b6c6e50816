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

_CHUNK_CELLS = 1 << 12
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
    first, stop = begins[:-1, None], begins[1:, None]
    change = below - values
    fraction = np.zeros_like(values)
    split = reaches != reaches_below
    np.divide(level[:, None, None] - values, change, out=fraction, where=split & (change != 0))
    step = height / values.shape[1]
    base = _bases(np.arange(values.shape[1])[:, None], reaches, step)
    border = np.clip((base + fraction * step).astype(np.int64), first, stop)
    low = np.where(split & ~reaches, border, first)
    return low, np.where(reaches_below, stop, np.where(reaches, border, first))


def _bases(gap: Ints, falling: Bools, step: float) -> Floats:
    """What `fraction * step` is added to for the first pixel after a crossing, rounded down.

    The crossing lies a fraction of the way from the cell `gap` to the next, cells
    being `step` pixels apart; falling: whether it is the first cell that reaches
    the level. A crossing on a pixel belongs to the region from either side.
    """
    rounding = np.where(falling, 0.5 + _PIXEL_ROUNDING, 0.5 - _PIXEL_ROUNDING)
    return np.asarray((gap + 0.5) * step + rounding)


def _next_along(values: NDArray[Any], axis: int) -> NDArray[Any]:
    """The neighbour of each cell; the last is its own."""
    count = values.shape[axis]
    return np.asarray(values.take(np.minimum(np.arange(1, count + 1), count - 1), axis=axis))


def _gap_begins(cells: int, pixels: int) -> Ints:
    """First pixel of each gap [cell, next cell), and the end: cells + 1 integers."""
    cell = _positions(cells, pixels).astype(np.int64)
    return np.searchsorted(cell, np.arange(cells + 1)).astype(np.int64)


def _positions(cells: int, pixels: int) -> Floats:
    """Where each pixel centre falls on the axis of cell centres, edges replicated."""
    return np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)


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
    lengths = end - begin
    border = _borders(values, level, (owner, top, gap), falling, begin, end, frame)
    begins = _gap_begins(values.shape[2], frame[0])
    first, stop = begins[gap], begins[gap + 1]
    areas = np.bincount(owner, _pixels(border, lengths, falling, first, stop), len(values))

    x1, y1, x2, y2 = spans[owner].T
    first, stop = np.maximum(first, x1), np.minimum(stop, x2)
    top_row, bottom_row = np.maximum(begin, y1), np.minimum(end, y2)
    seen = np.flatnonzero((bottom_row > top_row) & (stop > first))
    skipped = (np.cumsum(lengths) - lengths - begin)[seen]
    inside = ranges(skipped + top_row[seen], skipped + bottom_row[seen])[1]
    rows = (bottom_row - top_row)[seen]
    shared = _pixels(border[inside], rows, falling[seen], first[seen], stop[seen])
    overlaps = np.bincount(owner[seen], shared, len(values))
    return areas.astype(np.float64), overlaps.astype(np.float64)


def _borders(
    values: Floats,
    level: Floats,
    piece: tuple[Ints, Ints, Ints],
    falling: Bools,
    begin: Ints,
    end: Ints,
    frame: Frame,
) -> Ints:
    """The first pixel after the crossing, in every row of the pieces of `_one_sided_rows`."""
    owner, top, gap = piece
    below = np.minimum(top + 1, values.shape[1] - 1)
    left, right = values[owner, top, gap], values[owner, top, gap + 1]
    left_change = values[owner, below, gap] - left
    right_change = values[owner, below, gap + 1] - right
    lengths = end - begin
    weight = _row_weights(values.shape[1], frame[1])[ranges(begin, end)[1]]
    # (level - left) / (right - left), both linear in the weight along each piece.
    rise = np.repeat(level[owner] - left, lengths) - np.repeat(left_change, lengths) * weight
    change = np.repeat(right - left, lengths)
    change += np.repeat(right_change - left_change, lengths) * weight
    fraction = np.divide(rise, change, out=np.zeros_like(rise), where=change != 0)
    step = frame[0] / values.shape[2]
    np.clip(fraction, 0, 1, out=fraction)
    fraction *= step
    fraction += np.repeat(_bases(gap, falling, step), lengths)
    return fraction.astype(np.int64)


def _pixels(border: Ints, lengths: Ints, falling: Bools, first: Ints, stop: Ints) -> Floats:
    """Pixels of each piece, row by row those of [first, stop) before the border, or after it."""
    if not lengths.size:
        return np.zeros(0)
    border = np.maximum(border, np.repeat(first, lengths))
    np.minimum(border, np.repeat(stop, lengths), out=border)
    sums = np.add.reduceat(border, np.cumsum(lengths) - lengths)
    counts = np.where(falling, sums - lengths * first, lengths * stop - sums)
    return counts.astype(np.float64)


def _row_weights(cells: int, pixels: int) -> Floats:
    """How far each pixel row lies between the row of cells above it and the one below."""
    return np.asarray(_positions(cells, pixels) % 1)


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


def resized_peaks(values: Floats, frame: Frame) -> Floats:
    """The first pixel, in row-major order, of the highest value of each resized heatmap.

    The heatmap is resized bilinearly to the frame, as in `heatmap_overlaps`, and the index of
    the pixel is the point, as numpy's argmax gives it. Beyond the centres of the outer cells
    a resized heatmap is flat, so that such a peak lies at the border of the frame.

    values: k x rows x columns. Returns k x 2, (x, y).
    """
    row_pixels, row_weights = _peak_weights(values.shape[1], frame[1])
    column_pixels, column_weights = _peak_weights(values.shape[2], frame[0])
    resized = row_weights @ values @ column_weights.T
    resized = resized.reshape(len(values), row_pixels.size * column_pixels.size)
    peak = resized.max(axis=1, keepdims=True)
    at = (resized >= peak - _ROUNDING * np.abs(peak)).argmax(axis=1)
    x = column_pixels[at % column_pixels.size]
    y = row_pixels[at // column_pixels.size]
    return np.stack((x, y), axis=1).astype(np.float64)


def _peak_weights(cells: int, pixels: int) -> tuple[Ints, Floats]:
    """The pixels of one axis where a maximum can first be reached, and what each takes of
    the cells: between two centres the map is straight, so only the ends of a gap matter."""
    position = _positions(cells, pixels)
    gap = np.searchsorted(np.arange(cells), (np.arange(pixels) + 0.5) * cells / pixels - 0.5)
    turns = np.flatnonzero(np.diff(gap))
    chosen = np.unique(np.concatenate(([0], turns, turns + 1, [pixels - 1])))
    at = position[chosen]
    low = np.minimum(at.astype(np.int64), cells - 1)
    weights = np.zeros((chosen.size, cells))
    rows = np.arange(chosen.size)
    weights[rows, low] = 1 - (at - low)
    weights[rows, np.minimum(low + 1, cells - 1)] += at - low
    return chosen, weights
