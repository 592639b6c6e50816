"""A small RegionCLIP in the published layout."""

from functools import cache
from pathlib import Path

import torch

from tests.models.clips import small_resnet

State = dict[str, torch.Tensor]


@cache
def _state() -> State:
    return dict(small_resnet().state_dict())


def small_clip_state() -> State:
    """A small CLIP with a ResNet under OpenAI's names: 2 x 2 cells, 32 dimensions."""
    return dict(_state())


def small_region_clip_state(texts: bool = True) -> State:
    """The same under RegionCLIP's names, with the text tower or without it."""
    named = {}
    for name, value in small_clip_state().items():
        if name.startswith("visual."):
            named[f"backbone.{name.removeprefix('visual.')}"] = value
        elif texts and name != "logit_scale":  # which RegionCLIP does not store
            named[f"lang_encoder.{name}"] = value
    return named


def written_region_clip(path: Path, state: State | None = None) -> Path:
    """The file of such a state dict, as detectron2 writes it."""
    torch.save({"model": small_region_clip_state() if state is None else state}, path)
    return path
