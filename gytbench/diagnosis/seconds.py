"""The seconds of the task `st`: what IoU+Point is made of."""

import numpy as np

from gytbench.diagnosis.model import Factors, TauSweep
from gytbench.evaluation.frames import Spoken
from gytbench.evaluation.st import Measured
from gytbench.metrics.arrays import Floats, Ints
from gytbench.predictions import PackedTubes

_STEPS = 101
"""Values of tau that are tried, at most."""


def covered_seconds(laid: Measured) -> int:
    """G: the seconds that an instance covers and that have a box."""
    return int(np.count_nonzero(laid.grid.covered & laid.grid.has_box))


def factors(spoken: Spoken, covered: int) -> Factors:
    """IoU+Point as time x label x place."""
    both, right, hit = (int(part.sum()) for part in (spoken.covered, spoken.right, spoken.hit))
    predicted = spoken.entry.size
    return Factors(
        time=_ratio(2 * both, covered + predicted),
        label=_ratio(right, both),
        place=_ratio(hit, right),
        iou_point=_ratio(hit, covered + predicted - hit),
    )


def sweep(packed: PackedTubes, spoken: Spoken, covered: int) -> TauSweep:
    """IoU+Point when only seconds whose score is at least tau count as predicted."""
    score = packed.entry_score[spoken.entry]
    order = np.argsort(-score, kind="stable")
    distinct = np.unique(score)
    at = np.linspace(0, max(distinct.size - 1, 0), min(_STEPS, distinct.size)).round()
    tau = distinct[at.astype(np.int64)]
    predicted = np.searchsorted(-score[order], -tau, side="right")
    counts = [np.concatenate(([0], np.cumsum(part[order])))[predicted] for part in spoken[3:]]
    right, hit = counts
    best = np.full(packed.video.size, -np.inf)
    np.maximum.at(best, packed.tube, packed.entry_score)
    kept = best.size - np.searchsorted(np.sort(best), tau)
    return TauSweep(
        tau,
        _ratios(hit, covered + predicted - hit),
        _ratios(right, covered + predicted - right),
        kept,
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _ratios(part: Ints, whole: Ints) -> Floats:
    none = np.full(part.shape, np.nan)
    return np.asarray(np.divide(part, whole, out=none, where=whole > 0))
