"""Which prediction speaks at each instant, and how long labels agree."""

import numpy as np

from gytbench.metrics.arrays import Ints


def foremost(begin: Ints, end: Ints, cells: int) -> Ints:
    """For each of `cells` cells, the lowest-numbered interval that covers it; -1 = none.

    begin, end: half-open cell ranges, numbered by priority, the foremost first.
    Every range is the union of two ranges whose length is a power of two; the
    minimum is noted on those and pushed down, halving them, in O((n + cells) log cells).
    """
    count = begin.size
    nonempty = np.flatnonzero(end > begin)
    begin, end = begin[nonempty], end[nonempty]
    level = np.frexp((end - begin).astype(float))[1] - 1
    best = np.full(cells, count)
    for power in range(int(level.max(initial=0)), -1, -1):
        here = level == power
        length = 1 << power
        np.minimum.at(best, begin[here], nonempty[here])
        np.minimum.at(best, end[here] - length, nonempty[here])
        if power:
            half = length >> 1
            pushed = best.copy()
            np.minimum(pushed[half:], best[:-half], out=pushed[half:])
            best = pushed
    return np.where(best < count, best, -1)


def ranges(begin: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Every integer of every half-open range, as (index of the range, integer)."""
    lengths = np.maximum(end - begin, 0)
    owner = np.repeat(np.arange(begin.size), lengths)
    within = np.arange(owner.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return owner, begin[owner] + within
