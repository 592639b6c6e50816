"""Verdicts, by hand and against the scorer's own counts."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.benchmark import Benchmark
from gytbench.bounds import make_bound
from gytbench.errors import InputError
from gytbench.evaluation import Protocol, score
from gytbench.predictions import Predictions, pack
from gytbench.scenes import VERDICTS, PredictedRun, TrueSegment, VideoScenes, scenes_of
from tests.evaluation.twin import benchmark_of, predictions_of
from tests.reference import Truth
from tests.reference.strategies import spatial_cases, st_cases

from .making import BENCHMARK, EMPTY, TUBES, VERDICTS_ST, VIDEO, scenes

Case = tuple[Truth, dict[str, Any]]


def laid(predictions: Predictions, benchmark: Benchmark, protocol: Protocol) -> list[VideoScenes]:
    packed = pack(predictions, benchmark, protocol.task)
    return list(scenes_of(packed, benchmark, protocol).values())


def seconds_of(counts: Any) -> tuple[int, int, int, int]:
    """Seconds covered, predicted, right in label, and right."""
    right, place = counts["right"], counts["wrong place"]
    spoken = right + place + counts["wrong label"]
    return spoken + counts["missed"], spoken + counts["false alarm"], right + place, right


def check_seconds(predictions: Predictions, benchmark: Benchmark) -> None:
    result = score(predictions, benchmark, Protocol("st"))
    videos = laid(predictions, benchmark, Protocol("st"))
    assert [seconds_of(v.counts) for v in videos] == list(map(tuple, result.outcomes.frames))
    ignored = sum(video.counts["ignored"] for video in videos)
    assert ignored == result.counts["seconds_ignored"]


def check_units(predictions: Predictions, benchmark: Benchmark, protocol: Protocol) -> None:
    result = score(predictions, benchmark, protocol)
    videos = laid(predictions, benchmark, protocol)
    assert sum(video.counts["right"] for video in videos) == result.counts["hits"]
    units = [v.seconds.size - v.counts["ignored"] for v in videos]
    assert sum(units) == result.counts["units"]
    for video in videos:
        row = result.per_video.get(video.video)
        hits = row["units"] * row["pointing_accuracy"] if row else 0
        assert len(video.hits) == pytest.approx(hits)


def test_each_verdict() -> None:
    video = scenes(*TUBES)[VIDEO]
    assert tuple(scene.verdict for scene in video.scenes) == VERDICTS_ST
    assert [VERDICTS[verdict] for verdict in video.verdicts] == list(VERDICTS_ST)
    assert set(VERDICTS_ST) == set(VERDICTS)
    assert video.counts == {name: VERDICTS_ST.count(name) for name in VERDICTS}
    assert video.hits == [1]
    assert np.flatnonzero(~np.isnan(video.scores)).tolist() == [1, 2, 3, 6, 8]
    assert video.distances[:4].tolist() == pytest.approx([np.nan, 10, 200, 0], nan_ok=True)


def test_what_a_scene_holds() -> None:
    video = scenes(*TUBES)[VIDEO]
    right, shared, last = (video.at(second)[0] for second in (1, 4, 8))
    assert (right.true_labels, right.label, right.score) == (("crack_egg",), "crack_egg", 0.5)
    assert (right.true_box, right.box) == ((100, 100, 300, 300), (150, 150, 250, 270))
    assert (right.point, right.heatmap, right.mask) == ((200, 210), None, None)
    assert (shared.true_labels, shared.label) == (("crack_egg", "pour_it"), None)
    assert (last.true_labels, last.true_box, last.box) == ((), None, None)
    assert last.heatmap is not None
    assert last.heatmap.tolist() == [[0, 0, 1], [0, 0.2, 0.5]]
    assert last.mask is not None
    assert last.mask.tolist() == [[False, True], [True, False]]
    assert video.at(9) == []
    assert [scene.second for scene in video.scenes[2:4]] == [2, 3]


def test_segments_and_runs() -> None:
    video = scenes(*TUBES)[VIDEO]
    assert video.truth == (
        TrueSegment(1, 5, "crack_egg", 0),
        TrueSegment(4, 7, "pour_it", 1),
    )
    assert video.predicted == (
        PredictedRun(1, 3, "crack_egg", 0.5),
        PredictedRun(3, 4, "fry_it", 0.9),
        PredictedRun(6, 7, "fry_it", 0.9),
        PredictedRun(8, 9, "fry_it", 0.7),
    )


def test_a_video_and_a_file_without_anything() -> None:
    assert len(scenes(*TUBES)[EMPTY].scenes) == 0
    video = scenes()[VIDEO]
    assert (video.predicted, video.hits) == ((), [])
    assert video.counts["missed"] == 5


def test_spatial_has_a_scene_for_each_instance_and_second() -> None:
    tube = {"label": "crack_egg", "start": 1, "end": 5, "instance": 0}
    points = [(200, 200), (310, 200), None, (0, 0)]
    video = scenes({**tube, "points": points}, task="spatial")[VIDEO]
    found = [(scene.second, scene.instance, scene.verdict) for scene in video.scenes]
    assert found == [
        (1, 0, "right"),
        (2, 0, "wrong place"),
        (3, 0, "missed"),
        (4, 0, "wrong place"),
        (4, 1, "missed"),
        (5, 1, "missed"),
        (6, 1, "ignored"),
    ]
    assert [scene.true_labels for scene in video.at(4)] == [("crack_egg",), ("pour_it",)]
    assert video.predicted == (PredictedRun(1, 5, "crack_egg", 1.0),)
    forgiving = scenes({**tube, "points": points}, task="spatial", tolerance=10)[VIDEO]
    assert forgiving.hits == [1, 2]


def test_temporal_has_no_scenes() -> None:
    packed = pack(Predictions("temporal", [], {}), BENCHMARK, "temporal")
    with pytest.raises(InputError, match="has no places"):
        scenes_of(packed, BENCHMARK, Protocol("temporal"))


@settings(max_examples=100, deadline=None)
@given(st_cases())
def test_counts_of_seconds_are_the_scorers(case: Case) -> None:
    check_seconds(predictions_of(case[1]), benchmark_of(case[0]))


@settings(max_examples=100, deadline=None)
@given(spatial_cases(), st.sampled_from([0.0, 0.5]))
def test_counts_of_units_are_the_scorers(case: Case, tolerance: float) -> None:
    protocol = Protocol("spatial", tolerance=tolerance)
    check_units(predictions_of(case[1]), benchmark_of(case[0]), protocol)


def test_counts_on_the_released_files(benchmark: Benchmark) -> None:
    for name in ("random", "oracle-time"):
        check_seconds(make_bound(name, benchmark, "st"), benchmark)
    check_units(make_bound("centre", benchmark, "spatial"), benchmark, Protocol("spatial"))
