"""What a grid of training runs is: its rows, its seeds, its data and the tables it fills."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gytbench.errors import InputError
from gytbench.plain_yaml import read_yaml_file
from gytbench.predictions import Task
from gytbench.resources import baselines_folder
from gytbench.training.config import TrainingConfig, configured
from gytbench.world.rules import Rules

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Name = Annotated[str, Meta(min_length=1, max_length=80)]


class Column(msgspec.Struct, frozen=True):
    """A metric of a table: the task that it is of, and how it is headed."""

    task: Task
    metric: str
    title: str

    @property
    def name(self) -> str:
        """Of the metric among those of all tasks."""
        return f"{self.task}:{self.metric}"


COLUMNS = (
    Column("st", "iou_point", "IoU+Point"),
    Column("st", "video_map@0.1:0.5", "video mAP"),
    Column("st", "label_iou", "label IoU"),
    Column("spatial", "pointing_accuracy", "pointing"),
)
"""Both together, twice; time alone; space alone."""


class World(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A narrated world that is rendered for each seed; numbers of videos."""

    train: Count = 150
    validation: Count = 15
    test: Count = 40
    rules: Rules = Rules()


class Videos(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Annotated videos; paths are relative to the grid's folder."""

    videos: str
    data: str = ""
    """The annotations' folder; empty = where `gytbench data path` says."""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One configuration."""

    name: Name
    set: dict[str, Any] = {}
    """Values of the training's configuration, by dotted name."""
    settings: dict[str, Any] = {}
    """Settings of the adapter that runs what was trained."""
    paper: dict[str, float] = {}
    """What the paper reports for it, in percent, by the name of the metric."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rows side by side; the others are compared with the first."""

    title: str
    rows: tuple[str, ...]


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A claim that the numbers can contradict: one row has more of a metric than another."""

    claim: str
    better: str
    than: str
    metric: str


class Grid(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One YAML file: rows times seeds."""

    title: str
    seeds: Annotated[tuple[Seed, ...], Meta(min_length=1)] = (1, 2, 3, 4, 5)
    world: World | None = None
    """Without it `test` names the videos, and `training.data` what to train on."""
    test: Videos | None = None
    validation: Videos | None = None
    """Where the threshold of each row is chosen; a world has videos of its own for it."""
    tau: float | None = None
    """The threshold of all rows, where there are no videos to choose it on."""
    backbone: dict[str, Any] = {}
    """A training configuration of its own, whose backbone then serves all rows of a seed; empty =
    `training.model.weights`."""
    training: dict[str, Any]
    """The training configuration that rows change."""
    rows: Annotated[tuple[Row, ...], Meta(min_length=1)]
    tables: Annotated[tuple[Table, ...], Meta(min_length=1)]
    findings: tuple[Finding, ...] = ()


def read_grid(path: Path) -> Grid:
    """The grid of a YAML file; raises `InputError` for what does not go together."""
    grid = read_yaml_file(path, Grid)
    names = [row.name for row in grid.rows]
    used = [name for table in grid.tables for name in table.rows]
    used += [name for finding in grid.findings for name in (finding.better, finding.than)]
    unknown = [name for name in used if name not in names]
    metrics = [column.name for column in COLUMNS]
    odd = [finding.metric for finding in grid.findings if finding.metric not in metrics]
    for wrong, reason in (
        (len(set(names)) < len(names), "two rows have the same name"),
        (bool(unknown), f"no row is named {unknown[0]!r}" if unknown else ""),
        (bool(odd), f"no metric {odd[0]!r}; known: {', '.join(metrics)}" if odd else ""),
        (
            (grid.world is None) == (grid.test is None),
            "names either a world to render, or test videos",
        ),
        (
            grid.world is not None and "videos" in grid.training.get("data", {}),
            "a rendered world is the training data: leave out the paths of training.data",
        ),
        (len(set(grid.seeds)) < len(grid.seeds), "a seed is named twice"),
    ):
        if wrong:
            raise InputError(reason, where=str(path))
    for row in grid.rows:
        config_of(grid, row, data={}, weights="", seed=grid.seeds[0], where=f"{path}: {row.name}")
    return grid


def find_grid(name: str) -> Path:
    """The packaged grid of that name, or the file at that path; raises `InputError`."""
    folder = baselines_folder() / "ablations"
    packaged = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if name in packaged:
        return packaged[name]
    if Path(name).suffix in (".yaml", ".yml"):
        return Path(name)
    raise InputError(f"no grid {name!r}; packaged are {', '.join(packaged)}, or give a .yaml file")


def config_of(
    grid: Grid, row: Row, *, data: Mapping[str, Any], weights: str, seed: int, where: str
) -> TrainingConfig:
    """The training of a row; `data` and `weights` take the place of what the grid leaves open."""
    changes = {f"data.{name}": value for name, value in data.items()}
    if grid.world is not None and not data:
        changes |= {"data.videos": "videos", "data.captions": "captions.json"}
    if grid.backbone:
        changes |= {"model.backbone": "clip", "model.weights": weights or "backbone.pt"}
    changes |= {"seed": seed, **row.set}
    return configured(grid.training, changes, where)


def backbone_config(grid: Grid, data: Mapping[str, Any], seed: int, where: str) -> TrainingConfig:
    """The training of the backbone that all rows of a seed share."""
    changes = {f"data.{name}": value for name, value in data.items()}
    return configured(grid.backbone, {**changes, "seed": seed}, where)
