"""Heatmaps: the mean of isotropic Gaussians at a frame's points, and their regions."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gytbench.construction.points import PointSets
from gytbench.metrics.arrays import Floats, Ints

SIGMA_SHARE = 1 / 20
"""The standard deviation of the Gaussians, as a share of the frame's longer side."""

_BATCH_CELLS = 1 << 19
"""Cells of heatmap held at once: half a megabyte of mask, four of values."""

_STEP = 16
"""Windows are rounded up to a multiple of this side, so that many frames share a shape."""

_CENTRE_OFF = 0.5**0.5
"""Distance, at most, from any place of the frame to the nearest pixel centre."""


class Runs(NamedTuple):
    """Run lengths of k masks, in COCO's order: zeros, ones, zeros, ... down the columns.

    Mask i owns lengths[starts[i] : starts[i + 1]].
    """

    lengths: Ints
    starts: Ints


def sigmas(sizes: Floats) -> Floats:
    """The default standard deviation in pixels (k) for frames of width and height sizes (k x 2)."""
    return np.asarray(sizes.max(axis=1) * SIGMA_SHARE)


def heatmap(xy: Floats, size: tuple[float, float], sigma: float, grid: tuple[int, int]) -> Floats:
    """The heatmap of one frame, its sum 1.

    xy: n x 2 points in pixels, n > 0; size: width and height of the frame; sigma
    in pixels; grid: columns and rows of the heatmap, spread evenly over the frame
    and evaluated at the centres of its cells. Returns rows x columns.
    """
    across, down = (
        _bell((np.arange(cells) + 0.5) * (side / cells) - xy[:, axis, None], sigma)
        for axis, (cells, side) in enumerate(zip(grid, size, strict=True))
    )
    heat = down.T @ across
    return np.asarray(heat / heat.sum())


def level_masks(points: PointSets, sizes: Ints, sigma: Floats, level: float) -> Runs:
    """Where each frame's heatmap reaches `level` times its maximum, as run-length masks.

    The heatmap is evaluated at the pixels' centres. points: k frames, all points
    inside theirs; sizes: k x 2 in whole pixels; sigma: k, in pixels; 0 < level <= 1.
    A frame without points has an empty mask.
    Only a window around the points is evaluated (`_reach`).
    """
    frames, edges = [], []
    for batch in _batches(points, sizes, sigma, level):
        frame, position = _edges(points, sizes, sigma, level, batch)
        frames.append(frame)
        edges.append(position)
    none = np.empty(0, dtype=np.int64)
    return _runs(np.concatenate([none, *frames]), np.concatenate([none, *edges]), sizes)


class _Batch(NamedTuple):
    """Frames whose windows have one shape: their numbers, first columns and rows, and the shape."""

    frames: Ints
    corners: Ints
    columns: int
    rows: int


