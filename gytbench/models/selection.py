"""Which T of a video's U frames go with a narration.

Source: Chen et al. 2024 (GroundingYouTube), section 3.2 and Table 5: similarities P of
words and frames, an assignment Q of words to frames by Sinkhorn-Knopp, and the frames
that Q assigns. With 16 frames, one each second, 8 are kept.

What is published: P = g(S) f(V)^T, equal shares of mass for all frames, the numbers of
frames, the kinds of similarity of Table 5; and in brian7685/GroundingYouTube, cosines
divided by 0.1. What is reconstructed: epsilon and iterations (SwAV's), the equal shares
of words, how frames are read off Q (see `select_frames`), and all of the similarity to
regions.
"""

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor
from torch.nn import functional

from gytbench.errors import InputError
from gytbench.models.sinkhorn import sinkhorn

Granularity = Literal["text-frame", "text-region", "word-frame", "word-region", "average"]
"""What is compared: the whole text or its words, with whole frames or with their regions.

"average" is the mean of "word-frame" and "word-region".
"""

Method = Literal["sinkhorn", "sinkhorn-word-order", "top", "uniform"]
"""How frames are chosen; see `select_frames`."""

# Masses closer than this, in the log, count as equal: rounding makes such differences too.
_EQUAL = 1e-3


class Embeddings(NamedTuple):
    """n narrations and their videos in one space, as the global branch maps them."""

    text: Tensor
    """n x width: whole texts."""
    words: Tensor
    """n x words x width."""
    frames: Tensor
    """n x frames x width: whole frames ([CLS])."""
    regions: Tensor
    """n x frames x regions x width."""


class Selection(NamedTuple):
    """What `select_frames` returns, for T = min(keep, frames)."""

    indices: Tensor
    """n x T, integers: different frames of each sample, in the order of time."""
    mask: Tensor
    """n x T, bool: which of them are there. All are, where there are at least T frames."""


def similarity(
    embeddings: Embeddings,
    granularity: Granularity = "average",
    *,
    temperature: float = 0.1,
    cosine: bool = True,
    pooling: Literal["mean", "sum"] = "mean",
) -> Tensor:
    """P, n x words x frames, or n x 1 x frames for whole texts, which need no word mask.

    The default is the last row of Table 5. `cosine` and `temperature` are those of the
    published code; P = g(S) f(V)^T as written is `cosine=False, temperature=1`. The score
    of a frame's regions is their mean. The paper says sum: it ranks frames alike, but in
    the average 49 regions then count 49 times as much as the frame, and Q gets far
    sharper. Raises `InputError` for other granularities and poolings, and for a
    temperature that is not above 0.
    """
    _check_choice("granularity", granularity, get_args(Granularity))
    _check_choice("pooling", pooling, ("mean", "sum"))
    if not temperature > 0:
        raise InputError(f"temperature is {temperature}, but must be above 0")
    if cosine:
        embeddings = Embeddings(*(functional.normalize(each, dim=-1) for each in embeddings))
    rows = embeddings.text[:, None] if granularity.startswith("text-") else embeddings.words
    columns = []
    if not granularity.endswith("-region"):
        columns.append(embeddings.frames)
    if not granularity.endswith("-frame"):
        # A word's mean score over regions is its score with their mean.
        regions = embeddings.regions
        columns.append(regions.mean(dim=2) if pooling == "mean" else regions.sum(dim=2))
    frames = torch.stack(columns).mean(dim=0)
    return rows @ frames.transpose(1, 2) / temperature


