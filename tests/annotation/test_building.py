"""Boxes of a table by a rule: by hand, and against one frame at a time."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.annotation import (
    Built,
    BuiltBox,
    PointRow,
    PointTable,
    Rule,
    build,
    build_table,
    one_a_second,
)
from gytbench.errors import InputError
from tests.construction import dense

Point = tuple[float, float] | None
LYING, UPRIGHT, HD = (640.0, 480.0), (480.0, 640.0), (1280.0, 720.0)
NATIVE = Rule(frame=None)


def answers(
    *points: Point,
    video: str = "v",
    second: int = 1,
    size: tuple[float, float] = LYING,
    distance: float | None = None,
) -> list[PointRow]:
    """One frame's answers, of annotators 0, 1, 2, ..."""
    return [
        PointRow(video, second, "pour", f"{i}", *(point or (None, None)), *size, "here", distance)
        for i, point in enumerate(points)
    ]


def table(*frames: list[PointRow]) -> PointTable:
    return build_table([row for frame in frames for row in frame])


def box(built: Built) -> list[float]:
    """The only box."""
    (row,) = built.rows()
    return list(row.box)


ONE = table(answers((300, 200), (320, 260), (310, 240)))


def test_the_default_rule() -> None:
    built = build(ONE, Rule())
    assert built.rows() == [BuiltBox("v", 1, "pour", (200, 100, 420, 360), LYING, False)]
    assert built.dropped == {}
    assert built.sigmas.tolist() == [32]


def test_points_and_box_are_scaled_to_the_frame() -> None:
    hd = table(answers((600, 300), (680, 360), size=HD))
    assert box(build(hd, Rule())) == [200, 100, 440, 340]
    assert box(build(hd, Rule(frame=(320, 240)))) == [100, 50, 220, 170]
    upright = table(answers((600, 600), size=(1200.0, 1600.0)))
    built = build(upright, Rule())
    assert built.rows()[0].size == UPRIGHT
    assert box(built) == [140, 140, 340, 340]


def test_native_boxes_are_in_the_points_own_pixels() -> None:
    built = build(table(answers((600, 300), (680, 360), size=HD)), NATIVE)
    assert built.rows()[0].size == HD
    assert box(built) == [400, 150, 880, 510]
    assert built.sigmas.tolist() == [64]


def test_margin() -> None:
    assert box(build(ONE, Rule(margin=10))) == [290, 190, 330, 270]
    assert box(build(ONE, Rule(margin=0))) == [300, 200, 320, 260]
    assert box(build(ONE, Rule(margin=10, frame=(1280, 960)))) == [580, 380, 660, 540]


def test_sigma_is_in_pixels_of_the_frame() -> None:
    assert build(ONE, Rule(sigma=7, frame=(320, 240))).sigmas.tolist() == [7]
    assert build(ONE, Rule(frame=(320, 240))).sigmas.tolist() == [16]


def test_clip() -> None:
    corner = table(answers((600, 450)))
    assert box(build(corner, Rule())) == [500, 350, 640, 480]
    assert box(build(corner, Rule(clip="swapped"))) == [500, 350, 480, 550]
    assert box(build(corner, Rule(clip="swapped", frame=HD))) == [1000, 525, 720, 825]
    upright = table(answers((450, 600), size=UPRIGHT))
    assert box(build(upright, Rule(clip="swapped"))) == box(build(upright, Rule()))


SEVERAL = table(
    answers(None, None, second=0),
    answers((300, 200), second=1),
    answers((300, 200), (306, 208), None, second=2),
    answers((100, 200), (300, 200), second=3),
    answers((300, 200), (300, 200), (300, 206), second=4),
)


def seconds(built: Built) -> list[int]:
    return [row.second for row in built.rows()]


def test_min_points() -> None:
    built = build(SEVERAL, Rule(min_points=2))
    assert seconds(built) == [2, 3, 4]
    assert built.dropped == {"nothing visible": 1, "fewer than 2 points": 1}
    built = build(SEVERAL, Rule(min_points=4))
    assert seconds(built) == []
    assert built.dropped == {"nothing visible": 1, "fewer than 4 points": 4}


