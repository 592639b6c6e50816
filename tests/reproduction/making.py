"""Grids small enough to be trained within a second, and results that need no training."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gytbench.reproduction.cells import Cell
from gytbench.reproduction.grid import COLUMNS, Grid

_COMMON = {"workers": 0, "save_every": 0, "tensorboard": False}
_FRAMES = {"frames": 2, "crop": "stretch", "flip": False, "min_seconds": 0}
_OPTIMISATION = {"batch_size": 2, "epochs": 1, "lr": 0.001, "warmup_steps": 0}
_SMALL = {"kind": "resnet", "width": 4, "layers": [1, 1, 1, 1], "grid": 2, "embedding": 16}

MINIATURE: dict[str, Any] = {
    "title": "A miniature",
    "seeds": [1, 2],
    "world": {
        "train": 2,
        "validation": 1,
        "test": 1,
        "rules": {"steps": 1, "step_seconds": [2, 3], "gap_seconds": [1, 2], "said": 1},
    },
    "backbone": {
        "data": {**_FRAMES, "keep": "frames"},
        "model": {
            "backbone": "small",
            "small": {**_SMALL, "text_width": 64, "text_layers": 1},
        },
        "selection": {"method": "none"},
        "loss": {"local": 0},
        "optimisation": _OPTIMISATION,
        **_COMMON,
    },
    "training": {
        "data": {**_FRAMES, "keep": "features"},
        "selection": {"keep": 1},
        "optimisation": _OPTIMISATION,
        **_COMMON,
    },
    "rows": [
        {"name": "both", "paper": {"iou_point": 12.3}},
        {"name": "local alone", "set": {"loss.global": 0}, "settings": {"when": "local"}},
    ],
    "tables": [{"title": "A table", "rows": ["both", "local alone"]}],
    "findings": [
        {
            "claim": "both are better",
            "better": "both",
            "than": "local alone",
            "metric": "st:iou_point",
        }
    ],
}

Change = Callable[[dict[str, Any]], object]


def miniature(*changes: Change) -> dict[str, Any]:
    """The plain values of the miniature, changed."""
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(MINIATURE))
    for change in changes:
        change(values)
    return values


def grid(*changes: Change) -> Grid:
    return msgspec.convert(miniature(*changes), Grid)


def grid_file(folder: Path, *changes: Change, name: str = "grid.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(miniature(*changes)))
    return path


def result(row: str, seed: int, values: Mapping[str, float | None] | None = None) -> Cell:
    """A cell whose metrics are 0 but for some."""
    metrics = {column.name: 0.0 for column in COLUMNS} | dict(values or {})
    return Cell(row, seed, metrics, 0.5, {"st": "a signature"}, 1.0)
