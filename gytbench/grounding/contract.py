"""What a system offers to be run on videos: the plugin contract.

A system is a class registered under the entry-point group `gytbench.grounders`.
It makes features of a video once, without knowing what will be asked, and has at
least one of the capabilities `frame_scores`, `heatmaps` and `boxes`, which answer
from the features; or it finds whole tubes by itself.

Time is in whole seconds of the untrimmed video. Places are fractions of the frame:
x right, y down, (0, 0) its upper left corner, (1, 1) its lower right one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import msgspec
import numpy as np

from gytbench.metrics.arrays import Floats
from gytbench.predictions import Task, Tube

Features = Mapping[str, np.ndarray]
"""Arrays by name; the first axis of each counts clips."""


@dataclass(frozen=True)
class Sampling:
    """Which frames of a video a system sees, as clips.

    Clip k stands for the `stride` seconds from k * stride on. Its frames are those at
    the times k * stride + (i - lead) / fps, i = 0 to frames - 1, in seconds.
    """

    size: tuple[int, int]
    """Width and height in pixels that every frame is stretched to, whatever its shape."""
    frames: int = 1
    fps: float = 1.0
    stride: int = 1
    lead: int = 0
    """How many frames of a clip come before the second that it begins at."""
    trimmed: bool = False
    """Whether clips are counted from the start of a trimmed clip, where one is given."""
    black_after: bool = False
    """Whether frames after the end are black; else the last frame is repeated."""


@dataclass(frozen=True)
class Stretch:
    """The features of consecutive seconds of a video."""

    features: Features
    seconds: range
    stride: int = 1
    skip: int = 0
    """How many seconds the first clip has before the first of `seconds`."""

    def by_second(self, values: np.ndarray) -> np.ndarray:
        """Of values by second of all the clips (clips * stride first), those of `seconds`."""
        return values[self.skip : self.skip + len(self.seconds)]

    def part(self, seconds: range) -> "Stretch":
        """The stretch of some of its consecutive seconds, with the clips that they touch."""
        first = self.skip + seconds.start - self.seconds.start
        clips = slice(first // self.stride, -(-(first + len(seconds)) // self.stride))
        features = {name: values[clips] for name, values in self.features.items()}
        return Stretch(features, seconds, self.stride, first % self.stride)


class Asked(NamedTuple):
    """One thing asked of a video: where and how well a query fits these seconds."""

    query: str
    """A description in words, such as "crack egg"."""
    seconds: range
    instance: int | None = None
    """The id of the instance that is described, in the task `spatial`."""


class Request(NamedTuple):
    """All that is asked of one video at once."""

    video: str
    path: Path
    seconds: range
    """Those that the video has."""
    task: Task
    asked: Sequence[Asked]


class Setup(NamedTuple):
    """What a system is started with, apart from its settings."""

    files: Mapping[str, Path] = {}
    """The files of its recipe by role, such as `checkpoint`."""
    device: str = "cpu"
    """As torch names it."""
    half: bool = False
    """Whether to compute in half precision."""


class NoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a system that has none."""


class Grounder(Protocol):
    """A system. Its docstring's first line says what it is, in `gytbench baselines list`.

    The class is imported to be listed: import what is large when it is made, and raise
    `InputError` with the line that installs it where it is missing.
    """

    Settings: type[msgspec.Struct]
    """A frozen struct with a default for every field, which recipes and --set fill in."""

    def __init__(self, settings: Any, setup: Setup) -> None:
        """Load what is needed. Raises `InputError` for files that do not serve."""


@runtime_checkable
class Encoder(Protocol):
    """Makes features of pixels. The result for a clip must not depend on its batch."""

    @property
    def sampling(self) -> Sampling:
        """Which frames to give."""

    def encode(self, clips: np.ndarray) -> Features:
        """Features (clips first) of uint8 RGB clips: clips x frames x height x width x 3.

        They are what a cache stores, so answers may depend on nothing else of the video.
        """


@runtime_checkable
class Reader(Protocol):
    """Makes features by reading the video itself, knowing what is asked; never cached."""

    def read(self, request: Request) -> Features:
        """Features with one row for each of the request's seconds.

        Raises `InputError` where this video cannot be answered; the run goes on.
        """


@runtime_checkable
class ReadsFiles(Reader, Protocol):
    """A `Reader` also of files that are no videos, such as features: --videos may name them."""

    suffixes: Sequence[str]
    """Of such files, in lower case."""

    def seconds(self, path: Path) -> range:
        """Those that such a file has, from 0; raises `InputError` where it does not serve."""


@runtime_checkable
class ScoresFrames(Protocol):
    """Says when: how well each query fits each second."""

    def frame_scores(self, stretch: Stretch, queries: Sequence[str]) -> Floats:
        """Similarities, seconds x queries; higher fits better, all of one scale."""


@runtime_checkable
class MakesHeatmaps(Protocol):
    """Says where, as heatmaps over the whole frame."""

    def heatmaps(self, stretch: Stretch, query: str) -> Floats:
        """Seconds x rows x columns; of each second only the shape of the map counts."""


@runtime_checkable
class FindsBoxes(Protocol):
    """Says where, as one box a second."""

    def boxes(self, stretch: Stretch, query: str) -> Floats:
        """Seconds x (x1, y1, x2, y2) in fractions of the frame; nan where there is none."""


@runtime_checkable
class FindsTubes(Protocol):
    """Grounds a whole video by itself, without the shared inference."""

    def tubes(self, request: Request) -> Iterable[Tube]:
        """Tubes labelled with queries of the request; in `spatial`, with their instances.

        Raises `InputError` where this video cannot be answered; the run goes on.
        """


@dataclass(frozen=True)
class Capabilities:
    """What a grounder can do, by what methods it has."""

    when: bool
    where: bool
    tubes: bool

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that it can do alone."""
        able: dict[Task, bool] = {
            "st": self.tubes or (self.when and self.where),
            "spatial": self.tubes or self.where,
            "temporal": self.tubes or self.when,
        }
        return tuple(task for task, can in able.items() if can)


def capabilities(grounder: object) -> Capabilities:
    """What a grounder, or its class, can do."""
    return Capabilities(
        when=hasattr(grounder, "frame_scores"),
        where=hasattr(grounder, "heatmaps") or hasattr(grounder, "boxes"),
        tubes=hasattr(grounder, "tubes"),
    )
