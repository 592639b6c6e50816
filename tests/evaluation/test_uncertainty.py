"""Intervals: by hand, reproducible, and as often right as they say."""

import json

import numpy as np
import pytest

from gytbench.errors import InputError
from gytbench.evaluation import Result, uncertainty
from gytbench.evaluation.resampling import resample
from gytbench.evaluation.result import Interval
from gytbench.evaluation.uncertainty import (
    draw_videos,
    interval_of,
    intervals,
    resample_all,
    with_intervals,
)
from tests.evaluation.simulation import simulate
from tests.evaluation.twin import package_score
from tests.reference.model import Cue, Instance, Truth

TRUTH = Truth(
    frames={"a": (8, 6), "b": (8, 6), "c": (8, 6)},
    instances=[Instance(video, 0, 0, 2, "mix_egg") for video in "abc"],
    boxes={video: {0: (2, 2, 6, 5), 1: (2, 2, 6, 5)} for video in "abc"},
    cues=[Cue(video, 0, 2, "mix_egg") for video in "ab"],
)


def answers(task: str, *x: float, boxes: bool = False) -> Result:
    """The points (x, 3), one a video, as the answer to its instance; boxes on request."""
    tubes = [
        {"video": video, "label": "mix_egg", "start": 0, "end": 2, "instance": 0}
        | {"points": [[each, 3]] * 2, "frame_size": [8, 6]}
        | ({"boxes": [[2, 2, 6, 5]] * 2} if boxes else {})
        for video, each in zip("abc", x, strict=False)
    ]
    return package_score(TRUTH, {"format": "gytbench-predictions/1", "task": task, "tubes": tubes})


def test_draws_are_counted() -> None:
    weights = draw_videos(7, 50, seed=3)
    drawn = np.random.default_rng(3).integers(0, 7, (50, 7))
    assert weights.dtype == np.float64
    assert weights.tolist() == [np.bincount(row, minlength=7).tolist() for row in drawn]
    assert (draw_videos(7, 50, seed=3) == weights).all()
    assert (draw_videos(7, 50, seed=4) != weights).any()
    for videos, resamples in ((0, 1), (1, 0)):
        with pytest.raises(InputError, match="cannot draw"):
            draw_videos(videos, resamples, 0)


def test_an_interval_by_hand() -> None:
    values = np.array([np.nan, *np.arange(41) / 40])
    # The percentiles are 0.025 and 0.975, the mean is 0.5: moved by -0.1 and cut at 0.
    assert interval_of(values, 0.4, 0, 1) == pytest.approx(Interval(0.0, 0.875, 0.5, 41))
    assert interval_of(values, 0.5, 0, 1) == pytest.approx(Interval(0.025, 0.975, 0.5, 41))
    assert interval_of(values, 0.9, 0, 1) == pytest.approx(Interval(0.425, 1.0, 0.5, 41))
    assert interval_of(values - 1, -0.9, -1, 1) == pytest.approx(Interval(-1, -0.425, -0.5, 41))
    assert interval_of(values, None, 0, 1) is None
    assert interval_of(np.array([np.nan]), 0.5, 0, 1) is None


def test_an_interval_never_excludes_its_score() -> None:
    # Both percentiles are 1 and the mean is below: moved, they would lie above the score.
    values = np.array([0.0, *[1.0] * 99])
    assert interval_of(values, 0.5, 0, 1) == pytest.approx(Interval(0.5, 0.51, 0.99, 100))
    assert interval_of(1 - values, 0.5, 0, 1) == pytest.approx(Interval(0.49, 0.5, 0.01, 100))


def test_intervals_of_a_result_by_hand() -> None:
    result = answers("spatial", 4, 0, 4)
    found = intervals(result, resamples=200, seed=1)
    assert list(found) == list(result.metrics)
    assert found["success@0.3"] is None
    hits = draw_videos(3, 200, 1) @ [1, 0, 1] / 3
    low, high = np.quantile(hits, (0.025, 0.975)) - hits.mean() + 2 / 3
    expected = Interval(max(low, 0), min(high, 1), hits.mean(), 200)
    assert found["pointing_accuracy"] == pytest.approx(expected)
    assert intervals(result, 200, 1) == found
    assert intervals(result, 200, 2) != found


