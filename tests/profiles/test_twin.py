"""Every profile against plain loops, on random nasty inputs."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings

from gytbench.evaluation import Protocol
from gytbench.profiles import PROFILES, parse_profile_signature, profiles_of, score_profile
from tests.evaluation.twin import benchmark_of, close, predictions_of
from tests.profiles import twin
from tests.reference import Truth, score_temporal
from tests.reference.strategies import spatial_cases, st_cases, temporal_cases

Case = tuple[Truth, dict[str, Any]]


def scores(name: str, case: Case) -> dict[str, float | None]:
    truth, file = case
    protocol = Protocol(file["task"])
    result = score_profile(predictions_of(file), benchmark_of(truth), protocol, PROFILES[name])
    assert parse_profile_signature(result.signature) == (PROFILES[name], protocol)
    assert all(value is None or 0 <= value <= 1 for value in result.metrics.values())
    return dict(result.metrics)


def without_boxes(file: dict[str, Any]) -> bool:
    """Whether the file has tubes, but no box: then metrics of boxes are not defined."""
    boxes = [box for tube in file["tubes"] for box in tube.get("boxes") or []]
    return bool(file["tubes"]) and all(box is None for box in boxes)


def check(name: str, case: Case, expected: dict[str, float | None], of_boxes: bool) -> None:
    if of_boxes and without_boxes(case[1]):
        expected = dict.fromkeys(expected)
    assert scores(name, case) == {metric: close(value) for metric, value in expected.items()}


UNTRIMMED: dict[str, Callable[..., dict[str, float | None]]] = {
    "act": lambda *case: twin.act_tubes(*case) | twin.act_frames(*case),
    "moc": lambda *case: twin.act_tubes(*case) | twin.act_frames(*case),
    "ava": twin.ava_frames,
    "vq2d": twin.vq2d_tubes,
    "vhico": twin.vhico_frames,
    "activitynet": twin.activitynet,
    "thumos": twin.thumos,
}
TRIMMED: dict[str, Callable[..., dict[str, float | None]]] = {
    "tubedetr": lambda *case: twin.answers(*case, "tubedetr"),
    "stcat": lambda *case: twin.answers(*case, "stcat"),
    "vhico": twin.vhico_frames,
    "videogem": lambda *case: twin.pointing(*case, "videogem"),
    "gyt-official": lambda *case: twin.pointing(*case, "gyt-official"),
}
TEMPORAL: dict[str, Callable[..., dict[str, float | None]]] = {
    "activitynet": twin.activitynet,
    "thumos": twin.thumos,
    "isba": lambda *case: score_temporal(*case, average="isba", fps=30),
    "videogem": lambda *case: score_temporal(*case, average="videogem", fps=1),
}
NOT_OF_BOXES = {"activitynet", "thumos", "videogem", "gyt-official"}


def test_every_profile_has_a_twin() -> None:
    for task, twins in (("st", UNTRIMMED), ("spatial", TRIMMED), ("temporal", TEMPORAL)):
        assert {profile.name for profile in profiles_of(task)} == set(twins)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", UNTRIMMED)
@settings(max_examples=30, deadline=None)
@given(case=st_cases())
def test_untrimmed(name: str, case: Case) -> None:
    check(name, case, UNTRIMMED[name](*case), name not in NOT_OF_BOXES)


@pytest.mark.parametrize("name", TRIMMED)
@settings(max_examples=30, deadline=None)
@given(case=spatial_cases())
def test_trimmed(name: str, case: Case) -> None:
    check(name, case, TRIMMED[name](*case), name not in NOT_OF_BOXES)


@pytest.mark.parametrize("name", TEMPORAL)
@settings(max_examples=30, deadline=None)
@given(case=temporal_cases())
def test_temporal(name: str, case: Case) -> None:
    check(name, case, TEMPORAL[name](*case), False)
