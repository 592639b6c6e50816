"""What is true: the instances, boxes, frames and classes that predictions are scored against.

Coordinates are continuous, x right and y down, in the annotation frame of the
video (640x480 for almost all). Time is in seconds; every interval is half-open.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import NamedTuple

from gytbench.benchmark.classes import ClassMap

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in the annotation frame."""

Pair = tuple[Box, Box]
"""A human and the object of its action."""


class FrameClock(NamedTuple):
    """When the frames of a video are shown, by their numbers."""

    rate: float
    """Frames a second."""
    first: int = 0
    """The number of the first one."""

    def second(self, frame: int) -> int:
        """The whole second in which a frame is shown."""
        return int((frame - self.first) // self.rate)


class Instance(NamedTuple):
    """One action in one video, covering the seconds t with start <= t < end."""

    video: str
    id: int
    start: float
    end: float
    step: str
    """The raw step name, normalised."""
    label: str
    """The name it is scored under: a class of the dictionary, or the step itself."""

    def seconds(self) -> range:
        """The integer seconds that it covers."""
        return range(ceil(self.start), ceil(self.end))


class AnnotatedPoint(NamedTuple):
    """The annotators' mean centre point of one frame, in the annotation frame."""

    video: str
    second: int
    step: str
    round: int
    """1 or 2, the annotation round."""
    x: float
    y: float
    mean_distance: float
    """Mean distance of the annotators' points from (x, y), as released (pixels of its round)."""
    scale: tuple[float, float] = (1.0, 1.0)
    """Width and height, in the annotation frame, of one pixel of its round."""

    @property
    def distances(self) -> tuple[float, float]:
        """The mean distance along x and along y, in the annotation frame."""
        return self.mean_distance * self.scale[0], self.mean_distance * self.scale[1]


class Cues(NamedTuple):
    """The temporal annotation of MiningYouTube: when each action happens, to the millisecond."""

    data: str
    """Where it is from, for the signature: "miningyoutube", or "local@" and 8 hex digits."""
    instances: tuple[Instance, ...] = ()


@dataclass(frozen=True, eq=False)
class Benchmark:
    """One choice of ground truth: a dataset with one release of its boxes.

    `load_benchmark` makes it from the released files. One made by hand needs
    the first four fields; the `read_*` functions give what not every task
    needs, and are called once, on first use.
    """

    classes: ClassMap
    frames: Mapping[str, tuple[float, float]]
    """Width and height of the annotation frame, by video: these are the videos."""
    instances: tuple[Instance, ...]
    boxes: Mapping[str, Mapping[int, Box]]
    """By video and second; a box belongs to every instance that covers its second."""
    dataset: str = "groundingyoutube"
    """Its name."""
    data: str = "local"
    """For the signature: "groundingyoutube", or "local@" and 8 hex digits of what was read."""
    release: str = "local"
    """The name of the box release."""
    release_sha256: str = ""
    """Of the file that the boxes were read from."""
    subset: str = "all"
    coordinates: str = ""
    """The rule of the annotation frame, where the dataset has several."""
    instance_boxes: Mapping[tuple[str, int], Mapping[int, Box]] = field(default_factory=dict)
    """By (video, id) of an instance, then by second: in place of `boxes`, where a dataset has
    boxes of its own for each instance."""
    pairs: Mapping[tuple[str, int], Mapping[int, tuple[Pair, ...]]] = field(default_factory=dict)
    """Likewise, the pairs of a human and an object, in datasets that have them."""
    clocks: Mapping[str, FrameClock] = field(default_factory=dict)
    """By video, where the integer times of the dataset count frames."""
    dropped: frozenset[tuple[str, int]] = frozenset()
    """(video, id) of the rows that cover no time (their end is not after their start)."""
    estimated: frozenset[tuple[str, int]] = frozenset()
    """(video, second) of the boxes of which an edge is estimated."""
    folder: Path | None = None
    """The data folder it was read from."""
    read_cues: Callable[[], Cues] = lambda: Cues("local")
    read_points: Callable[[], tuple[AnnotatedPoint, ...]] = tuple
    read_pools: Callable[[], Mapping[str, tuple[str, ...]]] = dict

    @cached_property
    def videos(self) -> tuple[str, ...]:
        """The video ids, sorted."""
        return tuple(sorted(self.frames))

    def boxes_of(self, instance: Instance) -> Mapping[int, Box]:
        """The boxes by second that belong to an instance, within its interval and beyond."""
        if self.instance_boxes:
            return self.instance_boxes.get((instance.video, instance.id), {})
        return self.boxes.get(instance.video, {})

    @cached_property
    def ignored_seconds(self) -> Mapping[str, frozenset[int]]:
        """By video, the seconds that an instance covers and that have no box."""
        covered: dict[str, set[int]] = {video: set() for video in self.videos}
        for instance in self.instances:
            covered[instance.video].update(instance.seconds())
        return {
            video: frozenset(seconds.difference(self.boxes.get(video, ())))
            for video, seconds in covered.items()
        }

    @cached_property
    def _cues(self) -> Cues:
        return self.read_cues()

    @property
    def cues(self) -> tuple[Instance, ...]:
        """The instances of the temporal task; `id` counts the cues of a video from 0."""
        return self._cues.instances

    @property
    def cues_data(self) -> str:
        """What `data` is, for the temporal task."""
        return self._cues.data

    @cached_property
    def points(self) -> tuple[AnnotatedPoint, ...]:
        """The annotators' mean points of both rounds, where they agreed on one."""
        return self.read_points()

    @cached_property
    def pools(self) -> Mapping[str, tuple[str, ...]]:
        """By video, the steps to tell apart in it (normalised raw names, no background)."""
        return self.read_pools()