def test_resamples_without_a_metric_are_left_out() -> None:
    # Only videos a and b have cues; where c alone is drawn there is nothing to average.
    result = answers("temporal", 4)
    found = intervals(result, resamples=500)["iou"]
    assert found is not None
    only_c = int((draw_videos(3, 500, 0)[:, :2].sum(axis=1) == 0).sum())
    assert only_c > 0
    assert found.resamples == 500 - only_c


def test_the_average_is_that_of_the_signature() -> None:
    tubes = [
        {"video": "a", "label": "mix_egg", "start": 0, "end": 1},
        {"video": "b", "label": "mix_egg", "start": 0, "end": 4},
    ]
    file = {"format": "gytbench-predictions/1", "task": "temporal", "tubes": tubes}
    result = package_score(TRUTH, file, average="frames-micro")
    assert intervals(result, 100) != intervals(package_score(TRUTH, file), 100)
    micro = resample(result.outcomes, draw_videos(3, 100, 0), "frames-micro")["iou"]
    found = intervals(result, 100)["iou"]
    assert found is not None
    assert found.mean == pytest.approx(np.nanmean(micro))


def test_intervals_are_written_where_they_are() -> None:
    result = answers("st", 4, 4, 0, boxes=True)
    assert "intervals" not in result.as_dict()
    found = with_intervals(result, resamples=100, seed=5)
    written = json.loads(found.to_json())["intervals"]
    assert (written["videos"], written["resamples"], written["seed"]) == (3, 100, 5)
    of_metric = intervals(result, 100, 5)["iou_point"]
    assert of_metric is not None
    assert written["metrics"]["iou_point"] == pytest.approx(of_metric._asdict())
    undefined = with_intervals(answers("spatial", 4), 100).as_dict()["intervals"]
    assert undefined["metrics"]["spatial_map@0.3"] is None


@pytest.mark.parametrize("task", ["st", "spatial", "temporal"])
def test_a_part_at_a_time_is_the_same(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = answers(task, 4, 0, 4, boxes=True).outcomes
    weights = draw_videos(3, 50, 0)
    whole = resample(outcomes, weights)
    monkeypatch.setattr(uncertainty, "_MOST_VALUES", 20)
    parts = resample_all(outcomes, weights, "video-class")
    for name, values in whole.items():
        np.testing.assert_array_equal(parts[name], values)


DATASETS = 300
COVERED = {
    "iou_point": 0.95,
    "pointing_given_label": 0.95,
    "iou_point_video_mean": 0.95,
    "video_map@0.3": 0.90,
}
"""The share of intervals that should hold the expected score; of class means, at least."""


def test_intervals_hold_the_expected_score_as_often_as_they_say() -> None:
    videos, classes = 100, 20
    rng = np.random.default_rng(0)
    once = np.ones((1, videos))
    scores = [resample(simulate(rng, videos, classes), once) for _ in range(1000)]
    expected = {name: np.mean([each[name] for each in scores]) for name in COVERED}
    held = dict.fromkeys(COVERED, 0)
    for dataset in range(DATASETS):
        outcomes = simulate(rng, videos, classes)
        drawn = resample(outcomes, draw_videos(videos, 200, dataset))
        own = resample(outcomes, once)
        for name, truth in expected.items():
            found = interval_of(drawn[name], float(own[name][0]), 0, 1)
            held[name] += found is not None and found.low <= truth <= found.high
    # Monte Carlo error of a share of 300, three standard deviations.
    error = 3 * np.sqrt(0.95 * 0.05 / DATASETS)
    for name, share in COVERED.items():
        assert held[name] / DATASETS >= share - (error if share == 0.95 else 0), name
        assert held[name] / DATASETS <= 0.95 + error, name
