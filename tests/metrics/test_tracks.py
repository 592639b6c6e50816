"""Boxes over time: sizes with and without the added pixel, tube overlaps, suppression."""

import numpy as np
import pytest

from gytbench.metrics import tracks
from gytbench.metrics.tracks import (
    Tracks,
    box_overlaps,
    interval_iou,
    product_iou,
    shared_by,
    sizes,
    suppressed,
    volumetric_iou,
)

NONE = [np.nan] * 4
FIRST = np.array([0])


def track(first: int, *boxes: list[float]) -> Tracks:
    return Tracks(np.array([first]), np.array([0, len(boxes)]), np.array(boxes, dtype=float))


def test_sizes_with_and_without_a_pixel() -> None:
    boxes = np.array([[0, 0, 9, 4], [3, 3, 3, 3], [5, 0, 3, 9], NONE], dtype=float)
    assert sizes(boxes).tolist()[:3] == [36, 0, 0]
    assert sizes(boxes, 1).tolist()[:3] == [50, 1, 0]
    assert np.isnan(sizes(boxes)[3])


def test_inclusive_pixels_meet_where_continuous_boxes_touch() -> None:
    a, b = np.array([[0.0, 0, 9, 9]]), np.array([[9.0, 0, 18, 9]])
    assert box_overlaps(a, b) == (0, 0)
    # One column of ten pixels in 100 + 100 - 10.
    assert box_overlaps(a, b, 1) == (pytest.approx(10 / 190), 10)
    flat = np.array([[3.0, 3, 3, 3]])
    assert box_overlaps(flat, flat)[0] == 0
    assert box_overlaps(flat, flat, 1)[0] == 1


def test_product_and_volume_weigh_seconds_differently() -> None:
    # Seconds 0 and 1 against 1 and 2; at second 1, half of a box of 100 is shared.
    small, large, half = [0, 0, 1, 1], [0, 0, 10, 10], [0, 0, 5, 10]
    a, b = track(0, small, large), track(1, half, small)
    assert product_iou(a, b, FIRST, FIRST, pixel=0) == pytest.approx(1 / 3 * 1 / 2)
    assert volumetric_iou(a, b, FIRST, FIRST) == pytest.approx(50 / (101 + 51 - 50))


def test_hull_reaches_from_the_first_box_to_the_last() -> None:
    box = [0, 0, 9, 9]
    gap, whole = track(4, NONE, box, NONE, box, NONE), track(0, *[box] * 12)
    # Seconds 5 to 7 of 12, both boxes alike at the two that have one.
    assert product_iou(gap, whole, FIRST, FIRST) == pytest.approx(3 / 12)
    assert [each.tolist() for each in gap.boxed] == [[5], [7]]
    assert volumetric_iou(gap, whole, FIRST, FIRST) == pytest.approx(2 / 12)


def test_tracks_that_share_nothing() -> None:
    box = [0, 0, 9, 9]
    early, late, bare = track(0, box), track(5, box), track(0, NONE, NONE)
    for a, b in ((early, late), (early, bare), (bare, bare)):
        assert product_iou(a, b, FIRST, FIRST) == volumetric_iou(a, b, FIRST, FIRST) == 0


def test_pairs_are_measured_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    offset = np.concatenate(([0], np.cumsum(rng.integers(1, 6, 20))))
    corners = rng.integers(0, 20, (offset[-1], 2, 2))
    box = np.sort(corners, axis=1).reshape(-1, 4).astype(float)
    many = Tracks(rng.integers(0, 5, 20), offset, box)
    left, right = (each.ravel() for each in np.indices((20, 20)))
    whole = shared_by(many, many, left, right)
    monkeypatch.setattr(tracks, "_PART", 7)
    for a, b in zip(whole, shared_by(many, many, left, right), strict=True):
        assert a.tolist() == b.tolist()
    assert whole.seconds.reshape(20, 20).diagonal().tolist() == np.diff(offset).tolist()


def test_intervals() -> None:
    a = np.array([[0.0, 4.0], [0.0, 1.0], [2.0, 3.0]])
    b = np.array([[1.0, 5.0], [1.0, 2.0], [2.0, 3.0]])
    assert interval_iou(a, b).tolist() == [3 / 5, 0, 1]


def test_what_falls_does_not_suppress() -> None:
    # 0 is like 1, 1 like 2: 1 falls, and 2 stays.
    assert suppressed(np.array([0, 1]), np.array([1, 2]), 4).tolist() == [False, True, False, False]
    assert suppressed(np.array([], np.int64), np.array([], np.int64), 0).tolist() == []
