"""CLIP (Radford et al. 2021): images and texts in one space, and cells of images in it too.

What is taken of the tokens is that of the official feature extraction of Chen et al.
(GroundingYouTube): the last norm and the projection applied to all of them.
"""

import re
from collections.abc import Mapping, Sequence
from math import isqrt
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from gytbench.errors import InputError
from gytbench.models.checkpoints import load_strict, read_checkpoint
from gytbench.models.clip_blocks import HEAD_WIDTH, Activation, Transformer
from gytbench.models.clip_layouts import as_openai
from gytbench.models.clip_resnet import STRIDE, ModifiedResNet
from gytbench.models.clip_tokens import END, tokenize
from gytbench.models.clip_vit import VisionTransformer
from gytbench.models.devices import check_device

WORDS = 20
"""Tokens of a text that `encode_text` returns, as the official extraction does."""

Cells = Literal["tokens", "maskclip"]

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_DEVIATION = (0.26862954, 0.26130258, 0.27577711)

# Wider vision transformers have heads of other widths, which no shape tells.
_WIDEST = 1024

# Statistics of training, and what some files store though it follows from the rest.
_OPTIONAL = (
    "*.num_batches_tracked",
    "*.position_ids",
    "*attn_mask",
    "input_resolution",
    "context_length",
    "vocab_size",
)


class TextFeatures(NamedTuple):
    """What `Clip.encode_text` returns."""

    text: Tensor
    """n x width: the embedding of each text."""
    tokens: Tensor
    """n x 20 x width: the projected tokens after the start."""
    mask: Tensor
    """n x 20, bool: which of them come before the end of the text."""


class Clip(nn.Module):
    """Both sides of CLIP; nothing that it returns is of unit length."""

    def __init__(
        self,
        visual: VisionTransformer | ModifiedResNet,
        text: Transformer,
        table: tuple[int, int],
        context: int,
        embedding: int,
    ) -> None:
        """`table`: the rows and the width of the table of tokens."""
        super().__init__()
        self.visual = visual
        self.transformer = text
        self.token_embedding = nn.Embedding(*table)
        self.positional_embedding = nn.Parameter(torch.empty(context, table[1]))
        self.ln_final = nn.LayerNorm(table[1])
        self.text_projection = nn.Parameter(torch.empty(table[1], embedding))
        self.logit_scale = nn.Parameter(torch.empty(()))

    @property
    def size(self) -> int:
        """Pixels of a side of the images that it takes."""
        return self.visual.size

    @property
    def grid(self) -> int:
        """Cells of a side of an image."""
        return self.visual.grid

    @property
    def width(self) -> int:
        """Dimensions of the common space."""
        return self.text_projection.size(1)

    @property
    def context(self) -> int:
        """Tokens of a text, padding counted."""
        return self.positional_embedding.size(0)

    def trunk(self, pixels: Tensor) -> Tensor:
        """What the last step of the vision side starts from, of pixels n x 3 x size x size."""
        return self.visual.trunk(pixels.to(self.text_projection.dtype))

    def encode_image(self, pixels: Tensor, cells: Cells = "tokens") -> tuple[Tensor, Tensor]:
        """Embeddings of images, n x width, and of their cells, n x cells x width, row by row.

        `pixels`: n x 3 x size x size, normalised as the weights want it. `cells`: `tokens`,
        the projected tokens (vision transformers alone), or `maskclip`, their values
        (Zhou et al. 2022). Both are float32. Raises `InputError` for a ResNet's tokens.
        """
        if cells == "tokens":
            check_tokens(self)
        trunk = self.trunk(pixels)
        if cells == "tokens" and isinstance(self.visual, VisionTransformer):
            tokens = self.visual.tokens(trunk).float()
            return tokens[:, 0], tokens[:, 1:]
        return self.image_of(trunk), self.visual.values(trunk).float()

    def image_of(self, trunk: Tensor) -> Tensor:
        """Embeddings of images, n x width, float32, of what `trunk` returns."""
        return self.visual.image_of(trunk, self.visual.target(trunk)).float()

    def encode_text(self, ids: Tensor) -> TextFeatures:
        """Embeddings of texts and of their tokens, float32, of ids n x context.

        The tokens that the mask leaves out have what stands there: the end, or padding.
        """
        x = self.token_embedding(ids) + self.positional_embedding
        x = self.ln_final(self.transformer(x, causal=True))
        tokens = (x @ self.text_projection).float()
        end = ids.argmax(dim=-1)  # the end has the largest id of all
        words = torch.arange(1, WORDS + 1, device=ids.device)
        chosen = tokens[torch.arange(len(ids), device=ids.device), end]
        return TextFeatures(chosen, tokens[:, 1 : WORDS + 1], words < end[:, None])

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """Token ids for `encode_text`, n x context, on the device of the weights.

        Raises `InputError` for weights with another vocabulary than OpenAI's, and where
        the package that ships it is missing.
        """
        rows = self.token_embedding.num_embeddings
        if rows <= END:
            raise InputError(f"the weights know {rows} tokens; OpenAI's vocabulary has {END + 1}")
        return tokenize(texts, self.context).to(self.text_projection.device)

    def gradient_map(self, trunk: Tensor, text: Tensor) -> Tensor:
        """Grad-CAM (Selvaraju et al. 2017) for a text: n x grid x grid, not below 0.

        `trunk` is what `trunk` returns and `text` an embedding (width). The score is the
        cosine of the image and the text; its gradient is taken at the last block's input
        after ln_1 or, in a ResNet, at the last map.
        """
        with torch.inference_mode(False), torch.enable_grad():
            # Tensors made in inference mode record no gradient; their copies do.
            start = trunk.clone().to(self.text_projection.dtype)
            target = self.visual.target(start).detach().requires_grad_()
            image = self.visual.image_of(start, target).float()
            score = torch.cosine_similarity(image, text.clone()[None])
            (gradient,) = torch.autograd.grad(score.sum(), target)
        weights = self.visual.cells_of(gradient).float().mean(dim=1, keepdim=True)
        cells = (weights * self.visual.cells_of(target).detach().float()).sum(dim=-1)
        return cells.clamp(min=0).reshape(-1, self.grid, self.grid)


