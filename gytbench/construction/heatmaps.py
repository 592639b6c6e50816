"""Heatmaps: the mean of isotropic Gaussians at a frame's points, and their regions."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from gytbench.construction.points import PointSets
from gytbench.metrics.arrays import Bools, Floats, Ints

SIGMA_SHARE = 1 / 20
"""The standard deviation of the Gaussians, as a share of the frame's longer side."""

_FRAMES_AT_ONCE = 256
"""Frames whose heatmaps are held at once: about 25 MB of values."""

_STRIP = 32
"""Columns of a strip."""

_STEP = 16
"""Rows of a strip are rounded up to a multiple of this, so that many share a shape."""

_REACH_STEPS = 16
"""Steps in which the reach of a region is bounded."""

_SLACK = 1e-9
"""Share by which bounds are widened, so that rounding cannot cut a pixel off."""

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
    Only strips of columns around the points are evaluated (`_reach`).
    """
    pixels = sizes.prod(axis=1)
    base = np.concatenate(([0], np.cumsum(pixels + 1)))
    filled = np.flatnonzero(points.counts)
    if not filled.size:
        return _runs(np.empty(0, dtype=np.int64), base, pixels)
    strips = _strips(points, sizes, _reach(points, sigma, level), filled)
    breaks = np.searchsorted(strips.frame, filled[::_FRAMES_AT_ONCE]).tolist()

    def edges_of(span: tuple[int, int]) -> Ints:
        some = _Strips(*(column[slice(*span)] for column in strips))
        return np.sort(_edges(points, sizes, sigma, level, some, base))

    # Array work leaves the interpreter free for a second core.
    with ThreadPoolExecutor(max_workers=2) as pool:
        edges = list(pool.map(edges_of, pairwise([*breaks, len(strips.frame)])))
    return _runs(np.concatenate(edges), base, pixels)


def mask_areas(runs: Runs) -> Ints:
    """Pixels of each mask (k)."""
    position = np.arange(runs.lengths.size) - np.repeat(runs.starts[:-1], np.diff(runs.starts))
    inside = np.append(np.where(position % 2, runs.lengths, 0), 0)
    return np.add.reduceat(inside, runs.starts[:-1]) if len(runs.starts) > 1 else inside[:0]


def _reach(points: PointSets, sigma: Floats, level: float) -> Floats:
    """How far the part of a region reaches of which each point is the nearest (n); -1: no part.

    The region's values are at least `level` times the maximum, and that is at least what
    the heatmap has at the pixel centre nearest to any of the points. At a distance r
    from its nearest point, another point's Gaussian is at most what the nearest one's
    is, and at most what it is at its own distance less r. Both are bounded on steps of r.
    """
    owner, counts = points.owner, points.counts[points.owner]
    scale = sigma[owner]
    least = level * _at_points(points, scale)[owner] * (1 - _SLACK)
    farthest = scale * np.sqrt(-2 * np.log(np.minimum(least, 1)))
    steps = farthest[:, None] * np.linspace(0, 1, _REACH_STEPS + 1)
    own = _bell(steps[:, :-1], scale[:, None])
    bound = own.copy()
    for apart in _apart(points):
        other = _bell(np.maximum(apart[:, None] - steps[:, 1:], 0), scale[:, None])
        bound += np.minimum(own, other)
    possible = bound >= (least * counts)[:, None]
    last = _REACH_STEPS - np.argmax(possible[:, ::-1], axis=1)
    return np.where(possible.any(axis=1), farthest * last / _REACH_STEPS, -1.0)


def _at_points(points: PointSets, scale: Floats) -> Floats:
    """At least what each frame's heatmap has at the pixel centre nearest to a point (k)."""
    sums = _bell(np.full(len(scale), _CENTRE_OFF), scale)
    for apart in _apart(points):
        sums += _bell(apart + _CENTRE_OFF, scale)
    return points.reduce(np.maximum, sums) / np.maximum(points.counts, 1)


def _apart(points: PointSets) -> Iterator[Floats]:
    """The distances to the frame's other points, one of each at a time (n); infinite after all."""
    owner, counts = points.owner, points.counts[points.owner]
    place = np.arange(len(owner)) - points.starts[owner]
    for step in range(1, int(counts.max(initial=1))):
        other = points.starts[owner] + (place + step) % counts
        apart = points.xy - points.xy[other]
        yield np.where(step < counts, np.hypot(apart[:, 0], apart[:, 1]), np.inf)


class _Strips(NamedTuple):
    """Strips of columns, by frame: of which frame, where they begin, and how many rows."""

    frame: Ints
    column: Ints
    row: Ints
    rows: Ints


