"""What a grid of training runs is: its rows, its seeds, its data and the tables it fills."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gytbench.errors import Fault, InputError
from gytbench.grounding.adapters.global_local import GlobalLocalSettings
from gytbench.plain_yaml import converted, read_yaml_file
from gytbench.predictions import Task
from gytbench.resources import baselines_folder
from gytbench.training.config import TrainingConfig, configured
from gytbench.training.using import settings_of
from gytbench.world.rules import Rules

Count = Annotated[int, Meta(ge=1, le=100_000)]
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


OTHER_FOLDERS = ("world", "backbone", "kept")
"""What a seed's folder has beside those of the rows."""

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

    @property
    def folder(self) -> str:
        """The name of its folder: the words of its name, in lower case."""
        kept = "".join(letter if letter.isalnum() else "-" for letter in self.name.lower())
        return "-".join(part for part in kept.split("-") if part)


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rows side by side; the others are compared with the first."""

    title: str
    rows: Annotated[tuple[str, ...], Meta(min_length=1)]


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
    faults = [Fault(str(path), reason) for reason in (*_name_faults(grid), *_data_faults(grid))]
    if faults:
        raise InputError(faults)
    seed = grid.seeds[0]
    for row in grid.rows:
        where = f"{path}: {row.name}"
        config = config_of(grid, row, data={}, weights="", seed=seed, where=where)
        converted(row_settings(row, config), GlobalLocalSettings, f"{where}: settings")
    if grid.backbone:
        where = f"{path}: backbone"
        model = backbone_config(grid, {}, seed, where).model
        if model.backbone == "s3d" or not (model.backbone == "small" or model.finetune):
            reason = "model.backbone must be small, or clip with finetune: it is to be trained"
            raise InputError(reason, where=where)
    return grid


def _name_faults(grid: Grid) -> Iterator[str]:
    """What is wrong with the names of rows, metrics and seeds."""
    names = [row.name for row in grid.rows]
    yield from (f"two rows are named {name!r}" for name in _twice(names))
    folders = [row.folder for row in grid.rows]
    taken = {"", *OTHER_FOLDERS, *_twice(folders)}
    for row in grid.rows:
        if row.folder in taken:
            yield f"the row {row.name!r} needs another name: its folder would be {row.folder!r}"
    used = [name for table in grid.tables for name in table.rows]
    used += [name for finding in grid.findings for name in (finding.better, finding.than)]
    yield from (f"no row is named {name!r}" for name in used if name not in names)
    yield from _unknown([finding.metric for finding in grid.findings], [c.name for c in COLUMNS])
    reported = [metric for row in grid.rows for metric in row.paper]
    yield from _unknown(reported, [column.metric for column in COLUMNS])
    yield from (f"the seed {seed} is named twice" for seed in _twice(grid.seeds))


def _unknown(metrics: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    for metric in metrics:
        if metric not in known:
            yield f"no metric {metric!r}; known: {', '.join(known)}"


def _twice(names: Sequence[Any]) -> list[Any]:
    return [name for name, count in Counter(names).items() if count > 1]


def _data_faults(grid: Grid) -> Iterator[str]:
    """What is wrong with where the videos come from, and the threshold."""
    if (grid.world is None) == (grid.test is None):
        yield "names either a world to render, or test videos"
    if grid.world is not None:
        if grid.validation is not None:
            yield "a rendered world has validation videos of its own: leave out validation"
        for part, values in (("training", grid.training), ("backbone", grid.backbone)):
            data = values.get("data", {})
            if isinstance(data, dict) and not data.keys().isdisjoint(("videos", "captions")):
                yield f"a rendered world is the training data: leave out the paths of {part}.data"
    if grid.tau is not None and (grid.world is not None or grid.validation is not None):
        yield "tau is chosen on the validation videos: leave it out"
    for row in grid.rows:
        if "seed" in row.set:
            yield f"the row {row.name!r} sets the seed, which is that of the grid"


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
    changes = _data_changes(grid, data)
    if grid.backbone:
        changes |= {"model.backbone": "clip", "model.weights": weights or "backbone.pt"}
    changes |= {"seed": seed, **row.set}
    return configured(grid.training, changes, where)


def backbone_config(grid: Grid, data: Mapping[str, Any], seed: int, where: str) -> TrainingConfig:
    """The training of the backbone that all rows of a seed share."""
    return configured(grid.backbone, {**_data_changes(grid, data), "seed": seed}, where)


def row_settings(row: Row, config: TrainingConfig) -> dict[str, Any]:
    """The settings of the adapter that runs what a row trained."""
    return {**settings_of(config), **row.settings}


def _data_changes(grid: Grid, data: Mapping[str, Any]) -> dict[str, Any]:
    """Before a world is rendered, names of what it will have."""
    if grid.world is not None and not data:
        data = {"videos": "videos", "captions": "captions.json"}
    return {f"data.{name}": value for name, value in data.items()}
