"""Rows as one table: what cannot be, frames of other sizes and back, and spreads."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.annotation import AnnotatedFrame, PointRow, build_table
from gytbench.errors import InputError

LYING, UPRIGHT, HD, PHONE = (640.0, 480.0), (480.0, 640.0), (1280.0, 720.0), (1080.0, 1920.0)


def answer(x: float | None = 10.0, y: float | None = 20.0, **fields: Any) -> PointRow:
    """Annotator ann's answer for the first second of video v, with fields replaced."""
    row = PointRow("v", 1, "pour", "ann", x, y, 640.0, 480.0, "points.csv: row 2")
    return row._replace(**fields)


def faults(*rows: PointRow) -> list[tuple[str, str, str]]:
    """Place, reason and kind of all that is wrong with the rows."""
    with pytest.raises(InputError) as caught:
        build_table(rows)
    return [(fault.where, fault.reason, fault.kind) for fault in caught.value.faults]


def test_frames_and_answers_are_ordered() -> None:
    table = build_table(
        [
            answer(3, 4, video="w", annotator="bob"),
            answer(5, 6, second=10, annotator="cleo"),
            answer(7, 8, second=9, annotator="cleo"),
            answer(None, None, second=9, annotator="bob"),
            answer(9, 9, second=9, step="add"),
        ],
        name="points.csv",
    )
    assert table.frames == (
        AnnotatedFrame("v", 9, "add"),
        AnnotatedFrame("v", 9, "pour"),
        AnnotatedFrame("v", 10, "pour"),
        AnnotatedFrame("w", 1, "pour"),
    )
    assert table.annotators == ("ann", "bob", "cleo")
    assert table.frame.tolist() == [0, 1, 1, 2, 3]
    assert table.annotator.tolist() == [0, 1, 2, 2, 1]
    np.testing.assert_array_equal(table.xy, [[9, 9], [np.nan] * 2, [7, 8], [5, 6], [3, 4]])
    assert table.points.counts.tolist() == [1, 1, 1, 1]
    assert table.name == "points.csv"
    assert not table.estimated


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = [answer(i, 2 * i, second=i // 2, annotator="ab"[i % 2]) for i in range(6)]
    one, other = build_table(rows), build_table(rows[::-1])
    assert one.frames == other.frames
    assert one.xy.tolist() == other.xy.tolist()
    assert one.annotator.tolist() == other.annotator.tolist()


def test_a_frame_of_blind_annotators_stays() -> None:
    table = build_table([answer(None, None), answer(None, None, annotator="bob")])
    assert table.points.counts.tolist() == [0]
    assert np.isnan(table.spreads).all()


def test_sizes_are_of_the_row_then_of_the_video_then_640x480() -> None:
    unsized = {"width": None, "height": None}
    rows = [answer(), answer(video="w", **unsized), answer(video="x", **unsized)]
    table = build_table(rows, {"v": HD, "w": PHONE})
    assert table.sizes.tolist() == [list(LYING), list(PHONE), list(LYING)]


nan, inf = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("point", "shown"),
    [
        ((-0.5, 20.0), "(-0.5, 20)"),
        ((10.0, 480.5), "(10, 480.5)"),
        ((640.1, 20.0), "(640.1, 20)"),
        ((nan, 20.0), "(nan, 20)"),
        ((10.0, nan), "(10, nan)"),
        ((inf, 20.0), "(inf, 20)"),
    ],
)
def test_a_point_outside_its_frame(point: tuple[float, float], shown: str) -> None:
    ((where, reason, kind),) = faults(answer(*point))
    assert (where, kind) == ("points.csv: row 2", "outside the frame")
    assert reason.startswith(f"the point {shown} is not inside its frame of 640x480 pixels;")
    assert "--sizes" in reason


def test_the_edges_belong_to_the_frame() -> None:
    table = build_table([answer(0, 0), answer(640, 480, annotator="bob")])
    assert table.xy.tolist() == [[0, 0], [640, 480]]


@pytest.mark.parametrize("point", [(10.0, None), (None, 20.0)])
def test_half_a_point(point: tuple[float | None, float | None]) -> None:
    assert faults(answer(*point)) == [
        ("points.csv: row 2", "has one coordinate; give both, or neither", "half a point")
    ]


@pytest.mark.parametrize(
    "size", [(0.0, 480.0), (640.0, -1.0), (nan, 480.0), (640.0, inf), (1e6, 9)]
)
def test_a_frame_that_cannot_be(size: tuple[float, float]) -> None:
    width, height = size
    found = faults(answer(None, None, width=width, height=height))
    reason = f"a frame of {width:g}x{height:g} pixels cannot be"
    assert ("points.csv: row 2", reason, "frame size") in found
    assert {kind for _, _, kind in found} <= {"frame size", "mixed resolutions"}


def test_an_annotator_twice_on_one_frame() -> None:
    rows = [
        answer(),
        answer(second=2, where="points.csv: row 3"),
        answer(step="add", where="points.csv: row 4"),
        answer(annotator="bob", where="points.csv: row 5"),
        answer(30, where="other.csv: row 9"),
    ]
    ((where, reason, kind),) = faults(*rows)
    assert (where, kind) == ("other.csv: row 9", "annotator twice")
    assert "'ann'" in reason
    assert "second 1 of video 'v'" in reason
    assert "points.csv: row 2" in reason


def test_one_video_in_two_sizes() -> None:
    other = {"width": 1280.0, "height": 720.0}
    ((where, reason, kind),) = faults(
        answer(),
        answer(second=2, where="b", **other),
        answer(video="w", second=2, where="c", **other),
    )
    assert (where, kind) == ("b", "mixed resolutions")
    assert "1280x720" in reason
    assert "640x480 in points.csv: row 2" in reason


def test_mean_points_among_own_points() -> None:
    mean = answer(annotator="mean", mean_distance=3.0, where="means.json: $[0]")
    ((where, reason, kind),) = faults(answer(), mean)
    assert (where, kind) == ("means.json: $[0]", "mixed kinds")
    assert "compare points.csv: row 2" in reason
    assert [fault[2] for fault in faults(mean, answer())] == ["mixed kinds"]


@pytest.mark.parametrize("distance", [-1.0, nan, inf, 1121.0])
def test_a_mean_distance_that_cannot_be(distance: float) -> None:
    found = faults(answer(annotator="mean", mean_distance=distance))
    assert found == [
        ("points.csv: row 2", f"mean distance {distance:g} cannot be", "mean distance")
    ]


def test_no_rows() -> None:
    assert faults() == [("", "there are no points", "fault")]


def test_all_faults_are_told_at_once() -> None:
    found = faults(
        answer(700, where="1"),
        answer(10, None, annotator="bob", where="2"),
        answer(nan, second=-3, where="3"),
        answer(where="4"),
        answer(second=5, width=0.0, where="5"),
        answer(second=6, mean_distance=1.0, where="6"),
    )
    assert sorted((where, kind) for where, _, kind in found) == [
        ("1", "outside the frame"),
        ("2", "half a point"),
        ("3", "outside the frame"),
        ("3", "second"),
        ("4", "annotator twice"),
        ("5", "frame size"),
        ("5", "mixed resolutions"),
        ("5", "outside the frame"),
        ("6", "mixed kinds"),
    ]


def test_upright_frames_are_scaled_upright() -> None:
    table = build_table(
        [answer(640, 360, width=1280.0, height=720.0), answer(540, 480, video="w", width=1080.0,
         height=1920.0), answer(90, 90, video="x", width=360.0, height=360.0)]
    )  # fmt: skip
    scaled = table.scaled_to((640, 480))
    assert scaled.sizes.tolist() == [[640, 480], [480, 640], [640, 480]]
    assert scaled.xy.tolist() == [[320, 240], [240, 160], [160, 120]]
    assert scaled.frames == table.frames


sizes = st.sampled_from([LYING, UPRIGHT, HD, PHONE, (719.0, 405.0), (360.0, 360.0)])
shares = st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1))
frames = st.tuples(sizes, st.lists(shares, min_size=1, max_size=5))


