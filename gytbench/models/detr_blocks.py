"""What DETR's followers for videos share (Carion et al. 2020; MDETR, Kamath et al. 2021).

The names of the weights are those of ashkamath/mdetr, antoyang/TubeDETR and jy0205/STCAT.
"""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from gytbench.models.positions import sine_times
from gytbench.models.resnet import ResNetBody
from gytbench.models.roberta import WIDTH as TEXT_WIDTH

WIDTH = 256
"""Of everything after the two backbones."""
HEADS = 8
BESIDE = ("*.embeddings.position_ids",)
"""Counters that transformers stored with its models before version 4.31."""

_HIDDEN = 2048


class Backbone(nn.Module):
    """A ResNet under the name that DETR gives it."""

    def __init__(self) -> None:
        super().__init__()
        self.body = ResNetBody()

    def forward(self, pixels: Tensor) -> Tensor:
        """n x 2048 x height / 32 x width / 32, of n x 3 x height x width."""
        features: Tensor = self.body(pixels)
        return features


class TimeTable(nn.Module):
    """The times 0, 1, 2, ... as sines and cosines."""

    te: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("te", sine_times(count, WIDTH))

    def forward(self, count: int) -> Tensor:
        """Of the first times, count x 256."""
        return self.te[:count, 0]


class Resizer(nn.Module):
    """The text's tokens, as wide as all else."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(TEXT_WIDTH, WIDTH)
        self.layer_norm = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, x: Tensor) -> Tensor:
        """... x 256, of ... x 768."""
        normalised: Tensor = self.layer_norm(self.fc(x))
        return normalised


class Mlp(nn.Module):
    """Linear layers with rectifiers between them."""

    def __init__(self, out: int, layers: int, into: int = WIDTH) -> None:
        super().__init__()
        widths = [into, *[WIDTH] * (layers - 1), out]
        self.layers = nn.ModuleList(nn.Linear(*sides) for sides in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        """... x out, of ... x into."""
        for layer in self.layers[:-1]:
            x = functional.relu(layer(x))
        result: Tensor = self.layers[-1](x)
        return result


class EncoderLayer(nn.Module):
    """Tokens that attend to each other."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.linear1 = nn.Linear(WIDTH, _HIDDEN)
        self.linear2 = nn.Linear(_HIDDEN, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor, places: Tensor) -> Tensor:
        """n x tokens x 256, of the same; `places` (tokens x 256) say where each token is."""
        placed = x + places
        x = self.norm1(x + self.self_attn(placed, placed, x, need_weights=False)[0])
        hidden = functional.relu(self.linear1(x))
        normalised: Tensor = self.norm2(x + self.linear2(hidden))
        return normalised


class FrameDecoderLayer(nn.Module):
    """One query a frame, which attends to those of other frames and to its frame's tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.cross_attn_image = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.linear1 = nn.Linear(WIDTH, _HIDDEN)
        self.linear2 = nn.Linear(_HIDDEN, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH)
        self.norm3 = nn.LayerNorm(WIDTH)
        self.norm4 = nn.LayerNorm(WIDTH)

    def forward(
        self, x: Tensor, memory: Tensor, placed: Tensor, over_time: Tensor, within: Tensor
    ) -> Tensor:
        """Frames x 256, of the same.

        memory: the frames' tokens, frames x tokens x 256; placed: with their positions.
        over_time, within: frames x 256, added to what asks other frames and the own one.
        """
        asking = x + over_time
        x = self.norm1(x + self.self_attn(asking, asking, x, need_weights=False)[0])
        asking = (x + within)[:, None]
        looked = self.cross_attn_image(asking, placed, memory, need_weights=False)[0]
        x = self.norm3(x + looked[:, 0])
        hidden = functional.relu(self.linear1(x))
        normalised: Tensor = self.norm4(x + self.linear2(hidden))
        return normalised
