"""Which tube speaks where several cover the same moment.

The highest score; then the earlier start, the earlier end, the class name. Tubes
alike in all of these differ at most in their point: the smaller x, then the
smaller y speaks, and a tube without a point last, so that the order of the file
never matters.
"""

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.metrics.arrays import Ints
from gytbench.predictions import PackedTubes


def tie_ranks(packed: PackedTubes, benchmark: Benchmark) -> Ints:
    """Rank of each tube by (start, end, class name); equal where all three are."""
    names = np.argsort(np.argsort(np.array(benchmark.classes.names)))
    keys = np.stack((names[packed.label].astype(float), packed.end, packed.start))
    order = np.lexsort(keys)
    step = (keys[:, order[1:]] != keys[:, order[:-1]]).any(axis=0)
    ranks = np.zeros(order.size, dtype=np.int64)
    ranks[order[1:]] = np.cumsum(step)
    return ranks


def foremost_entries(packed: PackedTubes, cell: Ints, cells: int, ties: Ints) -> Ints:
    """The entry that speaks in each cell that any entry covers.

    cell: the cell of each entry, below `cells`. ties: `tie_ranks`.
    """
    best = np.full(cells, -np.inf)
    np.maximum.at(best, cell, packed.entry_score)
    candidate = np.flatnonzero(packed.entry_score == best[cell])
    contested = np.bincount(cell[candidate], minlength=cells)[cell[candidate]] > 1
    tied = candidate[contested]
    x, y = packed.point[tied].T
    order = tied[np.lexsort((y, x, ties[packed.tube[tied]], cell[tied]))]
    first = np.ones(order.size, dtype=bool)
    first[1:] = cell[order[1:]] != cell[order[:-1]]
    return np.concatenate((candidate[~contested], order[first]))
