"""Repaired boxes, by hand."""

import numpy as np
import pytest

from gytbench.construction import cut_at_height, repair

LYING, UPRIGHT = (640.0, 480.0), (480.0, 640.0)
NO_POINT = float("nan")


@pytest.mark.parametrize(
    ("box", "mean_x", "size", "expected"),
    [
        pytest.param([10, 20, 200, 300], 100, LYING, [10, 20, 200, 300], id="right already"),
        pytest.param([10, 300, 200, 560], 100, LYING, [10, 300, 200, 480], id="below the frame"),
        pytest.param([300, 20, 480, 300], 420, LYING, [300, 20, 540, 300], id="mirrored"),
        pytest.param([360, 20, 480, 300], 440.5, LYING, [360, 20, 540.5, 300], id="margin"),
        pytest.param([400, 20, 480, 300], 560, LYING, [400, 20, 640, 300], id="frame's edge"),
        pytest.param([500, 20, 480, 300], 610, LYING, [500, 20, 640, 300], id="without area"),
        pytest.param([80, 73, 480, 526], 236.8, LYING, [80, 73, 480, 480], id="never narrower"),
        pytest.param([300, 20, 480, 300], NO_POINT, LYING, [300, 20, 480, 300], id="no point"),
        pytest.param([300, 400, 480, 600], 420, UPRIGHT, [300, 400, 480, 600], id="upright"),
    ],
)
def test_a_repaired_box(
    box: list[float], mean_x: float, size: tuple[float, float], expected: list[float]
) -> None:
    found = repair(np.array([box], dtype=float), np.array([mean_x]), np.array([size]))
    assert found.tolist() == [expected]


def test_only_boxes_that_end_at_the_height_are_cut() -> None:
    boxes = np.array([[0, 0, 480, 9], [0, 0, 479, 9], [0, 0, 480, 9.0]])
    sizes = np.array([LYING, LYING, UPRIGHT])
    assert cut_at_height(boxes, sizes).tolist() == [True, False, False]
