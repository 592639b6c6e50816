"""The floors learned from boxes, against hand-worked cases and a slow twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.benchmark import Benchmark, ClassMap, Instance
from gytbench.bounds import make_bound
from gytbench.bounds.priors import COLUMNS, ROWS
from gytbench.evaluation import Protocol, score
from gytbench.predictions import Tube, load_predictions, save_predictions
from gytbench.predictions.encoding import decode_heatmap

NAMES = ("cut", "stir")
PRIORS = ("heatmap-prior", "class-heatmap-prior")


def instance(video: str, number: int, start: float, end: float, label: str) -> Instance:
    return Instance(video, number, start, end, label, label)


def made(instances, boxes, frames) -> Benchmark:
    classes = ClassMap("mining512", NAMES, {"cut": 0, "stir": 1})
    return Benchmark(classes, frames, tuple(instances), boxes)


def heatmap(tube: Tube) -> np.ndarray:
    assert tube.heatmaps
    assert all(each is tube.heatmaps[0] for each in tube.heatmaps)
    return decode_heatmap(tube.heatmaps[0])


def test_hand_worked():
    """Frames of 16 x 12 px, so that a cell is a pixel; in `b` of twice that."""
    small = made(
        [
            instance("a", 0, 0, 2, "stir"),
            instance("a", 1, 2, 3, "cut"),
            instance("b", 0, 5, 6, "stir"),
            instance("c", 0, 0, 1, "stir"),
        ],
        {
            "a": {0: (0, 0, 2, 1), 2: (8, 6, 9, 8)},
            "b": {5: (2, 0, 8, 2)},
            "c": {0: (1.5, 0, 3, 1)},
        },
        {"a": (16, 12), "b": (32, 24), "c": (16, 12)},
    )
    stir_a, cut_a, stir_b, stir_c = make_bound("class-heatmap-prior", small, "spatial").tubes
    # For a: of b and c, cells 1 to 3 and the right half of 1, and 2.
    assert heatmap(stir_a)[0, :5].tolist() == [0, 0.75, 1, 0.5, 0]
    assert heatmap(stir_a)[1:].max() == 0
    assert stir_a.points == [(2.5 / 16, 0.5 / 12)] * 2
    # No other video has "cut": all of the others' boxes.
    assert heatmap(cut_a).tolist() == heatmap(stir_a).tolist()
    # For b: cells 0 and 1 of a's, 1.5 to 3 of c's; its "cut" is not asked.
    assert heatmap(stir_b)[0, :4].tolist() == pytest.approx([2 / 3, 1, 2 / 3, 0], abs=1e-3)
    assert stir_c.instance == 0
    overall = make_bound("heatmap-prior", small, "spatial").tubes
    # For b: all of a's boxes too.
    assert heatmap(overall[2])[6:8, 8].tolist() == pytest.approx([2 / 3] * 2, abs=1e-3)
    assert [tube.boxes for tube in overall] == [None] * 4


def test_where_no_other_video_has_a_box_the_centre_is_said():
    alone = made(
        [instance("a", 0, 0, 2, "stir"), instance("b", 0, 0, 1, "cut")],
        {"a": {0: (0, 0, 8, 8)}, "b": {0: (9, 0, 5, 8)}},
        {"a": (16, 12), "b": (16, 12)},
    )
    for name in PRIORS:
        # The box of b is none: its corners are exchanged.
        of_a, of_b = make_bound(name, alone, "spatial").tubes
        assert (of_a.points, of_a.heatmaps) == ([(0.5, 0.5)] * 2, None)
        assert of_b.heatmaps is not None


corner = st.floats(-4, 20, allow_subnormal=False).map(lambda value: round(value, 2))
box = st.tuples(corner, corner, corner, corner)


@st.composite
def benchmarks(draw):
    instances, boxes = [], {}
    for video in "abc"[: draw(st.integers(1, 3))]:
        boxes[video] = draw(st.dictionaries(st.integers(0, 6), box, max_size=4))
        for number in range(draw(st.integers(0, 3))):
            start = draw(st.integers(0, 5))
            end = start + draw(st.integers(1, 3))
            instances.append(instance(video, number, start, end, draw(st.sampled_from(NAMES))))
    return made(instances, boxes, dict.fromkeys(boxes, (16.0, 12.0)))


def overlap(low: float, high: float, cell: int) -> float:
    return max(0.0, min(high, cell + 1) - max(low, cell))


def slowly(benchmark: Benchmark, asked: Instance, same_class: bool) -> np.ndarray:
    """The mean over the boxes of other videos, cell by cell; frames are of 16 x 12 px."""
    total, count = np.zeros((ROWS, COLUMNS)), 0
    for other in benchmark.instances:
        if other.video == asked.video or (same_class and other.label != asked.label):
            continue
        for second, (x1, y1, x2, y2) in benchmark.boxes[other.video].items():
            if not other.start <= second < other.end:
                continue
            count += 1
            for row in range(ROWS):
                for column in range(COLUMNS):
                    total[row, column] += overlap(x1, x2, column) * overlap(y1, y2, row)
    return total / max(count, 1)


@settings(max_examples=50)
@given(benchmarks())
def test_they_are_the_means_of_other_videos(benchmark: Benchmark) -> None:
    for name in PRIORS:
        tubes = make_bound(name, benchmark, "spatial").tubes
        assert [tube.instance for tube in tubes] == [each.id for each in benchmark.instances]
        for tube, asked in zip(tubes, benchmark.instances, strict=True):
            expected = slowly(benchmark, asked, same_class=name.startswith("class"))
            if not expected.any():
                expected = slowly(benchmark, asked, same_class=False)
            assert tube.points is not None
            assert len(tube.points) == len(asked.seconds())
            if not expected.any():
                assert tube.points[0] == (0.5, 0.5)
                continue
            np.testing.assert_allclose(heatmap(tube), expected / expected.max(), atol=1e-3)
            x, y = tube.points[0]
            best = expected[int(y * ROWS), int(x * COLUMNS)]
            assert best == pytest.approx(expected.max(), abs=1e-9)


def test_the_own_video_is_not_seen():
    """What a video's own boxes are changes nothing of what is said of it."""
    instances = [instance(v, 0, 0, 1, "stir") for v in "ab"]
    frames = {"a": (16, 12), "b": (16, 12)}
    said = []
    for own in ((0, 0, 1, 1), (3, 3, 9, 9)):
        benchmark = made(instances, {"a": {0: own}, "b": {0: (5, 5, 6, 7)}}, frames)
        said.append([heatmap(make_bound(n, benchmark, "spatial").tubes[0]) for n in PRIORS])
    np.testing.assert_array_equal(said[0], said[1])


def test_on_the_released_boxes(benchmark, tmp_path):
    """Regions are far better than a square around the centre; points are no better."""
    found = {}
    for name in ("centre", *PRIORS):
        predictions = make_bound(name, benchmark, "spatial")
        found[name] = score(predictions, benchmark, Protocol("spatial")).metrics
    for name, expected in (
        ("centre", (0.671496, 0.529576, 0.375849)),
        ("heatmap-prior", (0.670184, 0.642861, 0.484265)),
        ("class-heatmap-prior", (0.654041, 0.633506, 0.460474)),
    ):
        metrics = found[name]
        names = ("pointing_accuracy", "success@0.3", "spatial_map@0.3")
        assert [metrics[each] for each in names] == pytest.approx(expected, abs=2e-6)
    path = tmp_path / "prior.json"
    save_predictions(predictions, path)
    assert path.stat().st_size < 20e6
    again = score(load_predictions(path), benchmark, Protocol("spatial")).metrics
    assert again == found["class-heatmap-prior"]
