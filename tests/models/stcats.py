"""A small STCAT: its names and widths, with few layers and words."""

from functools import cache
from pathlib import Path

import pytest
import torch

from gytbench.models import detr_blocks, roberta
from gytbench.models.resnet import ResNetBody
from gytbench.models.stcat import Stcat, decoder, encoder
from tests.models.filling import filled, shapes
from tests.models.tokens import small_vocabulary

TIMES = ("ground_encoder.encoder.time_embed.te", "ground_decoder.time_embed.te")
INNER, OUTER = "ground_decoder.decoder.bbox_embed", "bbox_embed"
"""The two names of the layers that make boxes."""


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Until the patch is undone, models are small."""
    patch.setattr(roberta, "_LAYERS", 1)
    patch.setattr(roberta, "_WORDS", len(small_vocabulary()))
    patch.setattr(encoder, "_LAYERS", 2)
    patch.setattr(decoder, "_LAYERS", 2)
    patch.setattr(detr_blocks, "ResNetBody", lambda: ResNetBody((1, 1, 1, 1)))


@cache
def _small() -> dict[str, torch.Tensor]:
    with pytest.MonkeyPatch.context() as patch, torch.device("meta"):
        make_small(patch)
        names = shapes(Stcat())
    state = {name: value for name, value in filled(names).items() if name not in TIMES}
    for name in [each for each in state if each.startswith(INNER)]:
        state[name] = state[name.replace(INNER, OUTER)]
    return state


def small_state() -> dict[str, torch.Tensor]:
    """Filled weights without the times."""
    return dict(_small())


def write_small(folder: Path) -> Path:
    """A checkpoint of a training run, in the layout that is published."""
    state = small_state() | {name: torch.full((301, 1, 256), 9.0) for name in TIMES}
    state["text_encoder.body.embeddings.position_ids"] = torch.arange(514)[None]
    other = {name: torch.zeros(1).expand(value.shape) for name, value in state.items()}
    stored = {"model": other, "model_ema": state, "optimizer": {"lr": 1e-5}, "iteration": 9}
    path = folder / "checkpoint.pth"
    torch.save(stored, path)
    return path
