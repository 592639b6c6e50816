"""RoIAlign: bins by hand, and a twin that takes every sample by itself."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from gytbench.models.roi_align import roi_align


def slow(features: np.ndarray, box: list[float], size: int, scale: float) -> np.ndarray:
    """Bin by bin and sample by sample, as the definition has it; in float32 where it counts."""
    x1, y1, x2, y2 = (
        np.float32(np.float32(side) * np.float32(scale)) - np.float32(0.5) for side in box
    )
    found = np.zeros((len(features), size, size))
    for row, down in enumerate(samples(y1, y2, size)):
        for column, right in enumerate(samples(x1, x2, size)):
            values = [sample(features, y, x) for y in down for x in right]
            found[:, row, column] = np.mean(values, axis=0) if values else 0
    return found


def samples(start: np.float32, end: np.float32, size: int) -> list[list[float]]:
    """Where the samples of each bin of an axis lie."""
    count = max(math.ceil((end - start) / np.float32(size)), 0)
    step = (float(end) - float(start)) / size
    return [
        [float(start) + (place + (part + 0.5) / count) * step for part in range(count)]
        for place in range(size)
    ]


def sample(features: np.ndarray, y: float, x: float) -> np.ndarray:
    channels, height, width = features.shape
    if not (-1 <= y <= height and -1 <= x <= width):
        return np.zeros(channels)
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = int(y), int(x)
    below, right = min(top + 1, height - 1), min(left + 1, width - 1)
    upper = features[:, top, left] * (1 - (x - left)) + features[:, top, right] * (x - left)
    lower = features[:, below, left] * (1 - (x - left)) + features[:, below, right] * (x - left)
    return upper * (1 - (y - top)) + lower * (y - top)


def pooled(features: np.ndarray, boxes: list[list[float]], size: int, scale: float) -> np.ndarray:
    given_boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return roi_align(torch.from_numpy(features).float(), given_boxes, size, scale).numpy()


def test_a_box_of_cells_gives_their_values():
    """A box over cells 1 to 2 of each axis, one bin a cell: a sample in the middle of each."""
    features = np.arange(16.0).reshape(1, 4, 4)
    found = pooled(features, [[1, 1, 3, 3]], 2, 1.0)
    np.testing.assert_allclose(found[0, 0], [[5, 6], [9, 10]])


def test_a_bin_is_the_mean_of_its_samples():
    """Four cells of each axis in one bin: 4 x 4 samples, in the middles of the cells."""
    features = np.arange(16.0).reshape(1, 4, 4)
    np.testing.assert_allclose(pooled(features, [[0, 0, 4, 4]], 1, 1.0)[0, 0], [[7.5]])
    # Half a cell in each bin: one sample, a quarter of a cell from the border, bilinear.
    np.testing.assert_allclose(
        pooled(features, [[1, 1, 2, 2]], 2, 1.0)[0, 0], [[3.75, 4.25], [5.75, 6.25]]
    )


def test_the_scale_is_of_pixels_to_cells():
    features = np.arange(16.0).reshape(1, 4, 4)
    found = pooled(features, [[16, 16, 48, 48]], 2, 1 / 16)
    np.testing.assert_allclose(found[0, 0], [[5, 6], [9, 10]])


def test_beyond_the_border_the_border_counts_and_farther_out_nothing():
    features = np.full((1, 4, 4), 3.0)
    # Samples at -0.5 in both axes, then at -2.5.
    assert pooled(features, [[-0.5, -0.5, 0.5, 0.5]], 1, 1.0).item() == 3
    assert pooled(features, [[-2.5, -2.5, -1.5, -1.5]], 1, 1.0).item() == 0
    # Two samples: one inside, one two cells out.
    assert pooled(features, [[2, 3, 8, 4]], 1, 1.0).item() == pytest.approx(3 * 3 / 6)


def test_boxes_without_an_area_and_no_boxes():
    features = np.ones((2, 4, 4))
    assert not pooled(features, [[2, 2, 2, 3]], 2, 1.0).any()
    assert pooled(features, [], 2, 1.0).shape == (0, 2, 2, 2)


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(*[st.floats(-40, 200, width=32)] * 4), min_size=1, max_size=4),
    st.integers(1, 5),
    st.sampled_from([1 / 16, 1 / 8, 1.0]),
)
def test_it_is_what_its_samples_are(seed, corners, size, scale):
    """But for samples that rounding may put on the other side of where they stop to count."""
    boxes = [[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in corners]
    features = np.random.default_rng(seed).standard_normal((3, 5, 7))
    if scale == 1:
        boxes = [[side / 20 for side in box] for box in boxes]
    for box in boxes:
        for first, limit in ((0, 7), (1, 5)):
            edges = (np.float32(box[side] * scale) - np.float32(0.5) for side in (first, first + 2))
            at = np.array(samples(*edges, size))
            assume(not ((np.abs(at + 1) < 1e-4) | (np.abs(at - limit) < 1e-4)).any())
    found = pooled(features, boxes, size, scale)
    for own, box in zip(found, boxes, strict=True):
        exact = [float(np.float32(side)) for side in box]
        np.testing.assert_allclose(own, slow(features, exact, size, scale), atol=2e-4)


def test_it_is_torchvisions_where_that_runs():
    ops = pytest.importorskip("torchvision.ops", exc_type=(ImportError, RuntimeError))
    random = torch.Generator().manual_seed(0)
    features = torch.randn(8, 50, 84, generator=random)
    corners = torch.rand(64, 2, 2, generator=random) * torch.tensor([1333.0, 800.0])
    boxes = torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1)
    expected = ops.roi_align(features[None], [boxes], 14, 1 / 16, 0, aligned=True)
    assert (roi_align(features, boxes, 14, 1 / 16) - expected).abs().max() < 1e-4
