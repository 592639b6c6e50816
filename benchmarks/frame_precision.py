"""Frame AP at the benchmark's shape: 690 classes, 70,000 frames, 438,000 boxes.

`python -m benchmarks.frame_precision` prints the seconds of the call, and the memory that it
takes beyond its inputs, for the conventions of COCO and of every profile that has frames.
"""

import tracemalloc

import numpy as np

from benchmarks.measuring import show, timed
from gytbench.profiles import PROFILES
from gytbench.profiles.conventions import FramePrecision, Ranking
from gytbench.profiles.frames import FrameBoxes, frame_scores

CLASSES, FRAMES, BOXES, TRUE_BOXES = 690, 70_000, 438_000, 70_000


def generate(
    frames: int = FRAMES,
    boxes: int = BOXES,
    classes: int = CLASSES,
    true_boxes: int = TRUE_BOXES,
    seed: int = 0,
) -> FrameBoxes:
    """True boxes on every frame, and predictions around them, a third of wrong class."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 400, (true_boxes, 2))
    true_box = np.hstack((low, low + rng.uniform(100, 240, (true_boxes, 2))))
    true_label = rng.integers(0, classes, true_boxes)
    true_frame = np.arange(true_boxes) % frames
    near = rng.integers(0, true_boxes, boxes)
    box = true_box[near] + rng.normal(0, 30, (boxes, 4))
    box[:, 2:] = np.maximum(box[:, 2:], box[:, :2] + 1)
    wrong = rng.random(boxes) < 1 / 3
    return FrameBoxes(
        frame=true_frame[near],
        label=np.where(wrong, rng.integers(0, classes, boxes), true_label[near]),
        score=rng.random(boxes),
        box=box,
        annotated=np.ones(boxes, dtype=bool),
        true_frame=true_frame,
        true_label=true_label,
        true_box=true_box,
    )


def frame_precision() -> None:
    """Measure, print the table."""
    boxes = generate()
    named = np.ones(CLASSES, dtype=bool)
    parts = {"coco": FramePrecision(Ranking(ap="101-point", match="next-best"))}
    parts |= {
        name: part
        for name in ("act", "ava", "vhico")
        for part in PROFILES[name].parts["st"]
        if isinstance(part, FramePrecision) and not part.suffix
    }
    rows = []
    for name, part in parts.items():
        _, seconds = timed(lambda part=part: frame_scores(part, boxes, named, "frame_map"))  # type: ignore[misc]
        tracemalloc.start()
        frame_scores(part, boxes, named, "frame_map")
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        rows.append([f"frame AP, conventions of {name}, two thresholds", seconds, peak])
    show(f"{CLASSES} classes, {FRAMES:,} frames, {BOXES:,} boxes", rows)


if __name__ == "__main__":
    frame_precision()