def _batches(points: PointSets, sizes: Ints, sigma: Floats, level: float) -> Iterator[_Batch]:
    filled = np.flatnonzero(points.counts)
    if not filled.size:
        return
    reach = _reach(points, sigma, level)
    low = points.reduce(np.minimum, points.xy) - reach[:, None]
    high = points.reduce(np.maximum, points.xy) + reach[:, None]
    corners = np.floor(np.maximum(low[filled], 0)).astype(np.int64)
    ends = np.ceil(np.minimum(high[filled], sizes[filled])).astype(np.int64)
    shapes = -(-(ends - corners) // _STEP) * _STEP
    unique, shape = np.unique(shapes, axis=0, return_inverse=True)
    for number, (columns, rows) in enumerate(unique.tolist()):
        members = np.flatnonzero(shape.ravel() == number)
        room = max(1, _BATCH_CELLS // (columns * rows))
        for first in range(0, members.size, room):
            some = members[first : first + room]
            yield _Batch(filled[some], corners[some], columns, rows)


def _reach(points: PointSets, sigma: Floats, level: float) -> Floats:
    """How far from its nearest point a frame's region reaches at most (k).

    A mean of Gaussians is nowhere above the nearest one, and its maximum over the
    pixel centres is at least what it is at the centre nearest to any of the points.
    """
    owner, counts = points.owner, points.counts
    sums = np.zeros(len(owner))
    for slot in range(counts.max()):
        other = points.starts[owner] + slot
        real = slot < counts[owner]
        apart = points.xy - points.xy[np.where(real, other, 0)]
        distance = np.hypot(apart[:, 0], apart[:, 1]) + _CENTRE_OFF
        sums += np.where(real, _bell(distance, sigma[owner]), 0)
    peaks = points.reduce(np.maximum, sums) / counts
    return np.asarray(sigma * np.sqrt(-2 * np.log(np.minimum(level * peaks, 1))))


def _edges(
    points: PointSets, sizes: Ints, sigma: Floats, level: float, batch: _Batch
) -> tuple[Ints, Ints]:
    """Where the masks of a batch begin and end, alternately: frame and place down its columns."""
    frames = batch.frames
    slots = np.arange(points.counts[frames].max())
    row = points.starts[frames][:, None] + slots
    real = slots < points.counts[frames][:, None]
    xy = points.xy[np.where(real, row, 0)]
    across, down = (
        _weights(xy[:, :, axis], batch.corners[:, axis], cells, sizes[frames, axis], sigma[frames])
        for axis, cells in enumerate((batch.columns, batch.rows))
    )
    across[~real] = 0
    heat = np.matmul(across.transpose(0, 2, 1), down)  # frames x columns x rows
    inside = np.zeros((len(frames), batch.columns, batch.rows + 2), dtype=bool)
    peaks = heat.max(axis=(1, 2), keepdims=True)
    np.greater_equal(heat, level * peaks, out=inside[:, :, 1:-1])
    found = np.flatnonzero(inside[:, :, 1:] != inside[:, :, :-1])
    place, row_in = np.divmod(found, batch.rows + 1)
    member, column = np.divmod(place, batch.columns)
    height = sizes[frames, 1][member]
    x, y = batch.corners[member, 0] + column, batch.corners[member, 1] + row_in
    return frames[member], x * height + y


def _weights(centre: Floats, first: Ints, cells: int, side: Ints, sigma: Floats) -> Floats:
    """Gaussians along one axis of a window (frames x points x cells), 0 beyond the frame."""
    pixel = first[:, None] + np.arange(cells)
    bells = _bell(pixel[:, None, :] + 0.5 - centre[:, :, None], sigma[:, None, None])
    return bells * (pixel < side[:, None])[:, None, :]


def _bell(distance: Floats, sigma: Floats | float) -> Floats:
    return np.asarray(np.exp(-0.5 * (distance / sigma) ** 2))


def _runs(frame: Ints, edge: Ints, sizes: Ints) -> Runs:
    """Run lengths from the edges of all masks."""
    order = np.argsort(frame, kind="stable")
    frame, edge = frame[order], edge[order]
    # One run where a column ends inside and the next begins inside.
    same = (frame[1:] == frame[:-1]) & (edge[1:] == edge[:-1])
    touching = np.concatenate(([False], same)) | np.concatenate((same, [False]))
    if frame.size:
        frame, edge = frame[~touching], edge[~touching]
    everything = np.arange(len(sizes))
    pixels = sizes.prod(axis=1)
    # Each mask runs from 0 through its edges to its last pixel.
    frame = np.concatenate((everything, frame, everything))
    edge = np.concatenate((np.zeros(len(sizes), dtype=np.int64), edge, pixels))
    order = np.argsort(frame, kind="stable")
    frame, edge = frame[order], edge[order]
    inner = frame[1:] == frame[:-1]
    owner, lengths = frame[1:][inner], np.diff(edge)[inner]
    final = np.concatenate((owner[1:] != owner[:-1], np.ones(min(1, owner.size), dtype=bool)))
    first = np.concatenate((np.ones(min(1, owner.size), dtype=bool), owner[1:] != owner[:-1]))
    kept = (lengths > 0) | (first & ~(final & (lengths == 0)))
    owner, lengths = owner[kept], lengths[kept]
    return Runs(lengths, np.searchsorted(owner, np.arange(len(sizes) + 1)))
