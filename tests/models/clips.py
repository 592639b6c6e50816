"""Small CLIPs with filled weights, for the tests of the model and of its adapter."""

from pathlib import Path

import torch

from gytbench.models.clip import Clip
from gytbench.models.clip_blocks import Transformer
from gytbench.models.clip_resnet import ModifiedResNet
from gytbench.models.clip_vit import VisionTransformer
from tests.models.filling import fill

EMBEDDING = 32
TABLE = (49408, 64)


def small_vit() -> Clip:
    """48 x 48 pixels, 3 x 3 cells."""
    visual = VisionTransformer(width=128, layers=3, patch=16, grid=3, embedding=EMBEDDING)
    return _clip(visual)


def small_resnet() -> Clip:
    """64 x 64 pixels, 2 x 2 cells."""
    return _clip(ModifiedResNet(width=16, layers=(1, 2, 1, 2), grid=2, embedding=EMBEDDING))


def _clip(visual: VisionTransformer | ModifiedResNet) -> Clip:
    text = Transformer(TABLE[1], 2, "quick_gelu")
    filled = fill(Clip(visual, text, TABLE, 77, EMBEDDING))
    assert isinstance(filled, Clip)
    return filled.requires_grad_(False)


def written(model: torch.nn.Module, path: Path) -> Path:
    """The file of a model's weights."""
    torch.save(model.state_dict(), path)
    return path


def as_hugging_face(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of a vision transformer under the names of transformers' CLIPModel."""
    named = {"logit_scale": state["logit_scale"]}
    for side, blocks in (("text", "transformer."), ("vision", "visual.transformer.")):
        layers = f"{side}_model.encoder.layers"
        for name, value in state.items():
            if name.startswith(f"{blocks}resblocks."):
                named |= _of_block(name.removeprefix(f"{blocks}resblocks."), value, layers)
    for new, old in _HUGGING_FACE.items():
        named[new] = state[old].T.contiguous() if "projection" in new else state[old]
    return named


def _of_block(name: str, value: torch.Tensor, layers: str) -> dict[str, torch.Tensor]:
    index, _, name = name.partition(".")
    if name.startswith("attn.in_proj_"):
        kind = name.removeprefix("attn.in_proj_")
        parts = value.chunk(3)
        return {
            f"{layers}.{index}.self_attn.{letter}_proj.{kind}": part.clone()
            for letter, part in zip("qkv", parts, strict=True)
        }
    for old, new in (
        ("attn.", "self_attn."),
        ("ln_", "layer_norm"),
        ("c_fc", "fc1"),
        ("c_proj", "fc2"),
    ):
        name = name.replace(old, new)
    return {f"{layers}.{index}.{name}": value}


_HUGGING_FACE = {
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm.weight": "ln_final.weight",
    "text_model.final_layer_norm.bias": "ln_final.bias",
    "text_projection.weight": "text_projection",
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "vision_model.pre_layrnorm.weight": "visual.ln_pre.weight",
    "vision_model.pre_layrnorm.bias": "visual.ln_pre.bias",
    "vision_model.post_layernorm.weight": "visual.ln_post.weight",
    "vision_model.post_layernorm.bias": "visual.ln_post.bias",
    "visual_projection.weight": "visual.proj",
}
