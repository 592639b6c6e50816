"""V-HICO's annotation files, made to the layout that its evaluator reads."""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gytbench.benchmark import Benchmark, load_benchmark

Boxes = Sequence[Sequence[float]]


def entry(
    label: str,
    frame: int,
    human: Boxes = ((10, 10, 50, 90),),
    thing: Boxes = ((40, 60, 80, 100),),
    **changes: Any,
) -> dict[str, Any]:
    """One annotated frame of a video of 200 x 150 pixels."""
    return {
        "path": f"/data/frames/action/video/frame{frame:06}.jpg",
        "label": label,
        "human": [list(box) for box in human],
        "object": [list(box) for box in thing],
        "width": 200,
        "height": 150,
    } | changes


Annotations = Mapping[str, Mapping[str, Any]]

ANNOTATIONS: Annotations = {
    "holding+cup": {
        "v1": [
            entry("Holding cup", 12),
            entry("Holding cup", 5, human=[(0, 0, 20, 40), (100, 0, 120, 40)]),
        ],
        "same": [entry("holding cup", 3)],
    },
    "washing+hands": {
        "same": [entry("washing hand", 3, width=300), entry("washing hands", 4, width=300)],
    },
}


def write(folder: Path, annotations: Any = None, name: str = "test", protocol: int = 4) -> Path:
    """The data folder, with one annotation file in it."""
    path = folder / "vhico" / f"gt_bbox_{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"annos": ANNOTATIONS if annotations is None else annotations}
    path.write_bytes(pickle.dumps(content, protocol))
    return folder


def load(folder: Path, **choices: str) -> Benchmark:
    """The benchmark of a folder."""
    return load_benchmark(dataset="vhico", data=folder, **choices)
