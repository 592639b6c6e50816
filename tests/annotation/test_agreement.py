"""Agreement of annotators: by hand, and against a slow twin with plain loops."""

from collections import defaultdict
from collections.abc import Iterable
from math import dist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gytbench.annotation.agreement import (
    FLOOR,
    LEAST_FRAMES,
    LEAST_POINTS,
    Agreement,
    Group,
    agreement,
    frames_to_repeat,
    ranked,
)
from gytbench.annotation.rows import PointRow
from gytbench.annotation.table import PointTable, build_table
from gytbench.construction import MARGIN, PointSets, boxes_of_points

Point = tuple[float, float] | None
WIDE, TALL = (640.0, 480.0), (480.0, 640.0)


def answers(
    *points: Point,
    video: str = "v",
    second: int = 0,
    step: str = "pour",
    size: tuple[float, float] = WIDE,
    mean_distance: float | None = None,
) -> list[PointRow]:
    """One frame's answers, of annotators a, b, c, ..."""
    return [
        PointRow(
            video, second, step, name, *(point or (None, None)), *size, f"{second}{name}",
            mean_distance,
        )
        for name, point in zip("abcdefgh", points, strict=False)
    ]  # fmt: skip


def table(*frames: list[PointRow]) -> PointTable:
    return build_table([row for frame in frames for row in frame])


def spread_of(found: Agreement) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in found.spread]


def test_frames_by_hand() -> None:
    found = agreement(
        table(
            # A triangle: its mean is (103, 104), at distances 5, 5 and hypot(6, 8) = 10.
            answers((100, 100), (100, 108), (109, 104), second=0),
            # c is 201 right of b: outside the box of a and b, which ends at x = 200.
            answers((100, 100), (100, 100), (301, 100), None, second=1),
            answers((5, 5), None, None, second=2),
            answers(None, None, second=3),
        )
    )
    assert found.answers.tolist() == [3, 4, 3, 2]
    assert found.points.tolist() == [3, 3, 1, 0]
    assert spread_of(found) == [
        pytest.approx((5 + 5 + 6) / 3),
        pytest.approx(201 * 4 / 9),
        None,
        None,
    ]
    assert found.tested.tolist() == [3, 3, 0, 0]
    # Without a, the box of b and c holds a, and the other way round.
    assert found.held.tolist() == [3, 2, 0, 0]
    assert found.inside[:2] == pytest.approx([1, 2 / 3])
    assert np.isnan(found.inside[2:]).all()
    low, high = 16 / 3, 201 * 4 / 9
    everything = Group(
        "all", 4, 3, 2, pytest.approx(5 / 12), pytest.approx((low + high) / 2),
        pytest.approx(low + 0.9 * (high - low)), pytest.approx(5 / 6),
    )  # fmt: skip
    assert found.overall == everything
    assert found.classes == (everything._replace(name="pour"),)
    assert found.videos == (everything._replace(name="v"),)
    assert found.untested is None


def test_annotators_by_hand() -> None:
    found = agreement(
        table(
            answers((100, 100), (100, 100), (400, 100), second=0),
            answers((100, 100), None, (130, 140), second=1),
            answers((100, 100), second=2),
        )
    )
    a, b, c = found.annotators
    # a lies 150 from the mean of b and c, then 50 from c; alone it is not compared.
    assert (a.name, a.answers, a.unseen, a.inside) == ("a", 3, 0, 1)
    assert a.median_distance == pytest.approx(100)
    assert (b.name, b.answers, b.unseen, b.inside) == ("b", 2, 0.5, 1)
    assert b.median_distance == pytest.approx(150)
    assert (c.name, c.answers, c.unseen, c.inside) == ("c", 2, 0, 0)
    assert c.median_distance == pytest.approx(175)


@pytest.mark.parametrize(("x", "held"), [(300, 3), (300.001, 2)])
def test_the_edge_of_the_others_box_belongs_to_it(x: float, held: int) -> None:
    found = agreement(table(answers((200, 100), (200, 100), (x, 100))))
    assert found.held.tolist() == [held]


def test_native_and_upright_frames_are_measured_in_the_reference_frame() -> None:
    points = [(100.0, 100.0), (180.0, 90.0), (350.0, 300.0), None]
    plain = agreement(table(answers(*points)))
    double = [point and (2 * point[0], 2 * point[1]) for point in points]
    native = agreement(table(answers(*double, size=(1280, 960))))
    turned = [point and (3 * point[1], 3 * point[0]) for point in points]
    upright = agreement(table(answers(*turned, size=(1440, 1920))))
    for other in (native, upright):
        assert spread_of(other) == pytest.approx(spread_of(plain))
        assert other.held.tolist() == plain.held.tolist()
        assert other.annotators[0].median_distance == pytest.approx(
            plain.annotators[0].median_distance
        )


