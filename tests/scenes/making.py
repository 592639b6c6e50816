"""A video in which each verdict occurs, and scenes with hostile names."""

from typing import Any

import numpy as np

from gytbench.benchmark import Benchmark, ClassMap, Instance
from gytbench.evaluation import Protocol
from gytbench.predictions import Mask, Predictions, Tube, pack
from gytbench.scenes import Scene, VideoScenes, scenes_of

VIDEO, EMPTY = "aaaaaaaaaaa", "bbbbbbbbbbb"
NAMES = ("crack_egg", "pour_it", "fry_it")

BENCHMARK = Benchmark(
    classes=ClassMap("mining512", NAMES, {name: at for at, name in enumerate(NAMES)}),
    frames={VIDEO: (640, 480), EMPTY: (480, 640)},
    instances=(
        Instance(VIDEO, 0, 1, 5, "crack_egg", "crack_egg"),
        Instance(VIDEO, 1, 4, 7, "pour_it", "pour_it"),
    ),
    boxes={VIDEO: dict.fromkeys((1, 2, 3, 4, 5), (100, 100, 300, 300))},
)

VERDICTS_ST = (
    "background",
    "right",
    "wrong place",
    "wrong label",
    "missed",
    "missed",
    "ignored",
    "background",
    "false alarm",
)
"""Of the seconds 0 to 8, for `TUBES`."""

TUBES: tuple[dict[str, Any], ...] = (
    {
        "label": "crack_egg",
        "start": 1,
        "end": 3,
        "score": 0.5,
        "points": [(200, 210), (400, 200)],
        "boxes": [(150, 150, 250, 270), None],
    },
    {"label": "fry_it", "start": 3, "end": 4, "score": 0.9, "points": [(200, 200)]},
    # Behind the one before: it does not speak.
    {"label": "crack_egg", "start": 3, "end": 4, "score": 0.8, "points": [(200, 200)]},
    {"label": "fry_it", "start": 6, "end": 7, "score": 0.9},
    {
        "label": "fry_it",
        "start": 8,
        "end": 9,
        "score": 0.7,
        "heatmaps": [[[0.0, 0.0, 1.0], [0.0, 0.2, 0.5]]],
        "masks": [Mask(size=(2, 2), counts=[1, 2, 1])],
    },
)


def scenes(*tubes: dict[str, Any], task: Any = "st", **options: Any) -> dict[str, VideoScenes]:
    """The scenes of tubes of `VIDEO`, in pixels of its frame."""
    made = [Tube(video=VIDEO, **each) for each in tubes]
    predictions = Predictions(task, made, {}, (640, 480))
    packed = pack(predictions, BENCHMARK, task)
    return dict(scenes_of(packed, BENCHMARK, Protocol(task, **options)))


def scene(**fields: Any) -> Scene:
    """A scene with all that can be drawn."""
    given = {
        "video": VIDEO,
        "second": 75,
        "frame": (640.0, 480.0),
        "verdict": "right",
        "true_labels": ("crack_egg",),
        "true_box": (100.0, 100.0, 300.0, 300.0),
        "label": "crack_egg",
        "score": 0.5,
        "point": (200.0, 210.0),
        "box": (150.0, 150.0, 250.0, 270.0),
        "heatmap": np.array([[0.0, 0.1], [0.2, 1.0]]),
    }
    return Scene(**(given | fields))


HOSTILE = "<script>alert('1')</script>&\"\x00\ud800]]>"
LONG = "add_the_finely_chopped_onions_and_all_of_the_other_things_" * 4
