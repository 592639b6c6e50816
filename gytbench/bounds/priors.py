"""Floors learned from the boxes of other videos: where actions happen, whatever is seen."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from gytbench.benchmark import Benchmark, Instance
from gytbench.bounds.floors import CENTRE
from gytbench.bounds.tubes import Fractions, bare, guessed
from gytbench.metrics.arrays import Floats, Ints
from gytbench.predictions import EncodedHeatmap, Task, Tube, encode_heatmap

ROWS, COLUMNS = 12, 16
"""Cells of a prior: squares of 40 px in a frame of 640x480.

On the released boxes, cells of half or a quarter of this move no metric by more than 0.015.
"""


def heatmap_prior(benchmark: Benchmark, task: Task) -> list[Tube]:
    """The share of the boxes in all other videos that cover each place."""
    boxes = _Boxes(benchmark)
    overall = _SharesOfOthers(boxes, [""] * len(boxes.instances))
    return _saying(benchmark, task, lambda i: overall.of("", i.video))


def class_heatmap_prior(benchmark: Benchmark, task: Task) -> list[Tube]:
    """The share of the boxes of the class in all other videos that cover each place."""
    boxes = _Boxes(benchmark)
    overall = _SharesOfOthers(boxes, [""] * len(boxes.instances))
    by_class = _SharesOfOthers(boxes, [i.label for i in boxes.instances])

    def prior(instance: Instance) -> Floats | None:
        found = by_class.of(instance.label, instance.video)
        return overall.of("", instance.video) if found is None else found

    return _saying(benchmark, task, prior)


def _saying(
    benchmark: Benchmark, task: Task, prior: Callable[[Instance], Floats | None]
) -> list[Tube]:
    """Answers every instance with one heatmap for all its seconds; without one, the centre."""
    made: dict[bytes, tuple[Fractions, EncodedHeatmap]] = {}
    tubes = []
    for instance in benchmark.instances:
        seconds = len(instance.seconds())
        shares = prior(instance)
        if shares is None:
            tubes.append(guessed(benchmark, instance, [CENTRE] * seconds, task))
            continue
        point, heatmap = made.setdefault(shares.tobytes(), _second(shares))
        tube = bare(instance)
        tube.points, tube.heatmaps = [point] * seconds, [heatmap] * seconds
        tube.instance = instance.id
        tubes.append(tube)
    return tubes


def _second(shares: Floats) -> tuple[Fractions, EncodedHeatmap]:
    """What is said at every second: the centre of the first highest cell, and the heatmap."""
    row, column = divmod(int(shares.argmax()), COLUMNS)
    return ((column + 0.5) / COLUMNS, (row + 0.5) / ROWS), encode_heatmap(shares / shares.max())


class _Boxes:
    """The boxes of a benchmark, one for each second of each instance that has one."""

    def __init__(self, benchmark: Benchmark) -> None:
        self.instances: list[Instance] = []
        found = []
        for instance in benchmark.instances:
            width, height = benchmark.frames[instance.video]
            boxes = benchmark.boxes_of(instance)
            for second in instance.seconds():
                if second in boxes:
                    x1, y1, x2, y2 = boxes[second]
                    found.append((x1 / width, y1 / height, x2 / width, y2 / height))
                    self.instances.append(instance)
        corners = np.array(found, dtype=np.float64).reshape(-1, 4)
        self.across = _covered(corners[:, 0], corners[:, 2], COLUMNS)
        """Share of each column of cells that each box covers: boxes x columns."""
        self.down = _covered(corners[:, 1], corners[:, 3], ROWS)
        """Share of each row of cells that each box covers: boxes x rows."""


def _covered(low: Floats, high: Floats, cells: int) -> Floats:
    """The share of each of the cells of [0, 1] that each interval covers; none where reversed."""
    edges = np.arange(cells + 1) / cells
    begin = np.maximum(low[:, None], edges[:-1])
    end = np.minimum(high[:, None], edges[1:])
    return np.asarray(np.maximum(end - begin, 0) * cells)


class _SharesOfOthers:
    """Of the boxes of a group, the share that covers each cell; one video left out."""

    def __init__(self, boxes: _Boxes, groups: list[str]) -> None:
        """groups: of each box, the group that it counts in."""
        rows: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row, (group, instance) in enumerate(zip(groups, boxes.instances, strict=True)):
            rows[group, instance.video].append(row)
        self._own = {key: _sum(boxes, np.array(own)) for key, own in rows.items()}
        self._all: dict[str, Floats] = defaultdict(lambda: np.zeros((ROWS, COLUMNS)))
        self._boxes: dict[str, int] = defaultdict(int)
        self._own_boxes = {key: len(own) for key, own in rows.items()}
        for (group, video), total in self._own.items():
            self._all[group] += total
            self._boxes[group] += self._own_boxes[group, video]

    def of(self, group: str, video: str) -> Floats | None:
        """Rows x columns, in [0, 1]; None where the group covers nothing in other videos."""
        count = self._boxes[group] - self._own_boxes.get((group, video), 0)
        if not count:
            return None
        own = self._own.get((group, video), 0.0)
        # What one video alone covers leaves a rounding error of either sign.
        shares = np.maximum(np.round((self._all[group] - own) / count, 12), 0.0)
        return shares if shares.any() else None


def _sum(boxes: _Boxes, rows: Ints) -> Floats:
    """How many of the boxes cover each cell: rows x columns."""
    return np.asarray(boxes.down[rows].T @ boxes.across[rows])
