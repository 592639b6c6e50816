"""One-to-one matching of ranked predictions to ground truth."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from gytbench.metrics.arrays import Floats, Ints
from gytbench.metrics.timeline import ranges


def greedy_match(
    prediction: Ints,
    target: Ints,
    overlap: Floats,
    threshold: float,
    predictions: int,
    targets: int,
) -> Ints:
    """The target that each prediction takes, in order; -1 = none.

    Predictions are numbered by rank, best first. Each in turn takes, among the
    targets that are still free, the one with the highest overlap, if that is >=
    threshold (ties: the lower target number); the next-best rule of ActivityNet.

    prediction, target, overlap: the candidate pairs, one a row, in any order.

    All predictions propose at once, and a target keeps its best-ranked proposer;
    the rest go on to their next choice. Since every target prefers the same order
    of ranks, the one stable outcome of these proposals is the greedy one (Gale and
    Shapley 1962), and it takes few rounds.
    """
    kept = overlap >= threshold
    prediction, target, overlap = prediction[kept], target[kept], overlap[kept]
    order = np.lexsort((target, -overlap, prediction))
    prediction, target = prediction[order], target[order]
    holder = np.full(targets, predictions)
    choice = np.searchsorted(prediction, np.arange(predictions + 1))
    end = choice[1:]
    choice = choice[:-1].copy()
    free = np.flatnonzero(choice < end)
    while free.size:
        wanted = target[choice[free]]
        previous = holder.copy()
        np.minimum.at(holder, wanted, free)
        won = holder[wanted] == free
        displaced = previous[(previous != holder) & (previous < predictions)]
        losers = np.concatenate((free[~won], displaced))
        choice[losers] += 1
        free = losers[choice[losers] < end[losers]]
    taken = np.full(predictions, -1)
    held = np.flatnonzero(holder < predictions)
    taken[holder[held]] = held
    return taken


def first_choice_match(
    prediction: Ints,
    target: Ints,
    overlap: Floats,
    threshold: float,
    predictions: int,
    targets: int,
) -> Ints:
    """As `greedy_match`, by the rule of PASCAL VOC: a prediction asks for nothing but the
    target of highest overlap, free or not (ties: the lower target number), and takes it
    where it is the first that asks with an overlap >= threshold. -1 = none."""
    order = np.lexsort((target, -overlap, prediction))
    best = order[np.flatnonzero(np.diff(prediction[order], prepend=-1))]
    best = best[overlap[best] >= threshold]
    holder = np.full(targets, predictions)
    np.minimum.at(holder, target[best], prediction[best])
    won = best[holder[target[best]] == prediction[best]]
    taken = np.full(predictions, -1)
    taken[prediction[won]] = target[won]
    return taken


def equal_pairs(left: Ints, right: Ints, limit: int = 1 << 22) -> Iterator[tuple[Ints, Ints]]:
    """All (i, j) with left[i] == right[j], by i and then by j, in parts.

    A part holds about `limit` pairs, or those of one i where these are more.
    """
    order = np.argsort(right, kind="stable")
    keys = right[order]
    begin = np.searchsorted(keys, left, side="left")
    end = np.searchsorted(keys, left, side="right")
    part = np.cumsum(end - begin) // limit
    bounds = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), left.size]
    for low, high in pairwise(bounds):
        owner, at = ranges(begin[low:high], end[low:high])
        yield owner + low, order[at]
