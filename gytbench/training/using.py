"""What runs a model that was trained: the recipe, its files and its settings."""

from pathlib import Path
from typing import Any

from gytbench.training.config import TrainingConfig


def recipe_of(config: TrainingConfig) -> str:
    """The name of the recipe for `gytbench run-baseline`."""
    return "global-local-s3d" if config.model.backbone == "s3d" else "global-local-clip"


def files_of(config: TrainingConfig, base: Path, out: Path) -> dict[str, Path]:
    """The files of the recipe, by role.

    base: the folder that the configuration's paths start from. out: that of the run.
    """
    model = config.model
    if model.backbone == "s3d":
        return {"checkpoint": out / "model.pth.tar", "dictionary": base / model.dictionary}
    trained = model.backbone == "small" or model.finetune
    backbone = out / "backbone.pt" if trained else base / model.weights
    return {"checkpoint": out / "head.pth.tar", "backbone": backbone}


def settings_of(config: TrainingConfig) -> dict[str, Any]:
    """The settings that a model has to be run with as it was trained."""
    settings: dict[str, Any] = {"variant": config.variant}
    if config.model.backbone == "s3d":
        settings["max_words"] = config.model.max_words
    return settings
