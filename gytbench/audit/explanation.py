"""Which boxes the rule of construction can have made from the annotators' mean points."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from gytbench.audit.packing import PackedBoxes, PackedPoints, Sizes, pack_boxes, pack_points, pairs
from gytbench.benchmark import AnnotatedPoint, Box
from gytbench.construction import explained
from gytbench.metrics.arrays import Bools, Ints


@dataclass(frozen=True, eq=False)
class Explanation:
    """For each of k boxes, by video and second, the rounds whose points explain it."""

    boxes: PackedBoxes
    first: Bools
    """Whether a point of the first round explains the box (k)."""
    second: Bools
    """Whether a point of the second round does (k)."""
    points: Ints
    """How many mean points the second of the box has (k)."""

    @property
    def explained(self) -> Bools:
        """k."""
        return self.first | self.second

    @property
    def unexplained(self) -> list[tuple[str, int]]:
        """Video and second of the boxes that have a point and that none explains."""
        rows = np.flatnonzero(~self.explained & (self.points > 0)).tolist()
        boxes = self.boxes
        return [(boxes.videos[boxes.video[row]], int(boxes.second[row])) for row in rows]

    def counts(self) -> dict[str, int]:
        """Boxes: all, explained, by which round's points alone or by both, and the others."""
        masks = {
            "explained": self.explained,
            "by_first_round_only": self.first & ~self.second,
            "by_second_round_only": self.second & ~self.first,
            "by_both_rounds": self.first & self.second,
            "unexplained": ~self.explained & (self.points > 0),
            "without_point": self.points == 0,
        }
        counts = {name: int(np.count_nonzero(mask)) for name, mask in masks.items()}
        return {"boxes": len(self.points), **counts}


def explain(
    boxes: Mapping[str, Mapping[int, Box]],
    points: Iterable[AnnotatedPoint],
    frames: Sizes,
) -> Explanation:
    """Hold the boxes of a release (by video and second) against the mean points.

    points: of both rounds, in the annotation frame, with mean distances as
    released and their scale. frames: the annotation frames, which name all the
    videos. A box is explained where any point of its second explains it, under
    the margin and the clipping of the released files.
    """
    return explain_packed(pack_boxes(boxes, frames), pack_points(points, frames))


def explain_packed(boxes: PackedBoxes, points: PackedPoints) -> Explanation:
    """The same for boxes and points that are packed over the same videos."""
    box, point = pairs(boxes, points)
    possible = explained(
        boxes.xyxy[box], points.xy[point], points.distances[point], boxes.sizes[box]
    )
    first, second = (np.zeros(len(boxes.keys), dtype=bool) for _ in range(2))
    first[box[possible & (points.round[point] == 1)]] = True
    second[box[possible & (points.round[point] == 2)]] = True
    return Explanation(boxes, first, second, np.bincount(box, minlength=len(boxes.keys)))
