"""Which boxes the rule of construction can have made from the annotators' mean points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gytbench.benchmark import AnnotatedPoint
from gytbench.benchmark.box_files import Boxes
from gytbench.benchmark.explanation import BoxPoints, match_points
from gytbench.metrics.arrays import Bools


@dataclass(frozen=True, eq=False)
class Explanation:
    """How the mean points explain the k boxes of a release."""

    matched: BoxPoints

    @property
    def contradicted(self) -> Bools:
        """The boxes that have a point and that none explains (k)."""
        return ~self.matched.explained & (self.matched.point >= 0)

    @property
    def unexplained(self) -> list[tuple[str, int]]:
        """Video and second of the boxes that have a point and that none explains."""
        return [self.matched.places[row] for row in np.flatnonzero(self.contradicted).tolist()]

    def counts(self) -> dict[str, int]:
        """Boxes: all, explained, by which round's points alone or by both, and the others."""
        first, second = self.matched.by_round.T
        masks = {
            "explained": first | second,
            "by_first_round_only": first & ~second,
            "by_second_round_only": second & ~first,
            "by_both_rounds": first & second,
            "unexplained": self.contradicted,
            "without_point": self.matched.point < 0,
        }
        counts = {name: int(np.count_nonzero(mask)) for name, mask in masks.items()}
        return {"boxes": len(self.matched.places), **counts}


def explain(
    boxes: Boxes, points: Sequence[AnnotatedPoint], frames: Mapping[str, tuple[float, float]]
) -> Explanation:
    """Hold the boxes of a release (by video and second) against the mean points.

    points: of both rounds, in the annotation frame, with mean distances as
    released and their scale. frames: width and height of the annotation frames in
    pixels, by video. A box is explained where any point of its second explains it,
    under the margin and the clipping of the released files.
    """
    return Explanation(match_points(boxes, points, frames))
