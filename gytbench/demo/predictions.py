"""What a middling model might say of the demo benchmark, one file for each task."""

import numpy as np

from gytbench.benchmark import Benchmark, Instance
from gytbench.predictions import Predictions, Task, Tube


def predict(benchmark: Benchmark, task: Task) -> Predictions:
    """Predictions with errors of every kind: wrong labels, times and places, and misses."""
    rng = np.random.default_rng(7)
    asked = benchmark.cues if task == "temporal" else benchmark.instances
    answered = [i for i in asked if task == "spatial" or rng.random() < 0.9]
    tubes = [_guess(rng, benchmark, instance, task) for instance in answered]
    return Predictions(task=task, tubes=tubes, model={"name": "demo-model"}, frame_size=(640, 480))


def _guess(rng: np.random.Generator, benchmark: Benchmark, instance: Instance, task: Task) -> Tube:
    sure = float(rng.random())
    known = task == "spatial"
    start = max(0.0, instance.start + (0 if known else round(float(rng.normal(0, 0.8)))))
    end = max(start + 1, instance.end + (0 if known else round(float(rng.normal(0, 0.8)))))
    other = str(rng.choice(sorted({i.step for i in benchmark.instances})))
    tube = Tube(
        video=instance.video,
        label=other if not known and sure < 0.2 else instance.step,
        start=start,
        end=end,
        score=round(0.3 + 0.7 * sure, 3),
    )
    if task != "temporal":
        guess = instance._replace(start=start, end=end)
        tube.boxes = [_box(rng, benchmark, guess, second) for second in guess.seconds()]
    if known:
        tube.instance = instance.id
    return tube


def _box(
    rng: np.random.Generator, benchmark: Benchmark, instance: Instance, second: int
) -> tuple[float, float, float, float]:
    """A box near the true one where there is one, else near the frame's centre; 640x480."""
    width, height = benchmark.frames[instance.video]
    true = benchmark.boxes.get(instance.video, {}).get(second)
    x1, y1, x2, y2 = true or (width / 2 - 100, height / 2 - 100, width / 2 + 100, height / 2 + 100)
    x = (x1 + x2) / 2 + float(rng.normal(0, 60))
    y = (y1 + y2) / 2 + float(rng.normal(0, 60))
    half = float(rng.uniform(70, 130))
    corners = np.array((x - half, y - half, x + half, y + half))
    x1, y1, x2, y2 = np.round(corners * np.tile((640 / width, 480 / height), 2), 1).tolist()
    return x1, y1, x2, y2
