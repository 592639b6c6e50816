"""Which boxes of a file the rule explains: small files, and all released ones."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.annotation import (
    Explained,
    PointRow,
    PointTable,
    Rule,
    build,
    build_table,
    explain,
    load_tables,
)
from gytbench.benchmark.box_files import read_boxes
from gytbench.benchmark.points import FIRST_ROUND, SECOND_ROUND
from tests.construction import dense

Boxes = dict[str, dict[int, tuple[float, float, float, float]]]
LYING = (640.0, 480.0)
NO_POINT, OTHER_BOX = "no point in this second", "the rule gives another box"


def answers(
    *points: dense.Point | None,
    video: str = "v",
    second: int = 1,
    step: str = "pour",
    size: dense.Point = LYING,
    distance: float | None = None,
) -> list[PointRow]:
    """One frame's answers, of annotators 0, 1, 2, ..."""
    return [
        PointRow(video, second, step, f"{i}", *(point or (None, None)), *size, "here", distance)
        for i, point in enumerate(points)
    ]


def table(*frames: list[PointRow]) -> PointTable:
    return build_table([row for frame in frames for row in frame])


def explained(boxes: Boxes, *tables: PointTable, **options: Any) -> Explained:
    rule = Rule(**options)
    return explain(boxes, [build(each, rule) for each in tables], rule)


shares = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5)
sizes = st.sampled_from([LYING, (480.0, 640.0), (1280.0, 720.0)])


@settings(deadline=None)
@given(shares, sizes, st.sampled_from(["frame", "swapped"]))
def test_points_explain_their_rounded_box(
    points: list[dense.Point], size: dense.Point, clip: str
) -> None:
    """In the frame of 640x480, wherever the points were drawn."""
    frame = (480.0, 640.0) if size[1] > size[0] else LYING
    placed = [(x * frame[0], y * frame[1]) for x, y in points]
    x1, y1, x2, y2 = (float(round(v)) for v in dense.box(placed, frame, swapped=clip == "swapped"))
    own = table(answers(*((x * size[0], y * size[1]) for x, y in points), size=size))
    # An edge in the middle between two pixels may be off by an ulp more than half.
    edges = dense.box(placed, frame)
    if all(abs(edge % 1 - 0.5) > 1e-9 for edge in edges):
        found = explained({"v": {1: (x1, y1, x2, y2)}}, own, clip=clip)
        assert found == Explained(1, (1,), ())


OWN = table(answers((500, 400), (520, 420), (510, 415)))
FRAMED, SWAPPED = (400.0, 300.0, 620.0, 480.0), (400.0, 300.0, 480.0, 520.0)


def test_a_box_off_by_a_pixel_is_not_explained() -> None:
    assert explained({"v": {1: FRAMED}}, OWN).by_table == (1,)
    for edge in range(4):
        for off in (-1, 1):
            moved = list(FRAMED)
            moved[edge] += off
            box = (moved[0], moved[1], moved[2], moved[3])
            found = explained({"v": {1: box}}, OWN)
            assert found == Explained(1, (0,), (("v", 1, box, OTHER_BOX),))
    near = (400.5, 299.5, 620.5, 479.5)
    assert explained({"v": {1: near}}, OWN).by_table == (1,)


def test_the_clipping_is_that_of_the_rule() -> None:
    assert explained({"v": {1: SWAPPED}}, OWN, clip="swapped").by_table == (1,)
    assert explained({"v": {1: SWAPPED}}, OWN).unexplained == (("v", 1, SWAPPED, OTHER_BOX),)
    assert explained({"v": {1: FRAMED}}, OWN, clip="swapped").by_table == (0,)


def test_boxes_without_points_are_told() -> None:
    own = table(answers((500, 400)), answers(None, second=2))
    boxes: Boxes = {"v": {1: (0, 0, 9, 9), 2: FRAMED, 3: FRAMED}, "w": {1: FRAMED}}
    found = explained(boxes, own)
    assert found.boxes == 4
    assert found.by_table == (0,)
    assert found.unexplained == (
        ("v", 1, (0, 0, 9, 9), OTHER_BOX),
        ("v", 2, FRAMED, NO_POINT),
        ("v", 3, FRAMED, NO_POINT),
        ("w", 1, FRAMED, NO_POINT),
    )


