"""Floors and ceilings, on a benchmark made by hand."""

import pytest

from gytbench.benchmark import AnnotatedPoint, Benchmark, ClassMap, Cues, Instance
from gytbench.bounds import BOUNDS, REFERENCES, find_bound, make_bound, reference_results
from gytbench.errors import InputError
from gytbench.evaluation import Protocol, Result, score
from gytbench.predictions import Task


def instance(video: str, number: int, start: float, end: float, label: str) -> Instance:
    return Instance(video, number, start, end, label, label)


def point(
    video: str, second: int, step: str, x: float, y: float, round_: int = 2
) -> AnnotatedPoint:
    return AnnotatedPoint(video, second, step, round_, x, y, 5.0)


@pytest.fixture
def small() -> Benchmark:
    """Two videos; "stir" in both, "cut" in one. The frame is 100x100 and 200x100."""
    names = ("cut", "stir")
    return Benchmark(
        classes=ClassMap("mining512", names, {"cut": 0, "stir": 1}),
        frames={"a": (100, 100), "b": (200, 100)},
        instances=(
            instance("a", 0, 0, 2, "stir"),
            instance("a", 1, 2, 4, "cut"),
            instance("b", 0, 5, 6, "stir"),
        ),
        boxes={"a": {0: (0, 0, 20, 20), 2: (40, 40, 90, 90)}, "b": {5: (100, 0, 200, 50)}},
        read_points=lambda: (
            point("a", 0, "stir", 10, 10),
            point("a", 2, "cut", 70, 70),
            point("b", 5, "stir", 150, 25),
        ),
        read_cues=lambda: Cues("local", (instance("a", 0, 0.5, 2.0, "stir"),)),
    )


def test_centre(small: Benchmark) -> None:
    tubes = make_bound("centre", small, "spatial").tubes
    assert [(t.video, t.instance, t.points) for t in tubes] == [
        ("a", 0, [(0.5, 0.5)] * 2),
        ("a", 1, [(0.5, 0.5)] * 2),
        ("b", 0, [(0.5, 0.5)]),
    ]
    # A 200 px square around the centre of a 200x100 frame.
    assert tubes[2].boxes == [(0.0, -0.5, 1.0, 1.5)]


def test_mean_points_leave_the_video_out(small: Benchmark) -> None:
    everywhere = {t.video: t.points for t in make_bound("mean-point", small, "spatial").tubes}
    # For a: only b's point, (150/200, 25/100). For b: the mean of (0.1, 0.1) and (0.7, 0.7).
    assert everywhere["a"] == [pytest.approx((0.75, 0.25))] * 2
    assert everywhere["b"] == [pytest.approx((0.4, 0.4))]
    by_class = [
        t.points[0] for t in make_bound("class-mean-point", small, "spatial").tubes if t.points
    ]
    # stir in a: b's; cut in a: no other video has it, so all others; stir in b: a's stir.
    assert by_class == [pytest.approx(p) for p in ((0.75, 0.25), (0.75, 0.25), (0.1, 0.1))]


def test_without_a_point_in_another_video_the_centre_is_said(small: Benchmark) -> None:
    bare = Benchmark(small.classes, small.frames, small.instances, small.boxes)
    for name in ("mean-point", "class-mean-point"):
        assert all(
            t.points == [(0.5, 0.5)] * len(t.points or [])
            for t in make_bound(name, bare, "spatial").tubes
        )


def test_uniform_segments_share_the_time(small: Benchmark) -> None:
    tubes = make_bound("uniform-segments", small, "st").tubes
    assert [(t.video, t.label, t.start, t.end) for t in tubes] == [
        ("a", "stir", 0, 2),
        ("a", "cut", 2, 4),
        ("b", "stir", 0, 6),
    ]
    (cue,) = make_bound("uniform-segments", small, "temporal").tubes
    assert (cue.start, cue.end, cue.points) == (0, 2.0, None)


def test_annotators_point_where_they_did(small: Benchmark) -> None:
    tubes = make_bound("annotators", small, "st").tubes
    assert [t.points for t in tubes] == [
        [(0.1, 0.1), None],
        [(0.7, 0.7), None],
        [(0.75, 0.25)],
    ]


def test_annotators_prefer_their_step_and_the_second_round(small: Benchmark) -> None:
    shared = Benchmark(
        small.classes,
        small.frames,
        (instance("a", 0, 0, 1, "stir"), instance("a", 1, 0, 1, "cut")),
        {},
        read_points=lambda: (
            point("a", 0, "cut", 10, 10, 2),
            point("a", 0, "cut", 90, 90, 1),
            point("a", 0, "stir", 50, 50, 1),
        ),
    )
    stir, cut = make_bound("annotators", shared, "spatial").tubes
    assert (stir.points, cut.points) == ([(0.5, 0.5)], [(0.1, 0.1)])


def test_the_oracle_omits_boxes_that_no_prediction_may_say() -> None:
    classes = ClassMap("mining512", ("cut",), {"cut": 0})
    benchmark = Benchmark(
        classes,
        {"a": (100, 100)},
        (instance("a", 0, 0, 3, "cut"),),
        {"a": {0: (60, 0, 50, 20), 1: (1, 2, 3, 4)}},
    )
    (tube,) = make_bound("oracle-instance", benchmark, "spatial").tubes
    assert (tube.boxes, tube.instance) == ([None, (1, 2, 3, 4), None], 0)


@pytest.mark.parametrize("name", BOUNDS)
def test_every_bound_is_scored_in_every_task_it_does(small: Benchmark, name: str) -> None:
    tasks: tuple[Task, ...] = ("st", "spatial", "temporal")
    for task in tasks:
        if task in BOUNDS[name].tasks:
            predictions = make_bound(name, small, task)
            assert predictions.model["name"] == name
            result = score(predictions, small, Protocol(task, boxes="published"))
            assert all(0 <= v <= 1 for v in result.metrics.values() if v is not None)
        else:
            with pytest.raises(InputError, match=f"not '{task}'"):
                make_bound(name, small, task)


def test_random_is_the_same_every_time(small: Benchmark) -> None:
    assert make_bound("random", small, "st").tubes == make_bound("random", small, "st").tubes


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean 'centre'"):
        find_bound("center")
    with pytest.raises(InputError, match="there are centre, mean-point"):
        find_bound("zzz")


def test_references_go_from_floor_to_ceiling(small: Benchmark) -> None:
    for task, names in REFERENCES.items():
        protocol = Protocol(task)  # type: ignore[arg-type]
        found = reference_results(small, protocol)
        assert tuple(found) == names
        assert [BOUNDS[name].kind for name in (names[0], names[-1])] == ["floor", "ceiling"]
        assert all(isinstance(result, Result) for result in found.values())


def test_a_reference_that_lacks_its_file_says_so(small: Benchmark) -> None:
    def unreadable() -> tuple[AnnotatedPoint, ...]:
        raise InputError("no such file; fetch it", where="points.json")

    lacking = Benchmark(
        small.classes, small.frames, small.instances, small.boxes, read_points=unreadable
    )
    found = reference_results(lacking, Protocol("spatial"))
    assert found["annotators"] == "points.json: no such file; fetch it"
    assert isinstance(found["centre"], Result)
