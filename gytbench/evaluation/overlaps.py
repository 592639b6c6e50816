"""Predicted regions measured against the boxes of their seconds."""

from dataclasses import dataclass

import numpy as np

from gytbench.metrics import boxes, regions
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.predictions import PackedTubes


@dataclass(frozen=True)
class Overlaps:
    """Each entry's region against the box of its second.

    area: of the region, NaN where there is none. box_area: of the box in the same
    measure (pixels for masks and heatmaps, else exact); exact_box_area: exact
    always; NaN where there is none. shared: area of the intersection, 0 where
    either is missing.
    """

    area: Floats
    box_area: Floats
    exact_box_area: Floats
    shared: Floats

    @property
    def iou(self) -> Floats:
        """0 where either is missing."""
        return boxes.iou(self.shared, np.nan_to_num(self.area), np.nan_to_num(self.box_area))


def measure(
    packed: PackedTubes,
    truth: Floats,
    frames: Floats,
    at: Ints,
    wanted: Bools,
    heatmap_threshold: float,
) -> Overlaps:
    """Measure the regions of the wanted entries against the boxes of their seconds.

    Areas are taken inside the frame: both sides are clipped to it first. A mask
    comes before a box, a box before a heatmap.

    truth: k x 4, NaN = none, and frames: k x 2, (W, H). at: for each entry the row
    of its second in both. wanted: the entries whose heatmap is worth the time.
    """
    clipped = boxes.clip(truth, frames)
    predicted = boxes.clip(packed.box, frames[at])
    exact = boxes.area(clipped)[at]
    shared = np.zeros(at.size)
    both = np.flatnonzero(~(np.isnan(exact) | np.isnan(predicted[:, 0])))
    shared[both] = boxes.intersection(predicted[both], clipped[at[both]])
    measured = Overlaps(boxes.area(predicted), exact.copy(), exact, shared)
    for heatmaps in packed.heatmaps:
        asked = wanted[heatmaps.entry] & np.isnan(packed.box[heatmaps.entry, 0])
        rows = np.flatnonzero(asked)
        for frame, group in regions.frame_groups(frames[at[heatmaps.entry[rows]]]):
            chosen = rows[group]
            entry = heatmaps.entry[chosen]
            spans = _spans(truth[at[entry]], frame)
            values = heatmaps.values[chosen]
            counts = regions.heatmap_overlaps(values, frame, spans, heatmap_threshold)
            _note(measured, entry, counts, spans)
    for masks in packed.masks:
        runs = (masks.owner, masks.first, masks.stop, masks.size)
        for frame, chosen in regions.frame_groups(frames[at[masks.entry]]):
            spans = _spans(truth[at[masks.entry]], frame)
            areas, overlaps = regions.mask_overlaps(*runs, frame, spans)
            entry = masks.entry[chosen]
            _note(measured, entry, (areas[chosen], overlaps[chosen]), spans[chosen])
    return measured


def _spans(box: Floats, frame: tuple[int, int]) -> Ints:
    """Pixel spans; an empty one where there is no box."""
    return boxes.pixel_spans(np.nan_to_num(box), frame)


def _note(measured: Overlaps, entry: Ints, counts: tuple[Floats, Floats], spans: Ints) -> None:
    """Put pixel counts in the place of exact areas."""
    measured.area[entry], measured.shared[entry] = counts
    boxed = ~np.isnan(measured.exact_box_area[entry])
    measured.box_area[entry[boxed]] = boxes.span_areas(spans[boxed])
