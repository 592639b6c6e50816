"""Tubes that put the same guess, or a given one, at every second."""

from collections.abc import Sequence

from gytbench.benchmark import Benchmark, Instance
from gytbench.benchmark.datasets import GROUNDINGYOUTUBE
from gytbench.predictions import Task, Tube

Fractions = tuple[float, float]
"""A point as fractions of the frame's width and height."""

SQUARE = 200.0
"""Side in pixels of the square around a guessed point: the smallest box that the
benchmark's construction makes (a margin of 100 px around points that coincide). In other
datasets it is the same share of the frame's longer side as there, in 640x480."""


def centred(
    point: Fractions, frame: tuple[float, float], side: float = SQUARE
) -> tuple[float, float, float, float]:
    """The square around a point, in fractions of the frame; `side` in pixels."""
    x, y = point
    half_width, half_height = side / 2 / frame[0], side / 2 / frame[1]
    return x - half_width, y - half_height, x + half_width, y + half_height


def guessed(
    benchmark: Benchmark, instance: Instance, points: Sequence[Fractions | None], task: Task
) -> Tube:
    """A tube over an instance's interval; at each second a point and the square around it.

    In the task `temporal` without them, in `spatial` as the answer to the instance.
    """
    if task == "temporal":
        return bare(instance)
    frame = benchmark.frames[instance.video]
    own = benchmark.dataset == GROUNDINGYOUTUBE.name
    side = SQUARE if own else SQUARE / 640 * max(frame)
    squares = {p: None if p is None else centred(p, frame, side) for p in set(points)}
    return Tube(
        video=instance.video,
        label=instance.label,
        start=instance.start,
        end=instance.end,
        points=list(points),
        boxes=[squares[point] for point in points],
        instance=instance.id if task == "spatial" else None,
    )


def bare(instance: Instance) -> Tube:
    """A tube over an instance's interval, with its label and nothing more."""
    return Tube(video=instance.video, label=instance.label, start=instance.start, end=instance.end)
