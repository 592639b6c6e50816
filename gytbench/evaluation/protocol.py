"""The options of an evaluation, and the signature that names every one of its choices.

A signature is one line, `gytbench:1.0|task:st|data:...`: its first field is the
version of the protocol (docs/protocol.md), and it parses back into the options.
"""

from dataclasses import dataclass, fields
from typing import Any, Final

from gytbench.benchmark import Benchmark, Dataset, find_dataset
from gytbench.benchmark.datasets import GROUNDINGYOUTUBE
from gytbench.errors import InputError
from gytbench.predictions import TASKS, Task

VERSION: Final = "1.0"
AVERAGES: Final = ("video-class", "isba", "frames-micro", "videogem")
OVERLAP: Final = 0.3
"""IoU from which a region counts as a success in the task `spatial`."""
TUBE_THRESHOLDS: Final = (0.1, 0.2, 0.3, 0.4, 0.5)

_RANKED: Final = {"ap": "all-point", "ties": "grouped"}
_FIXED: Final[dict[str, dict[str, str]]] = {
    "st": {"point": "cell-first", "tube": "volumetric", "match": "next-best", **_RANKED},
    "spatial": {"point": "cell-first", "overlap": "0.3", **_RANKED},
    "temporal": {},
}
_APPLIES: Final = {
    "boxes": ("st", "spatial"),
    "subset": ("st", "spatial"),
    "heatmap_threshold": ("st", "spatial"),
    "tolerance": ("spatial",),
    "average": ("temporal",),
    "fps": ("temporal",),
}


@dataclass(frozen=True)
class Protocol:
    """Everything that a user may choose. The defaults are the benchmark's own protocol.

    boxes, classes, subset, coordinates: what `dataset` offers; empty, they become its
    defaults. GroundingYouTube has the boxes `published`, `readme`, `full` and `repaired`,
    the classes `mining512` (the dictionary's) and `step` (the raw step names), and the
    subsets `all` and `3to20`.
    heatmap_threshold: share of a heatmap's maximum that its region reaches.
    tolerance: pixels of the annotation frame that the pointing game forgives.
    average: how temporal IoU and IoD are averaged.
    fps: count frames at this rate instead of durations; None = continuous time.
    """

    task: Task
    boxes: str = ""
    classes: str = ""
    subset: str = ""
    heatmap_threshold: float = 0.5
    tolerance: float = 0.0
    average: str = "video-class"
    fps: float | None = None
    dataset: str = GROUNDINGYOUTUBE.name
    coordinates: str = ""

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise InputError(f"unknown task {self.task!r}: choose {', '.join(TASKS)}")
        dataset = find_dataset(self.dataset)
        if self.task not in dataset.tasks:
            can = " or ".join(dataset.tasks)
            raise InputError(f"{self.dataset} has the task {can}, not {self.task!r}")
        choice = dataset.choice(self.boxes, self.classes, self.subset, self.coordinates)
        for name, value in choice._asdict().items():
            object.__setattr__(self, name, value)
        for name, tasks in _APPLIES.items():
            if self.task not in tasks and getattr(self, name) != _default(name, dataset):
                option = f"--{name.replace('_', '-')}"
                raise InputError(f"{option} has no meaning for the task {self.task!r}")
        if self.average not in AVERAGES:
            raise InputError(f"unknown average {self.average!r}: choose {', '.join(AVERAGES)}")
        if not 0 < self.heatmap_threshold <= 1:
            raise InputError("--heatmap-threshold must be above 0 and at most 1")
        if not 0 <= self.tolerance <= 10_000:
            raise InputError("--tolerance must be from 0 to 10000 pixels")
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise InputError("--fps must be above 0 and at most 1000")

    def signature(self, benchmark: Benchmark) -> str:
        """The line that names every choice made, for results scored on `benchmark`."""
        data = benchmark.cues_data if self.task == "temporal" else benchmark.data
        named = self._fields(data, benchmark.release, benchmark.release_sha256[:8])
        return "|".join(f"{name}:{value}" for name, value in named.items())

    def _fields(self, data: str, release: str, checksum: str) -> dict[str, str]:
        named = {"gytbench": VERSION, "task": self.task}
        if self.dataset != GROUNDINGYOUTUBE.name:
            named["dataset"] = self.dataset
        named["data"] = data
        if self.task == "temporal":
            pace = "continuous" if self.fps is None else f"{_number(self.fps)}fps"
            named |= {"classes": self.classes, "average": self.average, "time": pace}
        else:
            fixed = _FIXED[self.task]
            named |= {
                "boxes": f"{release}@{checksum}",
                "classes": self.classes,
                "subset": self.subset,
            }
            if self.coordinates:
                named["coordinates"] = self.coordinates
            named["point"] = fixed["point"]
            if self.task == "spatial":
                named["tolerance"] = _number(self.tolerance)
            named["region"] = _number(self.heatmap_threshold)
            named |= fixed
        return named | {"missing": "miss"}


def _default(name: str, dataset: Dataset) -> Any:
    default = dataset.choice()._asdict()
    if name in default:
        return default[name]
    return next(field.default for field in fields(Protocol) if field.name == name)


def _number(value: float) -> str:
    """Shortest text that reads back as the same number: 0.5, 20, 29.97."""
    return repr(float(value)).removesuffix(".0")


def parse_signature(signature: str) -> Protocol:
    """The options that a signature names.

    Raises InputError where the line is no signature, is of another protocol
    version, or names a choice that this version does not make.
    """
    named = dict(part.partition(":")[::2] for part in signature.strip().split("|"))
    if named.get("gytbench") != VERSION:
        raise InputError(f"not a signature of protocol {VERSION}: {signature[:200]!r}")
    task = named.get("task", "")
    try:
        protocol = Protocol(task=task, **_options(named))  # type: ignore[arg-type]
        release, _, checksum = named.get("boxes", "").partition("@")
        expected = protocol._fields(named["data"], release, checksum)
    except (KeyError, ValueError) as error:
        raise InputError(f"the signature lacks or garbles a field ({error})") from None
    for name in expected.keys() | named.keys():
        if expected.get(name) != named.get(name):
            raise InputError(f"the signature's field {name!r} is not one that this version writes")
    return protocol


def _options(named: dict[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "classes": named["classes"],
        "dataset": named.get("dataset", GROUNDINGYOUTUBE.name),
    }
    if named["task"] == "temporal":
        pace = named["time"]
        fps = None if pace == "continuous" else float(pace.removesuffix("fps"))
        return options | {"average": named["average"], "fps": fps}
    options["boxes"] = named["boxes"].partition("@")[0]
    options["subset"] = named["subset"]
    options["coordinates"] = named.get("coordinates", "")
    options["heatmap_threshold"] = float(named["region"])
    if named["task"] == "spatial":
        options["tolerance"] = float(named["tolerance"])
    return options
