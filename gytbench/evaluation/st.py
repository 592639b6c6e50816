"""Task `st`: spatio-temporal grounding in the untrimmed video (docs/protocol.md, section 5)."""

from dataclasses import dataclass

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.evaluation import tubes
from gytbench.evaluation.frames import ClassSeconds, count_frames
from gytbench.evaluation.overlaps import Overlaps, measure
from gytbench.evaluation.precedence import tie_ranks
from gytbench.evaluation.protocol import TUBE_THRESHOLDS, Protocol
from gytbench.evaluation.result import NO_REGIONS, Result, Score, mean_of, named_rows
from gytbench.evaluation.truth import Grid, Truth, lay_out, truth_of
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.metrics.average_precision import average_precision
from gytbench.predictions import PackedTubes


@dataclass(frozen=True)
class SpatioTemporalOutcomes:
    """What all metrics of the task are computed from.

    frames: videos x 4, the seconds counted as G (covered), D (predicted), L (label
    right) and TP (label and point right). class_frames: videos x classes x 4, the
    same for each class. tube_video, tube_label, tube_score: the tubes ranked;
    tube_instance: thresholds x tubes, the instance that each takes, -1 = none.
    positives: instances with a box, videos x classes. has_regions: whether video
    mAP is defined.
    """

    frames: Ints
    class_frames: Ints
    tube_video: Ints
    tube_label: Ints
    tube_score: Floats
    tube_instance: Ints
    positives: Ints
    has_regions: bool


def evaluate_st(packed: PackedTubes, benchmark: Benchmark, protocol: Protocol) -> Result:
    """Score packed tubes."""
    laid = measure_st(packed, benchmark, protocol)
    truth = laid.truth
    ties = tie_ranks(packed, benchmark)
    frames, class_frames = count_frames(packed, truth, laid.grid, laid.pairs, ties)
    taken = [match_at(packed, laid, threshold) for threshold in TUBE_THRESHOLDS]
    outcomes = SpatioTemporalOutcomes(
        frames=frames,
        class_frames=class_frames,
        tube_video=packed.video[laid.ranked],
        tube_label=packed.label[laid.ranked],
        tube_score=packed.score[laid.ranked],
        tube_instance=np.stack(taken),
        positives=tubes.positives(truth),
        has_regions=packed.has_regions or not packed.video.size,
    )
    return _result(outcomes, packed, laid.grid, benchmark, protocol)


@dataclass(frozen=True)
class Measured:
    """Tubes laid over the truth, with everything that is measured of them.

    removed: entries that are left out of their tube, because the second is ignored
    for its class. ranked: the tubes that count, best first. candidates: the instances
    that each tube can match.
    """

    truth: Truth
    grid: Grid
    pairs: ClassSeconds
    removed: Bools
    overlaps: Overlaps
    ranked: Ints
    candidates: tubes.Pairs


def measure_st(packed: PackedTubes, benchmark: Benchmark, protocol: Protocol) -> Measured:
    """Everything about the tubes that does not depend on a threshold."""
    truth = truth_of(benchmark)
    grid = lay_out(truth, packed)
    pairs = ClassSeconds(truth, grid)
    removed = pairs.ignored(packed.label[packed.tube], grid.entry_cell)
    frames = truth.frames[grid.video]
    overlaps = measure(
        packed, grid.box, frames, grid.entry_cell, ~removed, protocol.heatmap_threshold
    )
    ranked = tubes.ranked_tubes(packed, overlaps, removed)
    candidates = tubes.tube_pairs(packed, truth, overlaps, removed)
    return Measured(truth, grid, pairs, removed, overlaps, ranked, candidates)


def match_at(packed: PackedTubes, laid: Measured, threshold: float) -> Ints:
    """The instance that each ranked tube takes at a threshold of tube IoU; -1 = none."""
    return tubes.match_tubes(laid.candidates, laid.ranked, packed.video.size, laid.truth, threshold)


FRAME_SCORES = ("iou_point", "label_iou", "pointing_given_label")


def frame_scores(counts: Ints | Floats) -> Floats:
    """The three `FRAME_SCORES` of each row of G, D, L, TP (k x 4); NaN where undefined."""
    covered, predicted, labelled, hit = counts.T.astype(float)
    either = covered + predicted
    scores = [(hit, either - hit), (labelled, either - labelled), (hit, labelled)]
    none = np.full(len(counts), np.nan)
    return np.stack(
        [np.divide(part, whole, out=none.copy(), where=whole > 0) for part, whole in scores], axis=1
    )


