"""What is trained for: frames are selected, pairs are scored by both branches.

Source: Chen et al. 2024 (GroundingYouTube), sections 3.2 to 3.4.

The variants differ in the loss (Eq. 1, or the published NCE), in the attention of the local
branch, and in what the global branch sees: in `paper` the selected frames (Fig. 2), in
`official` all U. They also differ in frames outside the video that had to be selected, as
fewer than T are inside: in `official` they are looked at as the black frames that they are; in
`paper` those inside take their places in turn. No mean over frames counts them.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from gytbench.errors import InputError
from gytbench.models.cross_attention import Head, pair_scores
from gytbench.models.selection import Embeddings, select_frames, similarity
from gytbench.training.config import Selection, TrainingConfig
from gytbench.training.gathering import gathered
from gytbench.training.losses import eq1, nce, precise


class Branches(Head, Protocol):
    """A head with both branches."""

    def global_video(self, videos: Tensor) -> Tensor:
        """... x 512 of vectors of frames."""

    def global_text(self, texts: Tensor) -> Tensor:
        """... x 512 of vectors of texts or words."""


class Looked(Protocol):
    """What a backbone makes of B videos: see `gytbench.training.networks`."""

    @property
    def frames(self) -> Tensor:
        """B x U x width."""

    @property
    def regions(self) -> Tensor:
        """B x U x R x width of a region."""

    @property
    def cells(self) -> Tensor:
        """B x U x R x width: the regions in the space of frames."""

    @property
    def present(self) -> Tensor:
        """B x U, bool: false for frames outside the video."""


class Texts(Protocol):
    """What a backbone makes of B texts."""

    @property
    def words(self) -> Tensor:
        """B x K x width; K is the same in all processes."""

    @property
    def mask(self) -> Tensor:
        """B x K, bool: false for pads."""

    @property
    def whole(self) -> Tensor:
        """B x width."""


class Losses(NamedTuple):
    """What is minimised, and what it is made of; None for a branch that is not trained."""

    total: Tensor
    local: Tensor | None
    global_: Tensor | None


class Objective:
    """The losses of batches, as a configuration has them."""

    def __init__(self, config: TrainingConfig) -> None:
        """Takes variant, selection and loss from the configuration."""
        self._selection, self._loss = config.selection, config.loss
        self._variant = config.variant

    def __call__(self, head: Branches, looked: Looked, texts: Texts) -> Losses:
        """The losses over the batches of all processes, the same in each.

        All pairs of the videos and texts of all processes count. Each process scores its
        own videos with all texts, so that its gradients are its part of the whole: their sum
        over the processes is the gradient, and `gathering.gathered` has counted each as often
        as there are processes. Raises `InputError` where frames and words that are to be
        compared have no space in common.
        """
        chosen, there = _chosen(head, looked, texts, self._selection)
        local = global_ = None
        if self._loss.local:
            local = self._of(self._local_scores(head, looked, texts, chosen, there))
        if self._loss.global_:
            global_ = self._of(self._global_scores(head, looked, texts, chosen))
        return Losses(self._total(local, global_), local, global_)

    def _total(self, local: Tensor | None, global_: Tensor | None) -> Tensor:
        weighed: Iterable[Tensor] = (
            weight * loss
            for weight, loss in ((self._loss.local, local), (self._loss.global_, global_))
            if loss is not None
        )
        return torch.stack(list(weighed)).sum()

    def _of(self, scores: Tensor) -> Tensor:
        return eq1(scores, self._loss.margin) if self._variant == "paper" else nce(scores)

    def _local_scores(
        self, head: Branches, looked: Looked, texts: Texts, chosen: Tensor, there: Tensor
    ) -> Tensor:
        """Videos by texts of all processes."""
        if self._variant == "paper":
            chosen = _only_there(chosen, there)
        regions = _taken(looked.regions, chosen).flatten(1, 2)
        own = pair_scores(
            head, regions, gathered(texts.words), gathered(texts.mask), variant=self._variant
        )
        return gathered(precise(own))

    def _global_scores(
        self, head: Branches, looked: Looked, texts: Texts, chosen: Tensor
    ) -> Tensor:
        """Texts by videos of all processes."""
        frames, present = looked.frames, looked.present
        if self._variant == "paper":
            frames, present = _taken(frames, chosen), _taken(present, chosen)
        videos = head.global_video(_mean(frames, present))
        wholes = head.global_text(texts.whole)
        with torch.autocast(videos.device.type, enabled=False):
            # Large and close scores are told apart: not a product for half precision.
            return gathered(precise(wholes)) @ gathered(precise(videos)).T


@torch.no_grad()
def _chosen(
    head: Branches, looked: Looked, texts: Texts, selection: Selection
) -> tuple[Tensor, Tensor]:
    """The frames that are trained on, B x T, and which of them are there."""
    if selection.method == "none":
        everything = torch.arange(looked.present.shape[1], device=looked.present.device)
        return everything.expand_as(looked.present), looked.present
    with torch.autocast(looked.frames.device.type, enabled=False):
        scores = similarity(
            _embeddings(head, looked, texts, selection),
            selection.granularity,
            temperature=selection.temperature,
        )
    # Whole texts are compared as one word each, that is always there.
    by_words = not selection.granularity.startswith("text-")
    found = select_frames(
        scores,
        selection.keep,
        selection.method,
        word_mask=texts.mask if by_words else None,
        frame_mask=looked.present,
        epsilon=selection.epsilon,
        iterations=selection.iterations,
    )
    return found.indices, found.mask


def _embeddings(head: Branches, looked: Looked, texts: Texts, selection: Selection) -> Embeddings:
    """What is compared; where no regions are, the frames stand in for them, for their shape."""
    by_regions = selection.granularity in ("text-region", "word-region", "average")
    values = Embeddings(
        text=precise(texts.whole),
        words=precise(texts.words),
        frames=precise(looked.frames),
        regions=precise(looked.cells if by_regions else looked.frames[:, :, None]),
    )
    if selection.through == "head":
        return Embeddings(
            head.global_text(values.text),
            head.global_text(values.words),
            head.global_video(values.frames),
            head.global_video(values.regions),
        )
    if values.frames.shape[-1] != values.words.shape[-1]:
        raise InputError(
            "selection.through is backbone, but this backbone has frames of "
            f"{values.frames.shape[-1]} dimensions and words of {values.words.shape[-1]}: "
            "set it to head"
        )
    return values


def _only_there(chosen: Tensor, there: Tensor) -> Tensor:
    """The chosen frames (B x T) that are there, in turn where they are fewer than T.

    Where T is a multiple of their number this changes nothing: attention and means are those
    of the frames that are there alone. Where none is there, all stay.
    """
    count = there.sum(dim=1, keepdim=True)
    # Those that are there come first, in their order.
    first = (~there).to(torch.uint8).argsort(dim=1, stable=True)
    turns = torch.arange(chosen.shape[1], device=chosen.device) % count.clamp(min=1)
    repeated = chosen.gather(1, first.gather(1, turns.sort(dim=1).values))
    return torch.where(count > 0, repeated, chosen)


def _taken(values: Tensor, chosen: Tensor) -> Tensor:
    """B x T x ..., of B x U x ... and the indices of the frames."""
    rows = torch.arange(len(values), device=values.device)[:, None]
    return values[rows, chosen]


def _mean(frames: Tensor, present: Tensor) -> Tensor:
    """Over those that are there, B x width; over all where none is."""
    counted = present | ~present.any(dim=1, keepdim=True)
    weights = (counted / counted.sum(dim=1, keepdim=True)).to(frames.dtype)
    return (weights[:, None] @ frames).squeeze(1)
