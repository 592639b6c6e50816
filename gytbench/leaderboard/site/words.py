"""What the pages call tasks, metrics and settings."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from gytbench.predictions import Task


class TaskWords(NamedTuple):
    """How a task is shown."""

    title: str
    question: str
    columns: tuple[str, ...]
    """The metrics of the table, the ranked one first."""
    size: str
    """The name, in results, of how much there is of a class."""
    counted: str
    """The same, as it is shown."""


TASK_WORDS: Final[dict[Task, TaskWords]] = {
    "st": TaskWords(
        "Spatio-temporal",
        "What happens when and where, in untrimmed video: the label, the time and the place of "
        "every action.",
        (
            "iou_point",
            "label_iou",
            "pointing_given_label",
            "video_map@0.1:0.5",
            "video_map@0.5",
        ),
        "instances",
        "instances",
    ),
    "spatial": TaskWords(
        "Spatial",
        "Where an action happens, with its label and its time given: the pointing game.",
        ("pointing_accuracy", "pointing_accuracy_class_mean", "success@0.3", "spatial_map@0.3"),
        "units",
        "seconds",
    ),
    "temporal": TaskWords(
        "Temporal",
        "When each action happens, with the steps of the video given in their order.",
        ("iou", "iod"),
        "videos",
        "videos",
    ),
}

_METRICS: Final = {
    "iou_point": (
        "IoU+Point",
        "seconds with the right label and a point in the box, over all "
        "seconds that are covered or predicted",
    ),
    "label_iou": ("Label IoU", "the same without the point: is the label there at the right time?"),
    "pointing_given_label": (
        "Pointing given label",
        "of the seconds with the right label, the share whose point is in the box",
    ),
    "pointing_accuracy": (
        "Pointing accuracy",
        "share of the annotated seconds whose point is in the box",
    ),
    "success@0.3": (
        "Success@0.3",
        "share of the annotated seconds whose region has an IoU of 0.3 or more with the box",
    ),
    "spatial_map@0.3": (
        "Spatial mAP@0.3",
        "mean average precision over classes, regions right from an IoU of 0.3",
    ),
    "iou": (
        "IoU",
        "time that is shared, over the time of both; mean over the classes of a video, "
        "then over videos",
    ),
    "iod": ("IoD", "time that is shared, over the time that is predicted; averaged as IoU"),
}
_SUFFIXES: Final = {"_class_mean": "class mean", "_video_mean": "video mean"}


def metric_title(name: str) -> str:
    """How a metric is shown; its own name where it is not known."""
    for suffix, words in _SUFFIXES.items():
        if name.endswith(suffix) and name.removesuffix(suffix) in _METRICS:
            return f"{_METRICS[name.removesuffix(suffix)][0]}, {words}"
    if name.startswith("video_map@"):
        return f"Video mAP@{name.removeprefix('video_map@')}"
    return _METRICS[name][0] if name in _METRICS else name


def metric_meanings(names: Iterable[str]) -> dict[str, str]:
    """What metrics say, in words, by what they are called; means and thresholds once."""
    found = {}
    for name in names:
        if name.startswith("video_map@"):
            found["Video mAP@T"] = (
                "mean average precision over classes; a tube is right from a tube IoU of T "
                "with an instance of its class; 0.1:0.5 is the mean over the five thresholds"
            )
        elif name in _METRICS:
            title, meaning = _METRICS[name]
            found[title] = meaning
    return found


SUPERVISION: Final = {
    "none": "no training on videos",
    "self": "videos and their narrations",
    "weak": "labels of videos, or their order",
    "full": "segments, points or boxes",
}
"""What each kind of supervision means."""
