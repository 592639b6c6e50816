"""The packaged grid of the narrated world, made small: something is learned there."""

import csv
import math
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("torch")

from gytbench import load_benchmark
from gytbench.bounds import BOUNDS
from gytbench.evaluation import Protocol, score
from gytbench.predictions import Predictions
from gytbench.reproduction.grid import Grid, Row, World, find_grid, read_grid
from gytbench.reproduction.running import run_grid
from gytbench.world.rules import Rules

SEED = 1
TRAIN, VALIDATION, TEST = 64, 2, 10
"""Videos."""
RULES = Rules(
    steps=4,
    step_seconds=(4, 6),
    gap_seconds=(1, 3),
    clutter=0,
    tools_about=0,
    said=1,
    loose=0,
    chatter=0,
)
"""An easy world, which is learned soon: nothing lies about, and narrations are at their steps."""
BACKBONE = {"batch_size": 32, "epochs": 60, "lr": 0.002, "warmup_steps": 8}
HEADS = {"batch_size": 32, "epochs": 24, "lr": 0.001, "warmup_steps": 4}
ROW = "both losses"

BELOW_CHANCE = 0.25
"""Nats by which the loss of a direction is below that of guessing, at least."""
ABOVE_FLOOR = 0.08
"""What pointing has more than the centre of the frame, at least."""
LABEL_IOU = 0.2
"""At least, where each of 24 steps is as likely."""


def shrunk(grid: Grid) -> Grid:
    """One seed and one row of the packaged grid, with few videos and few steps."""
    backbone, training = deepcopy(grid.backbone), deepcopy(grid.training)
    backbone["optimisation"] |= BACKBONE
    training["optimisation"] |= HEADS
    return msgspec.structs.replace(
        grid,
        seeds=(SEED,),
        world=World(train=TRAIN, validation=VALIDATION, test=TEST, rules=RULES),
        backbone=backbone,
        training=training,
        rows=tuple(row for row in grid.rows if row.name == ROW),
    )


def last_loss(log: Path, part: str) -> float:
    """The mean over the last epoch that was logged."""
    with log.open(newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    values = [float(row[part]) for row in rows if row["epoch"] == rows[-1]["epoch"]]
    return sum(values) / len(values)


def floor(data: Path) -> float:
    """Pointing accuracy of the centre of the frame."""
    truth = load_benchmark(data=data)
    guessed = Predictions("spatial", BOUNDS["centre"].predict(truth, "spatial"), {})
    found = score(guessed, truth, Protocol("spatial")).metrics["pointing_accuracy"]
    assert found is not None
    return found


def test_a_small_narrated_world_is_learned(tmp_path: Path) -> None:
    """About a minute and a half on one core."""
    path = find_grid("narrated-world")
    (cell,) = run_grid(shrunk(read_grid(path)), path.parent, tmp_path, tell=lambda _: None)
    folder = tmp_path / f"seed-{SEED}"
    # A loss has two directions, each of which guesses one of the batch.
    guessing = 2 * math.log(BACKBONE["batch_size"])
    assert last_loss(folder / "backbone" / "log.csv", "global") < guessing - 2 * BELOW_CHANCE
    guessing = 2 * math.log(HEADS["batch_size"])
    for part in ("local", "global"):
        assert (
            last_loss(folder / Row(name=ROW).folder / "log.csv", part) < guessing - 2 * BELOW_CHANCE
        )
    pointing = cell.metrics["spatial:pointing_accuracy"]
    assert pointing is not None
    assert pointing > floor(folder / "world" / "test" / "data") + ABOVE_FLOOR
    assert (cell.metrics["st:label_iou"] or 0) > LABEL_IOU
