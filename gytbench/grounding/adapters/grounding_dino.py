"""Grounding DINO (Liu et al. 2023), a detector that reads captions: not in the paper."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
import numpy as np
from msgspec import Meta

from gytbench.errors import InputError
from gytbench.grounding.adapters.detecting import FrameDetector
from gytbench.grounding.adapters.needed import NEEDS_TORCH, needed_file
from gytbench.grounding.contract import Setup
from gytbench.metrics.arrays import Floats

if TYPE_CHECKING:
    from torch import Tensor

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's


class GroundingDinoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The size of the frames that the network sees."""

    short_side: Annotated[int, Meta(ge=224, le=4096)] = 800
    """Pixels of the shorter side, where the longer one allows it."""
    long_side: Annotated[int, Meta(ge=448, le=4096)] = 1333
    """Pixels of the longer side at most."""


class GroundingDinoGrounder(FrameDetector):
    """Grounding DINO (not in the paper): each second's best box for each query, and its score.

    Source: Liu et al. 2023, Grounding DINO: Marrying DINO with Grounded Pre-Training; the
    network is that of transformers. A frame's shorter side is resized to 800 pixels, or its
    longer one to 1333. Queries are lower-cased and joined with dots to captions of at most
    256 tokens, none split; the backbone sees a frame once and the text encoder a caption
    once, the rest runs for every pair, so that a score depends a little on the other queries
    of its caption. A box's score for a query is the mean of its tokens' sigmoids, as in the
    authors' evaluation on COCO: with the maximum, "egg" alone would do for "crack egg".
    """

    Settings: ClassVar = GroundingDinoSettings
    extra: ClassVar[str] = "open-vocabulary"
    roles: ClassVar[dict[str, str]] = {
        "checkpoint": "Grounding DINO's weights, model.safetensors in Hugging Face's layout",
        "config": "the config.json that came with the weights",
        "vocabulary": "the vocab.txt that came with the weights, that of bert-base-uncased",
    }

    def __init__(self, settings: GroundingDinoSettings, setup: Setup) -> None:
        """Load the weights. Raises `InputError` where the files do not serve."""
        try:
            from gytbench.models.grounding_dino import GroundingDino
        except ImportError:
            raise InputError(NEEDS_TORCH) from None
        checkpoint, config, vocabulary = (
            needed_file(setup, self.roles, role) for role in self.roles
        )
        self._network = GroundingDino(checkpoint, config, vocabulary, setup.device, setup.half)
        self._settings = settings

    def detect(self, frame: np.ndarray, queries: Sequence[str]) -> tuple[Floats, Floats]:
        """The score and box of the best detection of each query, as `FrameDetector` has it."""
        found = self._network.detect(self._pixels(frame), queries)
        scores, boxes = np.full(len(queries), -np.inf), np.full((len(queries), 4), np.nan)
        for row, query in enumerate(queries):
            if query in found:
                scores[row], box = found[query]
                boxes[row] = box.numpy()
        return scores, boxes

    def _pixels(self, frame: np.ndarray) -> "Tensor":
        """The frame as the network takes it: 3 x height x width, normalised."""
        import torch
        from PIL import Image

        size = self._size(frame.shape[1], frame.shape[0])
        image = Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR)
        pixels = torch.tensor(np.asarray(image)).permute(2, 0, 1).float() / 255
        mean, deviation = (torch.tensor(each)[:, None, None] for each in (_MEAN, _DEVIATION))
        return (pixels - mean) / deviation

    def _size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after resizing; the longer side is rounded down, as in DETR."""
        short, long = min(width, height), max(width, height)
        to = min(self._settings.short_side, round(self._settings.long_side * short / long))
        longer = max(1, to * long // short)
        return (longer, max(1, to)) if width >= height else (max(1, to), longer)
