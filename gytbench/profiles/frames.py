"""AP over boxes, frame by frame."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from gytbench.evaluation import Score
from gytbench.evaluation.frames import ClassSeconds
from gytbench.evaluation.spatial import answers_of, entries_of_units
from gytbench.evaluation.truth import Truth, lay_out
from gytbench.metrics.arrays import Bools, Floats, Ints, places_in_group
from gytbench.metrics.matching import equal_pairs
from gytbench.metrics.tracks import box_overlaps
from gytbench.predictions import PackedTubes
from gytbench.profiles.conventions import FramePrecision
from gytbench.profiles.detection import Detections, best_first, mean_precisions, precisions

THRESHOLDS: Final = (0.3, 0.5)


class FrameBoxes(NamedTuple):
    """n predicted boxes and k true ones, each on a frame, under a class; boxes are rows of 4.

    annotated: whether each predicted box lies on a frame that has true boxes.
    """

    frame: Ints
    label: Ints
    score: Floats
    box: Floats
    annotated: Bools
    true_frame: Ints
    true_label: Ints
    true_box: Floats


def frame_scores(
    part: FramePrecision, boxes: FrameBoxes, named: Bools, name: str
) -> Mapping[str, Score]:
    """`name@T` for every threshold of `THRESHOLDS`. named: the classes that an instance has."""
    found = frame_detections(part, boxes, named.size)
    values = precisions(found, named, part.ranking, THRESHOLDS)
    return mean_precisions(name, values, THRESHOLDS)


def frame_detections(part: FramePrecision, boxes: FrameBoxes, classes: int) -> Detections:
    """The boxes that count, ranked, beside the true boxes of their frame and class."""
    key = boxes.frame * classes + boxes.label
    true_key = boxes.true_frame * classes + boxes.true_label
    order = best_first(boxes.score, part.ranking)
    if part.frames == "annotated":
        order = order[boxes.annotated[order]]
    elif part.frames == "class":
        order = order[np.isin(key[order], true_key)]
    if part.top is not None:
        group = key if part.top_of == "class" else boxes.frame
        order = order[places_in_group(group[order]) < part.top]
    found = []
    for detection, truth in equal_pairs(key[order], true_key):
        iou = box_overlaps(boxes.box[order[detection]], boxes.true_box[truth], part.pixel)[0]
        at = iou >= THRESHOLDS[0]
        found.append((detection[at], truth[at], iou[at]))
    pairs = [np.concatenate(column) for column in zip(*found, strict=True)]
    return Detections(boxes.label[order], boxes.true_label, *pairs)


def untrimmed_boxes(packed: PackedTubes, truth: Truth) -> FrameBoxes:
    """A frame is a second of a video; a true box counts once for each class there."""
    grid = lay_out(truth, packed)
    cell, label = ClassSeconds(truth, grid).boxed
    entry = np.flatnonzero(~np.isnan(packed.box[:, 0]))
    at = grid.entry_cell[entry]
    return FrameBoxes(
        frame=at,
        label=packed.label[packed.tube[entry]],
        score=packed.entry_score[entry],
        box=packed.box[entry],
        annotated=grid.has_box[at],
        true_frame=cell,
        true_label=label,
        true_box=grid.box[cell],
    )


def trimmed_boxes(packed: PackedTubes, truth: Truth) -> FrameBoxes:
    """A frame is a second of an instance that has a box; the answer's box is predicted there."""
    unit = np.flatnonzero(truth.unit_has_box)
    label = truth.label[truth.unit_instance[unit]]
    entry = entries_of_units(packed, truth, answers_of(packed, truth))[unit]
    frame = np.flatnonzero(entry >= 0)
    frame = frame[~np.isnan(packed.box[entry[frame], 0])]
    entry = entry[frame]
    return FrameBoxes(
        frame=frame,
        label=label[frame],
        score=packed.entry_score[entry],
        box=packed.box[entry],
        annotated=np.ones(frame.size, dtype=bool),
        true_frame=np.arange(unit.size),
        true_label=label,
        true_box=truth.unit_box[unit],
    )
