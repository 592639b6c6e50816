"""Attention between the regions of a video and the words of a text.

Source: Tan et al. 2021, CoMMA (rxtan2/video-grounding-narrations), whose head Chen et
al. 2024 (brian7685/GroundingYouTube) keep as their local branch. Regions and words
attend to each other, then each to their own kind, then to each other again. The head
knows no positions: its answer does not depend on the order of regions or of words.

Regions are given as n x regions x width, words as m x words x width with a mask, m x
words, that is true for words and false for pads. Each text has at least one word.

Variants: in the `official` one, of the published code, similarities are dot products, and
what the attention of a kind to itself returns is added to what entered it; in training the
second attention between the kinds is added too. In the `paper` one, as the paper's text
has it, similarities of regions and words are cosines, and what attention returns replaces
what entered it.
"""

from functools import partial
from math import sqrt
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

HEAD_WIDTH = 512

Variant = Literal["paper", "official"]

# How many values of one n x m x regions x words array are held at a time.
_AT_ONCE = 2**23

# The kernels of attention on GPUs take heads whose width is a multiple of this.
_ALIGNED = 8


class SelfAttention(nn.Module):
    """Attention of one head among the rows of ... x rows x 512, named as in torch."""

    def __init__(self) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * HEAD_WIDTH, HEAD_WIDTH))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * HEAD_WIDTH))
        self.out_proj = nn.Linear(HEAD_WIDTH, HEAD_WIDTH)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """How similar each row is to each, ... x rows x rows, and what each gives, as `x`.

        Rows that are mixtures of those of `x`, by weights with the sum 1, are similar and
        give as the same mixtures of these.
        """
        projected = functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        queries, keys, values = projected.chunk(3, dim=-1)
        similarity = queries / sqrt(HEAD_WIDTH) @ keys.transpose(-1, -2)
        return similarity, self.out_proj(values)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What each row takes from those where `mask` is true, and the weights by which it does."""
        similarity, given = self.parts(x)
        weights = _softmax(similarity.masked_fill(~mask[..., None, :], -torch.inf), dim=-1)
        return weights @ given, weights


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


def pair_vectors(
    head: Head, regions: Tensor, words: Tensor, mask: Tensor, variant: Variant = "official"
) -> tuple[Tensor, Tensor]:
    """Videos and texts as seen by each other, both n x m x 512: the form that is trained.

    Their dot product is the score of a pair. Memory grows with n * m * regions * words up to
    a limit; beyond it some videos are done at a time, and once more for their gradients.
    """
    # Pads count for nothing; the columns that are pads in every text can be left out.
    used = mask.any(dim=0)
    texts = _texts(head, words[:, used], mask[:, used])
    v = head.vis_proj_mat(regions)
    some = partial(_some_pair_vectors, head, texts, variant)
    rows = max(1, _AT_ONCE // (v.shape[1] * texts.mask.numel()))
    if rows >= len(v):
        return some(v)
    if torch.is_grad_enabled():
        some = partial(checkpoint, some, use_reentrant=False, preserve_rng_state=False)
    videos, seen = zip(*map(some, v.split(rows)), strict=True)
    return torch.cat(videos), torch.cat(seen)


def pair_scores(
    head: Head, regions: Tensor, words: Tensor, mask: Tensor, variant: Variant = "official"
) -> Tensor:
    """The dot products of `pair_vectors`, n x m.

    A pair's score does not depend on which others are asked for.
    """
    video, text = pair_vectors(head, regions, words, mask, variant)
    return (video * text).sum(dim=-1)


def rollout(
    head: Head, regions: Tensor, words: Tensor, mask: Tensor, variant: Variant = "official"
) -> Tensor:
    """Where a text looks in each of n videos: n x regions, each row with the sum 1.

    `words` are those of one text, 1 x words x width. The weights region to word, word to word
    and word to region are multiplied, and averaged over the regions that they start at. The
    published form for evaluation differs from the trained one: similarities between regions
    and words are not divided by sqrt(512).
    """
    v, texts = head.vis_proj_mat(regions), _texts(head, words, mask)
    seen = _attend(head, v, texts, variant, scale=1)
    over_words = _over_words(seen.similarity, mask)
    # Pads get no weight from regions and words, so what they give needs no mask.
    through = over_words.mean(dim=-2, keepdim=True) @ seen.between_words
    heat: Tensor = through @ seen.over_regions.transpose(-1, -2)
    return heat[:, 0, 0]


class _Texts(NamedTuple):
    """What all videos share of m texts."""

    t: Tensor
    """The projected words, m x words x 512."""
    mask: Tensor
    similarity: Tensor
    """Of words as regions that took them whole compare them, m x words x words."""
    given: Tensor
    """What such regions give, m x words x 512."""


class _Mixtures(NamedTuple):
    """Vectors of regions, n x m x regions x 512: weights @ vectors, which is never made."""

    weights: Tensor
    """n x m x regions x j."""
    vectors: Tensor
    """m x j x 512."""

    def dots(self, t: Tensor, scale: float = 1) -> Tensor:
        """n x m x regions x words, of n x m x words x 512, divided by `scale`."""
        return self.weights @ torch.einsum("bjd,abkd->abjk", self.vectors / scale, t)

    def cosines(self, t: Tensor) -> Tensor:
        """n x m x regions x words, of n x m x words x 512."""
        dots = self.dots(t)
        # Differences of large terms may be left: lengths are not for half precision.
        with torch.autocast(self.weights.device.type, enabled=False):
            weights, vectors = _full(self.weights), _full(self.vectors)
            products = weights @ (vectors @ vectors.transpose(-1, -2))
            squares = (products * weights).sum(dim=-1, keepdim=True)
            # Vectors of all pairs are not made a second time to be of length 1.
            lengths = squares.clamp_min(1e-24).sqrt() * _lengths(t)[..., None, :]
            return (_full(dots) / lengths).to(dots.dtype)

    def summed(self, shares: Tensor) -> Tensor:
        """n x m x 512, by the shares of regions, n x m x regions."""
        mixed = (shares[..., None, :] @ self.weights).squeeze(-2)
        return torch.einsum("abj,bjd->abd", mixed, self.vectors)


class _Seen(NamedTuple):
    """n videos and m texts before they attend to each other for the second time."""

    regions: _Mixtures
    words: Tensor
    """n x m x words x 512."""
    similarity: Tensor
    """Of regions and words, n x m x regions x words."""
    over_regions: Tensor
    """How words took regions the first time, n x m x regions x words."""
    between_words: Tensor
    """How words took words, n x m x words x words."""


def _texts(head: Head, words: Tensor, mask: Tensor) -> _Texts:
    t = head.lang_proj_mat(words)
    return _Texts(t, mask, *head.sa_layer.vis_attn_mat.parts(t))


def _some_pair_vectors(
    head: Head, texts: _Texts, variant: Variant, v: Tensor
) -> tuple[Tensor, Tensor]:
    """`pair_vectors` of some videos' projected regions."""
    seen = _attend(head, v, texts, variant, scale=sqrt(HEAD_WIDTH))
    share = texts.mask.to(v.dtype) / texts.mask.sum(dim=-1, keepdim=True)
    # Averages over regions and over words: weights are averaged before they are used.
    over_regions = _softmax(seen.similarity, dim=-2)
    text = seen.regions.summed((over_regions @ share[..., None]).squeeze(-1))
    over_words = _over_words(seen.similarity, texts.mask).mean(dim=-2)
    video = torch.einsum("abk,abkd->abd", over_words, seen.words)
    if variant == "official":
        each = torch.full_like(seen.similarity[..., 0], 1 / v.shape[1])
        video = video + seen.regions.summed(each)
        text = text + torch.einsum("bk,abkd->abd", share, seen.words)
    return video, text


