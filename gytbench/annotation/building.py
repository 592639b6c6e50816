"""Boxes and heatmap regions of an annotation, frame by frame."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gytbench.annotation.table import PointTable, Size
from gytbench.benchmark import Box
from gytbench.construction import (
    MARGIN,
    REFERENCE_FRAME,
    Clip,
    boxes_around,
    boxes_of_points,
    sigmas,
)
from gytbench.errors import InputError
from gytbench.metrics.arrays import Bools, Floats


@dataclass(frozen=True)
class Rule:
    """How boxes are made of points (docs/annotation.md).

    frame: width and height that points are scaled to and boxes are given in (upright
    videos: height x width); None keeps the points' own pixels.
    margin: pixels of the 640x480 frame that a box reaches beyond its points; scaled
    with any other frame.
    sigma: standard deviation of the heatmap's Gaussians in pixels of the frame; None
    is 1/20 of its longer side.
    clip: `frame`, or `swapped` as the released boxes are.
    min_points: frames with fewer points get no box.
    max_spread: frames whose points lie further than this from their mean point, on
    average and in pixels of the 640x480 frame, get no box.

    Raises InputError for a value that cannot be.
    """

    frame: Size | None = REFERENCE_FRAME
    margin: float = MARGIN
    sigma: float | None = None
    clip: Clip = "frame"
    min_points: int = 1
    max_spread: float | None = None

    def __post_init__(self) -> None:
        if self.frame is not None and not 0 < self.frame[1] < self.frame[0] <= 100_000:
            raise InputError("--frame must be wider than high; upright videos get it turned")
        if not 0 <= self.margin <= 100_000:
            raise InputError("--margin must be from 0 to 100000 pixels")
        if self.sigma is not None and not 0.1 <= self.sigma <= 100_000:
            raise InputError("--sigma must be from 0.1 to 100000 pixels")
        if self.min_points < 1:
            raise InputError("--min-points must be at least 1")
        if self.max_spread is not None and not self.max_spread >= 0:
            raise InputError("--max-spread must not be negative")


class BuiltBox(NamedTuple):
    """A box with all that a file may say about it."""

    video: str
    second: int
    step: str
    box: Box
    size: Size
    """Width and height of the frame that the box is in."""
    estimated: bool


@dataclass(frozen=True, eq=False)
class Built:
    """What a rule made of a table of k frames."""

    table: PointTable
    """In the frame of the boxes."""
    boxes: Floats
    """k x 4; NaN for a frame without a box."""
    dropped: Mapping[str, int]
    """How many frames have no box, by reason."""
    sigmas: Floats
    """Of each frame's heatmap, in its pixels (k)."""

    @property
    def built(self) -> Bools:
        """Which frames have a box (k)."""
        return ~np.isnan(self.boxes[:, 0])

    def rows(self) -> list[BuiltBox]:
        """The boxes, by video, second and step."""
        table = self.table
        return [
            BuiltBox(*table.frames[i], tuple(box), tuple(size), table.estimated)
            for i, box, size in zip(
                np.flatnonzero(self.built).tolist(),
                self.boxes[self.built].tolist(),
                table.sizes[self.built].tolist(),
                strict=True,
            )
        ]


def build(table: PointTable, rule: Rule) -> Built:
    """The boxes of a table by a rule.

    A table of mean points gives estimated boxes (`construction.boxes_around`); it
    cannot tell how many points a frame has, so that asking for more than one raises
    InputError.
    """
    if table.estimated and rule.min_points > 1:
        raise InputError("--min-points cannot be checked on mean points, only on annotators' own")
    drawn = table
    if rule.frame is not None:
        table = table.scaled_to(rule.frame)
    boxes, counts = _boxes(table, rule), table.points.counts
    reasons = {"nothing visible": counts == 0}
    reasons[f"fewer than {rule.min_points} points"] = counts < rule.min_points
    if rule.max_spread is not None:
        far = drawn.spreads > rule.max_spread
        reasons[f"spread above {rule.max_spread:g} pixels"] = far
    dropped: Counter[str] = Counter()
    for reason, hit in reasons.items():
        first = hit & ~np.isnan(boxes[:, 0]) if reason != "nothing visible" else hit
        boxes[first] = np.nan
        dropped[reason] = int(first.sum())
    sigma = sigmas(table.sizes) if rule.sigma is None else np.full(len(boxes), rule.sigma)
    return Built(table, boxes, +dropped, sigma)


def _boxes(table: PointTable, rule: Rule) -> Floats:
    points, apart = table.points, table.mean_distances
    if apart is None:
        return boxes_of_points(points, table.sizes, margin=rule.margin, clip=rule.clip)
    means = points.reduce(np.add, points.xy)
    return boxes_around(means, apart, table.sizes, margin=rule.margin, clip=rule.clip)


def one_a_second(rows: Sequence[BuiltBox]) -> tuple[list[BuiltBox], int]:
    """The last box of each second of a video, and how many others were left out.

    A second may have a box for each step that it shows; the released layouts hold one.
    A box of annotators' own points counts before an estimated one.
    """
    last: dict[tuple[str, int], BuiltBox] = {}
    for row in rows:
        before = last.get((row.video, row.second))
        if before is None or before.estimated or not row.estimated:
            last[row.video, row.second] = row
    return list(last.values()), len(rows) - len(last)