def normalised(pixels: Tensor) -> Tensor:
    """Pixels (n x 3 x height x width, in [0, 1]) by the mean and deviation of CLIP's training."""
    mean, deviation = (pixels.new_tensor(value)[:, None, None] for value in (_MEAN, _DEVIATION))
    return (pixels - mean) / deviation


def check_tokens(model: Clip) -> None:
    """Raises `InputError` where a model has no projected tokens."""
    if not isinstance(model.visual, VisionTransformer):
        raise InputError("a ResNet has no projected tokens; make heatmaps with maskclip or gradcam")


def load_clip(
    path: Path, device: str = "cpu", half: bool = False, activation: Activation = "quick_gelu"
) -> Clip:
    """CLIP of a checkpoint in eval mode, built as the shapes in it say.

    Takes OpenAI's files, open_clip's and Hugging Face's, with a vision transformer up to
    ViT-L or a ResNet. `activation` is `gelu` for weights that were trained so (LAION's):
    nothing in the file tells. Raises `InputError` for a file that holds something else,
    and for a device that is not there.
    """
    check_device(device)
    state = as_openai(read_checkpoint(path), str(path))
    # Without memory first: a file that does not fit takes none, and no weights are drawn.
    with torch.device("meta"):
        model = _built(_Shapes(state, str(path)), activation)
    load_strict(model, state, str(path), optional=_OPTIONAL)
    model.eval().requires_grad_(False)
    return (model.half() if half else model).to(device)


class _Shapes:
    """The shapes in a state dict, asked for by name."""

    def __init__(self, state: Mapping[str, Tensor], where: str) -> None:
        self._state = state
        self._where = where

    def __contains__(self, name: str) -> bool:
        return name in self._state

    def of(self, name: str, dimensions: int) -> tuple[int, ...]:
        """A shape; raises `InputError` where it is missing or has other dimensions."""
        if name not in self._state:
            raise InputError(f"not a CLIP checkpoint: lacks {name}", where=self._where)
        shape = tuple(self._state[name].shape)
        if len(shape) != dimensions or not all(shape):
            raise self.odd(name)
        return shape

    def odd(self, name: str) -> InputError:
        """The error to raise where a shape is none that a CLIP has."""
        shape = "x".join(map(str, self._state[name].shape))
        return InputError(f"no CLIP that is known here: {name} is {shape}", where=self._where)

    def count(self, prefix: str) -> int:
        """How many modules a list has; raises `InputError` where there is none."""
        pattern = re.compile(re.escape(prefix) + r"\.(\d+)\.")
        found = {match[1] for name in self._state if (match := pattern.match(name))}
        if not found:
            raise InputError(f"not a CLIP checkpoint: lacks {prefix}.0", where=self._where)
        return len(found)

    def heads_of(self, name: str, width: int) -> int:
        """A width that heads share evenly; raises `InputError` for others."""
        if width % HEAD_WIDTH:
            raise self.odd(name)
        return width

    def grid(self, name: str) -> int:
        """Cells of a side, of the positions of all cells and of the image."""
        cells = self.of(name, 2)[0] - 1
        side = isqrt(cells)
        if side < 1 or side**2 != cells:
            raise self.odd(name)
        return side


def _built(shapes: _Shapes, activation: Activation) -> Clip:
    """A model without its weights."""
    table = shapes.of("token_embedding.weight", 2)
    context = shapes.of("positional_embedding", 2)[0]
    embedding = shapes.of("text_projection", 2)[1]
    layers = shapes.count("transformer.resblocks")
    width = shapes.heads_of("token_embedding.weight", table[1])
    text = Transformer(width, layers, activation)
    visual: VisionTransformer | ModifiedResNet
    if "visual.attnpool.positional_embedding" in shapes:
        visual = _resnet(shapes, embedding)
    else:
        visual = _vit(shapes, embedding, activation)
    return Clip(visual, text, (table[0], width), context, embedding)


def _vit(shapes: _Shapes, embedding: int, activation: Activation) -> VisionTransformer:
    name = "visual.conv1.weight"
    width, _, patch, _ = shapes.of(name, 4)
    if width > _WIDEST:
        raise shapes.odd(name)
    return VisionTransformer(
        width=shapes.heads_of(name, width),
        layers=shapes.count("visual.transformer.resblocks"),
        patch=patch,
        grid=shapes.grid("visual.positional_embedding"),
        embedding=embedding,
        activation=activation,
    )


def _resnet(shapes: _Shapes, embedding: int) -> ModifiedResNet:
    name = "visual.layer1.0.conv1.weight"
    width = shapes.of(name, 4)[0]
    shapes.heads_of(name, width * STRIDE)
    return ModifiedResNet(
        width=width,
        layers=[shapes.count(f"visual.layer{stage}") for stage in (1, 2, 3, 4)],
        grid=shapes.grid("visual.attnpool.positional_embedding"),
        embedding=embedding,
    )
