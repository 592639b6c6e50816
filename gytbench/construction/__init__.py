"""From annotators' centre points to boxes and heatmaps: pure functions over arrays.

Frames are numbered from 0, and all points of all frames lie in one array
(`PointSets`). Coordinates are continuous, x right and y down; the pixel in row i
and column j covers [j, j+1) x [i, i+1), so its centre is (j + 0.5, i + 0.5).
The rule is that of docs/annotation.md; margins are given for the frame of
640x480 and are scaled with any other.
"""

from gytbench.construction.boxes import (
    CLIPS,
    MARGIN,
    REFERENCE_FRAME,
    Clip,
    boxes_around,
    boxes_of_points,
    clip_limits,
    frame_scales,
)
from gytbench.construction.consistency import ANNOTATORS, ROUNDING, explained
from gytbench.construction.heatmaps import SIGMA_SHARE, heatmap, level_masks, mask_areas, sigmas
from gytbench.construction.points import PointSets, spread
from gytbench.construction.repair import cut_at_height, repair

__all__ = [
    "ANNOTATORS",
    "CLIPS",
    "MARGIN",
    "REFERENCE_FRAME",
    "ROUNDING",
    "SIGMA_SHARE",
    "Clip",
    "PointSets",
    "boxes_around",
    "boxes_of_points",
    "clip_limits",
    "cut_at_height",
    "explained",
    "frame_scales",
    "heatmap",
    "level_masks",
    "mask_areas",
    "repair",
    "sigmas",
    "spread",
]