def test_max_spread() -> None:
    """The spreads of seconds 2 to 4 are 5, 100 and 8/3; one point has none and stays."""
    built = build(SEVERAL, Rule(max_spread=5))
    assert seconds(built) == [1, 2, 4]
    assert built.dropped == {"nothing visible": 1, "spread above 5 pixels": 1}
    built = build(SEVERAL, Rule(max_spread=4.5))
    assert seconds(built) == [1, 4]
    assert built.dropped == {"nothing visible": 1, "spread above 4.5 pixels": 2}
    assert seconds(build(SEVERAL, Rule(max_spread=0))) == [1]


def test_a_frame_is_dropped_for_one_reason() -> None:
    built = build(SEVERAL, Rule(min_points=3, max_spread=1))
    assert seconds(built) == []
    assert built.dropped == {
        "nothing visible": 1,
        "fewer than 3 points": 3,
        "spread above 1 pixels": 1,
    }
    assert sum(built.dropped.values()) == len(SEVERAL.frames)
    assert built.built.tolist() == [False] * 5


@pytest.mark.parametrize("frame", [None, (640, 480), (320, 240), HD])
def test_spread_and_margin_do_not_depend_on_the_frame(frame: Any) -> None:
    """At 1280x720, 24 px across are 12 at 640x480: 6 from the mean."""
    hd = table(answers((600, 360), (624, 360), size=HD))
    assert build(hd, Rule(frame=frame, max_spread=5.9)).dropped == {"spread above 5.9 pixels": 1}
    built = build(hd, Rule(frame=frame, max_spread=6))
    width, height = built.rows()[0].size
    shares = np.divide(box(built), (width, height, width, height))
    np.testing.assert_allclose(shares, [200 / 640, 140 / 480, 412 / 640, 340 / 480])


MEANS = table(
    answers((300, 200), second=1, distance=10.0),
    answers(None, second=2, distance=0.0),
    answers((20, 470), second=3, distance=30.0),
)


def test_boxes_of_mean_points_are_estimated() -> None:
    built = build(MEANS, Rule())
    assert built.rows() == [
        BuiltBox("v", 1, "pour", (190, 90, 410, 310), LYING, True),
        BuiltBox("v", 3, "pour", (0, 340, 150, 480), LYING, True),
    ]
    assert built.dropped == {"nothing visible": 1}


def test_mean_distances_are_stretched_with_the_frame() -> None:
    hd = table(answers((640, 360), size=HD, distance=12.0))
    assert box(build(hd, Rule())) == [214, 132, 426, 348]
    assert box(build(hd, NATIVE)) == [428, 198, 852, 522]


def test_mean_points_have_a_spread_but_no_count() -> None:
    built = build(MEANS, Rule(max_spread=10))
    assert seconds(built) == [1]
    assert built.dropped == {"nothing visible": 1, "spread above 10 pixels": 1}
    with pytest.raises(InputError, match="--min-points cannot be checked on mean points"):
        build(MEANS, Rule(min_points=2))


nan, inf = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"frame": (0, 480)}, "--frame"),
        ({"frame": (640, -1)}, "--frame"),
        ({"frame": (nan, nan)}, "--frame"),
        ({"frame": (inf, 480)}, "--frame"),
        ({"frame": (480, 640)}, "--frame"),
        ({"margin": -1}, "--margin"),
        ({"margin": nan}, "--margin"),
        ({"margin": inf}, "--margin"),
        ({"sigma": 0}, "--sigma"),
        ({"sigma": -2.0}, "--sigma"),
        ({"sigma": nan}, "--sigma"),
        ({"sigma": inf}, "--sigma"),
        ({"min_points": 0}, "--min-points"),
        ({"max_spread": -0.1}, "--max-spread"),
        ({"max_spread": nan}, "--max-spread"),
    ],
)
def test_rules_that_cannot_be(options: dict[str, Any], name: str) -> None:
    with pytest.raises(InputError, match=f"^{name} must"):
        Rule(**options)


