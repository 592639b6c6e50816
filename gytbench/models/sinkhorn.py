"""Sinkhorn-Knopp: words and frames assigned to each other, so that none is left out.

Source: Cuturi 2013 for the problem, Caron et al. 2020 (facebookresearch/swav) for the
order of the steps. Chen et al. 2024 (GroundingYouTube) choose frames by it, section 3.2;
their own module of it was never published.

Q = diag(a) exp(scores / epsilon) diag(b) is the joint distribution of words and frames
closest to the scores in which all words have the same mass, and all frames too. Here
log Q is scaled, never Q, so that no score is too large or too small.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from gytbench.errors import InputError


class _Side(NamedTuple):
    """Words or frames: the axis that they lie along, and which of them are there."""

    axis: int
    there: Tensor
    """Can be broadcast to n x words x frames."""

    def sums(self, log_q: Tensor) -> Tensor:
        """The log of the mass along this axis, which stays with the length 1."""
        return log_q.masked_fill(~self.there, -torch.inf).logsumexp(self.axis, keepdim=True)

    def log_count(self, like: Tensor) -> Tensor:
        """The log of how many are there, n x 1 x 1."""
        return self.there.sum(self.axis, keepdim=True).to(like).log()


def sinkhorn(
    scores: Tensor,
    *,
    word_mask: Tensor | None = None,
    frame_mask: Tensor | None = None,
    epsilon: float = 0.05,
    iterations: int = 3,
    tolerance: float | None = None,
) -> Tensor:
    """log Q for scores of words and frames, n x words x frames; each sample by itself.

    The masks, n x words and n x frames, are true for what is there. Q has the sum 1,
    shared equally by the words that are there and equally by the frames that are there;
    what is not there has the mass 0, so -inf in log Q, and the gradient 0, whatever its
    scores. A sample without words or without frames has no mass at all.

    Each iteration scales the words' masses and then the frames', which are thus exact;
    those of words near 1 / words as iterations go on. The default, three, is SwAV's; its
    matrix is Q times the number of frames. With a `tolerance` a sample is done once no
    word's mass is further off, and `iterations` is the most that are spent: look at
    `marginal_error` for what was reached. The smaller epsilon is beside differences of
    scores, the sharper Q is, and the more iterations it takes.

    Scores are finite; half precision is computed in single. Gradients go through all
    iterations. Raises `InputError` for an epsilon that is not above 0 or no iterations.
    """
    if not epsilon > 0:
        raise InputError(f"epsilon is {epsilon}, but must be above 0")
    if iterations < 1:
        raise InputError(f"iterations is {iterations}, but at least one is needed")
    if scores.dtype not in (torch.float32, torch.float64):
        scores = scores.float()
    words, frames = _sides(scores, word_mask, frame_mask)
    there = words.there & frames.there
    words, frames = _at_least_one(words), _at_least_one(frames)
    log_q = scores.masked_fill(~there, 0) / epsilon
    going = torch.ones_like(words.there[:, :1, :1])
    for _ in range(iterations):
        # That words share the mass 1, and not more, cancels in the second step.
        scaled = log_q - frames.sums(log_q)
        scaled = scaled - words.sums(scaled) - frames.log_count(log_q)
        if tolerance is None:
            log_q = scaled
            continue
        # A sample that is done stays as it is, so that it does not depend on the others.
        log_q = torch.where(going, scaled, log_q)
        going = _furthest_off(log_q, words, frames) > tolerance
        if not going.any():
            break
    return log_q.masked_fill(~there, -torch.inf)


def marginal_error(
    log_q: Tensor, *, word_mask: Tensor | None = None, frame_mask: Tensor | None = None
) -> Tensor:
    """How far the mass of a word or a frame is from its equal share at most, for each sample.

    `log_q` and the masks are those of `sinkhorn`; the result has the length n. Samples
    without words or without frames are off by 0.
    """
    words, frames = _sides(log_q, word_mask, frame_mask)
    by_words = _furthest_off(log_q.detach(), words, frames)
    by_frames = _furthest_off(log_q.detach(), frames, words)
    empty = ~(words.there.any(1) & frames.there.any(2))[:, 0]
    return torch.maximum(by_words, by_frames)[:, 0, 0].masked_fill(empty, 0)


def _sides(
    scores: Tensor, word_mask: Tensor | None, frame_mask: Tensor | None
) -> tuple[_Side, _Side]:
    n, words, frames = scores.shape
    if word_mask is None:
        word_mask = scores.new_ones(n, words, dtype=torch.bool)
    if frame_mask is None:
        frame_mask = scores.new_ones(n, frames, dtype=torch.bool)
    return _Side(1, word_mask[:, :, None]), _Side(2, frame_mask[:, None, :])


def _at_least_one(side: _Side) -> _Side:
    """The same, with all there where none is: sums over nothing have no gradient."""
    return side._replace(there=side.there | ~side.there.any(side.axis, keepdim=True))


def _furthest_off(log_q: Tensor, side: _Side, other: _Side) -> Tensor:
    """How far the masses of one side are from equal shares at most, n x 1 x 1."""
    off = (other.sums(log_q.detach()).exp() - (-side.log_count(log_q)).exp()).abs()
    return off.masked_fill(~side.there, 0).amax(side.axis, keepdim=True)
