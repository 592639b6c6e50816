"""Boxes and the pointing game."""

import numpy as np
import pytest

from gytbench.metrics import boxes


def rows(*values: tuple[float, ...]) -> np.ndarray:
    return np.array(values, dtype=float)


def test_area_of_degenerate_and_missing_boxes() -> None:
    nan = float("nan")
    found = boxes.area(rows((0, 0, 4, 5), (3, 0, 3, 5), (4, 0, 3, 5), (nan, nan, nan, nan)))
    assert found[:3].tolist() == [20, 0, 0]
    assert np.isnan(found[3])


def test_clip_uses_each_row_s_frame() -> None:
    cut = boxes.clip(rows((-5, 10, 700, 500), (-5, 10, 700, 500)), rows((640, 480), (480, 640)))
    assert cut.tolist() == [[0, 10, 640, 480], [0, 10, 480, 500]]


def test_intersection_and_iou() -> None:
    a, b = rows((0, 0, 4, 4), (0, 0, 4, 4)), rows((2, 1, 6, 3), (5, 0, 9, 4))
    shared = boxes.intersection(a, b)
    assert shared.tolist() == [4, 0]  # columns 2..4 by rows 1..3; nothing
    # 4 of 16 + 8 - 4 = 20.
    assert boxes.iou(shared, boxes.area(a), boxes.area(b)).tolist() == [0.2, 0.0]


def test_iou_of_two_empty_regions_is_zero() -> None:
    assert boxes.iou(np.zeros(1), np.zeros(1), np.zeros(1)).tolist() == [0.0]


@pytest.mark.parametrize(
    ("point", "tolerance", "hit"),
    [
        ((10, 20), 0, True),  # the corner belongs to the box
        ((30, 40), 0, True),
        ((30.001, 40), 0, False),
        ((32, 40), 2, True),
        ((32.001, 40), 2, False),
        ((float("nan"), float("nan")), 5, False),
    ],
)
def test_pointing_game(point: tuple[float, float], tolerance: float, hit: bool) -> None:
    assert boxes.contains(rows((10, 20, 30, 40)), rows(point), tolerance).tolist() == [hit]


@pytest.mark.parametrize("box", [(10, 20, 10, 40), (12, 20, 8, 40), (10, 20, 30, 20)])
def test_nobody_hits_a_degenerate_box(box: tuple[float, ...]) -> None:
    assert boxes.contains(rows(box), rows((10, 20)), tolerance=50).tolist() == [False]


def test_pixel_spans_count_centres() -> None:
    # Centres at 0.5, 1.5, ...: 0.5 is inside from x1 = 0.5 on; x2 = 3.5 leaves 3.5 out.
    spans = boxes.pixel_spans(rows((0.5, 0.6, 3.5, 3.6), (-9, -9, 99, 99), (5, 5, 2, 2)), (8, 6))
    assert spans[:2].tolist() == [[0, 1, 3, 4], [0, 0, 8, 6]]
    assert boxes.span_areas(spans).tolist() == [9, 48, 0]
