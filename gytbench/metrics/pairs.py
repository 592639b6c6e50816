"""Pairs of boxes, a human's and an object's: how much two of them overlap.

As V-HICO's evaluator measures it (github.com/ShuangLI59/
weakly-supervised-human-object-detection-video): as a relation, or as a phrase.
"""

from itertools import combinations

import numpy as np

from gytbench.metrics.arrays import Floats, Ints
from gytbench.metrics.tracks import box_overlaps

CANVAS = 500
"""Width and height, in pixels, of the canvas that phrases are drawn on."""


def relation_overlaps(a: Floats, b: Floats) -> Floats:
    """The lower of the IoU of the first boxes and that of the second, for the pairs of each
    row (both k x 2 x 4). Boxes are inclusive pixels: x2 - x1 + 1 wide."""
    ious = [box_overlaps(a[:, side], b[:, side], pixel=1)[0] for side in (0, 1)]
    return np.asarray(np.minimum(*ious))


def phrase_overlaps(a: Floats, b: Floats) -> Floats:
    """IoU of what the two boxes of a pair cover together, for the pairs of each row (both
    k x 2 x 4); 0 where the union is empty.

    Boxes are drawn on a canvas of 500 x 500 pixels: corners lose their fractions, the
    pixels x1 <= x < x2 are filled, and what lies beyond the canvas is cut off. No pixel
    is drawn: areas of unions follow from those of intersections.
    """
    drawn_a, drawn_b = _drawn(a), _drawn(b)
    union = _covered(np.concatenate((drawn_a, drawn_b), axis=1))
    shared = _covered(drawn_a) + _covered(drawn_b) - union
    return np.asarray(np.divide(shared, union, out=np.zeros(union.size), where=union > 0))


def _drawn(pairs: Floats) -> Ints:
    return np.clip(np.trunc(pairs), 0, CANVAS).astype(np.int64)


def _covered(boxes: Ints) -> Ints:
    """Pixels in at least one of the boxes of each row (k x r x 4), by inclusion-exclusion."""
    total: Ints = np.zeros(len(boxes), dtype=np.int64)
    for count in range(1, boxes.shape[1] + 1):
        for chosen in combinations(range(boxes.shape[1]), count):
            some = boxes[:, chosen]
            side = np.maximum(some[..., 2:].min(axis=1) - some[..., :2].max(axis=1), 0)
            total += (-1) ** (count + 1) * side[:, 0] * side[:, 1]
    return total
