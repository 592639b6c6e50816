"""CoMMA (Tan et al. 2021): narrations attend to regions of videos, on S3D or on CLIP."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta

from gytbench.errors import InputError
from gytbench.grounding.adapters.attending import (
    Backbone,
    OnClip,
    OnS3D,
    maps_by_step,
    time_steps,
)
from gytbench.grounding.adapters.needed import NEEDS_TORCH, needed_file
from gytbench.grounding.contract import Features, Sampling, Setup, Stretch
from gytbench.metrics.arrays import Floats

if TYPE_CHECKING:
    from gytbench.models.cross_attention import Head

_ROLES = {
    "checkpoint": "CoMMA's weights: network and head (S3D), or the head alone (CLIP)",
    "dictionary": "with backbone s3d: the words that the weights know (s3d_dict.npy)",
    "backbone": "with backbone clip: CLIP's weights, in the layout of openai/CLIP",
}


class CommaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which CoMMA it is, and how texts are read."""

    backbone: Literal["s3d", "clip"] = "s3d"
    """The network below the head."""
    max_words: Annotated[int, Meta(ge=1)] = 20
    """Words of a text that count, with backbone s3d; CLIP has 20."""
    lower_case: bool = False
    """Whether texts are lower-cased first, with backbone s3d; the published code does not."""
    compat: Literal["fixed", "official"] = "fixed"
    """`official`: the attention among regions is random, as in the published evaluation,
    which does not load it."""
    seed: int = 0
    """Of the random values of `official`."""


class CommaGrounder:
    """CoMMA: where by attention between words and regions, when by the score of the pair.

    Source: rxtan2/video-grounding-narrations, and brian7685/GroundingYouTube for CLIP.
    Frames are stretched to the network's square and scaled to [0, 1], no more.

    Heatmaps are the published ones: one frame a second, in clips of 16 seconds from the
    first second on, filled up with black; the attention from regions by way of words back
    to regions; S3D's two steps of a clip are joined linearly over time.

    How CoMMA says when is not published. Here, unverified: a second's score is that
    which training gives to a pair, V.T of the second's own regions and the query. S3D
    has one set of regions for eight seconds.

    A query without a known word is read as one pad (with CLIP, an empty one as the end of
    a text); all such queries get the same answers.
    """

    Settings: ClassVar = CommaSettings
    extra: ClassVar[str] = "models"
    roles: ClassVar[dict[str, str]] = _ROLES

    def __init__(self, settings: CommaSettings, setup: Setup) -> None:
        """Load weights and words. Raises `InputError` where they are missing or others."""
        try:
            from gytbench.models.comma import forget_visual_attention
        except ImportError:
            raise InputError(NEEDS_TORCH) from None
        on_clip = settings.backbone == "clip"
        self._backbone, self._head = _on_clip(setup) if on_clip else _on_s3d(settings, setup)
        self._stored = np.float32 if on_clip else np.float16
        if settings.compat == "official":
            forget_visual_attention(self._head, settings.seed)

    @property
    def sampling(self) -> Sampling:
        """S3D: clips of 16 frames, one a second; CLIP: a frame for each second."""
        return self._backbone.sampling

    def encode(self, clips: np.ndarray) -> Features:
        """`cells`: n x steps x rows x columns x width, float16 (S3D) or float32 (CLIP)."""
        import torch

        with torch.inference_mode():
            _, cells = self._backbone.look(clips)
        return {"cells": cells.cpu().numpy().astype(self._stored)}

    def frame_scores(self, stretch: Stretch, queries: Sequence[str]) -> Floats:
        """V.T of each second's regions and each query, seconds x queries."""
        import torch

        from gytbench.models.cross_attention import pair_scores

        steps = time_steps(stretch, self._backbone.device)
        with torch.inference_mode():
            texts = self._backbone.texts(queries)
            scores = pair_scores(self._head, steps.flatten(1, 2), texts.words, texts.mask)
        by_step = scores.cpu().numpy().astype(float)
        seconds = stretch.stride // stretch.features["cells"].shape[1]
        return stretch.by_second(by_step.repeat(seconds, axis=0))

    def heatmaps(self, stretch: Stretch, query: str) -> Floats:
        """The attention's rollout, seconds x rows x columns; each clip's steps sum to 1."""
        import torch

        from gytbench.models.cross_attention import rollout

        with torch.inference_mode():
            steps = self._backbone.filled(time_steps(stretch, self._backbone.device))
            words, mask, _ = self._backbone.texts([query])
            maps = maps_by_step(
                steps,
                self._backbone.steps,
                lambda regions: rollout(self._head, regions, words, mask),
            )
            by_second = self._backbone.by_second(maps)
        return stretch.by_second(by_second.cpu().numpy().astype(float))


def _on_s3d(settings: CommaSettings, setup: Setup) -> "tuple[Backbone, Head]":
    """CoMMA as published, with the trunk of S3D."""
    from gytbench.models.comma import load_comma
    from gytbench.models.words import load_dictionary

    checkpoint = needed_file(setup, _ROLES, "checkpoint")
    dictionary = needed_file(setup, _ROLES, "dictionary")
    model = load_comma(checkpoint, setup.device, setup.half)
    rows = model.text_module.word_embd.num_embeddings
    words = load_dictionary(dictionary, rows, settings.lower_case)
    return OnS3D(model, words, settings.max_words), model


def _on_clip(setup: Setup) -> "tuple[Backbone, Head]":
    """CoMMA's head on the tokens of CLIP's ViT, as Chen et al. trained it."""
    from gytbench.models.clip import check_tokens, load_clip
    from gytbench.models.comma import check_fits, load_clip_head

    checkpoint = needed_file(setup, _ROLES, "checkpoint")
    model = load_clip(needed_file(setup, _ROLES, "backbone"), setup.device, setup.half)
    check_tokens(model)
    head = load_clip_head(checkpoint, setup.device)
    check_fits(head, model.width, checkpoint)
    return OnClip(model), head
