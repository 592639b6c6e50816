"""Large prediction files over the real ground truth, always the same."""

import numpy as np

from gytbench.benchmark import Benchmark, Box, Instance
from gytbench.predictions import EncodedHeatmap, Predictions, Tube, encode_heatmap

TUBES_PER_INSTANCE = 10
BOXES = 438_000


def many_tubes(benchmark: Benchmark, seed: int = 0) -> Predictions:
    """Ten tubes around each of the 5,091 instances: 50,910 tubes with 438,000 boxes.

    Times are jittered, a third of the labels are wrong, boxes drift around the
    true ones; lengths are drawn so that the boxes add up exactly.
    """
    rng = np.random.default_rng(seed)
    owners = [instance for instance in benchmark.instances for _ in range(TUBES_PER_INSTANCE)]
    lengths = _lengths(rng, len(owners))
    names = np.array(benchmark.classes.names)
    wrong = rng.random(len(owners)) < 1 / 3
    labels = names[rng.integers(0, names.size, len(owners))]
    scores = np.round(rng.random(len(owners)), 4)
    tubes = []
    for row, instance in enumerate(owners):
        shift = int(rng.integers(-3, 4))
        start = max(0, int(instance.start) + shift)
        tubes.append(
            Tube(
                video=instance.video,
                label=str(labels[row]) if wrong[row] else instance.label,
                start=start,
                end=start + int(lengths[row]),
                score=float(scores[row]),
                boxes=_drifting_boxes(rng, benchmark, instance, start, int(lengths[row])),
            )
        )
    model = {"name": "generated"}
    return Predictions(task="st", tubes=tubes, model=model, frame_size=(640, 480))


def _lengths(rng: np.random.Generator, count: int) -> np.ndarray:
    lengths = 1 + rng.poisson(BOXES / count - 1, count)
    while (excess := int(lengths.sum()) - BOXES) != 0:
        chosen = rng.choice(
            np.flatnonzero(lengths > 1), min(abs(excess), count // 2), replace=False
        )
        lengths[chosen] -= np.sign(excess)
    return lengths


def _drifting_boxes(
    rng: np.random.Generator, benchmark: Benchmark, instance: Instance, start: int, length: int
) -> list[Box | None]:
    width, height = benchmark.frames[instance.video]
    known = benchmark.boxes.get(instance.video, {})
    boxes: list[Box | None] = []
    for second in range(start, start + length):
        box = np.array(known.get(second, (220, 140, 420, 340)), dtype=float)
        low, high = np.sort((box + rng.normal(0, 40, 4)).reshape(2, 2), axis=0)
        corners = np.clip((low, high), 0, (width, height)) * (640 / width, 480 / height)
        x1, y1, x2, y2 = corners.ravel().tolist()
        boxes.append((round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1)))
    return boxes


def heatmap_answers(benchmark: Benchmark, seed: int = 0) -> Predictions:
    """A 7x7 heatmap for every second of every instance, task `spatial`.

    Like an attention map: a peak anywhere in the frame, over noise.
    """
    rng = np.random.default_rng(seed)
    cell = np.arange(7)

    def attention() -> EncodedHeatmap:
        row, column = rng.uniform(0, 7, 2) - 0.5
        peak = np.exp(-((cell[:, None] - row) ** 2 + (cell - column) ** 2) / 3.4)
        return encode_heatmap(peak + 0.15 * rng.random((7, 7)))

    tubes = [
        Tube(
            video=i.video,
            label=i.label,
            start=i.start,
            end=i.end,
            instance=i.id,
            heatmaps=[attention() for _ in i.seconds()],
        )
        for i in benchmark.instances
    ]
    return Predictions(task="spatial", tubes=tubes, model={"name": "generated"})
