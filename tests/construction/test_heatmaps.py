"""Heatmaps and their regions, against every pixel of one frame at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.construction import PointSets, heatmap, level_masks, sigmas
from gytbench.predictions.encoding import decode_runs, encode_text
from gytbench.predictions.schema import Mask
from tests.construction import dense

inside = st.tuples(st.floats(0, 1), st.floats(0, 1))
frames = st.tuples(
    st.tuples(st.integers(1, 70), st.integers(1, 50)),
    st.lists(inside, max_size=5),
    st.floats(0.3, 25),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(frames, min_size=1, max_size=5), st.sampled_from([0.05, 0.5, 0.9, 1.0]))
def test_regions_are_those_of_every_pixel(
    drawn: list[tuple[tuple[int, int], list[dense.Point], float]], level: float
) -> None:
    placed = [[(x * w, y * h) for x, y in points] for (w, h), points, _ in drawn]
    owner = np.array([i for i, points in enumerate(placed) for _ in points], dtype=np.int64)
    xy = np.array([p for points in placed for p in points], dtype=float).reshape(-1, 2)
    sizes = np.array([size for size, _, _ in drawn])
    sigma = np.array([s for _, _, s in drawn])
    runs = level_masks(PointSets.of(owner, xy, len(drawn)), sizes, sigma, level)
    texts = encode_text(runs.lengths, runs.starts)
    for i, ((width, height), _, s) in enumerate(drawn):
        lengths = runs.lengths[runs.starts[i] : runs.starts[i + 1]]
        assert (lengths[1:] > 0).all()
        mask = Mask(size=(height, width), counts=texts[i])
        assert decode_runs(mask).tolist() == lengths.tolist()
        ours = np.repeat(np.arange(len(lengths)) % 2, lengths).reshape(width, height).T
        if not placed[i]:
            assert not ours.any()
            continue
        above = dense.region(placed[i], (width, height), s, level)
        # A value within rounding of the level may fall on either side.
        clear = np.abs(above) > 1e-12
        assert (ours == (above >= 0))[clear].all()
        assert ours.any()


def test_one_point_gives_a_disc() -> None:
    """Half the maximum is reached within sigma sqrt(2 ln 2) of the point: 11.77 px."""
    points = PointSets.of(np.array([0]), np.array([[32.5, 24.5]]), 1)
    runs = level_masks(points, np.array([[64, 48]]), np.array([10.0]), 0.5)
    columns, rows = np.meshgrid(np.arange(64) - 32, np.arange(48) - 24)
    disc = columns**2 + rows**2 <= 10.0**2 * 2 * np.log(2)
    ours = np.repeat(np.arange(len(runs.lengths)) % 2, runs.lengths).reshape(64, 48).T
    assert (ours == disc).all()


def test_the_text_is_the_one_of_pycocotools() -> None:
    from pycocotools import mask as coco

    rng = np.random.default_rng(3)
    xy = np.array([400, 300]) + rng.normal(0, 60, (5, 2))
    points = PointSets.of(np.zeros(5, dtype=np.int64), xy, 1)
    runs = level_masks(points, np.array([[640, 480]]), np.array([32.0]), 0.5)
    pixels = dense.region([(x, y) for x, y in xy.tolist()], (640, 480), 32.0, 0.5) >= 0
    theirs = coco.encode(np.asfortranarray(pixels.astype(np.uint8)))
    assert encode_text(runs.lengths, runs.starts) == [theirs["counts"].decode()]


@given(st.lists(st.lists(st.integers(1, 300_000), min_size=1, max_size=9), max_size=5))
def test_text_reads_back(masks: list[list[int]]) -> None:
    lengths = np.array([run for mask in masks for run in mask], dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum([len(mask) for mask in masks]))).astype(np.int64)
    for text, mask in zip(encode_text(lengths, starts), masks, strict=True):
        assert decode_runs(Mask(size=(1, sum(mask)), counts=text)).tolist() == mask


def test_no_frame_and_no_point() -> None:
    nothing = PointSets.of(np.empty(0, dtype=np.int64), np.empty((0, 2)), 0)
    runs = level_masks(nothing, np.empty((0, 2), dtype=np.int64), np.empty(0), 0.5)
    assert runs.lengths.size == 0
    assert encode_text(runs.lengths, runs.starts) == []
    empty = PointSets.of(np.empty(0, dtype=np.int64), np.empty((0, 2)), 2)
    runs = level_masks(empty, np.array([[4, 3], [2, 2]]), np.ones(2), 0.5)
    assert runs.lengths.tolist() == [12, 4]
    assert runs.starts.tolist() == [0, 1, 2]


@given(st.lists(inside, min_size=1, max_size=5))
def test_a_heatmap_is_the_dense_one(shares: list[dense.Point]) -> None:
    points = [(x * 40, y * 30) for x, y in shares]
    ours = heatmap(np.array(points), (40, 30), 2.0, (40, 30))
    np.testing.assert_allclose(ours, dense.heat(points, (40, 30), 2.0), atol=1e-15)
    assert ours.sum() == pytest.approx(1)


def test_a_heatmap_on_a_coarser_grid() -> None:
    """A cell of 10x10 px speaks for its centre."""
    coarse = heatmap(np.array([[15.0, 25]]), (40, 30), 4.0, (4, 3))
    assert coarse.shape == (3, 4)
    assert np.unravel_index(coarse.argmax(), coarse.shape) == (2, 1)
    assert coarse[2, 0] / coarse[2, 1] == pytest.approx(np.exp(-100 / 32))


def test_sigma_is_a_twentieth_of_the_longer_side() -> None:
    assert sigmas(np.array([[640.0, 480], [480, 640], [1280, 720]])).tolist() == [32, 32, 64]
