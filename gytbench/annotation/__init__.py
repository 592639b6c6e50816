"""Annotation with centre points: reading points, building boxes, measuring agreement.

Several people point at the centre of an action in a frame. `load_tables` reads
their points from any of the supported files, `build` makes boxes of them.
"""

from gytbench.annotation.building import Built, BuiltBox, Rule, build, one_a_second
from gytbench.annotation.explaining import Explained, explain
from gytbench.annotation.loading import load_tables
from gytbench.annotation.rows import PointRow
from gytbench.annotation.table import AnnotatedFrame, PointTable, build_table
from gytbench.annotation.writing import (
    LAYOUTS,
    coco,
    encode_layout,
    heatmap_masks,
    write_heatmaps,
)

__all__ = [
    "LAYOUTS",
    "AnnotatedFrame",
    "Built",
    "BuiltBox",
    "Explained",
    "PointRow",
    "PointTable",
    "Rule",
    "build",
    "build_table",
    "coco",
    "encode_layout",
    "explain",
    "heatmap_masks",
    "load_tables",
    "one_a_second",
    "write_heatmaps",
]
