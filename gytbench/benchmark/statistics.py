"""The numbers of the paper's section 4 beside what the released files hold."""

from collections.abc import Iterable
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import NamedTuple

from gytbench.benchmark.datasets import GROUNDINGYOUTUBE, load_benchmark
from gytbench.benchmark.model import Benchmark, Instance
from gytbench.benchmark.points import count_frames

ANNOTATORS = 5
"""How many people gave a point for every frame (section 4)."""

FRAME_RATE = 30
"""Frames a second of the grid that the instances a video are counted on."""


class Statistic(NamedTuple):
    """One number: what it counts, what the paper says of it, and what the files hold."""

    name: str
    paper: float | None
    measured: float
    note: str = ""


def statistics(data: Path | None = None) -> list[Statistic]:
    """All statistics of a data folder; raises `InputError` where a file is missing."""
    benchmark = load_benchmark(data=data)
    return [*_annotation(benchmark), *_boxes(data)]


def _annotation(benchmark: Benchmark) -> list[Statistic]:
    first, second = count_frames(benchmark.folder or Path())
    agreed = len(benchmark.points)
    cues = sorted(benchmark.cues, key=lambda cue: (cue.video, cue.start, cue.end))
    dropped = len(benchmark.dropped)
    return [
        Statistic("videos", 250, len(benchmark.frames)),
        Statistic(
            "clips",
            5091,
            len(benchmark.instances),
            f"{dropped} rows that end as they begin left out",
        ),
        Statistic("classes", 512, len({instance.label for instance in benchmark.instances})),
        Statistic("step names", None, len({instance.step for instance in benchmark.instances})),
        Statistic(
            "annotated frames", 26987, first + second, f"{first:,} and {second:,} in two rounds"
        ),
        Statistic("frames with an agreed point", None, agreed),
        Statistic("points", 134935, ANNOTATORS * (first + second), "computed: 5 a frame"),
        Statistic(
            "instances a video, with background",
            41.6,
            count_stretches(cues) / len(benchmark.frames),
            f"stretches of one label in the {FRAME_RATE} fps frames of the MiningYouTube cues, "
            "one of background after the last",
        ),
    ]


def count_stretches(cues: Iterable[Instance], rate: float = FRAME_RATE) -> int:
    """In how many stretches the cues divide their videos, those of background included.

    `cues` are ordered by video and start. Counted on frames at `rate` a second:
    a pause between two cues that no frame falls into is none. Background is
    taken to follow the last cue of each video, since no file says how long the
    videos are. On exact times the count is a little higher (41.7 a video).
    """
    return sum(_stretches(list(group), rate) for _, group in groupby(cues, lambda cue: cue.video))


def _stretches(cues: list[Instance], rate: float) -> int:
    count = 1  # the background after the last
    reached = 0
    for cue in cues:
        first, end = ceil(cue.start * rate), ceil(cue.end * rate)
        if end > first:
            count += 1 + (first > reached)
            reached = max(reached, end)
    return count


def _boxes(data: Path | None) -> list[Statistic]:
    found = []
    for release in GROUNDINGYOUTUBE.boxes:
        benchmark = load_benchmark(boxes=release, data=data)
        boxes = [box for by_second in benchmark.boxes.values() for box in by_second.values()]
        flat = sum(x2 <= x1 or y2 <= y1 for x1, y1, x2, y2 in boxes)
        note = f"{flat} without area"
        if benchmark.estimated:
            note += f", {len(benchmark.estimated):,} with an estimated right edge"
        found.append(Statistic(f"boxes, {release}", None, len(boxes), note))
    return found
