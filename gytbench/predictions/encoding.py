"""Heatmaps and masks between their written forms and arrays."""

import base64
import binascii
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gytbench.metrics.arrays import Floats, Ints
from gytbench.predictions.schema import MAX_SIDE, EncodedHeatmap, Heatmap, Mask

_DIGITS = 7
"""Characters of five bits that the longest run takes."""

MAX_VALUE = 1e300
"""The largest magnitude of a heatmap's value: differences of such values are finite."""


def decode_heatmap(heatmap: Heatmap) -> Floats:
    """The heatmap as a rows x columns array.

    Raises ValueError, with the reason, for an empty or ragged list, data that is
    not base64 or does not fill the shape, and values that are not finite or too large.
    """
    if isinstance(heatmap, EncodedHeatmap):
        values = _from_bytes(heatmap)
    else:
        widths = {len(row) for row in heatmap}
        if not heatmap or widths == {0}:
            raise ValueError("the heatmap is empty")
        if len(widths) > 1:
            raise ValueError(f"its rows have different lengths: {sorted(widths)}")
        if max(len(heatmap), *widths) > MAX_SIDE:
            raise ValueError(f"a side is longer than {MAX_SIDE} cells")
        values = np.array(heatmap, dtype=np.float64)
    if not (np.abs(values) <= MAX_VALUE).all():
        raise ValueError(f"a value is not a finite number, or beyond {MAX_VALUE:g}")
    return values


def _from_bytes(heatmap: EncodedHeatmap) -> Floats:
    try:
        raw = base64.b64decode(heatmap.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"its data is not base64 ({error})") from None
    dtype = np.dtype(heatmap.dtype).newbyteorder("<")
    rows, columns = heatmap.shape
    if len(raw) != rows * columns * dtype.itemsize:
        raise ValueError(
            f"its data holds {len(raw)} bytes, but {rows}x{columns} cells of "
            f"{heatmap.dtype} take {rows * columns * dtype.itemsize}"
        )
    return np.frombuffer(raw, dtype=dtype).reshape(rows, columns).astype(np.float64)


def encode_heatmap(values: NDArray[Any], dtype: str = "float16") -> EncodedHeatmap:
    """A rows x columns array in the compact form: base64 of its bytes."""
    array = np.ascontiguousarray(values, dtype=np.dtype(dtype).newbyteorder("<"))
    rows, columns = array.shape
    data = base64.b64encode(array.tobytes()).decode("ascii")
    return EncodedHeatmap(shape=(rows, columns), dtype=dtype, data=data)  # type: ignore[arg-type]


def decode_runs(mask: Mask) -> Ints:
    """The mask's run lengths: zeros, ones, zeros, ... down the columns.

    Raises ValueError where the text is not COCO's encoding, or the runs do not
    add up to the mask's size: they are never trusted to fill a buffer.
    """
    counts = mask.counts
    runs = _runs_from_text(counts) if isinstance(counts, str) else _bounded(counts)
    if (runs < 0).any():
        raise ValueError("a run length is negative")
    rows, columns = mask.size
    if (runs > rows * columns).any() or runs.sum() != rows * columns:
        raise ValueError(f"its run lengths do not add up to {rows} x {columns} pixels")
    return runs


def _bounded(counts: Sequence[int]) -> Ints:
    if any(count > MAX_SIDE * MAX_SIDE for count in counts):
        raise ValueError("a run is longer than any mask")
    return np.array(counts, dtype=np.int64)


def _runs_from_text(text: str) -> Ints:
    """COCO's text: 5 bits a character, least significant first, bit 6 = more follows,
    signed; from the fourth run on, each is the difference to the run two before."""
    try:
        codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int64) - 48
    except UnicodeEncodeError:
        codes = np.array([-1])
    if (codes < 0).any() or (codes > 63).any():
        raise ValueError("its counts hold a character that COCO's encoding does not use")
    if not codes.size:
        return codes
    last = (codes & 32) == 0
    if not last[-1]:
        raise ValueError("its counts end in the middle of a number")
    ends = np.flatnonzero(last)
    begins = np.concatenate(([0], ends[:-1] + 1))
    digit = np.arange(codes.size) - np.repeat(begins, ends - begins + 1)
    if digit.max() >= _DIGITS:
        raise ValueError("a run is longer than any mask")
    values = np.add.reduceat((codes & 31) << (5 * digit), begins)
    negative = (codes[ends] & 16) != 0
    values -= np.where(negative, np.int64(1) << (5 * (ends - begins + 1)), 0)
    for first in (1, 2):
        values[first::2] = np.cumsum(values[first::2])
    return values


def encode_runs(pixels: NDArray[Any]) -> Mask:
    """A rows x columns array of zeros and ones as a mask with plain run lengths."""
    rows, columns = pixels.shape
    flat = np.concatenate(([False], np.asarray(pixels, dtype=bool).ravel(order="F")))
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    runs = np.diff(np.concatenate(([0], edges, [rows * columns])))
    return Mask(size=(rows, columns), counts=[int(run) for run in runs])


def encode_text(lengths: Ints, starts: Ints) -> list[str]:
    """Many masks' run lengths in COCO's text; mask i owns lengths[starts[i] : starts[i + 1]].

    The inverse of `decode_runs`, for all masks at once.
    """
    position = np.arange(lengths.size) - np.repeat(starts[:-1], np.diff(starts))
    before = np.concatenate((np.zeros(2, dtype=np.int64), lengths[:-2]))[: lengths.size]
    rest = np.where(position > 2, lengths - before, lengths)
    codes = np.empty((lengths.size, _DIGITS), dtype=np.uint8)
    written = np.zeros(codes.shape, dtype=bool)
    more = np.ones(lengths.size, dtype=bool)
    for digit in range(_DIGITS):
        written[:, digit] = more
        code = rest & 31
        rest >>= 5
        more = more & np.where(code & 16, rest != -1, rest != 0)
        codes[:, digit] = code + 32 * more + 48
        if not more.any():
            break
    text = codes[written].tobytes().decode("ascii")
    sizes = np.concatenate(([0], np.cumsum(written.sum(axis=1))))
    ends = sizes[starts].tolist()
    return [text[begin:end] for begin, end in pairwise(ends)]
