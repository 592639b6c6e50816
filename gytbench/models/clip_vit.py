"""CLIP's vision transformer (Radford et al. 2021), with OpenAI's names of its weights."""

import torch
from torch import Tensor, nn

from gytbench.models.clip_blocks import Activation, Transformer


class VisionTransformer(nn.Module):
    """Images in one space with texts; all its tokens are projected, not the first alone.

    It runs in two steps, so that what follows the first can be had in several ways:
    `trunk`, up to the input of the last block, whose token 0 is the image's and whose
    others are the cells', row by row; then `tokens` or `cells_of_values`.
    """

    def __init__(
        self, *, width: int, layers: int, patch: int, grid: int, embedding: int,
        activation: Activation = "quick_gelu",
    ) -> None:  # fmt: skip
        super().__init__()
        self.grid = grid
        self.size = grid * patch
        self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty(grid**2 + 1, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, activation)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.empty(width, embedding))

    def trunk(self, pixels: Tensor) -> Tensor:
        """The input of the last block, n x (1 + cells) x width, of n x 3 x size x size."""
        patches = self.conv1(pixels).flatten(2).transpose(1, 2)
        image = self.class_embedding.expand(len(patches), 1, -1)
        x = torch.cat([image, patches], dim=1) + self.positional_embedding
        return self.transformer.before_last(self.ln_pre(x))

    def tokens(self, trunk: Tensor) -> Tensor:
        """All tokens projected, n x (1 + cells) x embedding; token 0 is the image's."""
        return self._project(self.transformer.last_block(trunk))

    def values(self, trunk: Tensor) -> Tensor:
        """The cells without the attention of the last block, n x cells x embedding.

        As MaskCLIP (Zhou et al. 2022): each cell keeps to its own value.
        """
        return self._project(self.transformer.last_block.values(trunk[:, 1:]))

    def target(self, trunk: Tensor) -> Tensor:
        """Where Grad-CAM takes the gradient: the last block's input after ln_1."""
        normed: Tensor = self.transformer.last_block.ln_1(trunk)
        return normed

    def image_of(self, trunk: Tensor, target: Tensor) -> Tensor:
        """The image's embedding, n x embedding, as it follows from `target`."""
        block = self.transformer.last_block
        return self._project(block.from_normed(trunk, target)[:, 0])

    def cells_of(self, target: Tensor) -> Tensor:
        """The target's cells alone, n x cells x width."""
        return target[:, 1:]

    def _project(self, x: Tensor) -> Tensor:
        projected: Tensor = self.ln_post(x) @ self.proj
        return projected
