"""AP over whole tubes, and over their intervals alone."""

from collections.abc import Iterator, Mapping

import numpy as np

from gytbench.evaluation import Score
from gytbench.evaluation.truth import Truth
from gytbench.evaluation.tubes import instances_with_box
from gytbench.metrics.arrays import Floats, Ints
from gytbench.metrics.matching import equal_pairs
from gytbench.metrics.tracks import (
    Tracks,
    interval_iou,
    product_iou,
    suppressed,
    volumetric_iou,
)
from gytbench.predictions import PackedTubes
from gytbench.profiles.conventions import TUBE_THRESHOLDS, TimePrecision, TubePrecision
from gytbench.profiles.detection import (
    Detections,
    best_first,
    mean_precisions,
    named_classes,
    precisions,
)


def tube_scores(part: TubePrecision, packed: PackedTubes, truth: Truth) -> Mapping[str, Score]:
    """`video_map` at the thresholds of `TUBE_THRESHOLDS`, and their mean."""
    predicted = Tracks(packed.first, packed.offset, packed.box)
    true = Tracks(truth.first, truth.offset, truth.unit_box)
    known = np.flatnonzero(instances_with_box(truth))
    order = best_first(packed.score, part.ranking)
    key = packed.video * truth.classes + packed.label
    if part.suppression is not None:
        order = order[~suppressed(*_too_alike(part, predicted, order, key[order]), order.size)]
    true_key = truth.video[known] * truth.classes + truth.label[known]
    pairs = _candidates(part, predicted, true, (order, known), (key[order], true_key))
    columns = [np.concatenate(column) for column in zip(*pairs, strict=True)]
    found = Detections(packed.label[order], truth.label[known], *columns)
    values = precisions(
        found, named_classes(truth.label, truth.classes), part.ranking, TUBE_THRESHOLDS
    )
    return {
        **mean_precisions(part.metric, values, TUBE_THRESHOLDS),
        **mean_precisions(part.metric, values, TUBE_THRESHOLDS, "0.1:0.5"),
    }


def _too_alike(part: TubePrecision, tracks: Tracks, order: Ints, key: Ints) -> tuple[Ints, Ints]:
    """Pairs of ranks of one video and class whose tube IoU is above the part's limit."""
    assert part.suppression is not None
    pairs = _candidates(part, tracks, tracks, (order, order), (key, key), forward=True)
    first, second, iou = (np.concatenate(column) for column in zip(*pairs, strict=True))
    alike = iou > part.suppression
    return first[alike], second[alike]


def _candidates(
    part: TubePrecision,
    a: Tracks,
    b: Tracks,
    rows: tuple[Ints, Ints],
    keys: tuple[Ints, Ints],
    forward: bool = False,
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Pairs of equal keys that meet in time and their tube IoU, in parts; with `forward`,
    only those whose first has the lower number. A pair numbers the rows."""
    for left, right in equal_pairs(*keys):
        i, j = rows[0][left], rows[1][right]
        meets = (a.first[i] < b.stop[j]) & (b.first[j] < a.stop[i])
        meets &= (left < right) | (not forward)
        left, right, i, j = left[meets], right[meets], i[meets], j[meets]
        if part.overlap == "product":
            yield left, right, product_iou(a, b, i, j, part.pixel)
        else:
            yield left, right, volumetric_iou(a, b, i, j)


def interval_scores(
    part: TimePrecision,
    packed: PackedTubes,
    truth: tuple[Ints, Ints, Floats],
    classes: int,
) -> Mapping[str, Score]:
    """`temporal_map` at the thresholds of `TUBE_THRESHOLDS`, their mean, and the mean over
    the part's own. truth: video, label and (start, end) of each true segment."""
    video, label, times = truth
    named = named_classes(label, classes)
    order = best_first(packed.score, part.ranking)
    key = packed.video * classes + packed.label
    said = np.stack((packed.start, packed.end), axis=1)[order]
    pairs = [
        (left, right, interval_iou(said[left], times[right]))
        for left, right in equal_pairs(key[order], video * classes + label)
    ]
    columns = [np.concatenate(column) for column in zip(*pairs, strict=True)]
    found = Detections(packed.label[order], label, *columns)
    values = precisions(found, named, part.ranking, TUBE_THRESHOLDS)
    scores = {
        **mean_precisions(part.metric, values, TUBE_THRESHOLDS),
        **mean_precisions(part.metric, values, TUBE_THRESHOLDS, "0.1:0.5"),
    }
    if part.thresholds:
        values = precisions(found, named, part.ranking, part.thresholds)
        span = f"{part.thresholds[0]:g}:{part.thresholds[-1]:g}"
        scores |= mean_precisions(part.metric, values, part.thresholds, span)
    return scores
