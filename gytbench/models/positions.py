"""Positions as sines and cosines: of a map's cells as in DETR, and of times."""

import math

import torch
from torch import Tensor

_LONGEST = 10_000
_EPS = 1e-6


def sine_positions(size: tuple[int, int], width: int = 256) -> Tensor:
    """Encodings of the cells of a map of rows x columns; width x rows x columns, float32.

    The first half of the channels tells the row, the second half the column, both counted
    from 1 and scaled so that the last one is 2 pi. Source: facebookresearch/detr
    (PositionEmbeddingSine with normalize=True), for a map without padding.
    """
    rows, columns = (_angles(count, width // 2) for count in size)
    down = rows.T[:, :, None].expand(-1, -1, size[1])
    right = columns.T[:, None, :].expand(-1, size[0], -1)
    return torch.cat([down, right])


def sine_times(count: int, width: int = 256) -> Tensor:
    """The encodings of the times 0, 1, 2, ...; count x 1 x width, float32.

    Sines in the even channels, cosines in the odd ones (Vaswani et al. 2017).
    """
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(_LONGEST) / width))
    angles = torch.arange(count)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, None]


def _angles(count: int, width: int) -> Tensor:
    """Sines (even channels) and cosines (odd ones) of count positions; count x width."""
    places = torch.arange(1, count + 1) / (count + _EPS) * 2 * math.pi
    periods = _LONGEST ** (torch.arange(0, width, 2) / width)
    angles = places[:, None] / periods
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
