"""What is true: GroundingYouTube, and the other datasets, from their released files.

`load_benchmark` reads one choice of ground truth into a `Benchmark`.
"""

from gytbench.benchmark.classes import ClassMap, normalise_label
from gytbench.benchmark.datasets import DATASETS, Dataset, find_dataset, load_benchmark
from gytbench.benchmark.groundingyoutube import BOX_FILES, SUBSETS
from gytbench.benchmark.model import (
    AnnotatedPoint,
    Benchmark,
    Box,
    Cues,
    FrameClock,
    Instance,
    Pair,
)
from gytbench.benchmark.releases import find_data

__all__ = [
    "BOX_FILES",
    "DATASETS",
    "SUBSETS",
    "AnnotatedPoint",
    "Benchmark",
    "Box",
    "ClassMap",
    "Cues",
    "Dataset",
    "FrameClock",
    "Instance",
    "Pair",
    "find_data",
    "find_dataset",
    "load_benchmark",
    "normalise_label",
]
