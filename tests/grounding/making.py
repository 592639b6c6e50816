"""A small benchmark with videos, and a third-party system that grounds them."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from gytbench.benchmark import load_benchmark
from gytbench.demo import write_annotations
from gytbench.demo.videos import write_videos

from .packages import install

YELLOW = '''
import os
import time

import msgspec
import numpy as np

from gytbench.grounding.contract import Sampling


class Yellow:
    """Looks for what is yellow."""

    class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        slow: float = 0.0
        log: str = ""

    sampling = Sampling(size=(40, 30))

    def __init__(self, settings, setup):
        self.settings = settings

    def encode(self, clips):
        if self.settings.log:
            with open(self.settings.log, "a") as log:
                log.write(f"{os.getpid()} {len(clips)}\\n")
        time.sleep(self.settings.slow)
        red, green, blue = np.moveaxis(clips[:, 0].astype(np.float32), -1, 0)
        return {"yellow": np.minimum(red, green) - blue}

    def frame_scores(self, stretch, queries):
        best = stretch.features["yellow"].max(axis=(1, 2)).astype(np.float64)
        return best[:, None] - np.arange(len(queries))

    def heatmaps(self, stretch, query):
        return stretch.features["yellow"]
'''


@dataclass(frozen=True)
class Ground:
    """Folders to run on."""

    data: Path
    videos: Path
    site: Path
    """Where the third-party package lies."""

    def environment(self) -> dict[str, str]:
        """The environment of a process that finds the package and the data."""
        paths = os.pathsep.join(filter(None, (str(self.site), os.environ.get("PYTHONPATH"))))
        binaries = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        return {
            **os.environ,
            "PYTHONPATH": paths,
            "PATH": binaries,
            "GYTBENCH_DATA": str(self.data),
        }


def make_ground(folder: Path) -> Ground:
    """The demo's annotations and videos, and the package `yellow`."""
    data, videos = folder / "data", folder / "videos"
    write_annotations(data)
    write_videos(load_benchmark(data=data), videos)
    site = install(folder / "site", "yellow", YELLOW, {"yellow": "yellow:Yellow"})
    return Ground(data, videos, site)
