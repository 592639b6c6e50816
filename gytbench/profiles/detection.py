"""From candidate pairs to average precision under a ranking."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gytbench.evaluation import Score
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.metrics.matching import first_choice_match, greedy_match
from gytbench.metrics.precision_rules import ruled_average_precision
from gytbench.profiles.conventions import Ranking


class Detections(NamedTuple):
    """n ranked detections, the best first, and the truths that they may match.

    label, truth_label: the class of each. detection, truth, overlap: the candidate pairs,
    a detection numbered by its rank; every pair that may reach a threshold is there.
    """

    label: Ints
    truth_label: Ints
    detection: Ints
    truth: Ints
    overlap: Floats


def named_classes(label: Ints, classes: int) -> Bools:
    """Which classes the labels of instances name."""
    return np.asarray(np.bincount(label, minlength=classes) > 0)


def best_first(score: Floats, ranking: Ranking) -> Ints:
    """The detections by score, the highest first, ties as the ranking says."""
    if ranking.ties == "reversed":
        return np.argsort(score, kind="stable")[::-1]
    return np.argsort(-score, kind="stable")


def precisions(
    found: Detections, named: Bools, ranking: Ranking, thresholds: Sequence[float]
) -> Floats:
    """Average precision, thresholds x classes; NaN for a class that is not averaged.

    named: of each class, whether an instance has it.
    """
    classes = named.size
    correct = np.stack([_correct(found, ranking, threshold) for threshold in thresholds])
    positives = np.bincount(found.truth_label, minlength=classes)
    values = ruled_average_precision(found.label, correct, positives, ranking.ap)
    if ranking.classes == "named":
        values[:, named] = np.nan_to_num(values[:, named])
    if ranking.classes == "with-both":
        values[:, np.bincount(found.label, minlength=classes) == 0] = np.nan
    return values


def _correct(found: Detections, ranking: Ranking, threshold: float) -> Bools:
    """Which detections take a truth."""
    least = float(np.nextafter(threshold, np.inf)) if ranking.strict else threshold
    sizes = (found.label.size, found.truth_label.size)
    if ranking.match == "per-truth":
        chosen = greedy_match(found.truth, found.detection, found.overlap, least, *sizes[::-1])
        correct = np.zeros(sizes[0], dtype=bool)
        correct[chosen[chosen >= 0]] = True
        return correct
    match = greedy_match if ranking.match == "next-best" else first_choice_match
    taken = match(found.detection, found.truth, found.overlap, least, *sizes)
    return np.asarray(taken >= 0)


def mean_precisions(
    name: str, values: Floats, thresholds: Sequence[float], mean: str | None = None
) -> Mapping[str, Score]:
    """`name@T` for each threshold, averaged over classes; with `mean`, in place of them the
    mean of all as `name@mean`. None where no class is averaged."""
    known = values[:, ~np.isnan(values[0])]
    scores = known.mean(axis=1) if known.size else None
    if mean is not None:
        return {f"{name}@{mean}": None if scores is None else float(scores.mean())}
    return {
        f"{name}@{threshold}": None if scores is None else float(scores[index])
        for index, threshold in enumerate(thresholds)
    }
