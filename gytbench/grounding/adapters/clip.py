"""CLIP (Radford et al. 2021), as it is: no training on videos, each second by itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
import numpy as np

from gytbench.errors import InputError
from gytbench.grounding.adapters.needed import NEEDS_TORCH, needed_file
from gytbench.grounding.contract import Features, Sampling, Setup, Stretch
from gytbench.metrics.arrays import Floats

if TYPE_CHECKING:
    from torch import Tensor


_AT_ONCE = 64  # seconds whose gradients are held at a time


class ClipSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How heatmaps are made, and how images and texts are given."""

    heatmap: Literal["tokens", "maskclip", "gradcam"] = "tokens"
    """`tokens`: cosine of the projected patch tokens with the text, for vision transformers;
    `maskclip`: the same without the last attention (Zhou et al. 2022); `gradcam`: the
    gradient of the image's cosine with the text (Selvaraju et al. 2017)."""
    normalise: Literal["clip", "none"] = "clip"
    """`clip`: pixels by CLIP's mean and deviation; `none`: in [0, 1], as the code of Chen
    et al. has them."""
    prompt: str = "{}"
    """The text for a query; {} stands for the query."""
    activation: Literal["quick_gelu", "gelu"] = "quick_gelu"
    """What the weights were trained with: `quick_gelu` OpenAI's, `gelu` LAION's. The file
    does not tell."""


class ClipGrounder:
    """CLIP, zero-shot: when by the image's cosine with the text, where by that of its cells.

    Source: openai/CLIP. Weights in the layouts of openai/CLIP, open_clip and Hugging Face,
    ViT or ResNet. One frame a second is stretched to the square that the weights take.
    The paper does not say how its heatmaps of CLIP were made: all three are readings.
    """

    Settings: ClassVar = ClipSettings
    extra: ClassVar[str] = "models"
    roles: ClassVar[dict[str, str]] = {
        "checkpoint": "CLIP's weights, as of openai/CLIP, open_clip or Hugging Face"
    }

    def __init__(self, settings: ClipSettings, setup: Setup) -> None:
        """Load the weights. Raises `InputError` where they or the settings do not serve."""
        try:
            from gytbench.models.clip import check_tokens, load_clip
        except ImportError:
            raise InputError(NEEDS_TORCH) from None
        if "{}" not in settings.prompt:
            raise InputError(f"the prompt {settings.prompt!r} has no {{}} for the query")
        path = needed_file(setup, self.roles, "checkpoint")
        self._model = load_clip(path, setup.device, setup.half, settings.activation)
        if settings.heatmap == "tokens":
            check_tokens(self._model)
        self._settings = settings
        self._device = setup.device
        self._texts: dict[str, Tensor] = {}
        self._model.tokenize([""])  # tells at once where the vocabulary is missing

    @property
    def sampling(self) -> Sampling:
        """One frame a second, stretched to a square."""
        return Sampling(size=(self._model.size, self._model.size))

    def encode(self, clips: np.ndarray) -> Features:
        """`global`: clips x width, float32; and what heatmaps are made of, float16.

        That is `cells`, clips x rows x columns x width, each of unit length; or, for
        Grad-CAM, `trunk`, what the network has before the step that has the gradient.
        """
        import torch

        with torch.inference_mode():
            pixels = self._pixels(clips)
            if self._settings.heatmap == "gradcam":
                trunk = self._model.trunk(pixels)
                image = self._model.image_of(trunk)
                return {"global": _numpy(image), "trunk": _numpy(trunk.half())}
            image, cells = self._model.encode_image(pixels, self._settings.heatmap)
            unit = torch.nn.functional.normalize(cells, dim=-1).half()
        side = self._model.grid
        return {"global": _numpy(image), "cells": _numpy(unit).reshape(len(clips), side, side, -1)}

    def frame_scores(self, stretch: Stretch, queries: Sequence[str]) -> Floats:
        """The cosine of each second's image with each query, seconds x queries."""
        images = stretch.by_second(stretch.features["global"]).astype(float)
        images /= np.maximum(np.linalg.norm(images, axis=1, keepdims=True), 1e-12)
        texts = np.array([self._unit_text(query) for query in queries])
        scores: Floats = images @ texts.reshape(len(queries), images.shape[1]).T
        return scores

    def heatmaps(self, stretch: Stretch, query: str) -> Floats:
        """Of cells the cosine with the query, or Grad-CAM's map; seconds x rows x columns."""
        if self._settings.heatmap == "gradcam":
            return self._gradient_maps(stretch.by_second(stretch.features["trunk"]), query)
        cells = stretch.by_second(stretch.features["cells"]).astype(np.float32)
        cosines: Floats = (cells @ self._unit_text(query).astype(np.float32)).astype(float)
        return cosines

    def _gradient_maps(self, trunk: np.ndarray, query: str) -> Floats:
        import torch

        text = self._text(query)
        maps = [
            self._model.gradient_map(torch.from_numpy(some).to(self._device), text)
            for some in np.split(trunk, range(_AT_ONCE, len(trunk), _AT_ONCE))
        ]
        return _numpy(torch.cat(maps)).astype(float)

    def _pixels(self, clips: np.ndarray) -> "Tensor":
        """n x 3 x height x width, normalised, of n x 1 x height x width x 3."""
        import torch

        from gytbench.models.clip import normalised

        frames = torch.from_numpy(np.ascontiguousarray(clips[:, 0])).to(self._device)
        pixels = frames.permute(0, 3, 1, 2).float() / 255
        return normalised(pixels) if self._settings.normalise == "clip" else pixels

    def _text(self, query: str) -> "Tensor":
        """The embedding of a query (width); kept, for queries come again."""
        import torch

        if query not in self._texts:
            prompt = self._settings.prompt.replace("{}", query)
            with torch.inference_mode():
                ids = self._model.tokenize([prompt])
                self._texts[query] = self._model.encode_text(ids).text[0]
        return self._texts[query]

    def _unit_text(self, query: str) -> np.ndarray:
        text = _numpy(self._text(query)).astype(float)
        unit: np.ndarray = text / max(float(np.linalg.norm(text)), 1e-12)
        return unit


def _numpy(tensor: "Tensor") -> np.ndarray:
    array: np.ndarray = tensor.cpu().numpy()
    return array
