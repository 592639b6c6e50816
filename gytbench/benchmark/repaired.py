"""The release `repaired`: all released boxes, with right lower and estimated right edges."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gytbench.benchmark.box_files import Boxes
from gytbench.benchmark.explanation import BoxPoints, match_points
from gytbench.benchmark.model import AnnotatedPoint, Box
from gytbench.construction import cut_at_height, repair


class Repaired(NamedTuple):
    """Repaired boxes, and which of them have an estimated edge."""

    boxes: dict[str, dict[int, Box]]
    estimated: frozenset[tuple[str, int]]
    matched: BoxPoints
    """The boxes before, each with its mean point."""


def repair_boxes(
    boxes: Boxes, points: Sequence[AnnotatedPoint], frames: Mapping[str, tuple[float, float]]
) -> Repaired:
    """The boxes of the release `full`, undoing the exchange of width and height.

    A box is clipped to its frame from below; where it was cut on the right, that
    edge is estimated from the mean point (`construction.repair`).
    """
    matched = match_points(boxes, points, frames)
    across = np.array([point.x for point in points] + [np.nan])  # the last for "no point": -1
    mended = repair(matched.boxes, across[matched.point], matched.sizes)
    repaired: dict[str, dict[int, Box]] = {video: {} for video in boxes}
    for (video, second), box in zip(matched.places, mended.tolist(), strict=True):
        repaired[video][second] = (box[0], box[1], box[2], box[3])
    guessed = cut_at_height(matched.boxes, matched.sizes) & (matched.point >= 0)
    estimated = frozenset(matched.places[row] for row in np.flatnonzero(guessed).tolist())
    return Repaired(repaired, estimated, matched)
