"""CoMMA (Tan et al. 2021): narrations attend to regions of videos, on S3D or on CLIP."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Protocol

import msgspec
import numpy as np
from msgspec import Meta

from gytbench.errors import InputError
from gytbench.grounding.adapters.needed import NEEDS_TORCH, needed_file
from gytbench.grounding.contract import Features, Sampling, Setup, Stretch
from gytbench.metrics.arrays import Floats

if TYPE_CHECKING:
    from torch import Tensor

    from gytbench.models.cross_attention import Head

CLIP_SECONDS = 16
"""The seconds that regions are looked at together, with one frame for each."""

_ROLES = {
    "checkpoint": "CoMMA's weights: network and head (S3D), or the head alone (CLIP)",
    "dictionary": "with backbone s3d: the words that the weights know (s3d_dict.npy)",
    "backbone": "with backbone clip: CLIP's weights, in the layout of openai/CLIP",
}

_AT_ONCE = 8  # clips of 16 seconds whose attention is held at a time


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
        self._backbone: _Backbone = _OnClip(setup) if on_clip else _OnS3D(settings, setup)
        self._device = setup.device
        if settings.compat == "official":
            forget_visual_attention(self._backbone.head, settings.seed)

    @property
    def sampling(self) -> Sampling:
        """S3D: clips of 16 frames, one a second; CLIP: a frame for each second."""
        return self._backbone.sampling

    def encode(self, clips: np.ndarray) -> Features:
        """`cells`: n x steps x rows x columns x width, float16 (S3D) or float32 (CLIP)."""
        return {"cells": self._backbone.encode(clips)}

    def frame_scores(self, stretch: Stretch, queries: Sequence[str]) -> Floats:
        """V.T of each second's regions and each query, seconds x queries."""
        import torch

        from gytbench.models.cross_attention import pair_scores

        steps = self._steps(stretch)
        with torch.inference_mode():
            words, mask = self._backbone.words(queries)
            scores = pair_scores(self._backbone.head, steps.flatten(1, 2), words, mask)
        by_step = scores.cpu().numpy().astype(float)
        return stretch.by_second(by_step.repeat(CLIP_SECONDS // self._backbone.steps, axis=0))

    def heatmaps(self, stretch: Stretch, query: str) -> Floats:
        """The attention's rollout, seconds x rows x columns; each clip's steps sum to 1."""
        import torch

        from gytbench.models.comma import clip_seconds
        from gytbench.models.cross_attention import rollout

        clips = self._backbone.in_clips(self._steps(stretch))
        with torch.inference_mode():
            words, mask = self._backbone.words([query])
            heat = torch.cat(
                [
                    rollout(self._backbone.head, some.flatten(1, 3), words, mask)
                    for some in torch.split(clips, _AT_ONCE)
                ]
            )
            maps = clip_seconds(heat.reshape(-1, *clips.shape[2:4]), len(clips), CLIP_SECONDS)
        return stretch.by_second(maps.cpu().numpy().astype(float))

    def _steps(self, stretch: Stretch) -> "Tensor":
        """The cells of all clips: time steps x rows x columns x width, float32."""
        import torch

        cells = stretch.features["cells"]
        return torch.from_numpy(cells.reshape(-1, *cells.shape[2:])).to(self._device).float()


class _Backbone(Protocol):
    """What differs between the networks below the head."""

    steps: int
    """Time steps of 16 seconds."""

    @property
    def head(self) -> "Head": ...

    @property
    def sampling(self) -> Sampling: ...

    def encode(self, clips: np.ndarray) -> np.ndarray:
        """Cells: n x steps of a clip x rows x columns x width."""

    def in_clips(self, steps: "Tensor") -> "Tensor":
        """Time steps by clips of 16 seconds: clips x steps x rows x columns x width."""

    def words(self, queries: Sequence[str]) -> "tuple[Tensor, Tensor]":
        """Vectors, queries x words x width, and the mask of those that are no pads."""


class _OnS3D:
    """CoMMA as published, with the trunk of S3D."""

    steps = 2
    sampling = Sampling(
        size=(224, 224), frames=CLIP_SECONDS, stride=CLIP_SECONDS, trimmed=True, black_after=True
    )

    def __init__(self, settings: CommaSettings, setup: Setup) -> None:
        from gytbench.models.comma import load_comma
        from gytbench.models.words import load_dictionary

        checkpoint = needed_file(setup, _ROLES, "checkpoint")
        dictionary = needed_file(setup, _ROLES, "dictionary")
        self.head = load_comma(checkpoint, setup.device, setup.half)
        rows = self.head.text_module.word_embd.num_embeddings
        self._dictionary = load_dictionary(dictionary, rows, settings.lower_case)
        self._max_words = settings.max_words
        self._device = setup.device

    def encode(self, clips: np.ndarray) -> np.ndarray:
        import torch

        from gytbench.models.s3d import as_video

        with torch.inference_mode():
            cells = self.head.feature_map(as_video(clips, self._device))
        return cells.permute(0, 2, 3, 4, 1).half().cpu().numpy()

    def in_clips(self, steps: "Tensor") -> "Tensor":
        return steps.reshape(-1, self.steps, *steps.shape[1:])

    def words(self, queries: Sequence[str]) -> "tuple[Tensor, Tensor]":
        import torch

        ids = torch.from_numpy(self._dictionary.ids(queries, self._max_words)).to(self._device)
        return self.head.text_module.word_vectors(ids), _at_least_one(ids != 0)


class _OnClip:
    """CoMMA's head on the tokens of CLIP's ViT, as Chen et al. trained it."""

    steps = CLIP_SECONDS

    def __init__(self, setup: Setup) -> None:
        from gytbench.models.clip import check_tokens, load_clip
        from gytbench.models.comma import check_fits, load_clip_head

        checkpoint = needed_file(setup, _ROLES, "checkpoint")
        backbone = needed_file(setup, _ROLES, "backbone")
        self._clip = load_clip(backbone, setup.device, setup.half)
        check_tokens(self._clip)
        self.head = load_clip_head(checkpoint, setup.device)
        check_fits(self.head, self._clip.width, checkpoint)
        self._device = setup.device
        self.sampling = Sampling(size=(self._clip.size, self._clip.size))

    def encode(self, clips: np.ndarray) -> np.ndarray:
        import torch

        from gytbench.models.s3d import as_video

        with torch.inference_mode():
            _, tokens = self._clip.encode_image(as_video(clips, self._device)[:, :, 0])
        cells: np.ndarray = tokens.cpu().numpy()
        return cells.reshape(len(clips), 1, self._clip.grid, self._clip.grid, -1)

    def in_clips(self, steps: "Tensor") -> "Tensor":
        import torch

        # The published evaluation ends a video with black frames, and looks at them too.
        black = torch.from_numpy(self._black).to(steps)[0]
        filled = torch.cat([steps, black.expand(-len(steps) % self.steps, *black.shape[1:])])
        return filled.reshape(-1, self.steps, *steps.shape[1:])

    def words(self, queries: Sequence[str]) -> "tuple[Tensor, Tensor]":
        from gytbench.models.clip_tokens import tokenize

        ids = tokenize(queries, self._clip.context).to(self._device)
        features = self._clip.encode_text(ids)
        return features.tokens, _at_least_one(features.mask)

    @cached_property
    def _black(self) -> np.ndarray:
        width, height = self.sampling.size
        return self.encode(np.zeros((1, 1, height, width, 3), dtype=np.uint8))


def _at_least_one(mask: "Tensor") -> "Tensor":
    """The mask with the first word of each text that has none."""
    mask = mask.clone()
    mask[:, 0] |= ~mask.any(dim=1)
    return mask
