"""A random ground truth of some videos, and systems that answer it as well as they are asked to."""

from typing import Any

import numpy as np

from gytbench.evaluation.outcomes import System, system_of
from tests.evaluation.twin import benchmark_of, package_score
from tests.reference.model import Cue, Instance, Truth

LABELS = ("mix_egg", "add_egg", "cut_egg")
File = dict[str, Any]


def random_truth(rng: np.random.Generator, videos: int) -> Truth:
    """Three instances one after the other in each video, with a box in most seconds."""
    truth = Truth(frames={f"video{number}": (8, 6) for number in range(videos)})
    for video in truth.frames:
        truth.boxes[video] = {
            second: (x, y, x + 3, y + 3)
            for second, (x, y) in enumerate(rng.integers(0, 4, (9, 2)).tolist())
            if rng.random() < 0.8 or second == 0
        }
        for number, label in enumerate(rng.choice(LABELS, 3)):
            start, end = 3 * number, 3 * number + 3
            truth.instances.append(Instance(video, number, start, end, str(label)))
            truth.cues.append(Cue(video, start + 0.25, end - 0.5, str(label)))
    return truth


def random_file(rng: np.random.Generator, truth: Truth, task: str, skill: float) -> File:
    """One tube for each instance, right with the probability `skill` in each respect."""
    tubes = []
    for instance in truth.instances:
        boxes = []
        for second in range(int(instance.start), int(instance.end)):
            released = truth.boxes[instance.video].get(second, (0, 0, 3, 3))
            shift = 0 if rng.random() < skill else int(rng.integers(1, 4))
            boxes.append([value + shift for value in released])
        right = task == "spatial" or rng.random() < skill
        tubes.append(
            {
                "video": instance.video,
                "label": instance.label if right else str(rng.choice(LABELS)),
                "start": instance.start,
                "end": instance.end,
                "instance": instance.id,
                "score": float(rng.choice([0.25, 0.5, 1.0])),
                "boxes": boxes,
            }
        )
    head = {"format": "gytbench-predictions/1", "task": task, "frame_size": [8, 6]}
    return {**head, "tubes": tubes}


def system(truth: Truth, file: File, title: str = "system", **options: Any) -> System:
    """A file, scored."""
    return system_of(package_score(truth, file, **options), benchmark_of(truth), title)
