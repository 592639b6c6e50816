"""Attention between the regions of a video and the words of a text.

Source: Tan et al. 2021, CoMMA (rxtan2/video-grounding-narrations), whose head Chen et
al. 2024 (brian7685/GroundingYouTube) keep as their local branch. Regions and words
attend to each other, then each to their own kind, then to each other again. The head
knows no positions: its answer does not depend on the order of regions or of words.

Regions are given as n x regions x width, words as m x words x width with a mask, m x
words, that is true for words and false for pads. Each text has at least one word.
"""

from math import sqrt
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

HEAD_WIDTH = 512

# How many values of one n x m x regions x 512 array are held at a time.
_AT_ONCE = 2**23


class SelfAttention(nn.Module):
    """Attention of one head among the rows of ... x rows x 512, named as in torch."""

    def __init__(self) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * HEAD_WIDTH, HEAD_WIDTH))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * HEAD_WIDTH))
        self.out_proj = nn.Linear(HEAD_WIDTH, HEAD_WIDTH)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(
        self, mixing: Tensor, x: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """What the rows of mixing @ x take from each other, and the weights by which they do.

        The rows of `mixing` have the sum 1, so that projecting before mixing changes
        nothing; it costs less, as pairs of a video and a text share `x`. Mixed rows where
        `mask` is false are not looked at.
        """
        projected = functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        queries, keys, values = projected.chunk(3, dim=-1)
        similarity = queries @ keys.transpose(-1, -2) / sqrt(HEAD_WIDTH)
        similarity = _mixed(_mixed(mixing, similarity), mixing.transpose(-1, -2))
        if mask is not None:
            similarity = similarity.masked_fill(~mask[..., None, :], -torch.inf)
        weights = similarity.softmax(dim=-1)
        return _mixed(weights @ mixing, self.out_proj(values)), weights


class SelfAttentions(nn.Module):
    """The attention among regions and the one among words."""

    def __init__(self) -> None:
        super().__init__()
        self.vis_attn_mat = SelfAttention()
        self.text_attn_mat = SelfAttention()


class Head(Protocol):
    """The layers that a head has; cross attention has no weights."""

    vis_proj_mat: nn.Sequential
    lang_proj_mat: nn.Sequential
    sa_layer: SelfAttentions


class CrossAttentionHead(nn.Module):
    """The head by itself, for features of a network that is kept elsewhere."""

    def __init__(self, regions: int, words: int) -> None:
        """A head for regions and words of the given widths."""
        super().__init__()
        self.vis_proj_mat = nn.Sequential(nn.Linear(regions, HEAD_WIDTH))
        self.lang_proj_mat = nn.Sequential(nn.Linear(words, HEAD_WIDTH))
        self.sa_layer = SelfAttentions()


def pair_vectors(head: Head, regions: Tensor, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Videos and texts as seen by each other, both n x m x 512: the form that is trained.

    Their dot product is the score of a pair. Memory grows with n * m * regions * 512.
    """
    v = head.vis_proj_mat(regions)[:, None]
    t = head.lang_proj_mat(words)[None]
    mask = mask.expand(len(regions), *mask.shape)
    by_words, by_regions = _cross_weights(v, t, mask, scale=sqrt(HEAD_WIDTH))
    v1 = _mixed(by_words, t) + head.sa_layer.vis_attn_mat(by_words, t)[0]
    t1 = _mixed(by_regions, v) + head.sa_layer.text_attn_mat(by_regions, v, mask)[0]
    by_words, by_regions = _cross_weights(v1, t1, mask, scale=sqrt(HEAD_WIDTH))
    # Averages over regions and over words: weights are averaged before they are used.
    video = by_words.mean(dim=-2, keepdim=True) @ t1 + v1.mean(dim=-2, keepdim=True)
    share = mask.to(t1.dtype)[..., None, :] / mask.sum(dim=-1)[..., None, None]
    text = share @ by_regions @ v1 + share @ t1
    return video.squeeze(-2), text.squeeze(-2)


def pair_scores(head: Head, regions: Tensor, words: Tensor, mask: Tensor) -> Tensor:
    """The dot products of `pair_vectors`, n x m, a few pairs at a time.

    A pair's score does not depend on which others are asked for.
    """
    rows = max(1, _AT_ONCE // (len(words) * regions.shape[1] * HEAD_WIDTH))
    # Pads count for nothing; the columns that are pads in every text can be left out.
    used = mask.any(dim=0)
    words, mask = words[:, used], mask[:, used]
    scores = []
    for some in torch.split(regions, rows):
        video, text = pair_vectors(head, some, words, mask)
        scores.append((video * text).sum(dim=-1))
    return torch.cat(scores)


def rollout(head: Head, regions: Tensor, words: Tensor, mask: Tensor) -> Tensor:
    """Where a text looks in each of n videos: n x regions, each row with the sum 1.

    `words` are those of one text, 1 x words x width. This is the published form for
    evaluation, which differs from the trained one: similarities between regions and
    words are not divided by sqrt(512). The weights region to word, word to word and
    word to region are multiplied, and averaged over the regions that they start at.
    """
    v = head.vis_proj_mat(regions)
    t = head.lang_proj_mat(words)
    mask = mask.expand(len(regions), -1)
    by_words, by_regions = _cross_weights(v, t, mask, scale=1)
    v1 = by_words @ t + head.sa_layer.vis_attn_mat(by_words, t)[0]
    taken, between_words = head.sa_layer.text_attn_mat(by_regions, v, mask)
    to_words, _ = _cross_weights(v1, by_regions @ v + taken, mask, scale=1)
    # Pads get no weight from regions and words, so what they give needs no mask.
    heat: Tensor = to_words.mean(dim=-2, keepdim=True) @ between_words @ by_regions
    return heat.squeeze(-2)


def _cross_weights(v: Tensor, t: Tensor, mask: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """By how much each region takes each word (... x regions x words), and the reverse.

    The weights of a region over the words, without pads, and those of a word over the
    regions have the sum 1.
    """
    similarity = torch.einsum("...rd,...kd->...rk", v, t) / scale
    over_words = similarity.masked_fill(~mask[..., None, :], -torch.inf).softmax(dim=-1)
    return over_words, similarity.softmax(dim=-2).transpose(-1, -2)


def _mixed(weights: Tensor, values: Tensor) -> Tensor:
    """weights @ values, without a copy of values that several pairs share."""
    return torch.einsum("...ij,...jk->...ik", weights, values)
