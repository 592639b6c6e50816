"""Metrics of drawn videos, against scoring copies of these videos."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.evaluation import AVERAGES, Result
from gytbench.evaluation.resampling import resample
from gytbench.evaluation.spatial import SpatialOutcomes
from gytbench.evaluation.st import SpatioTemporalOutcomes
from gytbench.evaluation.uncertainty import number_of_videos
from tests.evaluation.twin import close, package_score
from tests.reference import Truth
from tests.reference.strategies import spatial_cases, st_cases, temporal_cases

Case = tuple[Truth, dict[str, Any]]
REGIONS = ("video_map", "success", "spatial_map")


def drawn_case(case: Case, times: dict[str, int]) -> Case:
    """Every video as often as it is drawn, each copy under a name of its own."""
    truth, file = case
    drawn = Truth(frames={})
    tubes = []
    for video, count in times.items():
        for copy in (f"{video}#{number}" for number in range(count)):
            drawn.frames[copy] = truth.frames[video]
            if video in truth.boxes:
                drawn.boxes[copy] = truth.boxes[video]
            drawn.instances += [i._replace(video=copy) for i in truth.instances if i.video == video]
            drawn.cues += [cue._replace(video=copy) for cue in truth.cues if cue.video == video]
            tubes += [{**tube, "video": copy} for tube in file["tubes"] if tube["video"] == video]
    return drawn, {**file, "tubes": tubes}


@st.composite
def drawn(draw: st.DrawFn, cases: st.SearchStrategy[Case]) -> tuple[Case, dict[str, int]]:
    """A case, and how often each of its videos is drawn; one with ground truth at least once."""
    case = draw(cases)
    times = {video: draw(st.integers(0, 3)) for video in case[0].frames}
    first = next(iter(times))
    if not any(times[i.video] for i in (*case[0].instances, *case[0].cues)):
        times[first] = 1
    return case, times


def check(case: Case, times: dict[str, int], **options: Any) -> None:
    """Resampled metrics equal those of the copies, and, drawn once each, of the file."""
    result = package_score(*case, **options)
    average = options.get("average", "video-class")
    videos = sorted(times)
    weights = np.array([[1.0] * len(videos), [times[video] for video in videos]])
    metrics = resample(result.outcomes, weights, average)
    again = package_score(*drawn_case(case, times), **options)
    for row, expected in enumerate((result, again)):
        same_regions = has_regions(expected) == has_regions(result)
        for name, score in expected.metrics.items():
            # Whether a file has regions at all is asked of the file, not of the draw.
            if same_regions or not name.startswith(REGIONS):
                value = float(metrics[name][row])
                assert (None if np.isnan(value) else value) == close(score), (name, row)


def has_regions(result: Result) -> bool:
    return bool(getattr(result.outcomes, "has_regions", True))


@settings(max_examples=120, deadline=None)
@given(drawn(st_cases()))
def test_st_as_if_scored_again(found: tuple[Case, dict[str, int]]) -> None:
    check(*found)


@settings(max_examples=80, deadline=None)
@given(drawn(spatial_cases()), st.sampled_from([0.0, 2.0]))
def test_spatial_as_if_scored_again(found: tuple[Case, dict[str, int]], tolerance: float) -> None:
    check(*found, tolerance=tolerance)


@settings(max_examples=50, deadline=None)
@pytest.mark.parametrize("average", AVERAGES)
@given(drawn(temporal_cases()), st.sampled_from([None, 1.0, 10.0]))
def test_temporal_as_if_scored_again(
    average: str, found: tuple[Case, dict[str, int]], fps: float | None
) -> None:
    check(*found, average=average, fps=fps)


@settings(max_examples=20, deadline=None)
@given(st.one_of(st_cases(), spatial_cases(), temporal_cases()))
def test_all_videos_of_the_benchmark_are_drawn(case: Case) -> None:
    assert number_of_videos(package_score(*case)) == len(case[0].frames)


NOTHING: Any = np.zeros(0, dtype=np.int64)


def test_without_ground_truth_nothing_is_defined() -> None:
    empty = SpatioTemporalOutcomes(
        frames=np.zeros((2, 4), dtype=np.int64),
        class_frames=np.zeros((2, 3, 4), dtype=np.int64),
        tube_video=NOTHING,
        tube_label=NOTHING,
        tube_score=NOTHING.astype(float),
        tube_instance=np.zeros((5, 0), dtype=np.int64),
        positives=np.zeros((2, 3), dtype=np.int64),
        has_regions=True,
    )
    for outcomes in (empty, replace(empty, has_regions=False)):
        assert all(np.isnan(v).all() for v in resample(outcomes, np.ones((4, 2))).values())
    units = SpatialOutcomes(NOTHING, NOTHING, NOTHING > 0, NOTHING > 0, NOTHING.astype(float), True)
    assert all(np.isnan(v).all() for v in resample(units, np.ones((4, 2))).values())
