"""A small benchmark that is written, not fetched: everything runs on it offline."""

from gytbench.demo.annotations import write_annotations
from gytbench.demo.predictions import predict
from gytbench.demo.videos import write_videos

__all__ = ["predict", "write_annotations", "write_videos"]
