"""Heatmaps and masks against numpy and pycocotools."""

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco

from gytbench.predictions import EncodedHeatmap, Mask, encode_heatmap, encode_runs
from gytbench.predictions.encoding import decode_heatmap, decode_runs

SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40))


def runs_of(pixels: np.ndarray) -> list[int]:
    """Zeros, ones, zeros, ... down the columns, counted a pixel at a time."""
    runs, inside = [0], False
    for pixel in pixels.T.ravel().tolist():
        if bool(pixel) != inside:
            runs.append(0)
            inside = not inside
        runs[-1] += 1
    return runs


@given(arrays.arrays(np.bool_, SHAPES))
def test_runs_of_pixels(pixels: np.ndarray) -> None:
    mask = encode_runs(pixels)
    assert mask.size == pixels.shape
    assert mask.counts == runs_of(pixels)
    assert decode_runs(mask).tolist() == runs_of(pixels)


@settings(max_examples=300)
@given(arrays.arrays(np.uint8, SHAPES, elements=st.integers(0, 1)))
def test_text_that_pycocotools_writes(pixels: np.ndarray) -> None:
    encoded = coco.encode(np.asfortranarray(pixels))
    mask = Mask(tuple(encoded["size"]), encoded["counts"].decode())
    assert decode_runs(mask).tolist() == runs_of(pixels)


@pytest.mark.parametrize("hole", [1, 31, 32, 1023, 1024, 40_000, 1_000_000])
def test_long_runs_take_several_characters(hole: int) -> None:
    # Differences to the run two before are negative from the fourth run on.
    pixels = np.ones((1000, 1200), dtype=np.uint8, order="F")
    flat = pixels.ravel(order="K")
    flat[7 : 7 + hole] = 0
    flat[7 + hole + 3] = 0
    encoded = coco.encode(pixels)
    mask = Mask((1000, 1200), encoded["counts"].decode())
    left = 1_200_000 - 7 - hole - 3 - 1
    assert decode_runs(mask).tolist() == [0, 7, hole, 3, 1, left]


@settings(max_examples=500)
@given(
    st.text(st.characters(codec="latin-1"), max_size=30)
    | st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=30),
    SHAPES,
)
def test_any_text_is_a_mask_or_a_fault(text: str, size: tuple[int, int]) -> None:
    try:
        runs = decode_runs(Mask(size, text))
    except ValueError:
        return
    assert runs.min() >= 0
    assert runs.sum() == size[0] * size[1]


@pytest.mark.parametrize(
    ("size", "counts", "reason"),
    [
        ((2, 2), [], r"do not add up to 2 x 2 pixels"),
        ((2, 2), "", r"do not add up to 2 x 2 pixels"),
        ((2, 2), [1, 2], r"do not add up to 2 x 2 pixels"),
        ((2, 2), [1, 4], r"do not add up to 2 x 2 pixels"),
        ((2, 2), [10**30], r"longer than any mask"),
        ((2, 2), [2**62, 2**62, 2**62, 2**62, 4], r"longer than any mask"),
        # In text: O is 31, that is -1; P is 0 with more to follow; 7 x P is 35 bits and more.
        ((2, 2), "5O", "negative"),
        ((2, 2), "4P", "ends? in the middle of a number"),
        ((2, 2), "P" * 7 + "0", "longer than any mask"),
        ((2, 2), "4 ", "a character that COCO's encoding does not use"),
        ((2, 2), "4p", "a character that COCO's encoding does not use"),
        ((2, 2), "4é", "a character that COCO's encoding does not use"),
        ((2, 2), "4\ud800", "a character that COCO's encoding does not use"),
    ],
)
def test_masks_that_are_none(size: tuple[int, int], counts: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode_runs(Mask(size, counts))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8"])
def test_encoded_heatmaps_are_row_major_and_little_endian(dtype: str) -> None:
    values = np.array([[0, 1, 2], [3, 4, 200]])
    encoded = encode_heatmap(values, dtype)
    assert base64.b64decode(encoded.data) == values.astype(f"<{np.dtype(dtype).str[1:]}").tobytes()
    assert decode_heatmap(encoded).tolist() == values.tolist()
    turned = encode_heatmap(values.T[::-1], dtype)
    assert turned.shape == (3, 2)
    assert decode_heatmap(turned).tolist() == [[2, 200], [1, 4], [0, 3]]


def test_nested_heatmaps() -> None:
    assert decode_heatmap([[1, 2.5]]).tolist() == [[1, 2.5]]
    assert decode_heatmap([[-1e300], [5e-324]]).tolist() == [[-1e300], [5e-324]]


def data(*values: float, dtype: str = "<f4") -> str:
    """Numbers as base64."""
    return base64.b64encode(np.array(values, dtype=dtype).tobytes()).decode()


BAD_HEATMAPS: list[tuple[Any, str]] = [
    ([], "empty"),
    ([[]], "empty"),
    ([[], []], "empty"),
    ([[1], []], r"different lengths: \[0, 1\]"),
    ([[1, 2], [3]], r"different lengths: \[1, 2\]"),
    ([[0.0] * 10_001], "longer than 10000"),
    ([[1.0]] * 10_001, "longer than 10000"),
    ([[1e301]], r"not a finite number, or beyond 1e\+300"),
    ([[float("nan")]], "not a finite number"),
    (EncodedHeatmap((1, 1), "float32", data(float("nan"))), "not a finite number"),
    (EncodedHeatmap((1, 1), "float16", data(float("-inf"), dtype="<f2")), "not a finite number"),
    (
        EncodedHeatmap((1, 2), "float32", data(1.0)),
        "holds 4 bytes, but 1x2 cells of float32 take 8",
    ),
    (EncodedHeatmap((1, 1), "float32", data(1.0, 2.0)), "holds 8 bytes, .* take 4"),
    (EncodedHeatmap((1, 1), "uint8", ""), "holds 0 bytes"),
    (EncodedHeatmap((1, 1), "uint8", "AA"), "not base64"),
    (EncodedHeatmap((1, 1), "uint8", "A A="), "not base64"),
    (EncodedHeatmap((1, 1), "uint8", "é==="), "not base64"),
    (EncodedHeatmap((10_000, 10_000), "float64", "AA=="), "take 800000000"),
]


@pytest.mark.parametrize(("heatmap", "reason"), BAD_HEATMAPS)
def test_heatmaps_that_are_none(heatmap: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode_heatmap(heatmap)
