"""The signature of a result on pairs, and back."""

from typing import Final

from gytbench.benchmark import Benchmark, Dataset, find_dataset
from gytbench.benchmark.datasets import Choice
from gytbench.errors import InputError
from gytbench.evaluation.protocol import VERSION

TASK: Final = "pairs"
OVERLAP: Final = 0.3
TOP: Final = 10
"""The best so many pairs of a frame and class are ranked."""

_CHOICES: Final = {
    "overlap": f"{OVERLAP}",
    "relation": "lower-iou,pixel+1",
    "phrase": "union-iou,canvas-500",
    "top": f"{TOP}-of-frame-and-class",
    "match": "first-choice,at-least,ties-reversed",
    "ko": "frames-of-class",
    "def": "frames-annotated",
    "ap": "10-of-11-point,classes-with-both",
    "ap_all_point": "all-point,ties-grouped,classes-with-truth",
    "missing": "miss",
}


def pairs_signature(benchmark: Benchmark) -> str:
    """The line that names the ground truth and every choice of the metrics."""
    named = {
        "gytbench": VERSION,
        "task": TASK,
        "dataset": benchmark.dataset,
        "data": benchmark.data,
        "boxes": f"pairs@{benchmark.release_sha256[:8]}",
        "classes": benchmark.classes.kind,
        "subset": benchmark.subset,
        **_CHOICES,
    }
    return "|".join(f"{name}:{value}" for name, value in named.items())


def parse_pairs_signature(line: str) -> tuple[Dataset, Choice]:
    """The ground truth that a signature names.

    Raises `InputError` where the line is no signature of pairs, or has a field or a value
    that this version does not write.
    """
    named = dict(part.partition(":")[::2] for part in line.strip().split("|"))
    if named.get("gytbench") != VERSION or named.get("task") != TASK:
        raise InputError(f"not a signature of pairs of protocol {VERSION}: {line[:200]!r}")
    own = ("gytbench", "task", "dataset", "data", "boxes", "classes", "subset")
    for name in dict.fromkeys((*named, *own, *_CHOICES)):
        if name not in named or (name not in own and named[name] != _CHOICES.get(name)):
            raise InputError(f"the signature's field {name!r} is not one that this version writes")
    if not named["boxes"].startswith("pairs@"):
        raise InputError("the signature's field 'boxes' is not one that this version writes")
    dataset = find_dataset(named["dataset"])
    choice = dataset.choice(classes=named["classes"], subset=named["subset"])
    dataset.check(choice)
    return dataset, choice
