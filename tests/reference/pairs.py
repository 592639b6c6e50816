"""V-HICO's metric over pairs once more, in plain loops, pixels drawn one by one.

Written from the description of the evaluator; shares no code with the package.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

Box = tuple[float, float, float, float]
Key = tuple[str, int]
CANVAS = 500


class Predicted(NamedTuple):
    """One pair in pixels of the frame."""

    human: Box
    thing: Box
    score: float


Truths = Mapping[str, Mapping[Key, Sequence[tuple[Box, Box]]]]
"""Pairs by class and by frame (video, number)."""
Answers = Mapping[str, Mapping[Key, Sequence[Predicted]]]


def inclusive_iou(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b)]
    return width * height / (areas[0] + areas[1] - width * height)


def pixels(pair: Sequence[Box], canvas: int = CANVAS) -> set[tuple[int, int]]:
    """The pixels that the two boxes of a pair cover."""
    return {
        (x, y)
        for x1, y1, x2, y2 in pair
        for x in range(max(int(x1), 0), min(int(x2), canvas))
        for y in range(max(int(y1), 0), min(int(y2), canvas))
    }


def relation(a: Sequence[Box], b: Sequence[Box]) -> float:
    return min(inclusive_iou(a[0], b[0]), inclusive_iou(a[1], b[1]))


def phrase(a: Sequence[Box], b: Sequence[Box]) -> float:
    drawn = pixels(a), pixels(b)
    either = drawn[0] | drawn[1]
    return len(drawn[0] & drawn[1]) / len(either) if either else 0.0


OVERLAPS = {"relation": relation, "phrase": phrase}


def flags(
    truths: Mapping[Key, Sequence[tuple[Box, Box]]],
    answers: Mapping[Key, Sequence[Predicted]],
    annotated: set[Key],
    kind: str,
    setting: str,
) -> list[tuple[float, bool]]:
    """(score, right) of every pair of a class that counts, the best first."""
    listed = []
    for key in sorted(annotated):
        if setting == "ko" and key not in truths:
            continue
        best = sorted(answers.get(key, ()), key=lambda pair: -pair.score)[:10]
        listed += [(pair, key) for pair in best]
    listed.sort(key=lambda row: row[0].score)
    listed.reverse()
    taken: set[tuple[Key, int]] = set()
    found = []
    for pair, key in listed:
        highest, at = -1.0, -1
        for index, true in enumerate(truths.get(key, ())):
            overlap = OVERLAPS[kind]((pair.human, pair.thing), true)
            if overlap > highest:
                highest, at = overlap, index
        right = highest >= 0.3 and (key, at) not in taken
        if right:
            taken.add((key, at))
        found.append((pair.score, right))
    return found


def ten_of_eleven(outcomes: Sequence[tuple[float, bool]], positives: int) -> float:
    points, right = [], 0
    for rank, (_, correct) in enumerate(outcomes, start=1):
        right += correct
        points.append((right / positives, right / rank))
    total = 0.0
    for step in range(10):
        total += max((p for recall, p in points if recall >= step * 0.1), default=0.0) / 11
    return total


def all_point(outcomes: Sequence[tuple[float, bool]], positives: int) -> float:
    """Read at the end of each run of equal scores."""
    readings, right = [], 0
    for rank, (score, correct) in enumerate(outcomes, start=1):
        right += correct
        if rank == len(outcomes) or outcomes[rank][0] != score:
            readings.append((Fraction(right, positives), Fraction(right, rank)))
    area, before = Fraction(0), Fraction(0)
    for index, (recall, _) in enumerate(readings):
        area += (recall - before) * max(precision for _, precision in readings[index:])
        before = recall
    return float(area)


def pair_scores(truths: Truths, answers: Answers) -> dict[str, float | None]:
    """Every metric, by the name that the package gives it."""
    annotated = {key for by_frame in truths.values() for key in by_frame}
    scores: dict[str, float | None] = {}
    for kind in OVERLAPS:
        for setting in ("ko", "def"):
            published, plain = [], []
            for label, by_frame in truths.items():
                positives = sum(len(pairs) for pairs in by_frame.values())
                ranked = flags(by_frame, answers.get(label, {}), annotated, kind, setting)
                plain.append(all_point(ranked, positives))
                if label in answers:
                    published.append(ten_of_eleven(ranked, positives))
            name = f"pair_ap@0.3_{kind}_{setting}"
            scores[name] = sum(published) / len(published) if published else None
            scores[f"{name}_all_point"] = sum(plain) / len(plain)
    return scores
