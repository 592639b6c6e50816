"""OWLv2 (Minderer et al. 2023), an open-vocabulary detector: not in the paper."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
import numpy as np

from gytbench.errors import InputError
from gytbench.grounding.adapters.detecting import FrameDetector
from gytbench.grounding.adapters.needed import NEEDS_TORCH, needed_file
from gytbench.grounding.contract import Setup
from gytbench.metrics.arrays import Floats

if TYPE_CHECKING:
    from torch import Tensor

_TEXTS_AT_ONCE = 64
_GREY = 0.5


class Owlv2Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How queries are worded."""

    prompt: str = "{}"
    """The text for a query; {} stands for the query. Its authors' is "a photo of a {}"."""


class Owlv2Grounder(FrameDetector):
    """OWLv2 (not in the paper): each second's best box for each query, and its score.

    Source: Minderer et al. 2023, Scaling Open-Vocabulary Object Detection; the network is
    that of transformers. A frame is padded with grey to a square at its right or bottom,
    resized to the size that the weights take (960 for the published ones), and given
    CLIP's mean and deviation. Each patch proposes a box; a query's score is the sigmoid of
    its highest logit among the patches that show some of the frame, and its box is clipped
    to the frame. A text is cut after 16 tokens. Neither depends on the other queries.
    """

    Settings: ClassVar = Owlv2Settings
    extra: ClassVar[str] = "open-vocabulary"
    roles: ClassVar[dict[str, str]] = {
        "checkpoint": "OWLv2's weights, model.safetensors in Hugging Face's layout",
        "config": "the config.json that came with the weights",
    }

    def __init__(self, settings: Owlv2Settings, setup: Setup) -> None:
        """Load the weights. Raises `InputError` where they or the settings do not serve."""
        try:
            from gytbench.models import hugging_face
            from gytbench.models.clip_tokens import tokenizer
        except ImportError:
            raise InputError(NEEDS_TORCH) from None
        if "{}" not in settings.prompt:
            raise InputError(f"the prompt {settings.prompt!r} has no {{}} for the query")
        checkpoint, path = (needed_file(setup, self.roles, role) for role in self.roles)
        kind = hugging_face.transformers_class("Owlv2ForObjectDetection")
        described = hugging_face.read_config(path, "owlv2")
        config = hugging_face.config_of(kind, described, path)
        self._network = hugging_face.load_network(
            kind, config, checkpoint, setup.device, setup.half
        )
        self._prompt = settings.prompt
        self._texts: dict[str, Tensor] = {}
        tokenizer()  # tells at once where the vocabulary is missing

    def detect(self, frame: np.ndarray, queries: Sequence[str]) -> tuple[Floats, Floats]:
        """The score and box of the best patch for each query, as `FrameDetector` has it."""
        import torch

        height, width = frame.shape[:2]
        with torch.inference_mode():
            logits, boxes = self._patches(frame, self._embedded(queries))
            best, at = logits.max(dim=0)
            # The network's boxes are in parts of the padded square.
            scale = max(height, width) / torch.tensor([width, height], dtype=torch.float64)
            centres, sizes = (boxes[at] * scale.repeat(2)).split(2, dim=1)
            corners = torch.cat((centres - sizes / 2, centres + sizes / 2), dim=1).clamp(0, 1)
        return best.sigmoid().numpy(), corners.numpy()

    def _patches(self, frame: np.ndarray, texts: "Tensor") -> "tuple[Tensor, Tensor]":
        """Of each patch of the frame the logits, patches x queries, and the box.

        Boxes are centre and size, in parts of the padded square.
        """
        weight = next(self._network.parameters())
        size = int(self._network.config.vision_config.image_size)
        pixels = _pixels(frame, size).to(weight)[None]
        grid, _ = self._network.image_embedder(pixels)
        patches = grid.flatten(1, 2)
        logits, _ = self._network.class_predictor(patches, texts[None])
        boxes = self._network.box_predictor(patches, grid)
        # Patches in the padding propose boxes too.
        count = grid.shape[1]
        rows, columns = (-(-count * side // max(frame.shape[:2])) for side in frame.shape[:2])
        logits, boxes = (
            each[0].double().cpu().unflatten(0, (count, count))[:rows, :columns].flatten(0, 1)
            for each in (logits, boxes)
        )
        return logits, boxes

    def _embedded(self, queries: Sequence[str]) -> "Tensor":
        """The embeddings of queries, queries x width; kept, for a pool is asked every second."""
        import torch

        new = [query for query in queries if query not in self._texts]
        for start in range(0, len(new), _TEXTS_AT_ONCE):
            some = new[start : start + _TEXTS_AT_ONCE]
            self._texts.update(zip(some, self._encoded(some), strict=True))
        return torch.stack([self._texts[query] for query in queries])

    def _encoded(self, queries: Sequence[str]) -> "Tensor":
        from gytbench.models.clip_tokens import tokenize

        model = self._network.owlv2
        context = int(self._network.config.text_config.max_position_embeddings)
        ids = tokenize([self._prompt.replace("{}", query) for query in queries], context)
        ids = ids.to(next(self._network.parameters()).device)
        encoded: Tensor = model.text_projection(model.text_model(input_ids=ids).pooler_output)
        return encoded


def _pixels(frame: np.ndarray, size: int) -> "Tensor":
    """The frame as the network takes it: 3 x size x size, normalised."""
    import torch
    from torch.nn import functional

    from gytbench.models.clip import normalised

    height, width = frame.shape[:2]
    side = max(height, width)
    pixels = torch.tensor(frame).permute(2, 0, 1)[None].float() / 255
    square = functional.pad(pixels, (0, side - width, 0, side - height), value=_GREY)
    smooth = _smoothed(square, sigma=(side / size - 1) / 2)
    resized = functional.interpolate(smooth, (size, size), mode="bilinear", align_corners=False)
    return normalised(resized)[0]


def _smoothed(square: "Tensor", sigma: float) -> "Tensor":
    """A square without what is too fine for it after it has shrunk, by a Gaussian.

    As scikit-image's `resize`, which its authors used, has it.
    """
    import torch
    from torch.nn import functional

    radius = int(4 * sigma + 0.5)
    if radius < 1:
        return square
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(3, 1, 1, -1)
    padded = functional.pad(square, (radius,) * 4, mode="reflect")
    rows = functional.conv2d(padded, kernel, groups=3)
    return functional.conv2d(rows, kernel.transpose(2, 3), groups=3)
