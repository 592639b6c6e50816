"""Non-maximum suppression: of boxes that overlap much, the best."""

import numpy as np
import torch
from torch import Tensor


def box_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union, n x m, of boxes n x (x1, y1, x2, y2) and m x 4.

    0 for two boxes without an area.
    """
    low = torch.maximum(boxes[:, None, :2], others[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=-1)
    union = _areas(boxes)[:, None] + _areas(others) - shared
    return torch.where(union > 0, shared / union, torch.zeros_like(shared))


def suppressed(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Which boxes stay, as indices, the best first; of equal scores the first.

    boxes: n x (x1, y1, x2, y2); scores: n. A box goes where its IoU with a better one that
    stays is above the threshold. Takes memory of n x n values.
    """
    order = torch.argsort(scores, descending=True, stable=True)
    ranked = boxes[order]
    # One row at a time needs no device: the table is made there, and read here.
    too_close = (box_iou(ranked, ranked) > threshold).cpu().numpy()
    gone = np.zeros(len(ranked), dtype=np.bool_)
    kept = []
    for rank, close in enumerate(too_close):
        if not gone[rank]:
            kept.append(rank)
            gone |= close
    return order[torch.tensor(kept, dtype=torch.long, device=order.device)]


def suppressed_by_class(boxes: Tensor, scores: Tensor, classes: Tensor, threshold: float) -> Tensor:
    """As `suppressed`, with boxes of different classes (n integers) left apart."""
    kept = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    for each in sorted(set(classes.tolist())):
        own = torch.nonzero(classes == each).flatten()
        kept[own[suppressed(boxes[own], scores[own], threshold)]] = True
    order = torch.argsort(scores, descending=True, stable=True)
    return order[kept[order]]


def _areas(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).prod(dim=-1)
