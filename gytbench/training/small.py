"""A small CLIP with fresh weights, in OpenAI's layout, and norms that can be trained."""

import math

from torch import nn

from gytbench.errors import InputError
from gytbench.models.clip import Clip
from gytbench.models.clip_blocks import HEAD_WIDTH, Transformer
from gytbench.models.clip_resnet import STRIDE, AttentionPool, FrozenBatchNorm, ModifiedResNet
from gytbench.models.clip_tokens import END
from gytbench.models.clip_vit import VisionTransformer
from gytbench.training.config import Small

CONTEXT = 77
"""Tokens of a text, as in every CLIP that OpenAI released."""

_STAGES = 4
_WIDEST = 1024
_TEMPERATURE = 0.07

_SHORT = 0.3
"""The scale that vectors of frames and texts begin with."""


def fresh_clip(sizes: Small) -> Clip:
    """A CLIP of the given sizes with weights drawn from torch's generator, all trainable.

    Its vocabulary is OpenAI's, and its weights can be read by `gytbench.models.clip.load_clip`.
    They are drawn as openai/CLIP draws them, but for what makes short runs learn sooner: residual
    blocks do not begin as the identity, the attention pool begins without biases and nearly
    without positions, and vectors begin short, since losses without a temperature take their
    products as they are. Raises `InputError` for sizes that no CLIP has.
    """
    _check(sizes)
    text = Transformer(sizes.text_width, sizes.text_layers, "quick_gelu")
    visual = _resnet(sizes) if sizes.kind == "resnet" else _vit(sizes)
    model = Clip(visual, text, (END + 1, sizes.text_width), CONTEXT, sizes.embedding)
    nn.init.normal_(model.token_embedding.weight, std=0.02)
    nn.init.normal_(model.positional_embedding, std=0.01)
    nn.init.normal_(model.text_projection, std=_SHORT * sizes.text_width**-0.5)
    nn.init.constant_(model.logit_scale, math.log(1 / _TEMPERATURE))
    _draw_blocks(text, sizes.text_width)
    return model


def train_norms(model: nn.Module) -> None:
    """Replace norms by stored statistics, within a module, by batch norms of the same values.

    In train mode these use the statistics of the batch, and keep a running mean of them.
    """
    found = [
        (parent, name, norm)
        for parent in model.modules()
        for name, norm in parent.named_children()
        if isinstance(norm, FrozenBatchNorm)
    ]
    for parent, name, norm in found:
        trained = nn.BatchNorm2d(len(norm.weight)).to(norm.weight.device)
        trained.load_state_dict(norm.state_dict(), strict=False)
        # Only a momentum that is not fixed counts batches; OpenAI's layout can do without.
        trained.num_batches_tracked = None
        parent.register_module(name, trained)


def _check(sizes: Small) -> None:
    vit = sizes.kind == "vit"
    layers = 1 if vit else _STAGES
    for wrong, reason in (
        (
            sizes.text_width % HEAD_WIDTH,
            f"text_width is {sizes.text_width}, but heads are {HEAD_WIDTH} wide: "
            f"give a multiple of {HEAD_WIDTH}",
        ),
        (
            vit and (sizes.width % HEAD_WIDTH or sizes.width > _WIDEST),
            f"width is {sizes.width}, but a vit's heads are {HEAD_WIDTH} wide: "
            f"give a multiple of {HEAD_WIDTH} up to {_WIDEST}",
        ),
        (
            not vit and sizes.width * STRIDE % HEAD_WIDTH,
            f"width is {sizes.width}, but a resnet's must be even",
        ),
        (
            len(sizes.layers) != layers,
            f"layers are {len(sizes.layers)} numbers, but a {sizes.kind} has {layers}",
        ),
    ):
        if wrong:
            raise InputError(f"model.small.{reason}")


def _resnet(sizes: Small) -> ModifiedResNet:
    visual = ModifiedResNet(
        width=sizes.width, layers=sizes.layers, grid=sizes.grid, embedding=sizes.embedding
    )
    for module in visual.modules():
        if isinstance(module, FrozenBatchNorm):
            for values, value in (
                (module.weight, 1),
                (module.bias, 0),
                (module.running_mean, 0),
                (module.running_var, 1),
            ):
                nn.init.constant_(values, value)
        elif isinstance(module, AttentionPool):
            deviation = module.q_proj.in_features**-0.5
            nn.init.normal_(module.positional_embedding, std=0.02)
            for layer in (module.q_proj, module.k_proj, module.v_proj, module.c_proj):
                scale = _SHORT if layer is module.c_proj else 1
                nn.init.normal_(layer.weight, std=scale * deviation)
                nn.init.zeros_(layer.bias)
    train_norms(visual)
    return visual


def _vit(sizes: Small) -> VisionTransformer:
    visual = VisionTransformer(
        width=sizes.width,
        layers=sizes.layers[0],
        patch=sizes.patch,
        grid=sizes.grid,
        embedding=sizes.embedding,
    )
    for values, scale in (
        (visual.class_embedding, 1),
        (visual.positional_embedding, 1),
        (visual.proj, _SHORT),
    ):
        nn.init.normal_(values, std=scale * sizes.width**-0.5)
    _draw_blocks(visual.transformer, sizes.width)
    return visual


def _draw_blocks(transformer: Transformer, width: int) -> None:
    """Weights by width, and those of what is added to the sum also by the number of blocks."""
    added = (2 * width * len(transformer.resblocks)) ** -0.5
    deviations = {
        "attn.in_proj_weight": width**-0.5,
        "attn.out_proj.weight": added,
        "mlp.c_fc.weight": (2 * width) ** -0.5,
        "mlp.c_proj.weight": added,
    }
    for block in transformer.resblocks:
        for name, deviation in deviations.items():
            nn.init.normal_(block.get_parameter(name), std=deviation)
        for name in ("attn.in_proj_bias", "attn.out_proj.bias"):
            nn.init.zeros_(block.get_parameter(name))