def test_a_stretched_frame_is_measured_after_stretching() -> None:
    found = agreement(table(answers((0, 0), (1280, 0), size=(1280, 480))))
    assert spread_of(found) == pytest.approx([320])


def test_identical_points_have_no_spread_and_hold_each_other() -> None:
    found = agreement(table(answers(*[(333.3, 0.1)] * 5)))
    assert spread_of(found) == pytest.approx([0])
    assert found.held.tolist() == [5]


def test_one_annotator_tells_nothing_on_agreement() -> None:
    found = agreement(table(answers((1, 1)), answers(None, second=1)))
    assert spread_of(found) == [None, None]
    assert found.overall == Group("all", 2, 1, 0, 0.5, None, None, None)
    assert found.annotators[0].median_distance is None
    assert found.untested == f"no frame has {LEAST_POINTS} points"
    assert frames_to_repeat(found) == ()


def test_nobody_saw_anything() -> None:
    found = agreement(table(answers(None, None, None)))
    assert found.overall == Group("all", 1, 0, 0, 1, None, None, None)
    assert frames_to_repeat(found) == ()
    assert ranked(found.classes, least_frames=1) == ()
    assert ranked(found.classes, "unseen", least_frames=1) == found.classes


def test_mean_points_tell_their_released_distance() -> None:
    found = agreement(
        table(
            answers((100, 100), second=0, mean_distance=20),
            answers(None, second=1, mean_distance=0),
            answers((100, 100), video="w", size=(1280, 960), mean_distance=20),
            answers((100, 100), video="x", size=(1280, 480), mean_distance=20),
            answers((100, 100), video="y", size=TALL, mean_distance=0),
        )
    )
    # Halved along x only, distances in all directions are hypot(10, 20) / sqrt 2 on average.
    assert spread_of(found) == pytest.approx([20, None, 10, 250**0.5, 0])
    assert found.annotators == ()
    assert found.overall.unseen == pytest.approx(0.2)
    assert found.overall.inside is None
    assert found.untested == "only the annotators' mean points are known"


def test_labels_join_steps_and_leave_unknown_ones() -> None:
    frames = [answers((1, 1), second=i, step=step) for i, step in enumerate(("a", "b", "c"))]
    found = agreement(table(*frames), {"a": "x", "b": "x"}.get)
    assert found.classes_of == ("x", "x", "c")
    assert [(group.name, group.frames) for group in found.classes] == [("c", 1), ("x", 2)]


def test_ranking_takes_groups_with_enough_frames() -> None:
    def group(name: str, frames: int, measured: int, unseen: float, median: float | None) -> Group:
        return Group(name, frames, measured, measured, unseen, median, median, None)

    groups = [
        group("seldom", LEAST_FRAMES, LEAST_FRAMES - 1, 0.9, 99.0),
        group("rare", LEAST_FRAMES - 1, LEAST_FRAMES - 1, 1.0, 99.0),
        group("wide", 50, 50, 0.1, 80.0),
        group("also", 50, 50, 0.1, 80.0),
        group("close", 50, 50, 0.0, 0.0),
    ]
    assert [each.name for each in ranked(groups)] == ["also", "wide", "close"]
    by_unseen = [each.name for each in ranked(groups, "unseen")]
    assert by_unseen == ["seldom", "also", "wide", "close"]


def test_frames_to_repeat_and_why() -> None:
    steady = [answers((100, 100), (110, 100), second=i, step="stir") for i in range(LEAST_FRAMES)]
    frames = [
        *steady,
        answers((100, 100), (100 + 2 * FLOOR, 100), second=20, step="stir"),
        answers((100, 100), (102 + 2 * FLOOR, 100), second=21, step="stir"),
        # The same spread in a class with too few frames to tell.
        answers((100, 100), (102 + 2 * FLOOR, 100), second=22),
        answers((9, 9), None, None, None, None, second=30),
        answers((9, 9), (9, 9), None, None, None, second=31),
        answers((9, 9), (9, 9), (9, 9), (9, 9), None, second=32),
        answers((0, 0), (0, 0), (0, 300), None, None, second=33),
    ]
    repeats = frames_to_repeat(agreement(table(*frames)))
    assert [(repeat.frame.second, repeat.reasons) for repeat in repeats] == [
        (33, ("2 of 5 annotators saw nothing", "1 of 3 point lies outside the others' box")),
        (21, ("spread 51.0 px, above 50.0 px for its class",)),
        (31, ("3 of 5 annotators saw nothing",)),
    ]
    assert repeats[1].spread == pytest.approx(51)
    assert frames_to_repeat(agreement(table(*frames)), most=1) == repeats[:1]
    assert frames_to_repeat(agreement(table(*frames)), most=0) == ()


