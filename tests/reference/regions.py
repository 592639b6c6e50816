"""Masks, heatmaps and boxes: where they point, which pixels they cover, how they overlap.

Protocol section 2: Point, Region.
"""

import base64
import struct
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any, TypeAlias

from .model import Box, Frame, Number, Pixels, Point, Region, ratio

Heatmap: TypeAlias = list[list[float]]

STRUCT_CODES = {"float16": "e", "float32": "f", "float64": "d", "uint8": "B"}


# --- masks ----------------------------------------------------------------------------------


def rle_counts(text: str) -> list[int]:
    """The run lengths in a compressed COCO `counts` string.

    Each number is written five bits at a time, lowest first, one character (code 48 + bits) for
    five bits; 32 in a character says that more follow; the sign is bit 16 of the last one. From
    the fourth number on, what is written is the difference to the number two places before.
    """
    counts: list[int] = []
    value, shift = 0, 0
    for character in text:
        bits = ord(character) - 48
        value += (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value, shift = 0, 0
    return counts


def mask_cells(mask: Mapping[str, Any]) -> set[tuple[int, int]]:
    """The set cells (row, column) of a COCO RLE on its own grid.

    The runs go down the columns, first a run of zeros, then of ones, and so on in turn.
    """
    height, _ = mask["size"]
    counts = mask["counts"]
    runs = rle_counts(counts) if isinstance(counts, str) else list(counts)
    cells = set()
    position = 0
    for number, run in enumerate(runs):
        if number % 2 == 1:
            for k in range(position, position + run):
                cells.add((k % height, k // height))
        position += run
    return cells


def mask_pixels(mask: Mapping[str, Any], frame: Frame) -> Pixels:
    """The pixels of the frame that a mask covers, by nearest neighbour (section 2, Region).

    The centre of pixel (i, j) lies in the mask cell floor((i + 0.5) h / H), floor((j + 0.5) w / W).
    """
    (width, height), (h, w) = frame, mask["size"]
    cells = mask_cells(mask)
    return frozenset(
        (i, j)
        for i, j in product(range(height), range(width))
        if ((2 * i + 1) * h // (2 * height), (2 * j + 1) * w // (2 * width)) in cells
    )


def mask_point(mask: Mapping[str, Any], frame: Frame) -> Point | None:
    """The mean of the mask's pixel centres, scaled to the frame; None for an empty mask."""
    (width, height), (h, w) = frame, mask["size"]
    cells = mask_cells(mask)
    if not cells:
        return None
    x = Fraction(sum(2 * j + 1 for _, j in cells), 2 * len(cells))
    y = Fraction(sum(2 * i + 1 for i, _ in cells), 2 * len(cells))
    return x * width / w, y * height / h


# --- heatmaps -------------------------------------------------------------------------------


def heatmap_values(heatmap: Sequence[Sequence[float]] | Mapping[str, Any]) -> Heatmap:
    """The rows of a heatmap, given as lists or as {"shape", "dtype", "data": base64}."""
    if not isinstance(heatmap, Mapping):
        return [list(row) for row in heatmap]
    rows, columns = heatmap["shape"]
    code = STRUCT_CODES[heatmap["dtype"]]
    flat = struct.unpack(f"<{rows * columns}{code}", base64.b64decode(heatmap["data"]))
    return [list(flat[i * columns : (i + 1) * columns]) for i in range(rows)]


def heatmap_point(heatmap: Heatmap, frame: Frame) -> Point:
    """The centre of the first maximal cell in row-major order, in frame coordinates."""
    width, height = frame
    rows, columns = len(heatmap), len(heatmap[0])
    peak = max(max(row) for row in heatmap)
    i, j = next((i, j) for i, j in product(range(rows), range(columns)) if heatmap[i][j] == peak)
    return Fraction((2 * j + 1) * width, 2 * columns), Fraction((2 * i + 1) * height, 2 * rows)


def _neighbours(pixel: int, pixels: int, cells: int) -> tuple[int, int, Fraction]:
    """The two cells between whose centres a pixel centre lies, and the weight of the second.

    Beyond the first or last cell centre both are the edge cell: edges are replicated.
    """
    position = Fraction((2 * pixel + 1) * cells, 2 * pixels) - Fraction(1, 2)
    below = position.numerator // position.denominator
    weight = position - below
    return max(below, 0), min(below + 1, cells - 1), weight


def heatmap_region(heatmap: Heatmap, frame: Frame, threshold: float = 0.5) -> Pixels:
    """The pixels where the bilinearly resized heatmap reaches threshold x its maximum.

    Section 2, Region: cell centres aligned, edges replicated; the maximum is that of the heatmap
    itself, before resizing; if it is not positive, the region is empty. Exact arithmetic: a value
    that equals the threshold belongs.
    """
    width, height = frame
    values = [[Fraction(value) for value in row] for row in heatmap]
    peak = max(max(row) for row in values)
    if peak <= 0:
        return frozenset()
    rows = [_neighbours(i, height, len(values)) for i in range(height)]
    columns = [_neighbours(j, width, len(values[0])) for j in range(width)]
    wide = [
        [row[left] * (1 - across) + row[right] * across for left, right, across in columns]
        for row in values
    ]
    limit = Fraction(threshold) * peak
    return frozenset(
        (i, j)
        for i, (top, bottom, down) in enumerate(rows)
        for j in range(width)
        if wide[top][j] * (1 - down) + wide[bottom][j] * down >= limit
    )


# --- boxes and overlaps ---------------------------------------------------------------------


def is_degenerate(box: Box) -> bool:
    """Whether a box has no inside (section 1, Boxes)."""
    return box.x2 <= box.x1 or box.y2 <= box.y1


def contains(box: Box, point: Point | None, tolerance: Number = 0) -> bool:
    """Whether the point hits the unclipped box, edges included (section 3).

    Nobody can hit a degenerate box, whatever the tolerance.
    """
    if point is None or is_degenerate(box):
        return False
    x, y = point
    return (
        box.x1 - tolerance <= x <= box.x2 + tolerance
        and box.y1 - tolerance <= y <= box.y2 + tolerance
    )


def clipped(box: Box, frame: Frame) -> Box:
    """The box cut to the frame."""
    width, height = frame
    return Box(
        min(max(box.x1, Fraction(0)), Fraction(width)),
        min(max(box.y1, Fraction(0)), Fraction(height)),
        min(max(box.x2, Fraction(0)), Fraction(width)),
        min(max(box.y2, Fraction(0)), Fraction(height)),
    )


def box_area(box: Box, frame: Frame) -> Fraction:
    """The exact area of a box inside the frame, 0 for a degenerate one."""
    return _area(clipped(box, frame))


def _area(box: Box) -> Fraction:
    return Fraction(0) if is_degenerate(box) else (box.x2 - box.x1) * (box.y2 - box.y1)


def box_pixels(box: Box, frame: Frame) -> Pixels:
    """The pixels whose centre is inside the box: x1 <= j + 0.5 < x2, likewise y."""
    width, height = frame
    half = Fraction(1, 2)
    columns = [j for j in range(width) if box.x1 <= j + half < box.x2]
    rows = [i for i in range(height) if box.y1 <= i + half < box.y2]
    return frozenset(product(rows, columns))


def region_area(region: Region | None, frame: Frame) -> Fraction:
    """The area of a region inside the frame: exact for a box, in pixels otherwise."""
    if region is None:
        return Fraction(0)
    return box_area(region, frame) if isinstance(region, Box) else Fraction(len(region))


def region_overlap(
    region: Region | None, box: Box | None, frame: Frame
) -> tuple[Fraction, Fraction, Fraction]:
    """(intersection, area of the region, area of the box), either of them possibly absent.

    Box against box is exact; a mask or heatmap and its box are both counted in pixels; a box
    without a region keeps its exact area (section 2, Region).
    """
    if region is None or box is None:
        alone = Fraction(0) if box is None else box_area(box, frame)
        return Fraction(0), region_area(region, frame), alone
    if isinstance(region, Box):
        a, b = clipped(region, frame), clipped(box, frame)
        common = Box(max(a.x1, b.x1), max(a.y1, b.y1), min(a.x2, b.x2), min(a.y2, b.y2))
        return _area(common), _area(a), _area(b)
    pixels = box_pixels(box, frame)
    return Fraction(len(region & pixels)), Fraction(len(region)), Fraction(len(pixels))


def iou(intersection: Fraction, first: Fraction, second: Fraction) -> Fraction:
    """Intersection over union of two areas or volumes, 0 where the union is 0."""
    return ratio(intersection, first + second - intersection)
