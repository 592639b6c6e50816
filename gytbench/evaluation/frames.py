"""Seconds of the task `st`: what is covered, what is predicted, what is right."""

from typing import NamedTuple

import numpy as np

from gytbench.evaluation.precedence import foremost_entries
from gytbench.evaluation.truth import Grid, Truth
from gytbench.metrics import boxes
from gytbench.metrics.arrays import Bools, Ints
from gytbench.predictions import PackedTubes


class ClassSeconds:
    """Which (second, class) pairs an instance covers."""

    def __init__(self, truth: Truth, grid: Grid) -> None:
        self._classes = truth.classes
        self._ignored_cells = grid.ignored
        keys = grid.unit_cell * truth.classes + truth.label[truth.unit_instance]
        self._boxed = np.unique(keys[truth.unit_has_box])
        self._unboxed = np.unique(keys[~truth.unit_has_box])

    @property
    def boxed(self) -> tuple[Ints, Ints]:
        """Cell and class of every pair whose second has a box."""
        return self._boxed // self._classes, self._boxed % self._classes

    def ignored(self, label: Ints, cell: Ints) -> Bools:
        """Whether an instance of the class covers the second, which has no box."""
        found = self._ignored_cells[cell]
        at = np.flatnonzero(found)
        found[at] = np.isin(cell[at] * self._classes + label[at], self._unboxed)
        return found

    def right(self, label: Ints, cell: Ints) -> Bools:
        """Whether an instance of the class covers the second, which has a box."""
        return np.isin(cell * self._classes + label, self._boxed)


class Spoken(NamedTuple):
    """The m seconds at which a label is predicted."""

    entry: Ints
    """The entry that speaks."""
    cell: Ints
    covered: Bools
    """Whether an instance covers the second."""
    right: Bools
    """Whether the label is that of one; the second then has a box."""
    hit: Bools
    """And whether the point is in the box."""

    def counted(self, grid: Grid) -> "Spoken":
        """Those that are not ignored."""
        kept = ~grid.ignored[self.cell]
        return Spoken(
            self.entry[kept],
            self.cell[kept],
            self.covered[kept],
            self.right[kept],
            self.hit[kept],
        )


def spoken_seconds(packed: PackedTubes, grid: Grid, pairs: ClassSeconds, ties: Ints) -> Spoken:
    """What is predicted second by second, and what of it is right. ties: `tie_ranks`."""
    entry = foremost_entries(packed, grid.entry_cell, grid.cells, ties)
    cell = grid.entry_cell[entry]
    right = pairs.right(packed.label[packed.tube[entry]], cell)
    hit = right & boxes.contains(grid.box[cell], packed.point[entry])
    return Spoken(entry, cell, grid.covered[cell], right, hit)


def count_frames(
    packed: PackedTubes, truth: Truth, grid: Grid, pairs: ClassSeconds, ties: Ints
) -> tuple[Ints, Ints]:
    """Seconds that are covered (G), predicted (D), right in label (L), and in point too (TP).

    Ignored seconds are left out. Returns counts by video (videos x 4), where a
    second counts once, and by video and class (videos x classes x 4).
    """
    videos, classes = len(truth.frames), truth.classes
    entry, cell, _, right, hit = spoken_seconds(packed, grid, pairs, ties).counted(grid)
    label = packed.label[packed.tube[entry]]

    covered = np.flatnonzero(grid.covered & grid.has_box)
    cells = (covered, cell, cell[right], cell[hit])
    frames = np.stack([np.bincount(grid.video[c], minlength=videos) for c in cells], axis=1)

    boxed_cell, boxed_label = pairs.boxed
    key = grid.video[cell] * classes + label
    keys = (grid.video[boxed_cell] * classes + boxed_label, key, key[right], key[hit])
    counts = [np.bincount(k, minlength=videos * classes) for k in keys]
    return frames, np.stack(counts, axis=1).reshape(videos, classes, 4)
