"""Baselines that look at no video."""

from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np

from gytbench.benchmark import Benchmark, Instance
from gytbench.bounds.tubes import Fractions, guessed
from gytbench.predictions import Task, Tube

CENTRE: Fractions = (0.5, 0.5)


def _pointing(
    benchmark: Benchmark, task: Task, point: Callable[[Instance], Fractions]
) -> list[Tube]:
    """Answers every instance with one point for all its seconds."""
    return [guessed(benchmark, i, [point(i)] * len(i.seconds()), task) for i in benchmark.instances]


def centre(benchmark: Benchmark, task: Task) -> list[Tube]:
    """The centre of the frame."""
    return _pointing(benchmark, task, lambda _: CENTRE)


def mean_point(benchmark: Benchmark, task: Task) -> list[Tube]:
    """The mean of the annotators' points in all other videos."""
    means = _MeansOfOthers(benchmark, lambda _: "")
    return _pointing(benchmark, task, lambda i: means.of("", i.video) or CENTRE)


def class_mean_point(benchmark: Benchmark, task: Task) -> list[Tube]:
    """The mean of the annotators' points of the class in all other videos."""
    by_class = _MeansOfOthers(benchmark, lambda step: benchmark.classes.name_of(step) or "")
    overall = _MeansOfOthers(benchmark, lambda _: "")
    return _pointing(
        benchmark,
        task,
        lambda i: by_class.of(i.label, i.video) or overall.of("", i.video) or CENTRE,
    )


class _MeansOfOthers:
    """Mean annotated point of a group, one video left out."""

    def __init__(self, benchmark: Benchmark, group_of: Callable[[str], str]) -> None:
        self._all: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(3))
        self._own: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros(3))
        for point in benchmark.points:
            width, height = benchmark.frames[point.video]
            row = np.array((point.x / width, point.y / height, 1.0))
            group = group_of(point.step)
            self._all[group] += row
            self._own[group, point.video] += row

    def of(self, group: str, video: str) -> Fractions | None:
        """None where no other video has a point of the group."""
        x, y, count = self._all[group] - self._own[group, video]
        return (float(x / count), float(y / count)) if count > 0.5 else None


def uniform_segments(benchmark: Benchmark, task: Task) -> list[Tube]:
    """The video's steps in order, each with an equal share of the time up to the last end."""
    tubes = []
    for transcript in _transcripts(benchmark, task):
        share = max(step.end for step in transcript) / len(transcript)
        for number, step in enumerate(transcript):
            start, end = number * share, (number + 1) * share
            guess = step._replace(start=start, end=end)
            tubes.append(guessed(benchmark, guess, [CENTRE] * len(guess.seconds()), task))
    return tubes


def random(benchmark: Benchmark, task: Task) -> list[Tube]:
    """Random points; in untrimmed video at random times, under the video's own steps."""
    generator = np.random.default_rng(0)

    def anywhere(instance: Instance) -> Tube:
        points = generator.random((len(instance.seconds()), 2)).tolist()
        return guessed(benchmark, instance, [(x, y) for x, y in points], task)

    if task == "spatial":
        return [anywhere(instance) for instance in benchmark.instances]
    tubes = []
    for transcript in _transcripts(benchmark, task):
        horizon = max(step.end for step in transcript)
        share = horizon / len(transcript)
        for step in transcript:
            start = float(generator.random() * (horizon - share))
            tube = anywhere(step._replace(start=start, end=start + share))
            tube.score = float(generator.random())
            tubes.append(tube)
    return tubes


def _transcripts(benchmark: Benchmark, task: Task) -> Iterable[list[Instance]]:
    """The steps of each video, in order."""
    by_video: dict[str, list[Instance]] = defaultdict(list)
    for instance in benchmark.cues if task == "temporal" else benchmark.instances:
        by_video[instance.video].append(instance)
    return (sorted(steps, key=lambda step: step.start) for steps in by_video.values())
