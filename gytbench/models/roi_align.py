"""RoIAlign (He et al. 2017): a grid of values for each box of a feature map.

The form of detectron2's ROIAlignV2: boxes are shifted by half a cell (aligned), and a bin
has as many samples along each axis as it spans cells, rounded up (sampling ratio 0).
"""

import torch
from torch import Tensor


def roi_align(features: Tensor, boxes: Tensor, size: int, scale: float) -> Tensor:
    """n x channels x size x size of one map, channels x height x width.

    boxes: n x (x1, y1, x2, y2) in pixels of the image; scale: cells of the map per pixel.
    Sampling is bilinear. Samples up to one cell outside count as those at the border, those
    beyond as 0. A bin's samples lie on a grid, so that their mean is the product of one
    weighting of the rows and one of the columns: two matrix products for all boxes.
    """
    channels, height, width = features.shape
    edges = boxes.float() * scale - 0.5
    across = _weights(edges[:, 0], edges[:, 2], size, width).to(features.dtype)
    down = _weights(edges[:, 1], edges[:, 3], size, height).to(features.dtype)
    cells = features.permute(1, 2, 0).reshape(height, width * channels)
    by_row = (down.reshape(-1, height) @ cells).view(len(boxes), size, width, channels)
    return torch.matmul(across[:, None], by_row).permute(0, 3, 1, 2)


def _weights(starts: Tensor, ends: Tensor, bins: int, cells: int) -> Tensor:
    """How much each cell of an axis counts for each bin, n x bins x cells."""
    length = ends - starts
    counts = torch.ceil(length / bins).clamp(min=0)
    steps = torch.arange(int(counts.max().item()) if len(counts) else 0, device=starts.device)
    # Samples of a bin lie in the middles of its equal parts: n x bins x samples.
    parts = (steps + 0.5) / counts.clamp(min=1)[:, None]
    places = torch.arange(bins, device=starts.device)[:, None] + parts[:, None]
    at = starts[:, None, None] + places * (length / bins)[:, None, None]
    counted = (steps < counts[:, None])[:, None] & (at >= -1) & (at <= cells)
    nearness = at.clamp(0, cells - 1)[..., None] - torch.arange(cells, device=starts.device)
    weights = (1 - nearness.abs()).clamp(min=0) * counted[..., None]
    return weights.sum(dim=2) / counts.clamp(min=1)[:, None, None]
