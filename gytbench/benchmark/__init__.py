"""What is true: GroundingYouTube and MiningYouTube from their released files.

`load_benchmark` reads one choice of ground truth into a `Benchmark`.
"""

from gytbench.benchmark.classes import ClassMap, normalise_label
from gytbench.benchmark.groundingyoutube import BOX_FILES, RELEASES, SUBSETS, load_benchmark
from gytbench.benchmark.model import AnnotatedPoint, Benchmark, Box, Cues, Instance
from gytbench.benchmark.releases import find_data

__all__ = [
    "BOX_FILES",
    "RELEASES",
    "SUBSETS",
    "AnnotatedPoint",
    "Benchmark",
    "Box",
    "ClassMap",
    "Cues",
    "Instance",
    "find_data",
    "load_benchmark",
    "normalise_label",
]