def test_a_class_that_varies_has_a_higher_limit() -> None:
    spreads = [*range(20, 80, 5), 150]
    frames = [
        answers((100, 100), (100 + 2 * half, 100), second=i) for i, half in enumerate(spreads)
    ]
    found = agreement(table(*frames))
    # 13 spreads: the median is 50, the median deviation 15.
    (repeat,) = frames_to_repeat(found)
    assert repeat.reasons == (
        f"spread 150.0 px, above {50 + 3 * 1.4826 * 15:.1f} px for its class",
    )


places = st.tuples(st.integers(0, 64), st.integers(0, 48)).map(lambda p: (10.0 * p[0], 10.0 * p[1]))
frames_of_points = st.lists(
    st.tuples(
        st.lists(st.none() | places, min_size=1, max_size=6),
        st.sampled_from(["pour", "stir"]),
        st.sampled_from(["v", "w"]),
    ),
    min_size=1,
    max_size=8,
)


@given(frames_of_points)
def test_the_twin_agrees(drawn: list[tuple[list[Point], str, str]]) -> None:
    made = [
        answers(*points, second=number, step=step, video=video)
        for number, (points, step, video) in enumerate(drawn)
    ]
    found = agreement(table(*made))
    twin = {frame[0].second: Twin(frame) for frame in made}
    for number, frame in enumerate(found.frames):
        slow = twin[frame.second]
        assert found.points[number] == len(slow.points)
        assert spread_of(found)[number] == pytest.approx(slow.spread, abs=1e-9)
        assert (found.tested[number], found.held[number]) == (len(slow.held), sum(slow.held))
    for group in found.classes:
        check_group(group, [t for t in twin.values() if t.rows[0].step == group.name])
    for group in found.videos:
        check_group(group, [t for t in twin.values() if t.rows[0].video == group.name])
    check_annotators(found, twin.values())


class Twin:
    """One frame, with plain loops."""

    def __init__(self, rows: list[PointRow]) -> None:
        self.rows = rows
        self.points = [(r.annotator, (r.x, r.y)) for r in rows if r.x is not None]
        xy = [point for _, point in self.points]
        self.spread = None
        if len(xy) > 1:
            self.spread = sum(dist(p, centre(xy)) for p in xy) / len(xy)
        self.held: list[bool] = []
        self.distances: dict[str, float] = {}
        for i, (name, point) in enumerate(self.points):
            others = xy[:i] + xy[i + 1 :]
            if len(xy) >= LEAST_POINTS:
                self.held.append(in_box(point, others))
            if others:
                self.distances[name] = dist(point, centre(others))


def centre(xy: list[tuple[float, float]]) -> tuple[float, float]:
    return sum(x for x, _ in xy) / len(xy), sum(y for _, y in xy) / len(xy)


def in_box(point: tuple[float, float], others: list[tuple[float, float]]) -> bool:
    sets = PointSets.of(np.zeros(len(others), dtype=np.int64), np.array(others), 1)
    x1, y1, x2, y2 = boxes_of_points(sets, np.array([WIDE]), margin=MARGIN)[0]
    return bool(x1 <= point[0] <= x2 and y1 <= point[1] <= y2)


def check_group(group: Group, twins: list[Twin]) -> None:
    rows = sum(len(t.rows) for t in twins)
    spreads = [t.spread for t in twins if t.spread is not None]
    held = [each for t in twins for each in t.held]
    assert group.frames == len(twins)
    assert group.pointed == sum(bool(t.points) for t in twins)
    assert group.measured == len(spreads)
    assert group.unseen == pytest.approx(1 - sum(len(t.points) for t in twins) / rows)
    assert group.inside == (sum(held) / len(held) if held else None)
    middle = float(np.median(spreads)) if spreads else None
    assert group.median_spread == pytest.approx(middle, abs=1e-9)


def check_annotators(found: Agreement, twins: Iterable[Twin]) -> None:
    distances, held = defaultdict(list), defaultdict(list)
    for twin in twins:
        for name, distance in twin.distances.items():
            distances[name].append(distance)
        for (name, _), each in zip(twin.points, twin.held, strict=False):
            held[name].append(each)
    for annotator in found.annotators:
        name = annotator.name
        middle = float(np.median(distances[name])) if distances[name] else None
        assert annotator.median_distance == pytest.approx(middle, abs=1e-9)
        assert annotator.inside == (sum(held[name]) / len(held[name]) if held[name] else None)
