"""What video mAP would gain if all errors of one cause were mended.

False tubes of the background and duplicates are taken away. A tube that was meant
for an instance takes it: the best-ranked of those meant for it, if no tube has it
already; the others are taken away. Missed instances are taken out of the ground
truth. Everything else stays as it is, so that gains do not add up.
"""

from dataclasses import replace

import numpy as np

from gytbench.diagnosis.causes import BACKGROUND, DUPLICATE, LABEL, MISSED, Causes
from gytbench.diagnosis.model import CAUSES
from gytbench.evaluation.st import SpatioTemporalOutcomes, class_precisions
from gytbench.evaluation.truth import Truth
from gytbench.metrics.arrays import Ints


def mean_precision(outcomes: SpatioTemporalOutcomes) -> float | None:
    """Video mAP at the one threshold of the outcomes; None where it is not defined."""
    precision = class_precisions(outcomes)[0]
    known = precision[~np.isnan(precision)]
    return float(known.mean()) if known.size else None


def gains(outcomes: SpatioTemporalOutcomes, found: Causes, truth: Truth) -> list[float]:
    """The gain of each of `CAUSES`. outcomes: at one threshold."""
    before = mean_precision(outcomes)
    mended = (_mended(outcomes, found, truth, cause) for cause in range(len(CAUSES)))
    after = map(mean_precision, mended)
    return [0.0 if value is None or before is None else value - before for value in after]


def _mended(
    outcomes: SpatioTemporalOutcomes, found: Causes, truth: Truth, cause: int
) -> SpatioTemporalOutcomes:
    if cause == MISSED:
        positives = outcomes.positives.copy()
        missed = np.flatnonzero(found.missed)
        np.subtract.at(positives, (truth.video[missed], truth.label[missed]), 1)
        return replace(outcomes, positives=positives)
    tubes = np.flatnonzero(found.cause == cause)
    taken, label = outcomes.tube_instance[0].copy(), outcomes.tube_label.copy()
    kept = np.ones(taken.size, dtype=bool)
    kept[tubes] = False
    if cause not in (BACKGROUND, DUPLICATE):
        heirs = _heirs(tubes, found.target, taken)
        kept[heirs] = True
        taken[heirs] = found.target[heirs]
        if cause == LABEL:
            label[heirs] = truth.label[found.target[heirs]]
    return replace(
        outcomes,
        tube_video=outcomes.tube_video[kept],
        tube_label=label[kept],
        tube_score=outcomes.tube_score[kept],
        tube_instance=taken[np.newaxis, kept],
    )


def _heirs(tubes: Ints, target: Ints, taken: Ints) -> Ints:
    """The best-ranked of the tubes for each instance that no tube has."""
    free = tubes[~np.isin(target[tubes], taken[taken >= 0])]
    # Tubes are in order of rank, and the first of each target is kept.
    _, first = np.unique(target[free], return_index=True)
    return free[first]