def _attend(head: Head, v: Tensor, texts: _Texts, variant: Variant, scale: float) -> _Seen:
    """Regions and words take each other, then each their own kind; compared a second time.

    Dot products of regions and words are divided by `scale`.
    """
    paper = variant == "paper"
    compared = (_unit(v), _unit(texts.t)) if paper else (v / scale, texts.t)
    similarity = torch.einsum("ard,bkd->abrk", *compared)
    over_regions = _softmax(similarity, dim=-2)
    over_words = _over_words(similarity, texts.mask)
    shares = over_regions.transpose(-1, -2)
    words, between_words = _words(head, v, shares, texts.mask, added=not paper)
    taken = _mixed_alike(over_words @ texts.similarity, over_words)
    if paper:
        regions = _Mixtures(taken, texts.given)
        similarity = regions.cosines(words)
    else:
        weights = torch.cat([over_words, taken], dim=-1)
        regions = _Mixtures(weights, torch.cat([texts.t, texts.given], dim=-2))
        similarity = regions.dots(words, scale)
    return _Seen(regions, words, similarity, over_regions, between_words)


def _words(
    head: Head, v: Tensor, shares: Tensor, mask: Tensor, *, added: bool
) -> tuple[Tensor, Tensor]:
    """What words that are shares of regions take from each other (n x m x words x 512), added
    to what they were or not, and by what weights. `shares`: n x m x words x regions, with the
    sum 1 over regions.

    Regions are projected before they are mixed: a video has fewer of them than its pairs
    have words.
    """
    similarity, given = head.sa_layer.text_attn_mat.parts(v)
    # As einsum the texts of a video are one factor; broadcast, its regions would be copied.
    similarity = torch.einsum("abkr,ars->abks", shares, similarity) @ shares.transpose(-1, -2)
    weights = _softmax(similarity.masked_fill(~mask[:, None], -torch.inf), dim=-1)
    if not added:
        return weights @ torch.einsum("abkr,ard->abkd", shares, given), weights
    mixed = torch.einsum("abkr,ard->abkd", shares, torch.cat([v, given], dim=-1))
    x, given = mixed.chunk(2, dim=-1)
    return x + weights @ given, weights


def _mixed_alike(queries: Tensor, weights: Tensor) -> Tensor:
    """Rows of weights, ... x regions x words, mixed by how alike the queries are to them.

    The weights of regions over regions are not held: torch has kernels that do without.
    """
    words = weights.shape[-1]
    wider = (0, -words % _ALIGNED)
    queries, weights = functional.pad(queries, wider), functional.pad(weights, wider)
    mixed = functional.scaled_dot_product_attention(queries, weights, weights, scale=1.0)
    return mixed[..., :words]


def _over_words(similarity: Tensor, mask: Tensor) -> Tensor:
    """How much each region takes of each word, without pads; the sum is 1."""
    return _softmax(similarity.masked_fill(~mask[:, None], -torch.inf), dim=-1)


def _softmax(similarity: Tensor, dim: int) -> Tensor:
    """In full precision, and given as it came."""
    return _full(similarity).softmax(dim=dim).to(similarity.dtype)


def _unit(x: Tensor) -> Tensor:
    return functional.normalize(_full(x), dim=-1).to(x.dtype)


def _lengths(x: Tensor) -> Tensor:
    """... of ... x 512, in full precision, and never 0."""
    lengths: Tensor = torch.linalg.vector_norm(_full(x), dim=-1)
    return lengths.clamp_min(1e-12)


def _full(x: Tensor) -> Tensor:
    """float32 of half precision; float64 stays."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
