"""Differences between systems: against scoring mixed predictions again, and by hand."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from gytbench.errors import InputError
from gytbench.evaluation.comparison import compare, holm, p_value, swapped_differences
from gytbench.evaluation.result import Interval
from gytbench.evaluation.uncertainty import draw_videos, interval_of, resample_all
from tests.evaluation.systems import File, random_file, random_truth, system
from tests.evaluation.twin import close, package_score
from tests.reference.model import Truth

TASKS = [
    ("st", "video-class"),
    ("spatial", "video-class"),
    ("temporal", "video-class"),
    ("temporal", "frames-micro"),
    ("temporal", "isba"),
    ("temporal", "videogem"),
]


def two(task: str, videos: int = 5, seed: int = 0) -> tuple[Truth, File, File]:
    rng = np.random.default_rng(seed)
    truth = random_truth(rng, videos)
    return truth, random_file(rng, truth, task, 0.8), random_file(rng, truth, task, 0.5)


def options_of(average: str) -> dict[str, Any]:
    return {} if average == "video-class" else {"average": average}


def mixed(truth: Truth, one: File, other: File, swapped: tuple[int, ...]) -> File:
    """The tubes of one, and those of the other where a video is swapped."""
    taken = dict(zip(sorted(truth.frames), swapped, strict=True))
    tubes = [tube for tube in one["tubes"] if not taken[tube["video"]]]
    return {**one, "tubes": tubes + [tube for tube in other["tubes"] if taken[tube["video"]]]}


@pytest.mark.parametrize(("task", "average"), TASKS)
def test_swaps_are_as_if_mixed_predictions_were_scored(task: str, average: str) -> None:
    truth, one, other = two(task)
    options = options_of(average)
    first, second = (system(truth, file, **options) for file in (one, other))
    swaps = list(product((0, 1), repeat=5))
    found = swapped_differences(
        first.outcomes, second.outcomes, np.array(swaps, dtype=float), average
    )
    for row, swap in enumerate(swaps):
        a = package_score(truth, mixed(truth, one, other, swap), **options).metrics
        b = package_score(truth, mixed(truth, other, one, swap), **options).metrics
        for name, score in a.items():
            assert score is not None
            assert found[name][row] == close((b[name] or 0) - score), (name, swap)
    # All swaps at once give the exact p-value; the drawn ones come near it.
    (contrast,) = compare([first, second], permutations=4000).contrasts
    for name, drawn in contrast.metrics.items():
        exact = np.mean(np.abs(found[name]) >= abs(found[name][0]) - 1e-12)
        assert drawn.p == pytest.approx(exact, abs=4 * np.sqrt(0.25 / 4000) + 1e-3), name


@pytest.mark.parametrize(("task", "average"), TASKS)
def test_intervals_are_of_the_same_draws(task: str, average: str) -> None:
    truth, one, other = two(task, videos=8)
    first, second = (system(truth, file, **options_of(average)) for file in (one, other))
    found = compare([first, second], resamples=200, permutations=100, seed=3)
    weights = draw_videos(8, 200, seed=3)
    drawn = [resample_all(each.outcomes, weights, average) for each in (first, second)]
    for name, each in found.contrasts[0].metrics.items():
        assert (each.first, each.other) == (first.metrics[name], second.metrics[name])
        assert each.difference is not None
        expected = interval_of(drawn[1][name] - drawn[0][name], each.difference, -1, 1)
        assert each.interval == expected
        assert each.interval is not None
        assert each.interval.low <= each.difference <= each.interval.high
    assert found == compare([first, second], resamples=200, permutations=100, seed=3)


@pytest.mark.parametrize("task", ["st", "spatial", "temporal"])
def test_a_system_does_not_differ_from_itself(task: str) -> None:
    truth, one, _ = two(task)
    same = system(truth, one)
    for each in compare([same, same], 100, 100).contrasts[0].metrics.values():
        assert each.difference == 0
        assert each.interval == Interval(0, 0, 0, 100)
        assert each.p == each.p_holm == 1
        assert not each.significant


def test_a_clear_difference_is_significant() -> None:
    rng = np.random.default_rng(1)
    truth = random_truth(rng, 30)
    good, bad = (system(truth, random_file(rng, truth, "st", skill)) for skill in (0.95, 0.1))
    each = compare([bad, good]).contrasts[0].metrics["iou_point"]
    assert each.interval is not None
    assert each.interval.low > 0
    assert each.p == pytest.approx(1 / 1001)
    assert each.significant


def test_p_values_by_hand() -> None:
    permuted = np.array([0.1, -0.3, 0.3 - 1e-15, 0.2, np.nan])
    assert p_value(0.3, permuted) == 3 / 5
    assert p_value(-0.5, permuted) == 1 / 5
    assert p_value(None, permuted) is None
    assert p_value(0.3, np.array([np.nan])) is None


def test_holm_by_hand() -> None:
    # 0.01 x 3, 0.02 x 2, and 0.03 x 1, which may not fall below the one before.
    assert holm([0.03, 0.01, None, 0.02]) == pytest.approx([0.04, 0.03, None, 0.04])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([None]) == [None]
    assert holm([]) == []


def test_several_systems_are_corrected_metric_by_metric() -> None:
    truth, one, other = two("st")
    third = random_file(np.random.default_rng(7), truth, "st", 0.2)
    systems = [
        system(truth, file, title) for file, title in zip((one, other, third), "abc", strict=True)
    ]
    found = compare(systems, 100, 200)
    assert [each.title for each in found.contrasts] == ["b", "c"]
    for name in systems[0].metrics:
        pair = [each.metrics[name] for each in found.contrasts]
        assert [each.p_holm for each in pair] == holm([each.p for each in pair])
    alone = compare(systems[::2], 100, 200).contrasts[0]
    assert {name: each.p for name, each in alone.metrics.items()} == {
        name: each.p for name, each in found.contrasts[1].metrics.items()
    }


def test_a_system_without_regions_is_compared_in_the_rest() -> None:
    truth, one, other = two("st")
    points = [
        {name: value for name, value in tube.items() if name != "boxes"} for tube in other["tubes"]
    ]
    pair = [system(truth, one), system(truth, {**other, "tubes": points})]
    found = compare(pair, 100, 100).contrasts[0].metrics
    assert found["video_map@0.5"].first is not None
    assert found["video_map@0.5"][1:] == (None, None, None, None, None)
    assert found["label_iou"].p is not None


def test_unlike_signatures_are_refused() -> None:
    truth, one, other = two("temporal")
    plain = system(truth, one, "plain")
    for options, told in (
        ({"fps": 10.0}, "time is '10fps', not 'continuous'"),
        ({"average": "isba"}, "average is 'isba', not 'video-class'"),
    ):
        unlike = system(truth, other, "unlike", **options)
        with pytest.raises(InputError, match=told) as caught:
            compare([plain, unlike])
        assert "unlike: scored under another protocol than plain" in str(caught.value)
        assert "--anyway" in str(caught.value)
    # Another task lacks a field, or has one more.
    with pytest.raises(InputError, match="task is 'temporal', not 'st'"):
        compare([system(truth, two("st")[1]), plain])
    # Fields that only one of two signatures has.
    truth, one, _ = two("spatial")
    pair = [system(truth, one), system(truth, {**one, "task": "st"})]
    with pytest.raises(InputError, match="task is 'st', not 'spatial'"):
        compare(pair)


def test_unlike_signatures_anyway() -> None:
    truth, one, other = two("temporal")
    plain, paced = system(truth, one, "plain"), system(truth, other, "paced", fps=10.0)
    found = compare([plain, paced], 100, 100, anyway=True)
    assert found.unlike
    assert found.contrasts[0].untested == ""
    assert found.contrasts[0].metrics["iou"].p is not None
    for options, reason in (({"average": "isba"}, "the averages differ"), ({}, "")):
        contrast = compare(
            [plain, system(truth, other, **options)], 100, 100, anyway=True
        ).contrasts[0]
        assert contrast.untested == reason
        assert (contrast.metrics["iou"].p is None) == bool(reason)
        assert contrast.metrics["iou"].difference is not None
    with pytest.raises(InputError, match="no metric in common"):
        compare([plain, system(truth, two("st")[1])], anyway=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"videos": ("x", "y", "z", "u", "v")}, "the videos differ"),
        ({"classes": ()}, "the classes"),
    ],
)
def test_other_videos_under_the_same_signature(change: dict[str, Any], reason: str) -> None:
    truth, one, other = two("st")
    pair = [system(truth, one), replace(system(truth, other, "other"), **change)]
    with pytest.raises(InputError, match=f"other: cannot be compared with system: {reason}"):
        compare(pair)
    contrast = compare(pair, anyway=True).contrasts[0]
    assert contrast.untested.startswith(reason)
    assert contrast.metrics["iou_point"].interval is None


def test_one_system_is_no_comparison() -> None:
    truth, one, _ = two("st")
    with pytest.raises(InputError, match="two systems or more"):
        compare([system(truth, one)])
