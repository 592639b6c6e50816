"""Every metric against the slow reference, on random nasty inputs."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation.twin import close, package_score
from tests.reference import Truth, score_spatial, score_st, score_temporal
from tests.reference.strategies import spatial_cases, st_cases, temporal_cases

Case = tuple[Truth, dict[str, Any]]

CLASS_NAMES = {"iou_point": "iou_point", "label_iou": "label_iou"} | {
    f"video_map@{t}": f"video_ap@{t}" for t in ("0.1", "0.2", "0.3", "0.4", "0.5")
}


def metrics_only(result: dict[str, Any]) -> dict[str, Any]:
    return {name: close(value) for name, value in result.items() if name != "per_class"}


@settings(max_examples=300, deadline=None)
@given(st_cases(), st.sampled_from([0.5, 0.25, 1.0]))
def test_st_equals_the_reference(case: Case, threshold: float) -> None:
    truth, file = case
    expected = score_st(truth, file, heatmap_threshold=threshold)
    result = package_score(truth, file, heatmap_threshold=threshold)
    assert result.metrics == metrics_only(expected)
    for label, scores in expected["per_class"].items():
        for name, own in CLASS_NAMES.items():
            if name in scores:
                assert result.per_class[label][own] == close(scores[name]), (label, name)


@settings(max_examples=200, deadline=None)
@given(spatial_cases(), st.sampled_from([0.0, 0.5, 2.0]), st.sampled_from([0.5, 0.75]))
def test_spatial_equals_the_reference(case: Case, tolerance: float, threshold: float) -> None:
    truth, file = case
    expected = score_spatial(truth, file, tolerance=tolerance, heatmap_threshold=threshold)
    result = package_score(truth, file, tolerance=tolerance, heatmap_threshold=threshold)
    assert result.metrics == metrics_only(expected)
    for label, scores in expected["per_class"].items():
        row = result.per_class[label]
        assert row["pointing_accuracy"] == close(scores["pointing_accuracy"])
        assert row["success@0.3"] == close(scores["success@0.3"])
        assert row["spatial_ap@0.3"] == close(scores["spatial_map@0.3"])


AVERAGES = {
    "video-class": "class",
    "isba": "isba",
    "frames-micro": "frames-micro",
    "videogem": "videogem",
}


@settings(max_examples=100, deadline=None)
@pytest.mark.parametrize("average", AVERAGES)
@given(case=temporal_cases(), fps=st.sampled_from([None, 1.0, 2.5, 10.0]))
def test_temporal_equals_the_reference(average: str, case: Case, fps: float | None) -> None:
    truth, file = case
    expected = score_temporal(truth, file, average=AVERAGES[average], fps=fps)
    result = package_score(truth, file, average=average, fps=fps)
    assert result.metrics == metrics_only(expected)


@settings(max_examples=60, deadline=None)
@given(st_cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_file_changes_nothing(case: Case, shuffler: random.Random) -> None:
    truth, file = case
    tubes = list(file["tubes"])
    shuffler.shuffle(tubes)
    shuffled = package_score(truth, {**file, "tubes": tubes})
    assert shuffled.as_dict() == package_score(truth, file).as_dict()


@settings(max_examples=60, deadline=None)
@given(st_cases())
def test_rescaling_coordinates_with_the_frame_changes_nothing(case: Case) -> None:
    truth, file = case
    size = file.get("frame_size") or [1, 1]
    tubes = []
    for tube in file["tubes"]:
        own = tube.get("frame_size") or size
        scaled = {**tube, "frame_size": [own[0] * 4, own[1] * 4]}
        for name in ("points", "boxes"):
            if name in tube:
                scaled[name] = [v if v is None else [4 * x for x in v] for v in tube[name]]
        tubes.append(scaled)
    rescaled = package_score(truth, {**file, "tubes": tubes})
    assert rescaled.as_dict() == package_score(truth, file).as_dict()
