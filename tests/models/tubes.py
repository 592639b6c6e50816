"""A small TubeDETR: its names and widths, with few layers and words."""

from functools import cache
from pathlib import Path

import pytest
import torch

from gytbench.models import detr_blocks, roberta, tube_detr
from gytbench.models.resnet import ResNetBody
from gytbench.models.tube_detr import TubeDetr
from tests.models.filling import filled, shapes
from tests.models.tokens import small_vocabulary

TIMES = "transformer.time_embed.te"


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Until the patch is undone, models are small."""
    patch.setattr(roberta, "_LAYERS", 1)
    patch.setattr(roberta, "_WORDS", len(small_vocabulary()))
    patch.setattr(tube_detr, "_LAYERS", 2)
    patch.setattr(detr_blocks, "ResNetBody", lambda: ResNetBody((1, 1, 1, 1)))


@cache
def _small() -> dict[str, torch.Tensor]:
    with pytest.MonkeyPatch.context() as patch, torch.device("meta"):
        make_small(patch)
        names = shapes(TubeDetr())
    return {name: value for name, value in filled(names).items() if name != TIMES}


def small_state() -> dict[str, torch.Tensor]:
    """Filled weights without the times."""
    return dict(_small())


def write_small(folder: Path) -> Path:
    """A checkpoint of a training run, in the layout that is published."""
    state = small_state()
    state[TIMES] = torch.full((200, 1, 256), 9.0)
    positions = "transformer.text_encoder.embeddings.position_ids"
    state[positions] = torch.arange(514)[None]
    other = {name: torch.zeros(1).expand(value.shape) for name, value in state.items()}
    stored = {"model": other, "model_ema": state, "optimizer": {"lr": 1e-5}, "epoch": 19}
    path = folder / "checkpoint.pth"
    torch.save(stored, path)
    return path
