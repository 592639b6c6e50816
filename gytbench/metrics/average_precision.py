"""Average precision, of many classes at once."""

import numpy as np

from gytbench.metrics.arrays import Bools, Floats, Ints


def average_precision(group: Ints, score: Floats, correct: Bools, positives: Ints) -> Floats:
    """Area under the precision envelope of each group (a class, say), at each level.

    Detections are ranked by score within their group. Precision and recall are
    read only at the end of each run of equal scores, so that the order in which
    tied detections are listed does not matter. The envelope is all-point: at
    every recall, the highest precision at that recall or beyond (VOC 2010 and later).

    group, score: one a detection, n. correct: levels x n, such as one row for each
    IoU threshold. positives: the number of ground truths of each group. Returns
    levels x groups; NaN where a group has no positives.
    """
    kept = positives[group] > 0
    group, score, correct = group[kept], score[kept], correct[:, kept]
    order = np.lexsort((-score, group))
    group, score, correct = group[order], score[order], correct[:, order]
    sizes = np.bincount(group, minlength=positives.size)
    begin = np.cumsum(sizes) - sizes
    last = np.ones(group.size, dtype=bool)
    last[:-1] = (group[1:] != group[:-1]) | (score[1:] != score[:-1])
    rank = (np.arange(group.size) - begin[group] + 1)[last]

    hits = np.cumsum(correct, axis=1)
    hits_before = np.pad(hits, ((0, 0), (1, 0)))[:, begin]
    group_last = group[last]
    found: Ints = hits[:, last] - hits_before[:, group_last]
    areas = [_areas(group_last, row, rank, positives.size) for row in found]
    mean = np.stack(areas) / np.maximum(positives, 1)
    return np.asarray(np.where(positives > 0, mean, np.nan))


def _areas(group: Ints, found: Ints, rank: Ints, groups: int) -> Floats:
    """Sum of the envelope's precision over the true positives of each group."""
    gained = np.diff(found, prepend=0)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    gained[first] = found[first]
    # Precision only falls where nothing is gained, so the envelope lives on the rest.
    at = np.flatnonzero(gained)
    precision = envelope(group[at], found[at] / rank[at])
    areas = np.bincount(group[at], gained[at] * precision, minlength=groups)
    return np.asarray(areas, dtype=np.float64)


def envelope(group: Ints, precision: Floats) -> Floats:
    """Within each group, the highest precision at this row or a later one.

    Works on ranks of the distinct precisions, offset by group, so that one running
    maximum serves all groups and no value is rounded.
    """
    values, code = np.unique(precision, return_inverse=True)
    if not values.size:
        return precision
    backwards = code[::-1] + (group[-1] - group[::-1]) * values.size
    highest: Ints = np.maximum.accumulate(backwards)[::-1]
    return np.asarray(values[highest % values.size])


def resampled_average_precision(
    group: Ints, score: Floats, correct: Bools, owner: Ints, positives: Ints, weights: Floats
) -> Floats:
    """Average precision of each group when the owners (videos, say) are drawn again.

    group, score, correct: as for `average_precision`. owner: the owner of each
    detection, n. positives: owners x groups. weights: resamples x owners, how often
    each owner is drawn. A detection of an owner that is drawn twice counts twice, tied
    with itself. Returns resamples x levels x groups; NaN where a resample draws no
    positive of a group.
    """
    drawn = weights @ positives
    areas = np.zeros((len(weights), len(correct), positives.shape[1]))
    # An owner a row: what follows takes rows, and adds up along them.
    by_owner = np.ascontiguousarray(weights.T)
    order = np.lexsort((-score, group))
    begin = np.searchsorted(group[order], np.arange(positives.shape[1] + 1))
    for index in np.flatnonzero(positives.any(axis=0)).tolist():
        of_group = order[begin[index] : begin[index + 1]]
        areas[:, :, index] = _drawn_areas(
            score[of_group], correct[:, of_group], owner[of_group], by_owner
        )
    known = drawn > 0
    mean = areas / np.where(known, drawn, 1)[:, np.newaxis]
    return np.asarray(np.where(known[:, np.newaxis], mean, np.nan))


def _drawn_areas(score: Floats, correct: Bools, owner: Ints, weights: Floats) -> Floats:
    """Sum of the envelope's precision over the drawn true positives of one group.

    score, owner: n, by descending score; correct: levels x n; weights: owners x resamples.
    Returns resamples x levels.
    """
    areas = np.zeros((weights.shape[1], len(correct)))
    begins = np.zeros(score.size, dtype=bool)
    begins[1:] = score[1:] != score[:-1]
    run = np.cumsum(begins)
    # Precision only falls where nothing is gained: only runs with a hit matter.
    hits = np.unique(run[correct.any(axis=0)])
    step = np.searchsorted(hits, run)
    rank = _ranks(step, owner, weights, hits.size)
    for level, right in enumerate(correct):
        at = np.flatnonzero(right)
        if at.size:
            runs, first = np.unique(step[at], return_index=True)
            gained = np.add.reduceat(weights[owner[at]], first, axis=0)
            ranked = rank[runs]
            precision = np.divide(
                np.cumsum(gained, axis=0), ranked, out=np.zeros_like(ranked), where=ranked > 0
            )
            envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
            areas[:, level] = np.ascontiguousarray((gained * envelope).T).sum(axis=1)
    return areas


def _ranks(step: Ints, owner: Ints, weights: Floats, steps: int) -> Floats:
    """How many detections are drawn up to each step: steps x resamples.

    step, owner: of each detection, n; those of a step beyond the last are left out. Sums of
    counts are exact, in whatever order.
    """
    owners, of = np.unique(owner, return_inverse=True)
    counts = np.bincount(step * owners.size + of, minlength=(steps + 1) * owners.size)
    upto = np.cumsum(counts.reshape(steps + 1, owners.size)[:steps], axis=0)
    return np.asarray(upto.astype(np.float64) @ weights[owners])
