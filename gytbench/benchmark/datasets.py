"""The datasets by name, the choices that each of them offers, and `load_benchmark`.

A dataset is one module, which reads the files of its publisher into a `Benchmark`; what is
known of it (source, licence, checksums, counts, faults) stands in its card, a file of
annotations/ that travels with the package.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal, NamedTuple, cast

from gytbench.benchmark.model import Benchmark
from gytbench.benchmark.releases import find_data
from gytbench.errors import InputError


class Choice(NamedTuple):
    """One of everything that a dataset offers a choice of; empty where it offers none."""

    boxes: str
    classes: str
    subset: str
    coordinates: str


@dataclass(frozen=True)
class Dataset:
    """A dataset and its choices, of which the first is the default.

    Its module has `read(folder: Path, choice: Choice) -> Benchmark`.
    """

    name: str
    title: str
    module: str
    tasks: tuple[str, ...]
    """What it can be scored on, of the tasks of gytbench."""
    classes: tuple[str, ...]
    boxes: tuple[str, ...] = ()
    subsets: tuple[str, ...] = ("all",)
    coordinates: tuple[str, ...] = ()
    points: bool = False
    """Whether the annotators' points are released."""
    counts: Literal["seconds", "frames"] = "seconds"
    """What the integer times of predictions and instances count."""

    def choice(
        self, boxes: str = "", classes: str = "", subset: str = "", coordinates: str = ""
    ) -> Choice:
        """The choices given, with the dataset's defaults for the empty ones.

        Raises `InputError` for a choice of what the dataset has only one of.
        """
        given = Choice(boxes, classes, subset, coordinates)
        for name, value, offered in zip(Choice._fields, given, self._offers, strict=True):
            if value and not offered:
                raise InputError(f"--{name} has no meaning for the dataset {self.name}")
        defaults = (next(iter(offered), "") for offered in self._offers)
        chosen = (value or default for value, default in zip(given, defaults, strict=True))
        return Choice(*chosen)

    def check(self, choice: Choice) -> None:
        """Raise `InputError`, with a suggestion, for what the dataset does not offer."""
        whats = ("box release", "class list", "subset", "coordinate rule")
        for value, offered, what in zip(choice, self._offers, whats, strict=True):
            if value:
                _known(value, offered, what)

    @property
    def _offers(self) -> tuple[tuple[str, ...], ...]:
        return self.boxes, self.classes, self.subsets, self.coordinates


_SCORED_ON_ALL = ("st", "spatial", "temporal")

DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "groundingyoutube",
            "GroundingYouTube (Chen et al. 2024)",
            "groundingyoutube",
            tasks=_SCORED_ON_ALL,
            classes=("mining512", "step"),
            boxes=("published", "readme", "full", "repaired"),
            subsets=("all", "3to20"),
            points=True,
        ),
        Dataset(
            "miningyoutube",
            "MiningYouTube's test videos (Kuehne et al. 2019)",
            "miningyoutube",
            tasks=("temporal",),
            classes=("mining512", "step"),
        ),
        Dataset(
            "youcook-interactions",
            "YouCook2-Interactions (Tan et al. 2021)",
            "youcook_interactions",
            tasks=("spatial",),
            classes=("sentence",),
            boxes=("released",),
            subsets=("all", "videogem"),
            coordinates=("official", "fixed"),
        ),
        Dataset(
            "vhico",
            "V-HICO (Li et al. 2021)",
            "vhico",
            tasks=("spatial",),
            classes=("triplet",),
            boxes=("enclosing", "human", "object"),
            subsets=("test", "unseen"),
            counts="frames",
        ),
        Dataset(
            "daly",
            "DALY (Weinzaepfel et al. 2016)",
            "daly",
            tasks=("spatial",),
            classes=("action",),
            boxes=("keyframes",),
            subsets=("test", "train", "all"),
            counts="frames",
        ),
    )
}
"""Every dataset by its name."""

GROUNDINGYOUTUBE = DATASETS["groundingyoutube"]


def find_dataset(name: str) -> Dataset:
    """The dataset of that name; `InputError`, with a suggestion, where there is none."""
    return DATASETS[_known(name, DATASETS, "dataset")]


def load_benchmark(
    *,
    dataset: str = GROUNDINGYOUTUBE.name,
    boxes: str = "",
    classes: str = "",
    subset: str = "",
    coordinates: str = "",
    data: Path | str | None = None,
) -> Benchmark:
    """The ground truth of a dataset.

    `boxes`, `classes`, `subset` and `coordinates` choose among what the dataset offers
    (`DATASETS`); empty, they are its defaults. GroundingYouTube has the boxes "published",
    "readme", "full" and "repaired", the classes "mining512" and "step", and the subsets
    "all" and "3to20". `data` is the data folder; without it GYTBENCH_DATA, then the
    cache. Raises `InputError` for an unknown name, a file that is missing or
    malformed, a video without a frame size, or a step that is no class.
    """
    found = find_dataset(dataset)
    choice = found.choice(boxes, classes, subset, coordinates)
    found.check(choice)
    folder = find_data(None if data is None else Path(data), dataset)
    module = import_module(f"gytbench.benchmark.{found.module}")
    read = cast(Callable[[Path, Choice], Benchmark], module.read)
    return read(folder, choice)


def _known(name: str, known: Collection[str], what: str) -> str:
    if name in known:
        return name
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise InputError(f"no such {what}: {name!r}; known are {', '.join(known)}{hint}")