@torch.no_grad()
def select_frames(
    scores: Tensor,
    keep: int = 8,
    method: Method = "sinkhorn",
    *,
    word_mask: Tensor | None = None,
    frame_mask: Tensor | None = None,
    epsilon: float = 0.05,
    iterations: int = 3,
) -> Selection:
    """The `keep` frames to train on, for similarities of n x words x frames.

    - "sinkhorn": each word names the frame that Q gives most of it to; the frames so
      named, those with the largest Q first, are kept. While there is room, words name
      their second frames, then their third, and so on. Every word thus keeps its first
      frame unless more than `keep` are named. Sums of Q over words would tell nothing,
      as all frames have the same mass. Where Q is equal, the similarity decides: so for
      a single word, of which each frame takes the same.
    - "sinkhorn-word-order": frames that are named in the same round are kept in the
      order of the words, as the published code does with its first 8 words. It also
      keeps a frame twice and lets pads name frames: here frames differ, and pads do only
      without a mask.
    - "top": the largest mean similarity over words, without Sinkhorn.
    - "uniform": evenly spread from the first on, whatever the similarities; every second
      of 16.

    The masks, `epsilon` and `iterations` are those of `sinkhorn`. Words that are not
    there count for nothing; frames that are not there are taken only where fewer than
    `keep` are there, and the result's mask then is false. Earlier frames go before equal
    ones, and so where no word is there. Raises `InputError` for another method, `keep`
    below 1, and what `sinkhorn` refuses.
    """
    _check_choice("method", method, get_args(Method))
    if keep < 1:
        raise InputError(f"keep is {keep}, but at least one frame must be kept")
    n, words, frames = scores.shape
    if word_mask is None:
        word_mask = scores.new_ones(n, words, dtype=torch.bool)
    if frame_mask is None:
        frame_mask = scores.new_ones(n, frames, dtype=torch.bool)
    if method == "uniform":
        place = _evenly(frame_mask, keep)
    elif method == "top":
        # The sum: a sample's frames have the same words.
        place = -scores.masked_fill(~word_mask[:, :, None], 0).sum(dim=1)
    else:
        log_q = sinkhorn(
            scores,
            word_mask=word_mask,
            frame_mask=frame_mask,
            epsilon=epsilon,
            iterations=iterations,
        )
        place = _by_naming(scores, log_q, in_word_order=method == "sinkhorn-word-order")
    places = _places((~frame_mask).long(), place)
    indices = places.argsort(dim=1)[:, :keep].sort(dim=1).values
    return Selection(indices, frame_mask.gather(1, indices))


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name} is {value!r}, but must be one of {', '.join(choices)}")


def _by_naming(scores: Tensor, log_q: Tensor, in_word_order: bool) -> Tensor:
    """When each frame is first named by a word, n x frames: lower is earlier."""
    n, words, frames = scores.shape
    mass = (log_q / _EQUAL).round()
    absent = mass == -torch.inf
    scores = scores.masked_fill(absent, -torch.inf)
    rounds = _places(-mass, -scores).masked_fill(absent, frames)
    if in_word_order:
        word = torch.arange(words, device=scores.device)[:, None].expand_as(scores)
        keys = [rounds, word]
    else:
        keys = [rounds, -mass, -scores]
    # Frame by frame, so that among equal pairs those of the earlier frame go first.
    pairs = _places(*(key.transpose(1, 2).flatten(1) for key in keys))
    return pairs.view(n, frames, words).amin(dim=2)


def _evenly(frame_mask: Tensor, keep: int) -> Tensor:
    """0 for frames i * count // keep of those that are there, i < keep, and 1 for others."""
    count = frame_mask.sum(dim=1, keepdim=True).clamp(min=1)
    after = frame_mask.cumsum(dim=1)
    # Frame j is one of them if one of the multiples of count / keep is in [j, j + 1).
    taken = _ceil_div(after * keep, count) > _ceil_div((after - 1) * keep, count)
    return (~taken).long()


def _ceil_div(dividend: Tensor, divisor: Tensor) -> Tensor:
    return -((-dividend) // divisor)


def _places(*keys: Tensor) -> Tensor:
    """Where each entry of the last axis comes if sorted by the first key, then by the next.

    Small values come first; entries that are equal in all keys stay in their order.
    """
    order = torch.arange(keys[0].shape[-1], device=keys[0].device).expand(keys[0].shape)
    for key in reversed(keys):
        order = order.gather(-1, key.gather(-1, order).argsort(dim=-1, stable=True))
    return order.argsort(dim=-1)
