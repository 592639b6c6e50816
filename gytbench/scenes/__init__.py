"""Predictions laid over the ground truth, second by second, and pictures of it.

`scenes_of` says of every second what the scorer made of it, `pick` chooses the
telling ones, `scene_svg` and `gytbench.scenes.painting` draw them.
"""

from gytbench.scenes.choosing import Picks, pick, spread
from gytbench.scenes.laying import scenes_of
from gytbench.scenes.model import VERDICTS, PredictedRun, Scene, TrueSegment, VideoScenes
from gytbench.scenes.svg import scene_svg

__all__ = [
    "VERDICTS",
    "Picks",
    "PredictedRun",
    "Scene",
    "TrueSegment",
    "VideoScenes",
    "pick",
    "scene_svg",
    "scenes_of",
    "spread",
]