def test_any_step_of_the_second_may_explain_it() -> None:
    own = table(answers((50, 50), step="add"), answers((300, 200), step="pour"))
    boxes: Boxes = {"v": {1: (200, 100, 400, 300)}}
    assert explained(boxes, own).by_table == (1,)
    assert explained({"v": {1: (0, 0, 150, 150)}}, own).by_table == (1,)


def test_mean_points_explain_what_five_points_would_give() -> None:
    """Reaches of 10 px to each side of (310, 210) fit a mean distance of 9, not of 20."""
    box = (200.0, 100.0, 420.0, 320.0)
    for distance, right in ((9.0, 1), (20.0, 0), (3.0, 0)):
        mean = table(answers((310, 210), distance=distance))
        found = explained({"v": {1: box}}, mean)
        assert found.by_table == (right,)
        assert len(found.unexplained) == 1 - right
    beside = table(answers((325, 210), distance=9.0))
    assert explained({"v": {1: box}}, beside).unexplained == (("v", 1, box, OTHER_BOX),)
    nothing = table(answers(None, distance=0.0))
    assert explained({"v": {1: box}}, nothing).unexplained == (("v", 1, box, NO_POINT),)


@settings(deadline=None)
@given(shares, sizes, st.sampled_from(["frame", "swapped"]))
def test_a_mean_point_explains_the_box_of_its_points(
    points: list[dense.Point], size: dense.Point, clip: str
) -> None:
    """The mean distance was measured in the video's own pixels."""
    native = [(x * size[0], y * size[1]) for x, y in points]
    x, y, distance = dense.mean_and_distance(native)
    mean = table(answers((min(x, size[0]), min(y, size[1])), size=size, distance=distance))
    frame = (480.0, 640.0) if size[1] > size[0] else LYING
    placed = [(x * frame[0], y * frame[1]) for x, y in points]
    x1, y1, x2, y2 = (float(round(v)) for v in dense.box(placed, frame, swapped=clip == "swapped"))
    assert explained({"v": {1: (x1, y1, x2, y2)}}, mean, clip=clip).by_table == (1,)


def test_a_box_counts_for_the_first_table_that_explains_it() -> None:
    boxes: Boxes = {
        "v": {1: FRAMED, 2: (200, 100, 420, 320), 3: (0, 0, 9, 9)},
        "w": {1: FRAMED},
    }
    mean = table(
        answers((510, 411.7), distance=8.0),
        answers((310, 210), second=2, distance=9.0),
        answers((310, 210), second=3, distance=9.0),
    )
    found = explained(boxes, OWN, mean)
    assert found.by_table == (1, 1)
    assert found.unexplained == (("v", 3, (0, 0, 9, 9), OTHER_BOX), ("w", 1, FRAMED, NO_POINT))
    assert explained(boxes, mean, OWN).by_table == (2, 0)


def test_no_boxes_and_no_tables() -> None:
    assert explained({}, OWN) == Explained(0, (0,), ())
    assert explained({"v": {}}, OWN) == Explained(0, (0,), ())
    assert explain({"v": {1: FRAMED}}, [], Rule()).unexplained == (("v", 1, FRAMED, NO_POINT),)


@pytest.fixture(scope="module")
def means(released: Path) -> tuple[PointTable, ...]:
    """Both rounds of released mean points."""
    folder = released / "groundingyoutube"
    return load_tables([folder / FIRST_ROUND, folder / SECOND_ROUND])


@pytest.mark.parametrize(
    ("name", "clip", "boxes", "right"),
    [
        ("GoundingYouTubeBox.json", "swapped", 17_316, 17_316),
        ("id2xy_box.json", "swapped", 17_506, 17_506),
        ("id2xy_box_new_s.json", "swapped", 21_719, 21_719),
        ("id2xy_box_new_s.json", "frame", 21_719, 14_418),
    ],
)
def test_the_released_boxes(
    name: str, clip: str, boxes: int, right: int, means: tuple[PointTable, ...], released: Path
) -> None:
    path = released / "groundingyoutube" / name
    found = explained(read_boxes(path.read_bytes(), path), *means, clip=clip)
    assert found.boxes == boxes
    assert sum(found.by_table) == right
    assert all(found.by_table)
    assert len(found.unexplained) == boxes - right
    assert {row[3] for row in found.unexplained} <= {OTHER_BOX}