def class_precisions(outcomes: SpatioTemporalOutcomes) -> Floats:
    """Average precision, thresholds x classes; NaN where it is not defined: for a class
    without an instance, and for all where no tube has a region."""
    if not outcomes.has_regions:
        return np.full((len(TUBE_THRESHOLDS), outcomes.positives.shape[1]), np.nan)
    return average_precision(
        group=outcomes.tube_label,
        score=outcomes.tube_score,
        correct=outcomes.tube_instance >= 0,
        positives=outcomes.positives.sum(axis=0),
    )


def metrics_of(outcomes: SpatioTemporalOutcomes, precision: Floats) -> dict[str, Score]:
    """Every metric of the task from the stored outcomes and their `class_precisions`."""
    overall = frame_scores(outcomes.frames.sum(axis=0)[np.newaxis])
    metrics = named_rows(FRAME_SCORES, overall)[0]
    for suffix, counts in (
        ("_class_mean", outcomes.class_frames.sum(axis=0)),
        ("_video_mean", outcomes.frames),
    ):
        # Over what is in the ground truth, and there over what is defined.
        scores = frame_scores(counts[counts[:, 0] > 0])
        for name, column in zip(FRAME_SCORES, scores.T, strict=True):
            metrics[name + suffix] = mean_of(column)
    return metrics | _mean_precisions(precision)


def _mean_precisions(precision: Floats) -> dict[str, Score]:
    known = precision[:, ~np.isnan(precision[0])]
    names = [f"video_map@{threshold}" for threshold in TUBE_THRESHOLDS]
    if not known.size:
        return dict.fromkeys([*names, "video_map@0.1:0.5"])
    values = known.mean(axis=1)
    return {
        **dict(zip(names, values.tolist(), strict=True)),
        "video_map@0.1:0.5": float(values.mean()),
    }


def _result(
    outcomes: SpatioTemporalOutcomes,
    packed: PackedTubes,
    grid: Grid,
    benchmark: Benchmark,
    protocol: Protocol,
) -> Result:
    precision = class_precisions(outcomes)
    totals = outcomes.frames.sum(axis=0)
    answered = np.bincount(packed.video, minlength=len(benchmark.videos)) > 0
    return Result(
        signature=protocol.signature(benchmark),
        task=protocol.task,
        metrics=metrics_of(outcomes, precision),
        counts={
            "videos": len(benchmark.videos),
            "instances": len(benchmark.instances),
            "instances_with_box": int(outcomes.positives.sum()),
            "classes_with_box": int((outcomes.positives.sum(axis=0) > 0).sum()),
            "tubes": int(packed.video.size),
            "tubes_ranked": int(outcomes.tube_label.size),
            "seconds_covered": int(totals[0]),
            "seconds_predicted": int(totals[1]),
            "seconds_label_right": int(totals[2]),
            "seconds_point_right": int(totals[3]),
            "seconds_ignored": int(grid.ignored.sum()),
        },
        missing={"videos": int((~answered).sum())},
        per_class=_per_class(outcomes, precision, benchmark),
        per_video=_per_video(outcomes, packed, benchmark),
        notes=_notes(outcomes),
        outcomes=outcomes,
    )


def _notes(outcomes: SpatioTemporalOutcomes) -> tuple[str, ...]:
    """Why a metric is not defined."""
    labelled = "pointing_given_label is not defined: no second has the right label"
    reasons = [] if outcomes.frames[:, 2].any() else [labelled]
    return (*reasons, *([] if outcomes.has_regions else [NO_REGIONS]))


def _per_class(
    outcomes: SpatioTemporalOutcomes, precision: Floats, benchmark: Benchmark
) -> dict[str, dict[str, Score]]:
    frames = outcomes.class_frames.sum(axis=0)
    positives = outcomes.positives.sum(axis=0)
    columns = np.vstack((frame_scores(frames).T, precision, precision.mean(axis=0)))
    names = (*FRAME_SCORES, *(f"video_ap@{t}" for t in TUBE_THRESHOLDS), "video_ap@0.1:0.5")
    seen = np.flatnonzero(frames[:, :2].any(axis=1) | (positives > 0))
    rows = named_rows(names, columns[:, seen].T)
    return {
        benchmark.classes.names[index]: {"instances": int(positives[index]), **row}
        for index, row in zip(seen, rows, strict=True)
    }


def _per_video(
    outcomes: SpatioTemporalOutcomes, packed: PackedTubes, benchmark: Benchmark
) -> dict[str, dict[str, Score]]:
    sent = np.bincount(packed.video, minlength=len(benchmark.videos))
    positives = outcomes.positives.sum(axis=1)
    rows = named_rows(FRAME_SCORES, frame_scores(outcomes.frames))
    return {
        video: {"instances": int(positives[index]), "tubes": int(sent[index]), **row}
        for index, (video, row) in enumerate(zip(benchmark.videos, rows, strict=True))
    }
