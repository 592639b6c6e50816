"""Which boxes of a file the rule explains from points."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gytbench.annotation.building import Built, Rule
from gytbench.benchmark.box_files import Boxes
from gytbench.benchmark.explanation import first_fitting, pair_up
from gytbench.benchmark.model import Box
from gytbench.construction import ROUNDING, explained
from gytbench.metrics.arrays import Bools, Floats, Ints

_NO_POINT = "no point in this second"
_NO_BOX = "the rule gives no box"
_ANOTHER = "the rule gives another box"


class Explained(NamedTuple):
    """How many boxes of a file each table explains, and which no table does."""

    boxes: int
    by_table: tuple[int, ...]
    """In the order of the tables; a box counts for the first that explains it."""
    unexplained: tuple[tuple[str, int, Box, str], ...]
    """Video, second, box, and why."""


def explain(boxes: Boxes, tables: Sequence[Built], rule: Rule) -> Explained:
    """Hold the boxes of a file against what the rule makes of the points of their seconds.

    Annotators' own points explain a box whose edges are all within half a pixel of
    the rule's box, since released boxes are rounded. A mean point explains a box that
    some five points around it would give (`construction.explained`). The boxes are
    taken to be in the rule's frame.
    """
    places = [(video, second) for video, rows in boxes.items() for second in rows]
    packed = np.array([boxes[video][second] for video, second in places], dtype=np.float64)
    packed = packed.reshape(-1, 4)
    by_table, open_rows = [], np.arange(len(places))
    reasons = np.full(len(places), _NO_POINT, dtype=object)
    for built in tables:
        frames = [(frame.video, frame.second) for frame in built.table.frames]
        pairs = pair_up([places[row] for row in open_rows], frames)
        pairs = pairs[built.table.points.counts[pairs[:, 1]] > 0]
        fits = _fits(packed[open_rows], pairs, built, rule)
        chosen, right = first_fitting(pairs, fits, len(open_rows))
        with_point = chosen >= 0
        gives = built.built[chosen[with_point]]
        reasons[open_rows[with_point]] = np.where(gives, _ANOTHER, _NO_BOX)
        by_table.append(int(right.sum()))
        open_rows = open_rows[~right]
    unexplained = tuple(
        (*places[row], boxes[places[row][0]][places[row][1]], str(reasons[row]))
        for row in open_rows.tolist()
    )
    return Explained(len(places), tuple(by_table), unexplained)


def _fits(boxes: Floats, pairs: Ints, built: Built, rule: Rule) -> Bools:
    row, frame = pairs.T
    apart = built.table.mean_distances
    if apart is None:
        with np.errstate(invalid="ignore"):
            return np.asarray((np.abs(boxes[row] - built.boxes[frame]) <= ROUNDING).all(axis=1))
    means = built.table.points.reduce(np.add, built.table.points.xy)
    sizes = built.table.sizes[frame]
    return explained(
        boxes[row], means[frame], apart[frame], sizes, margin=rule.margin, clip=rule.clip
    )
