"""Greedy matching and average precision (section 5, Video mAP)."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def greedy_match(overlaps: Sequence[Mapping[K, Fraction]], threshold: Fraction) -> list[K | None]:
    """What each tube takes: the free instance with the highest IoU, if that is >= threshold.

    overlaps: for each tube, in ranking order, the IoU with every instance it could take. Among
    equal IoUs the instance that the mapping lists first wins. A tube whose best instance is taken
    goes on to the next best.
    """
    taken: set[K] = set()
    matches: list[K | None] = []
    for candidates in overlaps:
        best: K | None = None
        best_iou = Fraction(-1)
        for instance, value in candidates.items():
            if instance not in taken and value >= threshold and value > best_iou:
                best, best_iou = instance, value
        if best is not None:
            taken.add(best)
        matches.append(best)
    return matches


def average_precision(outcomes: Iterable[tuple[float, bool]], positives: int) -> Fraction:
    """The area under the all-point precision envelope.

    outcomes: (score, right or wrong) of every prediction, in any order. Precision and recall are
    read only at the end of each run of equal scores, so the order among equals is irrelevant.
    positives: how many there are to be found, at least one.
    """
    ranked = sorted(outcomes, key=lambda outcome: -outcome[0])
    readings: list[tuple[Fraction, Fraction]] = []
    right = 0
    for rank, (score, is_right) in enumerate(ranked, start=1):
        right += is_right
        if rank == len(ranked) or ranked[rank][0] != score:
            readings.append((Fraction(right, positives), Fraction(right, rank)))
    area = Fraction(0)
    previous_recall = Fraction(0)
    for index, (recall, _) in enumerate(readings):
        envelope = max(precision for _, precision in readings[index:])
        area += (recall - previous_recall) * envelope
        previous_recall = recall
    return area