@settings(deadline=None)
@given(st.lists(frames, min_size=1, max_size=4), st.sampled_from([LYING, HD, (64.0, 10.0)]))
def test_scaling_leads_back(
    drawn: list[tuple[tuple[float, float], list[tuple[float, float] | None]]],
    size: tuple[float, float],
) -> None:
    rows = [
        answer(
            *(None if share is None else share[axis] * (width, height)[axis] for axis in (0, 1)),
            video=f"v{number}",
            annotator=f"{name}",
            width=width,
            height=height,
        )
        for number, ((width, height), points) in enumerate(drawn)
        for name, share in enumerate(points)
    ]
    table = build_table(rows)
    scaled = table.scaled_to(size)
    back = scaled.xy * (table.sizes / scaled.sizes)[table.frame]
    np.testing.assert_allclose(back, table.xy, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(
        scaled.xy / scaled.sizes[table.frame], table.xy / table.sizes[table.frame], 1e-12, 1e-300
    )
    wide = table.sizes[:, 0] >= table.sizes[:, 1]
    assert ((scaled.sizes[:, 0] >= scaled.sizes[:, 1]) == wide).all()
    np.testing.assert_allclose(scaled.spreads, table.spreads, rtol=1e-9, atol=1e-9)


def test_spreads_by_hand() -> None:
    table = build_table(
        [
            answer(100, 100),
            answer(106, 108, annotator="bob"),
            answer(None, None, annotator="cleo"),
            answer(50, 50, second=2),
            answer(None, None, second=3),
        ]
    )
    # The mean is (103, 104), both points are 5 away; one point or none has no spread.
    np.testing.assert_allclose(table.spreads, [5, np.nan, np.nan])


def test_spreads_are_in_pixels_of_640x480() -> None:
    """At 1280x720, 12 px to either side are 6, and 12 px up and down are 8."""
    hd = {"width": 1280.0, "height": 720.0}
    table = build_table(
        [
            answer(100, 100, **hd),
            answer(124, 100, annotator="bob", **hd),
            answer(100, 100, second=2, **hd),
            answer(100, 124, second=2, annotator="bob", **hd),
            answer(100, 100, second=3, **hd),
            answer(124, 124, second=3, annotator="bob", **hd),
        ]
    )
    assert table.spreads == pytest.approx([6, 8, 10])


def test_spreads_of_mean_points() -> None:
    hd = {"video": "w", "width": 1280.0, "height": 720.0}
    table = build_table(
        [
            answer(100, 100, annotator="mean", mean_distance=7.0),
            answer(None, None, second=2, annotator="mean", mean_distance=0.0),
            answer(9, 9, annotator="mean", mean_distance=12.0, **hd),
        ]
    )
    assert table.estimated
    scaled = table.scaled_to((640, 480))
    assert scaled.mean_distances is not None
    assert scaled.mean_distances.tolist() == [[7, 7], [0, 0], [6, 8]]
    # 12 px are 6 across and 8 down: their root mean square is the square root of 50.
    np.testing.assert_allclose(table.spreads, [7, np.nan, 50**0.5])
    np.testing.assert_allclose(scaled.spreads, table.spreads)
