"""One call from packed tubes to a diagnosis."""

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.diagnosis.causes import MISSED, RIGHT, find_causes
from gytbench.diagnosis.gains import gains, mean_precision
from gytbench.diagnosis.model import CAUSES, Calibration, Cause, Diagnosis
from gytbench.diagnosis.seconds import covered_seconds, factors, sweep
from gytbench.diagnosis.sensitivity import sensitivity
from gytbench.errors import InputError
from gytbench.evaluation import Protocol, tubes
from gytbench.evaluation.frames import spoken_seconds
from gytbench.evaluation.precedence import tie_ranks
from gytbench.evaluation.st import Measured, SpatioTemporalOutcomes, match_at, measure_st
from gytbench.metrics.arrays import Floats, Ints
from gytbench.predictions import PackedTubes

THRESHOLD = 0.3
"""Tube IoU of the diagnosis, unless another is asked for."""

_BINS = 10
"""Bins of the calibration."""


def diagnose(
    packed: PackedTubes, benchmark: Benchmark, protocol: Protocol, threshold: float = THRESHOLD
) -> Diagnosis:
    """Take the result of the task `st` apart.

    Raises InputError for another task, or a threshold that is not above 0 and at most 1.
    """
    if protocol.task != "st":
        raise InputError(f"only the task 'st' has a diagnosis, not {protocol.task!r}")
    if not 0 < threshold <= 1:
        raise InputError("--threshold must be above 0 and at most 1")
    laid = measure_st(packed, benchmark, protocol)
    ties = tie_ranks(packed, benchmark)
    spoken = spoken_seconds(packed, laid.grid, laid.pairs, ties).counted(laid.grid)
    covered = covered_seconds(laid)
    has_regions = packed.has_regions or not packed.video.size
    taken = match_at(packed, laid, threshold) if has_regions else None
    with_box = tubes.instances_with_box(laid.truth)
    outcomes = None if taken is None else _outcomes(packed, laid, taken)
    return Diagnosis(
        threshold=threshold,
        video_map=None if outcomes is None else mean_precision(outcomes),
        tubes=laid.ranked.size if taken is not None else 0,
        right=0 if taken is None else int((taken >= 0).sum()),
        instances=int(with_box.sum()),
        causes=() if outcomes is None else _causes(packed, laid, outcomes, threshold),
        factors=factors(spoken, covered),
        sensitivity=sensitivity(packed, laid, spoken, taken, benchmark),
        calibration=() if taken is None else _calibration(packed.score[laid.ranked], taken),
        tau=sweep(packed, spoken, covered),
    )


def _outcomes(packed: PackedTubes, laid: Measured, taken: Ints) -> SpatioTemporalOutcomes:
    """The outcomes of the tubes at one threshold; those of the seconds are left empty."""
    none = np.zeros((0, 4), dtype=np.int64)
    return SpatioTemporalOutcomes(
        frames=none,
        class_frames=none[:, np.newaxis],
        tube_video=packed.video[laid.ranked],
        tube_label=packed.label[laid.ranked],
        tube_score=packed.score[laid.ranked],
        tube_instance=taken[np.newaxis],
        positives=tubes.positives(laid.truth),
        has_regions=True,
    )


def _causes(
    packed: PackedTubes, laid: Measured, outcomes: SpatioTemporalOutcomes, threshold: float
) -> tuple[Cause, ...]:
    found = find_causes(packed, laid, outcomes.tube_instance[0], threshold)
    totals = np.bincount(found.cause[found.cause != RIGHT], minlength=len(CAUSES))
    totals[MISSED] = found.missed.sum()
    mended = gains(outcomes, found, laid.truth)
    return tuple(map(Cause, CAUSES, totals.tolist(), mended))


def _calibration(score: Floats, taken: Ints) -> tuple[Calibration, ...]:
    """Ranked tubes in bins of about equal size; equal scores stay together."""
    if not score.size:
        return ()
    cuts = np.unique(np.quantile(score, np.linspace(0, 1, _BINS + 1)[1:-1]))
    place = np.searchsorted(cuts, score, side="right")
    rows = []
    for number in np.unique(place).tolist():
        members = place == number
        some = score[members]
        right = float((taken[members] >= 0).mean())
        rows.append(
            Calibration(float(some.min()), float(some.max()), some.size, float(some.mean()), right)
        )
    return tuple(rows)
