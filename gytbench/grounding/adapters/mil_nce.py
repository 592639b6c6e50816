"""MIL-NCE (Miech et al. 2020): a video network and a text tower trained on narrations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
import numpy as np
from msgspec import Meta

from gytbench.errors import InputError
from gytbench.grounding.adapters.needed import NEEDS_TORCH, needed_file
from gytbench.grounding.contract import Features, Sampling, Setup, Stretch
from gytbench.metrics.arrays import Floats

if TYPE_CHECKING:
    from torch import Tensor

_Even = Annotated[int, Meta(ge=2, multiple_of=2)]


class MilNceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How videos are sampled and texts read."""

    frames: _Even = 16
    """Frames of a clip; the weights were trained with 32, 16 do nearly as well."""
    fps: Annotated[float, Meta(gt=0)] = 5.0
    """Frames a second within a clip."""
    size: _Even = 224
    """Width and height of a frame in pixels."""
    max_words: Annotated[int, Meta(ge=1)] = 16
    """Words of a text that count; the rest is cut off."""
    lower_case: bool = True
    """Whether texts are lower-cased first, as in S3D_HowTo100M; MIL-NCE_HowTo100M does not."""


class MilNceGrounder:
    """MIL-NCE's S3D-G: when by clips around each second, where by the cells of its last map.

    Source: antoine77340/S3D_HowTo100M. Frames are scaled to [0, 1], no more. A clip is
    centred on the start of its second, at which the second's frame is annotated. The
    score is the dot product of a clip's embedding and the text's.

    The heatmaps are this package's choice, as none are published: every cell of mixed_5c
    goes through the layer that makes the embedding of their mean, and is multiplied with
    the text's embedding. Of the clip's time steps the one or two in its middle are
    averaged, so that with 16 frames (two steps) the mean of a heatmap is the score.

    A query without a known word has the embedding of pads alone: all such queries get
    the same scores and heatmaps.
    """

    Settings: ClassVar = MilNceSettings
    extra: ClassVar[str] = "models"
    roles: ClassVar[dict[str, str]] = {
        "checkpoint": "weights of S3D-G (s3d_howto100m.pth, or of MIL-NCE_HowTo100M)",
        "dictionary": "the words that the weights know (s3d_dict.npy)",
    }

    def __init__(self, settings: MilNceSettings, setup: Setup) -> None:
        """Load weights and words. Raises `InputError` where they are missing or others."""
        try:
            from gytbench.models.s3d import load_s3d
            from gytbench.models.words import load_dictionary
        except ImportError:
            raise InputError(NEEDS_TORCH) from None
        self._settings = settings
        self._device = setup.device
        checkpoint = needed_file(setup, self.roles, "checkpoint")
        dictionary = needed_file(setup, self.roles, "dictionary")
        self._model = load_s3d(checkpoint, setup.device, setup.half)
        rows = self._model.text_module.word_embd.num_embeddings
        self._words = load_dictionary(dictionary, rows, settings.lower_case)

    @property
    def sampling(self) -> Sampling:
        """A clip for each second, half of its frames before the second begins."""
        settings = self._settings
        return Sampling(
            size=(settings.size, settings.size),
            frames=settings.frames,
            fps=settings.fps,
            lead=settings.frames // 2,
        )

    def encode(self, clips: np.ndarray) -> Features:
        """`clip`, n x 512, and `cells`, n x rows x columns x 512; both float32."""
        import torch

        from gytbench.models.s3d import as_video

        with torch.inference_mode():
            cells = self._model.feature_map(as_video(clips, self._device))
            steps = cells.shape[2]
            middle = cells[:, :, (steps - 1) // 2 : steps // 2 + 1].mean(dim=2)
            clip = self._model.fc(cells.mean(dim=(2, 3, 4)))
            projected = self._model.fc(middle.permute(0, 2, 3, 1))
        return {"clip": clip.cpu().numpy(), "cells": projected.cpu().numpy()}

    def frame_scores(self, stretch: Stretch, queries: Sequence[str]) -> Floats:
        """Dot products of clips and texts, seconds x queries."""
        return stretch.by_second(stretch.features["clip"].astype(float) @ self._texts(queries).T)

    def heatmaps(self, stretch: Stretch, query: str) -> Floats:
        """Dot products of cells and the text, seconds x rows x columns."""
        (text,) = self._texts([query])
        heat: Floats = stretch.by_second(stretch.features["cells"]).astype(float) @ text
        return heat

    def _texts(self, queries: Sequence[str]) -> Floats:
        import torch

        ids = torch.from_numpy(self._words.ids(queries, self._settings.max_words))
        with torch.inference_mode():
            embeddings: Tensor = self._model.text_module(ids.to(self._device))
        return embeddings.cpu().numpy().astype(float)
