"""Which boxes five points around a mean point can have given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gytbench.construction import explained
from tests.construction import dense

LYING, UPRIGHT = (640.0, 480.0), (480.0, 640.0)


def check(
    box: list[float],
    mean: dense.Point,
    distance: float,
    size: dense.Point = LYING,
    scale: dense.Point = (1, 1),
    **options: object,
) -> bool:
    found = explained(
        np.array([box], dtype=float),
        np.array([mean], dtype=float),
        np.array([[distance * scale[0], distance * scale[1]]]),
        np.array([size]),
        **options,  # type: ignore[arg-type]
    )
    return bool(found[0])


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5),
    st.sampled_from([LYING, UPRIGHT]),
    st.sampled_from(["frame", "swapped"]),
    st.sampled_from([(1.0, 1.0), (0.5, 2 / 3), (4 / 3, 4 / 3)]),
)
def test_every_box_of_five_points_is_explained(
    shares: list[dense.Point], size: dense.Point, clip: str, scale: dense.Point
) -> None:
    """Rounded as the released boxes are, and with the distance measured in native pixels."""
    native = [(x * size[0] / scale[0], y * size[1] / scale[1]) for x, y in shares]
    x, y, distance = dense.mean_and_distance(native)
    points = [(px * scale[0], py * scale[1]) for px, py in native]
    box = [float(round(v)) for v in dense.box(points, size, swapped=clip == "swapped")]
    assert check(box, (x * scale[0], y * scale[1]), distance, size, scale, clip=clip)


BOX = [200.0, 100.0, 420.0, 320.0]  # points from (300, 200) to (320, 220)


@pytest.mark.parametrize(
    ("mean", "distance"),
    [
        pytest.param((295, 210), 9, id="mean left of every point"),
        pytest.param((325, 210), 9, id="mean right of every point"),
        pytest.param((310, 225), 9, id="mean below every point"),
        pytest.param((310, 210), 3.5, id="too close for the outermost points"),
        pytest.param((310, 210), 15, id="too far apart for the box"),
        pytest.param((301, 210), 9, id="five points cannot balance"),
        pytest.param((float("nan"), 210), 9, id="no mean point"),
    ],
)
def test_what_five_points_cannot_give(mean: dense.Point, distance: float) -> None:
    assert check(BOX, (310, 210), 9)
    assert not check(BOX, mean, distance)


def test_another_margin_or_clipping_is_not_explained() -> None:
    assert not check(BOX, (310, 210), 9, margin=80)
    cut = [300.0, 100, 480, 320]
    assert check(cut, (410, 210), 9)
    assert not check(cut, (410, 210), 9, clip="frame")


def test_a_box_outside_the_limits_is_not_explained() -> None:
    assert check([400.0, 100, 620, 320], (510, 210), 9, clip="frame")
    assert not check([400.0, 100, 620, 320], (510, 210), 9, clip="swapped")
    assert not check([-20.0, 100, 200, 320], (90, 210), 9)


def test_a_cut_edge_says_how_far_its_point_lies_at_least() -> None:
    """x2 = 480 needs a point at 380 or further right: 15 px are within reach, 50 are not."""
    assert check([245.0, 100, 480, 320], (365, 210), 9)
    assert not check([210.0, 100, 480, 320], (330, 210), 9)
