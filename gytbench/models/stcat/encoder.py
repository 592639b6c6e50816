"""STCAT's encoder: frames with the text, then frames with each other, layer by layer."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gytbench.models.detr_blocks import WIDTH, EncoderLayer, TimeTable
from gytbench.models.positions import sine_positions

MAX_FRAMES = 300
"""Of one video: the model was trained with no more."""

_LAYERS = 6


class Encoded(NamedTuple):
    """What the decoders see."""

    memory: Tensor
    """Frames x tokens x 256: of each frame its cells, then the text as that frame has it."""
    places: Tensor
    """Tokens x 256: where each token is; the text is nowhere."""
    frames: Tensor
    """Frames x 256: one vector for each frame with the text."""
    video: Tensor
    """1 x 256: one vector for the whole."""


class GroundEncoder(nn.Module):
    """The encoder under its published names, with a layer that counts for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = SpatialTemporalEncoder()
        self.fusion = nn.Linear(WIDTH, WIDTH)

    def forward(self, cells: Tensor, tokens: Tensor) -> Encoded:
        """Of frames x 256 x rows x columns and of the text's tokens x 256."""
        encoded: Encoded = self.encoder(cells, tokens)
        return encoded


class SpatialTemporalEncoder(nn.Module):
    """In each layer a frame's token sees its cells and the text, then those of other frames."""

    def __init__(self) -> None:
        super().__init__()
        self.spatial_layers = nn.ModuleList(EncoderLayer() for _ in range(_LAYERS))
        self.temporal_layers = nn.ModuleList(EncoderLayer() for _ in range(_LAYERS))
        # The first time is the whole video's.
        self.time_embed = TimeTable(MAX_FRAMES + 1)
        self.local_pos_embed = nn.Embedding(1, WIDTH)
        self.frame_cls = nn.Embedding(1, WIDTH)
        self.video_cls = nn.Embedding(1, WIDTH)

    def forward(self, cells: Tensor, tokens: Tensor) -> Encoded:
        """Of frames x 256 x rows x columns and of the text's tokens x 256."""
        count = len(cells)
        places = _places(cells, tokens)
        inside = torch.cat([self.local_pos_embed.weight, places])
        times = self.time_embed(count + 1)
        texts = tokens.expand(count, -1, -1)
        memory = torch.cat([cells.flatten(2).transpose(1, 2), texts], dim=1)
        frames, video = self.frame_cls.weight.expand(count, -1), self.video_cls.weight
        for spatial, temporal in zip(self.spatial_layers, self.temporal_layers, strict=True):
            seen = spatial(torch.cat([frames[:, None], memory], dim=1), inside)
            memory = seen[:, 1:]
            over_time = temporal(torch.cat([video, seen[:, 0]])[None], times)[0]
            video, frames = over_time[:1], over_time[1:]
        return Encoded(memory, places, frames, video)


def _places(cells: Tensor, tokens: Tensor) -> Tensor:
    rows, columns = cells.shape[2:]
    positions = sine_positions((rows, columns), WIDTH).to(cells).flatten(1).T
    return torch.cat([positions, torch.zeros_like(tokens)])
