"""One cell of a grid: a row trained, run and scored with one seed."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.errors import InputError
from gytbench.evaluation import Protocol, score
from gytbench.grounding.answering import Choices
from gytbench.grounding.running import run
from gytbench.grounding.systems import Options
from gytbench.grounding.thresholds import best_tau
from gytbench.grounding.work import Job
from gytbench.predictions import Predictions, Task, load_predictions
from gytbench.reproduction.grid import (
    COLUMNS,
    Grid,
    Row,
    Videos,
    backbone_config,
    config_of,
    row_settings,
)
from gytbench.training.config import TrainingConfig
from gytbench.training.starting import train
from gytbench.training.using import files_of, recipe_of
from gytbench.world.folder import write_world
from gytbench.writing import write_whole

Tell = Callable[[str], None]

_RESULT = "result.json"


class Cell(msgspec.Struct, frozen=True):
    """What one row came to with one seed."""

    row: str
    seed: int
    metrics: dict[str, float | None]
    """Fractions, by "task:metric"."""
    tau: float | None
    signatures: dict[str, str]
    """By task."""
    seconds: float
    """That training, inference and scoring took."""


class Seeded(NamedTuple):
    """What all rows of a seed share."""

    folder: Path
    base: Path
    """The folder that paths of the training configuration start from."""
    data: Mapping[str, Any]
    """What a rendered world is trained on, by the names of `Data`."""
    backbone: str
    """The backbone's weights that a grid trains first; else empty."""
    test: Videos
    validation: Videos | None


def seeded(grid: Grid, base: Path, folder: Path, seed: int, device: str, tell: Tell) -> Seeded:
    """The world and the backbone of a seed, made where they are not there yet.

    base: the grid's folder. folder: where all of the seed's files go.
    """
    data: dict[str, Any] = {}
    test, validation = grid.test, grid.validation
    if grid.world is not None:
        base = folder / "world"
        _render(grid, base, seed, tell)
        data = {"videos": "train/videos", "captions": "train/captions.json"}
        test = Videos(videos="test/videos", data="test/data")
        validation = Videos(videos="validation/videos", data="validation/data")
    assert test is not None
    backbone = ""
    if grid.backbone:
        config = backbone_config(grid, data, seed, f"{grid.title}: backbone")
        out = folder / "backbone"
        train(config, base, out, device=device, kept=folder / "kept")
        backbone = str((out / "backbone.pt").resolve())
        tell(f"seed {seed}: backbone trained")
    return Seeded(folder, base, data, backbone, test, validation)


def cell(grid: Grid, row: Row, shared: Seeded, seed: int, device: str) -> Cell:
    """A row trained, run and scored; from its file where that is there already."""
    folder = shared.folder / row.folder
    path = folder / _RESULT
    if path.exists():
        return read_cell(path)
    began = time.perf_counter()
    config = config_of(
        grid, row, data=shared.data, weights=shared.backbone, seed=seed, where=row.name
    )
    train(config, shared.base, folder, device=device, kept=shared.folder / "kept")
    grounding = _Grounding(config, row, shared, folder, device)
    tau = grid.tau
    if shared.validation is not None:
        found = grounding.predictions(shared.validation, "st", None, "validation")
        tau = best_tau(found, grounding.benchmark(shared.validation))
    truth = grounding.benchmark(shared.test)
    metrics: dict[str, float | None] = {}
    signatures: dict[str, str] = {}
    for task in dict.fromkeys(column.task for column in COLUMNS):
        found = grounding.predictions(shared.test, task, tau if task == "st" else None, "test")
        result = score(found, truth, Protocol(task))
        signatures[task] = result.signature
        for column in COLUMNS:
            if column.task == task:
                metrics[column.name] = result.metrics[column.metric]
    whole = Cell(row.name, seed, metrics, tau, signatures, time.perf_counter() - began)
    write_whole(path, msgspec.json.format(msgspec.json.encode(whole)))
    return whole


def read_cell(path: Path) -> Cell:
    """A cell of its file; raises `InputError` where that does not serve."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Cell)
        missing = [column.name for column in COLUMNS if column.name not in found.metrics]
        if missing:
            raise ValueError(f"{missing[0]} is missing")
    except (OSError, ValueError) as error:
        reason = f"no result ({error}): remove it, and the same command makes it anew"
        raise InputError(reason, where=str(path)) from None
    return found


class _Grounding(NamedTuple):
    """What was trained, ready to be run."""

    config: TrainingConfig
    row: Row
    shared: Seeded
    trained: Path
    device: str

    def benchmark(self, videos: Videos) -> Benchmark:
        return load_benchmark(**self._truth(videos))

    def predictions(self, videos: Videos, task: Task, tau: float | None, part: str) -> Predictions:
        """What the row says of videos; left beside its weights."""
        path = self.trained / f"{part}-{task}.json"
        job = Job(
            recipe_of(self.config),
            self.shared.base / videos.videos,
            Choices(task, tau),
            Options(
                files=files_of(self.config, self.shared.base, self.trained),
                settings=row_settings(self.row, self.config),
                device=self.device,
            ),
            self._truth(videos),
            features=self.shared.folder / "features",
        )
        outcome = run(job, path)
        if outcome.failed:
            video, reason = next(iter(outcome.failed.items()))
            raise InputError(f"{len(outcome.failed)} videos failed, such as {video}: {reason}")
        return load_predictions(path)

    def _truth(self, videos: Videos) -> dict[str, Any]:
        return {"data": self.shared.base / videos.data} if videos.data else {}


def _render(grid: Grid, folder: Path, seed: int, tell: Tell) -> None:
    world = grid.world
    assert world is not None
    if (folder / "world.json").exists():
        return
    write_world(
        folder,
        world.rules,
        seed,
        train=world.train,
        validation=world.validation,
        test=world.test,
    )
    tell(f"seed {seed}: world of {world.train + world.validation + world.test} videos rendered")
