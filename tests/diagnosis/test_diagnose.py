"""Diagnosis of hand-made tubes, one for each cause, and what must hold for any file."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from gytbench.benchmark import AnnotatedPoint, Benchmark, ClassMap, Instance, load_benchmark
from gytbench.bounds import make_bound
from gytbench.diagnosis import CAUSES, Diagnosis, diagnose
from gytbench.errors import InputError
from gytbench.evaluation import Protocol, Result, score
from gytbench.predictions import Predictions, Tube, pack
from tests.evaluation.twin import benchmark_of, predictions_of
from tests.reference import Truth
from tests.reference.strategies import st_cases

NAMES = ("stir", "pour")
PLACE = (200.0, 100.0, 400.0, 300.0)
ELSEWHERE = (0.0, 0.0, 100.0, 100.0)
# Instances 0 and 2 of "stir", 1 and 3 of "pour"; nothing is near the last.
TIMES = ((0, 10, "stir"), (20, 30, "pour"), (40, 50, "stir"), (80, 90, "pour"))


def truth(**more: Any) -> Benchmark:
    fields: dict[str, Any] = {
        "classes": ClassMap("mining512", NAMES, {name: i for i, name in enumerate(NAMES)}),
        "frames": {"v": (640.0, 480.0)},
        "instances": tuple(
            Instance("v", i, start, end, label, label)
            for i, (start, end, label) in enumerate(TIMES)
        ),
        "boxes": {"v": {t: PLACE for start, end, _ in TIMES for t in range(start, end)}},
    }
    return Benchmark(**(fields | more))


def tube(
    label: str, start: int, end: int, box: Any = PLACE, score: float = 1.0, **more: Any
) -> Tube:
    boxes = [box] * (end - start)
    return Tube("v", label, start, end, score=score, boxes=boxes, frame_size=(640, 480), **more)


def diagnosed(*tubes: Tube, benchmark: Benchmark | None = None) -> Diagnosis:
    benchmark = benchmark or truth()
    predictions = Predictions("st", list(tubes), {})
    return diagnose(pack(predictions, benchmark, "st"), benchmark, Protocol("st"))


def counts(found: Diagnosis) -> dict[str, int]:
    return {cause.name: cause.total for cause in found.causes if cause.total}


RIGHT = tube("stir", 0, 10)
NEAR_IN_TIME = tube("stir", 48, 56)  # tIoU 2 / 16 with the instance from 40 to 50


@pytest.mark.parametrize(
    ("false", "cause"),
    [
        pytest.param(tube("pour", 60, 70), "background", id="nothing there"),
        pytest.param(tube("stir", 49, 69), "background", id="hardly in time"),
        pytest.param(tube("stir", 20, 30, ELSEWHERE), "background", id="other class, elsewhere"),
        pytest.param(tube("stir", 20, 30), "wrong label", id="another step's tube"),
        pytest.param(NEAR_IN_TIME, "wrong time", id="right place"),
        pytest.param(tube("stir", 40, 50, ELSEWHERE), "wrong place", id="right time"),
        pytest.param(tube("stir", 48, 56, ELSEWHERE), "time and place", id="neither"),
        pytest.param(tube("stir", 0, 10, score=0.5), "duplicate", id="second of two"),
    ],
)
def test_each_cause(false: Tube, cause: str) -> None:
    found = diagnosed(RIGHT, false)
    # Nothing was meant for the last instance, nor for those that the tube was not meant for.
    meant = cause in {"wrong label", "wrong time", "wrong place", "time and place"}
    assert counts(found) == {cause: 1, "missed": 2 if meant else 3}
    assert (found.tubes, found.right, found.instances) == (2, 1, 4)


def test_gains_by_hand() -> None:
    """AP of stir is 1/2, of pour 0: one of two instances found, and none of two."""
    found = diagnosed(RIGHT, tube("stir", 40, 50, ELSEWHERE, score=0.9))
    gain = {cause.name: cause.gain for cause in found.causes}
    assert found.video_map == pytest.approx(0.25)
    # Mended, stir has both of its instances: 1. The two of pour are missed and leave no class.
    assert gain["wrong place"] == pytest.approx(0.25)
    assert gain["missed"] == pytest.approx(0.25)
    assert gain["background"] == gain["duplicate"] == gain["wrong label"] == 0


def test_a_mended_label_counts_in_its_class() -> None:
    found = diagnosed(RIGHT, tube("stir", 20, 30, score=0.9))
    gain = {cause.name: cause.gain for cause in found.causes}
    # pour rises from 0 to 1/2, stir stays at 1/2.
    assert gain["wrong label"] == pytest.approx(0.25)


def test_a_mended_duplicate_and_background_are_taken_away() -> None:
    """Two false tubes of stir above the right one: its precision is 1/3, and 1/2 without one."""
    found = diagnosed(tube("stir", 60, 70), tube("stir", 30, 38), tube("stir", 0, 10, score=0.5))
    gain = {cause.name: cause.gain for cause in found.causes}
    assert counts(found) == {"background": 2, "missed": 3}
    assert gain["background"] == pytest.approx((1 / 2 - 1 / 6) / 2)
    twice = diagnosed(RIGHT, RIGHT, tube("stir", 40, 50, score=0.5))
    gain = {cause.name: cause.gain for cause in twice.causes}
    assert counts(twice) == {"duplicate": 1, "missed": 2}
    # Precision at the end of the run of two equal scores is 1/2, at the last tube 2/3.
    assert gain["duplicate"] == pytest.approx((1 - 2 / 3) / 2)


def test_only_the_best_of_those_meant_for_an_instance_takes_it() -> None:
    wrong = [tube("stir", 40, 50, ELSEWHERE, score=s) for s in (0.9, 0.8)]
    found = diagnosed(RIGHT, *wrong)
    gain = {cause.name: cause.gain for cause in found.causes}
    assert counts(found) == {"wrong place": 2, "missed": 2}
    assert gain["wrong place"] == pytest.approx(0.25)


def test_without_regions_there_are_no_causes() -> None:
    points = Tube("v", "stir", 0, 10, points=[(300, 200)] * 10, frame_size=(640, 480))
    found = diagnosed(points)
    assert (found.causes, found.video_map, found.calibration) == ((), None, ())
    assert found.factors.label == found.factors.place == 1
    assert math.isnan(found.sensitivity["length"][2].tube_found)


def test_no_tubes() -> None:
    found = diagnosed()
    assert counts(found) == {"missed": 4}
    assert found.factors.iou_point == 0
    assert math.isnan(found.factors.label)
    assert found.tau.tau.size == 0
    assert found.calibration == ()


def test_factors_by_hand() -> None:
    """Of 40 covered seconds 20 are predicted, with 10 others; 15 have the label, 5 the point."""
    found = diagnosed(
        tube("stir", 0, 10, ELSEWHERE),
        tube("stir", 40, 45),
        tube("stir", 20, 25),
        tube("pour", 60, 70),
    ).factors
    assert found.time == pytest.approx(2 * 20 / (40 + 30))
    assert found.label == pytest.approx(15 / 20)
    assert found.place == pytest.approx(5 / 15)
    assert found.iou_point == pytest.approx(5 / (40 + 30 - 5))


def test_sensitivity_by_hand() -> None:
    points = tuple(AnnotatedPoint("v", t, "stir", 2, 300, 200, 7.0) for t in range(10))
    benchmark = truth(read_points=lambda: points)
    found = diagnosed(RIGHT, tube("stir", 40, 50, ELSEWHERE), benchmark=benchmark).sensitivity
    (length,) = [each for each in found["length"] if each.instances]
    assert length[:2] == ("6 to 11 s", 4)
    assert length[2:] == pytest.approx((20 / 40, 10 / 40, 1 / 4))
    # All boxes take 13 % of the frame; only the first instance has annotators' points.
    assert [each.instances for each in found["box size"]] == [0, 4, 0, 0, 0]
    spread = found["annotator spread"][1]
    assert spread == ("5 to 10 px", 1, 1.0, 1.0, 1.0)
    assert [each.instances for each in found["class frequency"]] == [0, 4, 0, 0, 0]
    # The middles of the instances lie at 5, 25, 45 and 85 of 90 seconds.
    assert [each.instances for each in found["position"]] == [1, 1, 1, 1]
    assert [each.tube_found for each in found["position"]] == [1, 0, 0, 0]


def test_a_property_that_nothing_is_known_of_is_left_out() -> None:
    assert "annotator spread" not in diagnosed(RIGHT).sensitivity


def test_calibration_by_hand() -> None:
    found = diagnosed(RIGHT, tube("pour", 60, 70, score=0.2)).calibration
    assert found == ((0.2, 0.2, 1, 0.2, 0.0), (1.0, 1.0, 1, 1.0, 1.0))


def test_the_sweep_drops_seconds_below_tau() -> None:
    found = diagnosed(RIGHT, tube("pour", 60, 70, score=0.2)).tau
    assert found.tau.tolist() == [0.2, 1.0]
    assert found.iou_point.tolist() == pytest.approx([10 / 50, 10 / 40])
    assert found.tubes.tolist() == [2, 1]
    assert found.best == 1


@pytest.mark.parametrize("threshold", [0, -1, 1.01, float("nan")])
def test_thresholds_that_cannot_be(threshold: float) -> None:
    benchmark = truth()
    packed = pack(Predictions("st", [], {}), benchmark, "st")
    with pytest.raises(InputError, match="--threshold"):
        diagnose(packed, benchmark, Protocol("st"), threshold)


def test_other_tasks_have_no_diagnosis() -> None:
    benchmark = truth()
    packed = pack(Predictions("temporal", [], {}), benchmark, "temporal")
    with pytest.raises(InputError, match="only the task 'st'"):
        diagnose(packed, benchmark, Protocol("temporal"))


def holds(found: Diagnosis, result: Result, threshold: float) -> None:
    """What is true of every diagnosis."""
    if found.causes:
        totals = counts(found)
        false = sum(total for name, total in totals.items() if name != "missed")
        assert false + found.right == found.tubes == result.counts["tubes_ranked"]
        assert totals.get("missed", 0) <= found.instances - found.right
        assert found.video_map == pytest.approx(result.metrics[f"video_map@{threshold}"])
        assert [cause.name for cause in found.causes] == list(CAUSES)
    parts = found.factors
    assert np.isnan(parts.iou_point) or parts.iou_point == pytest.approx(
        result.metrics["iou_point"], abs=1e-12
    )
    product = parts.time * parts.label * parts.place
    if not math.isnan(product):
        assert product / (2 - product) == pytest.approx(parts.iou_point, abs=1e-12)
    sweep = found.tau
    if sweep.tau.size:
        assert sweep.iou_point[0] == pytest.approx(result.metrics["iou_point"], abs=1e-12)
        assert (np.diff(sweep.tubes) <= 0).all()


@settings(max_examples=100, deadline=None)
@given(st_cases())
def test_sums_and_identities_hold_for_any_file(case: tuple[Truth, dict[str, Any]]) -> None:
    benchmark, predictions = benchmark_of(case[0]), predictions_of(case[1])
    protocol = Protocol("st")
    result = score(predictions, benchmark, protocol)
    packed = pack(predictions, benchmark, "st")
    for threshold in (0.1, 0.3):
        holds(diagnose(packed, benchmark, protocol, threshold), result, threshold)


@pytest.mark.parametrize("name", ["random", "uniform-segments", "oracle-time", "annotators"])
def test_floors_and_ceilings(released: Path, name: str) -> None:
    benchmark, protocol = load_benchmark(data=released), Protocol("st")
    predictions = make_bound(name, benchmark, "st")
    result = score(predictions, benchmark, protocol)
    found = diagnose(pack(predictions, benchmark, "st"), benchmark, protocol)
    holds(found, result, 0.3)
    if name == "oracle-time":
        # Right times and labels leave nothing but the place to be wrong.
        assert set(counts(found)) == {"wrong place"}
        assert found.factors.time == found.factors.label == 1
    for bins in found.sensitivity.values():
        assert sum(each.instances for each in bins) <= found.instances
