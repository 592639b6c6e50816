"""Task `spatial`: the pointing game on trimmed clips (docs/protocol.md, section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.evaluation.overlaps import measure
from gytbench.evaluation.protocol import OVERLAP, Protocol
from gytbench.evaluation.result import NO_REGIONS, Result, Score, group_means, mean_of
from gytbench.evaluation.truth import Truth, truth_of
from gytbench.metrics import boxes
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.metrics.average_precision import average_precision
from gytbench.predictions import PackedTubes


@dataclass(frozen=True)
class SpatialOutcomes:
    """One row for each unit, an (instance, second) with a box.

    video, label: where it belongs. hit: point in box. success: region IoU >= 0.3.
    score: of the predicted region, NaN where there is none. has_regions: whether
    metrics of regions are defined.
    """

    video: Ints
    label: Ints
    hit: Bools
    success: Bools
    score: Floats
    has_regions: bool


def evaluate_spatial(packed: PackedTubes, benchmark: Benchmark, protocol: Protocol) -> Result:
    """Score packed tubes, each answering one instance."""
    truth = truth_of(benchmark)
    answer = answers_of(packed, truth)
    unit = np.flatnonzero(truth.unit_has_box)
    entry = entries_of_units(packed, truth, answer)[unit]
    answered = entry >= 0
    at = entry[answered]
    entry_box = np.full((packed.second.size, 4), np.nan)
    entry_box[at] = truth.unit_box[unit[answered]]
    wanted = np.zeros(packed.second.size, dtype=bool)
    wanted[at] = True
    frames = truth.frames[packed.video[packed.tube]]
    each = np.arange(packed.second.size)
    measured = measure(packed, entry_box, frames, each, wanted, protocol.heatmap_threshold)
    instance = truth.unit_instance[unit]

    hit = np.zeros(unit.size, dtype=bool)
    success = np.zeros(unit.size, dtype=bool)
    score = np.full(unit.size, np.nan)
    box = truth.unit_box[unit[answered]]
    hit[answered] = boxes.contains(box, packed.point[at], protocol.tolerance)
    success[answered] = measured.iou[at] >= OVERLAP
    has_region = ~np.isnan(measured.area[at])
    score[answered] = np.where(has_region, packed.entry_score[at], np.nan)
    outcomes = SpatialOutcomes(
        video=truth.video[instance],
        label=truth.label[instance],
        hit=hit,
        success=success,
        score=score,
        has_regions=packed.has_regions or not packed.video.size,
    )
    missing = {
        "videos": int((np.bincount(packed.video, minlength=len(benchmark.videos)) == 0).sum()),
        "instances": int((answer < 0).sum()),
        "units_without_point": int(unit.size - np.count_nonzero(~np.isnan(packed.point[at, 0]))),
    }
    return _result(outcomes, packed, missing, benchmark, protocol)


def answers_of(packed: PackedTubes, truth: Truth) -> Ints:
    """The tube that answers each instance; -1 = none."""
    rows = {
        key: i for i, key in enumerate(zip(truth.video.tolist(), truth.id.tolist(), strict=True))
    }
    answer = np.full(truth.video.size, -1)
    pairs = zip(packed.video.tolist(), packed.instance.tolist(), strict=True)
    for tube, key in enumerate(pairs):
        if key in rows:
            answer[rows[key]] = tube
    return answer


def entries_of_units(packed: PackedTubes, truth: Truth, answer: Ints) -> Ints:
    """The entry that speaks for each unit; -1 where the answer does not cover the second."""
    tube = answer[truth.unit_instance]
    if not packed.video.size:
        return tube
    within = truth.unit_second - packed.first[tube]
    inside = (tube >= 0) & (within >= 0) & (within < np.diff(packed.offset)[tube])
    return np.where(inside, packed.offset[tube] + within, -1)


def metrics_of(outcomes: SpatialOutcomes) -> dict[str, Score]:
    """Every metric of the task from the stored outcomes."""
    classes = int(outcomes.label.max(initial=-1)) + 1
    hit = group_means(outcomes.label, outcomes.hit, classes)
    metrics: dict[str, Score] = {
        "pointing_accuracy": mean_of(outcomes.hit),
        "pointing_accuracy_class_mean": mean_of(hit),
        "success@0.3": None,
        "success@0.3_class_mean": None,
        "spatial_map@0.3": None,
    }
    if outcomes.has_regions:
        metrics["success@0.3"] = mean_of(outcomes.success)
        success = group_means(outcomes.label, outcomes.success, classes)
        metrics["success@0.3_class_mean"] = mean_of(success)
        metrics["spatial_map@0.3"] = mean_of(class_precisions(outcomes))
    return metrics


def class_precisions(outcomes: SpatialOutcomes) -> Floats:
    """Average precision of each class up to the last that has a unit; NaN without a unit."""
    ranked = ~np.isnan(outcomes.score)
    precision: Floats = average_precision(
        group=outcomes.label[ranked],
        score=outcomes.score[ranked],
        correct=outcomes.success[np.newaxis, ranked],
        positives=np.bincount(outcomes.label),
    )[0]
    return precision


def _result(
    outcomes: SpatialOutcomes,
    packed: PackedTubes,
    missing: dict[str, int],
    benchmark: Benchmark,
    protocol: Protocol,
) -> Result:
    return Result(
        signature=protocol.signature(benchmark),
        task=protocol.task,
        metrics=metrics_of(outcomes),
        counts={
            "videos": len(benchmark.videos),
            "instances": len(benchmark.instances),
            "units": int(outcomes.hit.size),
            "classes": int(np.unique(outcomes.label).size),
            "tubes": int(packed.video.size),
            "hits": int(outcomes.hit.sum()),
            "successes": int(outcomes.success.sum()),
        },
        missing=missing,
        per_class=_rows(outcomes, outcomes.label, benchmark.classes.names, by_class=True),
        per_video=_rows(outcomes, outcomes.video, benchmark.videos, by_class=False),
        notes=() if outcomes.has_regions else (NO_REGIONS,),
        outcomes=outcomes,
    )


def _rows(
    outcomes: SpatialOutcomes, group: Ints, names: Sequence[str], by_class: bool
) -> dict[str, dict[str, Score]]:
    units = np.bincount(group, minlength=len(names))
    hits = np.bincount(group, outcomes.hit, minlength=len(names))
    successes = np.bincount(group, outcomes.success, minlength=len(names))
    precision = class_precisions(outcomes)
    rows: dict[str, dict[str, Score]] = {}
    for index in np.flatnonzero(units).tolist():
        region = outcomes.has_regions
        row: dict[str, Score] = {
            "units": int(units[index]),
            "pointing_accuracy": float(hits[index] / units[index]),
            "success@0.3": float(successes[index] / units[index]) if region else None,
        }
        if by_class:
            row["spatial_ap@0.3"] = float(precision[index]) if region else None
        rows[names[index]] = row
    return rows
