"""The reference scorer: a slow, obvious twin of every metric of the evaluation protocol.

Plain Python and exact rational numbers, written from the protocol alone and sharing no code with
the package: where the two disagree, one of them misreads the protocol.
"""

from .model import Box, Cue, Instance, Moment, Pixels, Region, Truth, Tube
from .ranking import average_precision, greedy_match
from .reading import read_tubes
from .regions import (
    heatmap_point,
    heatmap_region,
    heatmap_values,
    iou,
    mask_cells,
    mask_pixels,
    mask_point,
    region_area,
    region_overlap,
    rle_counts,
)
from .spatial import score_spatial
from .spatiotemporal import frame_labels, score_st
from .temporal import resolved_timeline, score_temporal

__all__ = [
    "Box",
    "Cue",
    "Instance",
    "Moment",
    "Pixels",
    "Region",
    "Truth",
    "Tube",
    "average_precision",
    "frame_labels",
    "greedy_match",
    "heatmap_point",
    "heatmap_region",
    "heatmap_values",
    "iou",
    "mask_cells",
    "mask_pixels",
    "mask_point",
    "read_tubes",
    "region_area",
    "region_overlap",
    "resolved_timeline",
    "rle_counts",
    "score_spatial",
    "score_st",
    "score_temporal",
]
