"""Hypothesis strategies: any tubes that a file may hold, true of no video in particular."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gytbench.predictions import EncodedHeatmap, Mask, Tube, encode_heatmap, encode_runs
from tests.reference.strategies import rle_string

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SIDES = st.tuples(st.integers(1, 5), st.integers(1, 5))
FRAME_SIZES = st.tuples(st.floats(1, 1e6), st.floats(1, 1e6))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=3)


@st.composite
def heatmaps(draw: st.DrawFn) -> list[list[float]] | EncodedHeatmap:
    """Nested lists, or bytes of any of the types."""
    shape = draw(SIDES)
    dtype = draw(st.sampled_from((None, "uint8", "float16", "float32", "float64")))
    if dtype is None:
        values = draw(arrays.arrays(np.float64, shape, elements=st.floats(-1e300, 1e300)))
        return values.tolist()
    elements = None if dtype == "uint8" else {"min_value": -1000, "max_value": 1000}
    return encode_heatmap(draw(arrays.arrays(dtype, shape, elements=elements)), dtype)


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    """Plain run lengths, or COCO's text."""
    mask = encode_runs(draw(arrays.arrays(np.bool_, SIDES)))
    if draw(st.booleans()):
        return Mask(mask.size, rle_string(mask.counts))
    return mask


def lists(entry: st.SearchStrategy[Any], nulls: bool = True) -> st.SearchStrategy[Any]:
    """A field that may be missing, its entries null."""
    return st.none() | st.lists(st.none() | entry if nulls else entry, max_size=4)


@st.composite
def tubes(draw: st.DrawFn) -> Tube:
    """A tube whose every field has its type, and nothing more."""
    return Tube(
        video=draw(TEXT),
        label=draw(TEXT),
        start=draw(st.floats(0, 86_400)),
        end=draw(st.floats(0, 86_400)),
        score=draw(FINITE | st.just(1.0)),
        times=draw(lists(st.integers(0, 86_400), nulls=False)),
        points=draw(lists(st.tuples(FINITE, FINITE))),
        boxes=draw(lists(st.tuples(FINITE, FINITE, FINITE, FINITE))),
        heatmaps=draw(lists(heatmaps())),
        masks=draw(lists(masks())),
        scores=draw(lists(FINITE, nulls=False)),
        frame_size=draw(st.none() | FRAME_SIZES),
        instance=draw(st.none() | st.integers(0, 2**53)),
        meta=draw(st.none() | OBJECTS),
    )
