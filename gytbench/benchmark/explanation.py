"""Which mean point each box was built around, and whether the box rule explains the box."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gytbench.benchmark.box_files import Boxes
from gytbench.benchmark.model import AnnotatedPoint
from gytbench.construction import CLIPS, explained
from gytbench.metrics.arrays import Bools, Floats, Ints


class BoxPoints(NamedTuple):
    """k boxes, and for each the mean point that it belongs to."""

    places: tuple[tuple[str, int], ...]
    """Video and second of each box."""
    boxes: Floats
    """k x 4."""
    sizes: Floats
    """Width and height of each box's annotation frame (k x 2)."""
    pairs: Ints
    """Every box with every point of its second: the positions of both (n x 2)."""
    point: Ints
    """The position of its point among the points given, -1 where its second has none (k)."""
    by_round: Bools
    """Whether a point of the first, and whether one of the second round explains it (k x 2)."""

    @property
    def explained(self) -> Bools:
        """Whether five points around a mean point of its second can have given the box (k)."""
        return np.asarray(self.by_round.any(axis=1))


def match_points(
    boxes: Boxes, points: Sequence[AnnotatedPoint], frames: Mapping[str, tuple[float, float]]
) -> BoxPoints:
    """Each box with a mean point of its second.

    A second may have several: of both rounds, or of two steps. The first that
    explains the box (construction.explained, with either clipping) counts, else
    the first.
    """
    places = tuple((video, second) for video, rows in boxes.items() for second in rows)
    packed = np.array(
        [box for rows in boxes.values() for box in rows.values()], dtype=np.float64
    ).reshape(-1, 4)
    sizes = np.array([frames[video] for video, _ in places], dtype=np.float64).reshape(-1, 2)
    pairs = pair_up(places, [(point.video, point.second) for point in points])
    fits = _explained(packed, sizes, points, pairs)
    chosen, _ = first_fitting(pairs, fits, len(places))
    by_round = _rounds(pairs[fits], points, len(places))
    return BoxPoints(places, packed, sizes, pairs, chosen, by_round)


def pair_up(places: Iterable[tuple[str, int]], others: Iterable[tuple[str, int]]) -> Ints:
    """Every place with every other of the same video and second: their positions (n x 2)."""
    by_place: dict[tuple[str, int], list[int]] = defaultdict(list)
    for position, place in enumerate(others):
        by_place[place].append(position)
    pairs = [(row, other) for row, place in enumerate(places) for other in by_place.get(place, ())]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def first_fitting(pairs: Ints, fits: Bools, rows: int) -> tuple[Ints, Bools]:
    """For each of the rows, the other of its first pair that fits, and whether it does.

    Where none fits it is the other of its first pair, and where it has no pair it is -1.
    """
    # The sort is stable: by row, those that fit first.
    order = np.lexsort((~fits, pairs[:, 0]))
    row, first = np.unique(pairs[order, 0], return_index=True)
    chosen = np.full(rows, -1, dtype=np.int64)
    chosen[row] = pairs[order, 1][first]
    right = np.zeros(rows, dtype=bool)
    right[row] = fits[order][first]
    return chosen, right


def _explained(
    boxes: Floats, sizes: Floats, points: Sequence[AnnotatedPoint], pairs: Ints
) -> Bools:
    row, number = pairs.T
    means = np.array([(point.x, point.y) for point in points], dtype=np.float64).reshape(-1, 2)
    distances = np.array([point.distances for point in points], dtype=np.float64).reshape(-1, 2)
    found = [
        explained(boxes[row], means[number], distances[number], sizes[row], clip=clip)
        for clip in CLIPS
    ]
    return np.asarray(found[0] | found[1])


def _rounds(explaining: Ints, points: Sequence[AnnotatedPoint], rows: int) -> Bools:
    """For each of the rows, whether a point of either round explains it (rows x 2)."""
    rounds = np.array([point.round for point in points], dtype=np.int64)
    row, number = explaining.T
    by_round = np.zeros((rows, 2), dtype=bool)
    by_round[row, rounds[number] - 1] = True
    return by_round
