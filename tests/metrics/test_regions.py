"""Heatmaps and masks against boxes, against pixels drawn one by one."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gytbench.metrics import regions
from tests.profiles.twin import resized_peak


def drawn(heatmap: np.ndarray, frame: tuple[int, int], threshold: float) -> np.ndarray:
    """The region pixel by pixel, in exact arithmetic."""
    rows, columns = heatmap.shape
    width, height = frame
    level = Fraction(threshold) * Fraction(float(heatmap.max()))
    pixels = np.zeros((height, width), dtype=bool)
    for i in range(height):
        for j in range(width):
            y, x = (
                min(max(Fraction(2 * p + 1, 2) * n / size - Fraction(1, 2), Fraction(0)), n - 1)
                for p, n, size in ((i, rows, height), (j, columns, width))
            )
            top, left = int(y), int(x)
            value = sum(
                wy * wx * Fraction(float(heatmap[min(r, rows - 1), min(c, columns - 1)]))
                for r, wy in ((top, 1 - y + top), (top + 1, y - top))
                for c, wx in ((left, 1 - x + left), (left + 1, x - left))
            )
            pixels[i, j] = heatmap.max() > 0 and value >= level
    return pixels


SPANS = st.tuples(st.integers(0, 9), st.integers(0, 7), st.integers(0, 4), st.integers(0, 4))


@settings(max_examples=120, deadline=None)
@given(
    heatmap=st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
        lambda shape: arrays(float, shape, elements=st.sampled_from([-1, 0, 0.25, 0.5, 1, 3]))
    ),
    frame=st.sampled_from([(9, 7), (7, 9), (3, 2), (8, 8)]),
    threshold=st.sampled_from([0.25, 0.5, 0.75, 1.0]),
    span=SPANS,
)
def test_heatmap_equals_the_drawn_region(
    heatmap: np.ndarray, frame: tuple[int, int], threshold: float, span: tuple[int, ...]
) -> None:
    x1, y1 = min(span[0], frame[0]), min(span[1], frame[1])
    x2, y2 = min(x1 + span[2], frame[0]), min(y1 + span[3], frame[1])
    area, overlap = regions.heatmap_overlaps(
        heatmap[np.newaxis], frame, np.array([[x1, y1, x2, y2]]), threshold
    )
    pixels = drawn(heatmap, frame, threshold)
    assert area.tolist() == [pixels.sum()]
    assert overlap.tolist() == [pixels[y1:y2, x1:x2].sum()]


def test_many_heatmaps_are_measured_one_by_one() -> None:
    """More than fit in one chunk; each has its own box."""
    rng = np.random.default_rng(3)
    heatmaps = rng.random((97, 7, 7))
    low = rng.integers(0, (600, 440), (97, 2))
    spans = np.concatenate((low, low + rng.integers(1, 40, (97, 2))), axis=1)
    areas, overlaps = regions.heatmap_overlaps(heatmaps, (640, 480), spans)
    for index in (0, 38, 39, 40, 96):
        alone = regions.heatmap_overlaps(
            heatmaps[index : index + 1], (640, 480), spans[index : index + 1]
        )
        assert (areas[index], overlaps[index]) == (alone[0][0], alone[1][0])


def test_a_flat_heatmap_covers_the_frame_and_a_negative_one_nothing() -> None:
    heatmaps = np.stack((np.full((7, 7), 0.3), np.full((7, 7), -0.3)))
    span = np.array([[10, 10, 20, 30]] * 2)
    areas, overlaps = regions.heatmap_overlaps(heatmaps, (640, 480), span)
    assert areas.tolist() == [640 * 480, 0]
    assert overlaps.tolist() == [200, 0]


def test_half_of_a_two_cell_heatmap() -> None:
    # Cells centred at x = 2 and x = 6 of 8; the value falls from 1 to 0 between them and
    # passes one half at x = 4: pixel centres 0.5 to 3.5 lie before it.
    area, overlap = regions.heatmap_overlaps(
        np.array([[[1.0, 0.0]]]), (8, 2), np.array([[3, 0, 8, 1]])
    )
    assert (area[0], overlap[0]) == (8, 1)


@settings(max_examples=150, deadline=None)
@given(
    cells=st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
        lambda shape: arrays(bool, shape)
    ),
    frame=st.sampled_from([(9, 7), (7, 9), (3, 2), (6, 6)]),
    span=SPANS,
)
def test_mask_equals_the_drawn_region(
    cells: np.ndarray, frame: tuple[int, int], span: tuple[int, ...]
) -> None:
    (width, height), (h, w) = frame, cells.shape
    x1, y1 = min(span[0], width), min(span[1], height)
    x2, y2 = min(x1 + span[2], width), min(y1 + span[3], height)
    pixels = np.array(
        [
            [cells[(2 * i + 1) * h // (2 * height), (2 * j + 1) * w // (2 * width)]]
            for i in range(height)
            for j in range(width)
        ]
    ).reshape(height, width)
    flat = np.concatenate(([0], cells.ravel(order="F").astype(int), [0]))
    first, stop = np.flatnonzero(np.diff(flat) == 1), np.flatnonzero(np.diff(flat) == -1)
    owner = np.zeros(first.size, dtype=np.int64)
    areas, overlaps = regions.mask_overlaps(
        owner, first, stop, (h, w), frame, np.array([[x1, y1, x2, y2]])
    )
    assert areas.tolist() == [pixels.sum()]
    assert overlaps.tolist() == [pixels[y1:y2, x1:x2].sum()]


def test_frame_groups_cover_every_row_once() -> None:
    frames = np.array([(640, 480), (480, 640), (640, 480)], dtype=float)
    groups = dict(regions.frame_groups(frames))
    assert {frame: rows.tolist() for frame, rows in groups.items()} == {
        (480, 640): [1],
        (640, 480): [0, 2],
    }


@pytest.mark.parametrize("frame", [(640, 480), (480, 640)])
def test_a_heatmap_of_the_frame_s_size_is_itself(frame: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    heatmap = rng.random((frame[1], frame[0]))
    span = np.array([[100, 50, 400, 300]])
    area, overlap = regions.heatmap_overlaps(heatmap[np.newaxis], frame, span)
    region = heatmap >= 0.5 * heatmap.max()
    assert (area[0], overlap[0]) == (region.sum(), region[50:300, 100:400].sum())


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(1, 1), (1, 3), (2, 2), (3, 2), (7, 7), (4, 5), (12, 9)]).flatmap(
        lambda shape: arrays(np.float64, (2, *shape), elements=st.sampled_from([0, 1, 2, 0.25, -1]))
    ),
    st.sampled_from([(8, 6), (6, 8), (7, 7), (1, 1)]),
)
def test_peaks_equal_those_of_the_whole_resized_map(
    values: np.ndarray, frame: tuple[int, int]
) -> None:
    expected = [list(resized_peak(rows, frame)) for rows in values.tolist()]
    assert regions.resized_peaks(values, frame).tolist() == expected


def test_peaks_of_seven_cells_in_a_real_frame() -> None:
    values = np.zeros((4, 7, 7))
    values[0, 3, 3] = values[1, 0, 0] = values[2, 6, 6] = 1
    # The middle cell's centre is (320, 240), between two pixels each way. The corner cells are
    # flat beyond their centres, which lie at 45.71 and 34.29, 594.29 and 445.71. The last map is
    # flat everywhere.
    peaks = regions.resized_peaks(values, (640, 480))
    assert peaks.tolist() == [[319, 239], [0, 0], [594, 446], [0, 0]]
    assert regions.resized_peaks(values[:0], (640, 480)).shape == (0, 2)
