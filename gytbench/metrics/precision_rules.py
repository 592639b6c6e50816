"""Average precision as other evaluators compute it: six rules, of many classes at once.

The benchmark's own rule is `average_precision.average_precision`, which reads precision at
the end of a run of equal scores. The rules here read it after every detection, in the order
that the detections are given in, as the public evaluators do.
"""

from typing import Final, Literal, get_args

import numpy as np

from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.metrics.average_precision import envelope

Rule = Literal["all-point", "101-point", "11-point", "10-of-11-point", "trapezoid", "precision-sum"]
RULES: Final[tuple[Rule, ...]] = get_args(Rule)

# The published loops compare recall with these very doubles: 0.6 < 0.6000000000000001.
_RECALLS: Final[dict[str, Floats]] = {
    "101-point": np.linspace(0.0, 1.0, 101),
    "11-point": np.arange(0.0, 1.1, 0.1),
    "10-of-11-point": np.arange(0.0, 1.0, 0.1),
}
_DIVISORS: Final = {"101-point": 101, "11-point": 11, "10-of-11-point": 11}


def ruled_average_precision(group: Ints, correct: Bools, positives: Ints, rule: Rule) -> Floats:
    """Average precision of each group (a class, say), at each level, by one of `RULES`.

    - all-point: area under the precision envelope (PASCAL VOC 2010, ActivityNet, AVA);
    - 101-point, 11-point: mean of the envelope at recalls 0 to 1 (COCO; VOC 2007);
    - 10-of-11-point: the recalls 0 to 0.9, divided by 11 (V-HICO): at most 0.909;
    - trapezoid: area under the raw curve from (recall 0, precision 1), joined by straight
      lines (ACT, MOC);
    - precision-sum: sum of the precisions at the right detections / positives (THUMOS).

    group: of each detection, n, the best first. correct: levels x n. positives: the number
    of ground truths of each group. Returns levels x groups; NaN without a positive.
    """
    order = np.argsort(group, kind="stable")
    order = order[positives[group[order]] > 0]
    group, correct = group[order], correct[:, order]
    begin = np.searchsorted(group, np.arange(positives.size))
    rank = np.arange(group.size) - begin[group] + 1
    rows = [_row(group, rank, row, positives, rule) for row in correct]
    return np.where(positives > 0, np.stack(rows), np.nan)


def _row(group: Ints, rank: Ints, correct: Bools, positives: Ints, rule: Rule) -> Floats:
    """The average precision of each group at one level; 0 without a positive."""
    total = np.cumsum(correct)
    first = np.flatnonzero(rank == 1)
    before = np.zeros(positives.size, dtype=np.int64)
    before[group[first]] = total[first] - correct[first]
    precision = (total - before[group]) / rank
    at = np.flatnonzero(correct)
    if rule in _RECALLS:
        return _at_recalls(group[at], envelope(group[at], precision[at]), positives, rule)
    if rule == "all-point":
        height = envelope(group[at], precision[at])
    elif rule == "trapezoid":
        height = (precision[at] + np.where(rank[at] == 1, 1.0, precision[at - 1])) / 2
    else:
        height = precision[at]
    areas = np.bincount(group[at], height, minlength=positives.size)
    return np.asarray(areas / np.maximum(positives, 1))


def _at_recalls(group: Ints, highest: Floats, positives: Ints, rule: Rule) -> Floats:
    """Mean of the envelope at fixed recalls. group, highest: of the right detections."""
    mean = np.zeros(positives.size)
    bounds = np.searchsorted(group, np.arange(positives.size + 1))
    for index in np.unique(group).tolist():
        heights = highest[bounds[index] : bounds[index + 1]]
        recall = np.arange(1, heights.size + 1) / positives[index]
        reached = np.searchsorted(recall, _RECALLS[rule])
        mean[index] = heights[reached[reached < heights.size]].sum() / _DIVISORS[rule]
    return mean
