"""What makes a video and its own narration score higher than those of other pairs.

Scores are n x n, videos by texts or texts by videos; the pairs that belong together lie
on the diagonal. A loss is a mean over the n pairs, in at least float32.
"""

import torch
from torch import Tensor


def precise(values: Tensor) -> Tensor:
    """The values in float32 where they were in half precision."""
    return values if values.dtype == torch.float64 else values.float()


def eq1(scores: Tensor, margin: float) -> Tensor:
    """The loss of both branches as Eq. 1 of Chen et al. 2024 (GroundingYouTube) has it.

    Of each pair two terms -log(own / (own + others)), summed: against the scores of its row
    and against those of its column. The margin is subtracted from the pair's own score,
    above and below the fraction's line.
    """
    shift = margin * (1 - torch.eye(len(scores), device=scores.device))
    against = [_beyond_own(each) + shift for each in (scores, scores.T)]
    return torch.stack(against).logsumexp(dim=2).sum(dim=0).mean()


def nce(scores: Tensor) -> Tensor:
    """The loss of both branches as brian7685/GroundingYouTube computes it, after MIL-NCE.

    One term for a pair, -log(own / others), where its row and its column together are the
    others. There is neither temperature nor margin, and the pair's own score is counted
    twice among the others: once in its row and once in its column.
    """
    return torch.cat([_beyond_own(scores), _beyond_own(scores.T)], dim=1).logsumexp(dim=1).mean()


def _beyond_own(scores: Tensor) -> Tensor:
    """By how much each score is above its row's own: small differences of large ones are kept."""
    scores = precise(scores)
    return scores - scores.diagonal()[:, None]
