"""CLIP's ResNet (Radford et al. 2021), with OpenAI's names of its weights.

RegionCLIP uses the same network, and calls its parts one by one.
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from gytbench.models.clip_blocks import HEAD_WIDTH

STRIDE = 32
"""Pixels of a side that a cell of the last map stands for."""

_EXPANSION = 4


class FrozenBatchNorm(nn.Module):
    """Batch normalisation by stored statistics."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        """n x channels x height x width, of the same."""
        return functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, training=False
        )


class Bottleneck(nn.Module):
    """A residual block; where it halves the map it averages instead of striding."""

    def __init__(self, into: int, planes: int, stride: int) -> None:
        super().__init__()
        out = planes * _EXPANSION
        self.conv1 = nn.Conv2d(into, planes, 1, bias=False)
        self.bn1 = FrozenBatchNorm(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = FrozenBatchNorm(planes)
        self.avgpool = nn.AvgPool2d(stride)
        self.conv3 = nn.Conv2d(planes, out, 1, bias=False)
        self.bn3 = FrozenBatchNorm(out)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or into != out:
            parts = {
                "-1": nn.AvgPool2d(stride),
                "0": nn.Conv2d(into, out, 1, bias=False),
                "1": FrozenBatchNorm(out),
            }
            self.downsample = nn.Sequential(OrderedDict(parts))

    def forward(self, x: Tensor) -> Tensor:
        """n x 4 * planes x height / stride x width / stride, of n x into x height x width."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.avgpool(functional.relu(self.bn2(self.conv2(y))))
        return functional.relu(self.bn3(self.conv3(y)) + self.downsample(x))


class AttentionPool(nn.Module):
    """One vector of a map: its mean attends to its cells and to itself."""

    def __init__(self, width: int, grid: int, embedding: int) -> None:
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.positional_embedding = nn.Parameter(torch.empty(grid**2 + 1, width))
        self.k_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.c_proj = nn.Linear(width, embedding)

    def forward(self, x: Tensor) -> Tensor:
        """n x embedding of n x width x grid x grid."""
        cells = x.flatten(2).transpose(1, 2)
        tokens = torch.cat([cells.mean(dim=1, keepdim=True), cells], dim=1)
        tokens = tokens + self.positional_embedding
        pooled = functional.scaled_dot_product_attention(
            self._by_head(self.q_proj(tokens[:, :1])),
            self._by_head(self.k_proj(tokens)),
            self._by_head(self.v_proj(tokens)),
        )
        embedding: Tensor = self.c_proj(pooled.transpose(1, 2).flatten(1))
        return embedding

    def values(self, x: Tensor) -> Tensor:
        """n x cells x embedding: each cell keeps to its own value, without its position."""
        cells: Tensor = self.c_proj(self.v_proj(x.flatten(2).transpose(1, 2)))
        return cells

    def _by_head(self, x: Tensor) -> Tensor:
        n, tokens, _ = x.shape
        return x.reshape(n, tokens, self.heads, HEAD_WIDTH).transpose(1, 2)


class ModifiedResNet(nn.Module):
    """Images in one space with texts.

    It runs in two steps, as `gytbench.models.clip_vit.VisionTransformer` does: `trunk`,
    up to the last map, n x channels x grid x grid; then `attnpool` or `values`.
    """

    def __init__(self, *, width: int, layers: Sequence[int], grid: int, embedding: int) -> None:
        super().__init__()
        self.grid = grid
        self.size = grid * STRIDE
        self.conv1 = nn.Conv2d(3, width // 2, 3, stride=2, padding=1, bias=False)
        self.bn1 = FrozenBatchNorm(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.bn2 = FrozenBatchNorm(width // 2)
        self.conv3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.bn3 = FrozenBatchNorm(width)
        self.layer1 = _stage(width, width, layers[0], stride=1)
        self.layer2 = _stage(4 * width, 2 * width, layers[1], stride=2)
        self.layer3 = _stage(8 * width, 4 * width, layers[2], stride=2)
        self.layer4 = _stage(16 * width, 8 * width, layers[3], stride=2)
        self.attnpool = AttentionPool(32 * width, grid, embedding)

    def stem_to_layer3(self, pixels: Tensor) -> Tensor:
        """The map of stride 16, n x 16 * width channels, of n x 3 x height x width."""
        x = functional.relu(self.bn1(self.conv1(pixels)))
        x = functional.relu(self.bn2(self.conv2(x)))
        x = functional.relu(self.bn3(self.conv3(x)))
        x = functional.avg_pool2d(x, 2)
        features: Tensor = self.layer3(self.layer2(self.layer1(x)))
        return features

    def trunk(self, pixels: Tensor) -> Tensor:
        """The last map, n x 32 * width channels x grid x grid, of n x 3 x size x size."""
        features: Tensor = self.layer4(self.stem_to_layer3(pixels))
        return features

    def values(self, trunk: Tensor) -> Tensor:
        """The cells through the pool's value projections, n x cells x embedding.

        As MaskCLIP (Zhou et al. 2022).
        """
        return self.attnpool.values(trunk)

    def target(self, trunk: Tensor) -> Tensor:
        """Where Grad-CAM takes the gradient: the last map itself."""
        return trunk

    def image_of(self, trunk: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002
        """The image's embedding, n x embedding, as it follows from `target`."""
        embedding: Tensor = self.attnpool(target)
        return embedding

    def cells_of(self, target: Tensor) -> Tensor:
        """The target's cells, n x cells x channels."""
        return target.flatten(2).transpose(1, 2)


def _stage(into: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
    first = Bottleneck(into, planes, stride)
    return nn.Sequential(
        first, *(Bottleneck(planes * _EXPANSION, planes, 1) for _ in range(blocks - 1))
    )
