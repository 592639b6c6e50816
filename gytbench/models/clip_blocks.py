"""The transformer that both sides of CLIP are made of, with OpenAI's names of its weights."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Activation = Literal["quick_gelu", "gelu"]

# Every CLIP up to ViT-L has heads of this width; no shape of a weight tells it.
HEAD_WIDTH = 64


class Attention(nn.Module):
    """Multi-head self-attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, causal: bool = False) -> Tensor:
        """n x tokens x width, of the same; `causal`: each token sees those up to itself."""
        n, tokens, width = x.shape
        mixed = functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        by_head = mixed.reshape(n, tokens, 3, self.heads, HEAD_WIDTH).permute(2, 0, 3, 1, 4)
        query, key, value = by_head.unbind(0)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
        return self._out(seen.transpose(1, 2).reshape(n, tokens, width))

    def values(self, x: Tensor) -> Tensor:
        """What `forward` would be if every token attended to itself alone."""
        width = x.shape[-1]
        weight, bias = self.in_proj_weight[2 * width :], self.in_proj_bias[2 * width :]
        return self._out(functional.linear(x, weight, bias))

    def _out(self, x: Tensor) -> Tensor:
        projected: Tensor = self.out_proj(x)
        return projected


class FeedForward(nn.Module):
    """The two layers behind the attention."""

    def __init__(self, width: int, activation: Activation) -> None:
        super().__init__()
        self.activation = activation
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """n x tokens x width, of the same."""
        hidden: Tensor = self.c_fc(x)
        if self.activation == "quick_gelu":
            hidden = hidden * torch.sigmoid(1.702 * hidden)
        else:
            hidden = functional.gelu(hidden)
        projected: Tensor = self.c_proj(hidden)
        return projected


class ResidualBlock(nn.Module):
    """Attention and feed-forward, each normalised before and added to its input."""

    def __init__(self, width: int, activation: Activation) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = FeedForward(width, activation)

    def forward(self, x: Tensor, causal: bool = False) -> Tensor:
        """n x tokens x width, of the same."""
        return self.from_normed(x, self.ln_1(x), causal)

    def from_normed(self, x: Tensor, normed: Tensor, causal: bool = False) -> Tensor:
        """`forward` with ln_1(x) given, so that a gradient can be taken there."""
        return self._feed(x + self.attn(normed, causal))

    def values(self, x: Tensor) -> Tensor:
        """`forward` with each token attending to itself alone, as MaskCLIP has it."""
        return self._feed(x + self.attn.values(self.ln_1(x)))

    def _feed(self, x: Tensor) -> Tensor:
        fed: Tensor = self.mlp(self.ln_2(x))
        return x + fed


class Transformer(nn.Module):
    """Residual blocks, one after another."""

    def __init__(self, width: int, layers: int, activation: Activation) -> None:
        super().__init__()
        blocks = [ResidualBlock(width, activation) for _ in range(layers)]
        self.resblocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, causal: bool = False) -> Tensor:
        """n x tokens x width, of the same."""
        seen: Tensor = self.last_block(self.before_last(x, causal), causal)
        return seen

    def before_last(self, x: Tensor, causal: bool = False) -> Tensor:
        """What goes into the last block."""
        for block in self.resblocks[:-1]:
            x = block(x, causal)
        return x

    @property
    def last_block(self) -> ResidualBlock:
        """The last block."""
        block = self.resblocks[-1]
        assert isinstance(block, ResidualBlock)
        return block
