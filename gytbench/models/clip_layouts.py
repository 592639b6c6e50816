"""The names that CLIP's weights have in checkpoints, brought to OpenAI's.

OpenAI's files and open_clip's have the same names. Those of transformers' CLIPModel
(Hugging Face) differ, and have the three projections of an attention apart.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from gytbench.errors import InputError

_WHOLE = {
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_projection.weight": "text_projection",
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "visual_projection.weight": "visual.proj",
}
_PREFIXES = {
    "text_model.final_layer_norm.": "ln_final.",
    "text_model.encoder.layers.": "transformer.resblocks.",
    "vision_model.pre_layrnorm.": "visual.ln_pre.",
    "vision_model.post_layernorm.": "visual.ln_post.",
    "vision_model.encoder.layers.": "visual.transformer.resblocks.",
}
_PARTS = {
    ".self_attn.": ".attn.",
    ".layer_norm1.": ".ln_1.",
    ".layer_norm2.": ".ln_2.",
    ".mlp.fc1.": ".mlp.c_fc.",
    ".mlp.fc2.": ".mlp.c_proj.",
}
# Multiplied from the other side.
_TRANSPOSED = frozenset({"text_projection.weight", "visual_projection.weight"})


def as_openai(state: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """The same weights under OpenAI's names.

    Raises `InputError` where the three projections of an attention do not fit together.
    """
    if not any(name.startswith("vision_model.") for name in state):
        return dict(state)
    named = {
        _renamed(name): value.T if name in _TRANSPOSED else value for name, value in state.items()
    }
    return _merged(named, where)


def _renamed(name: str) -> str:
    if name in _WHOLE:
        return _WHOLE[name]
    for old, new in _PREFIXES.items():
        if name.startswith(old):
            name = new + name.removeprefix(old)
    for old, new in _PARTS.items():
        name = name.replace(old, new)
    return name


def _merged(state: dict[str, Tensor], where: str) -> dict[str, Tensor]:
    """The same with query, key and value of each attention as one."""
    merged = {}
    for name, value in state.items():
        found = re.fullmatch(r"(.*\.attn)\.([qkv])_proj\.(weight|bias)", name)
        if not found:
            merged[name] = value
        elif found[2] == "q":
            attention, kind = found[1], found[3]
            parts = [f"{attention}.{part}_proj.{kind}" for part in "qkv"]
            missing = [part for part in parts if part not in state]
            if missing:
                raise InputError(f"lacks {', '.join(missing)}", where=where)
            merged[f"{attention}.in_proj_{kind}"] = _stacked([state[p] for p in parts], where)
    return merged


def _stacked(parts: list[Tensor], where: str) -> Tensor:
    if len({part.shape for part in parts}) > 1 or not parts[0].ndim:
        raise InputError("query, key and value of an attention differ in shape", where=where)
    return torch.cat(parts)
