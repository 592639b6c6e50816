"""One-to-one matching of ranked predictions to ground truth."""

import numpy as np

from gytbench.metrics.arrays import Floats, Ints


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
