"""The ground truth of the tasks `st` and `spatial`, and predictions laid over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gytbench.benchmark import Benchmark, Instance
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.predictions import PackedTubes, frames_of


@dataclass(frozen=True)
class Truth:
    """Instances and their units, a unit being a second that an instance covers.

    Units of instance i are offset[i]:offset[i + 1], in time order. A unit's box
    (unclipped, annotation frame) is NaN where the second has none.
    """

    video: Ints
    label: Ints
    id: Ints
    first: Ints
    stop: Ints
    offset: Ints
    unit_box: Floats
    frames: Floats
    """(W, H) of every video, in the order of `Benchmark.videos`."""
    classes: int

    @property
    def unit_instance(self) -> Ints:
        return np.repeat(np.arange(self.video.size), self.stop - self.first)

    @property
    def unit_second(self) -> Ints:
        lengths = self.stop - self.first
        return np.arange(self.offset[-1]) - np.repeat(self.offset[:-1] - self.first, lengths)

    @property
    def unit_has_box(self) -> Bools:
        return ~np.isnan(self.unit_box[:, 0])


def instance_columns(
    instances: Sequence[Instance], benchmark: Benchmark
) -> tuple[Ints, Ints, Floats]:
    """Video index, class index, and (start, end) in seconds, of each instance."""
    videos = {video: i for i, video in enumerate(benchmark.videos)}
    labels = {name: i for i, name in enumerate(benchmark.classes.names)}
    video = np.array([videos[i.video] for i in instances], dtype=np.int64)
    label = np.array([labels[i.label] for i in instances], dtype=np.int64)
    times = np.array([(i.start, i.end) for i in instances], dtype=float).reshape(-1, 2)
    return video, label, times


@lru_cache(maxsize=4)
def truth_of(benchmark: Benchmark) -> Truth:
    """The benchmark's instances as arrays; kept, since a result is scored beside others."""
    instances = benchmark.instances
    video, label, times = instance_columns(instances, benchmark)
    first, stop = np.ceil(times).astype(np.int64).T
    none = (np.nan,) * 4
    unit_box = [
        boxes.get(second, none)
        for boxes, begin, end in zip(
            map(benchmark.boxes_of, instances), first.tolist(), stop.tolist(), strict=True
        )
        for second in range(begin, end)
    ]
    return Truth(
        video=video,
        label=label,
        id=np.array([i.id for i in instances], dtype=np.int64),
        first=first,
        stop=stop,
        offset=np.concatenate(([0], np.cumsum(stop - first))),
        unit_box=np.array(unit_box, dtype=float).reshape(-1, 4),
        frames=frames_of(benchmark),
        classes=len(benchmark.classes.names),
    )


@dataclass(frozen=True)
class Grid:
    """All seconds of all videos in a row: the cell of (video, second) is begin[video] + second."""

    begin: Ints
    cells: int
    video: Ints
    """The video of each cell."""
    covered: Bools
    """Whether an instance covers the cell."""
    box: Floats
    """cells x 4, NaN where there is none."""
    unit_cell: Ints
    entry_cell: Ints

    @property
    def has_box(self) -> Bools:
        return ~np.isnan(self.box[:, 0])

    @property
    def ignored(self) -> Bools:
        """Cells covered by an instance, but without a box."""
        return self.covered & ~self.has_box


def lay_out(truth: Truth, packed: PackedTubes) -> Grid:
    """The grid that holds every second of the truth and of the predictions."""
    length = np.zeros(len(truth.frames), dtype=np.int64)
    np.maximum.at(length, truth.video, truth.stop)
    entry_video = packed.video[packed.tube]
    np.maximum.at(length, entry_video, packed.second + 1)
    begin = np.cumsum(length) - length
    cells = int(length.sum())
    unit_cell = begin[truth.video[truth.unit_instance]] + truth.unit_second
    covered = np.zeros(cells, dtype=bool)
    covered[unit_cell] = True
    box = np.full((cells, 4), np.nan)
    box[unit_cell] = truth.unit_box
    return Grid(
        begin=begin,
        cells=cells,
        video=np.repeat(np.arange(length.size), length),
        covered=covered,
        box=box,
        unit_cell=unit_cell,
        entry_cell=begin[entry_video] + packed.second,
    )
