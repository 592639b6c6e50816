"""Boxes from points: hand-worked frames, and the rule one frame at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gytbench.construction import PointSets, boxes_around, boxes_of_points, clip_limits, spread
from tests.construction import dense

LYING, UPRIGHT, HD = (640, 480), (480, 640), (1280, 720)


def sets(*frames: list[dense.Point]) -> PointSets:
    owner = np.array([i for i, points in enumerate(frames) for _ in points], dtype=np.int64)
    xy = np.array([p for points in frames for p in points], dtype=float).reshape(-1, 2)
    return PointSets.of(owner, xy, len(frames))


def boxes(*frames: list[dense.Point], size: dense.Point = LYING, **options: object) -> object:
    sizes = np.tile(np.array(size, dtype=float), (len(frames), 1))
    return boxes_of_points(sets(*frames), sizes, **options).tolist()  # type: ignore[arg-type]


def test_a_box_is_the_union_grown_by_the_margin() -> None:
    assert boxes([(300, 200), (320, 260), (310, 240)]) == [[200, 100, 420, 360]]


def test_a_box_ends_at_the_frame() -> None:
    assert boxes([(50, 40)], [(600, 450)]) == [[0, 0, 150, 140], [500, 350, 640, 480]]


def test_the_released_boxes_end_at_480_and_640() -> None:
    assert boxes([(600, 450)], clip="swapped") == [[500, 350, 480, 550]]
    assert boxes([(400, 450)], clip="swapped") == [[300, 350, 480, 550]]
    assert boxes([(450, 600)], size=UPRIGHT, clip="swapped") == [[350, 500, 480, 640]]


def test_the_margin_grows_with_the_frame() -> None:
    assert boxes([(640, 360)], size=HD) == [[440, 210, 840, 510]]
    assert boxes([(640, 360)], size=HD, margin=10) == [[620, 345, 660, 375]]
    assert boxes([(100, 300)], size=UPRIGHT, margin=10) == [[90, 290, 110, 310]]


def test_a_frame_without_points_has_no_box() -> None:
    points = PointSets.of(np.array([0, 2, 2]), np.array([[1, 1], [np.nan, 3], [5, 5.0]]), 4)
    found = boxes_of_points(points, np.tile([640.0, 480.0], (4, 1)))
    assert np.isnan(found[:, 0]).tolist() == [False, True, False, True]
    assert points.counts.tolist() == [1, 0, 1, 0]


def test_clip_limits() -> None:
    sizes = np.array([LYING, UPRIGHT], dtype=float)
    assert clip_limits(sizes, "frame").tolist() == [[640, 480], [480, 640]]
    assert clip_limits(sizes, "swapped").tolist() == [[480, 640], [480, 640]]


def test_an_estimated_box_reaches_one_mean_distance() -> None:
    found = boxes_around(np.array([[300.0, 200]]), np.array([[10.0, 20]]), np.array([[640.0, 480]]))
    assert found.tolist() == [[190, 80, 410, 320]]


def test_spread_by_hand() -> None:
    means, apart = spread(sets([(0, 0), (6, 8)], [], [(3, 3)]))
    assert means[[0, 2]].tolist() == [[3, 4], [3, 3]]
    assert apart[[0, 2]].tolist() == [5, 0]
    assert np.isnan(means[1]).all()
    assert np.isnan(apart[1])


inside = st.tuples(st.floats(0, 1), st.floats(0, 1))
sizes = st.sampled_from([LYING, UPRIGHT, HD, (360, 360), (719, 405)])


@given(
    st.lists(st.tuples(sizes, st.lists(inside, max_size=6)), min_size=1, max_size=6),
    st.floats(0, 300),
    st.sampled_from(["frame", "swapped"]),
)
def test_boxes_are_those_of_one_frame_at_a_time(
    frames: list[tuple[dense.Point, list[dense.Point]]], margin: float, clip: str
) -> None:
    placed = [[(x * w, y * h) for x, y in points] for (w, h), points in frames]
    found = boxes_of_points(
        sets(*placed),
        np.array([size for size, _ in frames], dtype=float),
        margin=margin,
        clip=clip,  # type: ignore[arg-type]
    )
    for row, points, (size, _) in zip(found.tolist(), placed, frames, strict=True):
        if points:
            assert row == pytest.approx(dense.box(points, size, margin, clip == "swapped"))
        else:
            assert np.isnan(row).all()


@given(st.lists(inside, min_size=1, max_size=5), sizes)
def test_native_and_stretched_boxes_are_one(points: list[dense.Point], size: dense.Point) -> None:
    """Building in the video's own pixels and stretching the box loses nothing."""
    upright = size[1] > size[0]
    frame = UPRIGHT if upright else LYING
    native = boxes([(x * size[0], y * size[1]) for x, y in points], size=size)
    stretched = boxes([(x * frame[0], y * frame[1]) for x, y in points], size=frame)
    scale = np.tile(np.divide(frame, size), 2)
    np.testing.assert_allclose(np.array(native) * scale, stretched, atol=1e-9)