def _strips(points: PointSets, sizes: Ints, reach: Floats, frames: Ints) -> _Strips:
    """The strips of some frames that can hold a part of their regions."""
    low = points.reduce(np.minimum, points.xy[:, 0] - reach)[frames]
    high = points.reduce(np.maximum, points.xy[:, 0] + reach)[frames]
    first = np.floor(np.maximum(low, 0)).astype(np.int64)
    last = np.ceil(np.minimum(high, sizes[frames, 0])).astype(np.int64)
    counts = -(-(last - first) // _STRIP)
    frame = np.repeat(frames, counts)
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    column = np.repeat(first, counts) + number * _STRIP
    row, real = _slots(points, frame)
    xy, far = points.xy[row], reach[row]
    before, beyond = column[:, None] - xy[..., 0], xy[..., 0] - column[:, None] - _STRIP
    aside = np.maximum(np.maximum(before, beyond), 0)
    near = real & (aside <= far)
    square = far**2 - aside**2
    half = np.sqrt(np.where(near, square, 0))
    top = np.where(near, xy[..., 1] - half, np.inf).min(axis=1)
    bottom = np.where(near, xy[..., 1] + half, -np.inf).max(axis=1)
    some = near.any(axis=1)
    # A row above and one below, so that every column begins and ends outside the region.
    first_row = np.floor(np.maximum(top[some], 0)).astype(np.int64) - 1
    end = np.ceil(np.minimum(bottom[some], sizes[frame[some], 1])).astype(np.int64) + 1
    rows = -(-(end - first_row) // _STEP) * _STEP
    return _Strips(frame[some], column[some], first_row, rows)


def _slots(points: PointSets, frame: Ints) -> tuple[Ints, Bools]:
    """The rows of each frame's points (strips x slots), and which of the slots are real."""
    slots = np.arange(points.counts[frame].max())
    real = slots < points.counts[frame][:, None]
    return np.where(real, points.starts[frame][:, None] + slots, 0), real


def _edges(
    points: PointSets, sizes: Ints, sigma: Floats, level: float, strips: _Strips, base: Ints
) -> Ints:
    """Where the masks begin and end, alternately: pixels down the columns of all frames."""
    peaks = np.zeros(len(sizes))
    batches = []
    for rows in np.unique(strips.rows).tolist():
        members = np.flatnonzero(strips.rows == rows)
        heat = _heat(points, sizes, sigma, strips, members, rows)
        np.maximum.at(peaks, strips.frame[members], heat.max(axis=(1, 2)))
        batches.append((members, rows, heat))
    found = []
    for members, rows, heat in batches:
        frame = strips.frame[members]
        inside = (heat >= level * peaks[frame][:, None, None]).ravel()
        place, row = np.divmod(np.flatnonzero(inside[1:] != inside[:-1]) + 1, rows)
        strip, column = np.divmod(place, _STRIP)
        origin = base[frame] + strips.column[members] * sizes[frame, 1] + strips.row[members]
        found.append(origin[strip] + column * sizes[frame, 1][strip] + row)
    return np.concatenate(found)


def _heat(
    points: PointSets, sizes: Ints, sigma: Floats, strips: _Strips, members: Ints, rows: int
) -> Floats:
    """The sum of the Gaussians on some strips (strips x columns x rows), 0 beyond the frame."""
    frame = strips.frame[members]
    row, real = _slots(points, frame)
    xy = points.xy[row]
    across, down = (
        _weights(xy[..., axis], begin[members], cells, sizes[frame, axis], sigma[frame])
        for axis, begin, cells in ((0, strips.column, _STRIP), (1, strips.row, rows))
    )
    across[~real] = 0
    return np.asarray(np.matmul(across.transpose(0, 2, 1), down))


def _weights(centre: Floats, first: Ints, cells: int, side: Ints, sigma: Floats) -> Floats:
    """Gaussians along one axis (strips x points x cells), 0 beyond the frame."""
    pixel = first[:, None] + np.arange(cells)
    bells = _bell(pixel[:, None, :] + 0.5 - centre[:, :, None], sigma[:, None, None])
    return bells * ((pixel >= 0) & (pixel < side[:, None]))[:, None, :]


def _bell(distance: Floats, sigma: Floats | float) -> Floats:
    return np.asarray(np.exp(-0.5 * (distance / sigma) ** 2))


def _runs(edges: Ints, base: Ints, pixels: Ints) -> Runs:
    """Run lengths from the sorted edges of all masks."""
    # One run where a column ends inside and the next begins inside.
    same = edges[1:] == edges[:-1]
    touching = np.concatenate(([False], same)) | np.concatenate((same, [False]))
    edges = edges[~touching[: edges.size]]
    counts = np.diff(np.searchsorted(edges, base))
    frame = np.repeat(np.arange(len(pixels)), counts)
    # Each mask runs from 0 through its edges to its last pixel.
    first = np.concatenate(([0], np.cumsum(counts + 2)))
    places = np.empty(first[-1], dtype=np.int64)
    places[first[:-1]] = 0
    places[first[1:] - 1] = pixels
    places[np.arange(edges.size) + 2 * frame + 1] = edges - base[frame]
    lengths = np.diff(places)
    kept = np.ones(lengths.size, dtype=bool)
    kept[first[1:-1] - 1] = False  # from one frame to the next
    kept[first[1:] - 2] &= lengths[first[1:] - 2] > 0  # nothing after a mask that ends its frame
    before = np.concatenate(([0], np.cumsum(kept)))
    return Runs(lengths[kept], before[np.minimum(first, lengths.size)])