def test_the_last_box_of_a_second_counts() -> None:
    rows = [BuiltBox("v", 1, step, (i, i, 9, 9), LYING, False) for i, step in enumerate("abc")]
    other = BuiltBox("w", 1, "a", (0, 0, 1, 1), LYING, False)
    assert one_a_second([*rows, other]) == ([rows[2], other], 2)
    assert one_a_second([]) == ([], 0)


shares = st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1))
frames = st.tuples(
    st.sampled_from([LYING, UPRIGHT, HD, (360.0, 360.0), (405.0, 719.0)]),
    st.lists(shares, min_size=1, max_size=5),
)
rules = st.builds(
    Rule,
    frame=st.sampled_from([None, (640, 480), (320, 180)]),
    margin=st.floats(0, 300),
    clip=st.sampled_from(["frame", "swapped"]),
    min_points=st.integers(1, 4),
    max_spread=st.none() | st.floats(0, 300),
)


def drawn_table(drawn: list[tuple[tuple[float, float], list[Point]]]) -> PointTable:
    """A frame a video."""
    return table(
        *(
            answers(*(p and (p[0] * size[0], p[1] * size[1]) for p in points), video=f"{i}",
                    size=size)
            for i, (size, points) in enumerate(drawn)
        )
    )  # fmt: skip


def expected_box(size: tuple[float, float], points: list[Point], rule: Rule) -> list[float] | None:
    """One frame, step by step; points are shares of the frame."""
    seen = [point for point in points if point is not None]
    if len(seen) < rule.min_points:
        return None
    upright = size[1] > size[0]
    reference = UPRIGHT if upright else LYING
    spread = dense.mean_and_distance([(x * reference[0], y * reference[1]) for x, y in seen])[2]
    if rule.max_spread is not None and len(seen) > 1 and spread > rule.max_spread:
        return None
    target = size if rule.frame is None else rule.frame[::-1] if upright else rule.frame
    placed = [(x * target[0], y * target[1]) for x, y in seen]
    return dense.box(placed, target, rule.margin, rule.clip == "swapped")


@settings(deadline=None)
@given(st.lists(frames, min_size=1, max_size=5), rules)
def test_boxes_are_those_of_one_frame_at_a_time(
    drawn: list[tuple[tuple[float, float], list[Point]]], rule: Rule
) -> None:
    built = build(drawn_table(drawn), rule)
    found = {row.video: row.box for row in built.rows()}
    expected = {f"{i}": expected_box(*each, rule) for i, each in enumerate(drawn)}
    # A spread within rounding of the limit may fall on either side.
    limit = -1.0 if rule.max_spread is None else rule.max_spread
    clear = [
        f"{i}"
        for i, spread in enumerate(built.table.spreads.tolist())
        if not abs(spread - limit) < 1e-9
    ]
    for video in clear:
        wanted = expected[video]
        assert (video in found) == (wanted is not None)
        if wanted is not None:
            assert found[video] == pytest.approx(wanted)
    assert sum(built.dropped.values()) == len(drawn) - len(found)


@settings(deadline=None)
@given(
    st.lists(frames, min_size=1, max_size=5),
    st.sampled_from([(640, 480), (320, 180)]),
    st.sampled_from(["frame", "swapped"]),
)
def test_native_boxes_stretched_are_those_of_the_frame(
    drawn: list[tuple[tuple[float, float], list[Point]]], frame: tuple[int, int], clip: str
) -> None:
    if clip == "swapped":  # ends at the shorter and the longer side, which a stretch may move
        drawn = [((640.0, 480.0), points) for _, points in drawn]
        frame = (320, 240)
    given_points = drawn_table(drawn)
    native = build(given_points, Rule(frame=None, clip=clip))  # type: ignore[arg-type]
    framed = build(given_points, Rule(frame=frame, clip=clip))  # type: ignore[arg-type]
    scales = framed.table.sizes / native.table.sizes
    stretched = native.boxes * np.hstack((scales, scales))
    np.testing.assert_allclose(stretched, framed.boxes, rtol=1e-9, atol=1e-9)
