"""TubeDETR (Yang et al. 2022), trained on tubes: where in a clip; when and where in a video."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec import Meta

from gytbench.grounding.adapters.tube_finding import TubeFinder
from gytbench.grounding.contract import Setup

if TYPE_CHECKING:
    from torch import Tensor

    from gytbench.models.tube_detr import TubeDetr


class TubeDetrSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the weights were trained with, and how a video is cut into windows."""

    resolution: Annotated[int, Meta(ge=32, le=1024)] = 352
    """The shorter side of a frame in pixels, as in the checkpoint's training (`res`)."""
    stride: Annotated[int, Meta(ge=1, le=200)] = 4
    """One of so many frames is encoded with the text, as in the checkpoint's training (`k`)."""
    fps: Annotated[float, Meta(gt=0, le=100)] = 5.0
    """Frames a second, as in training; of more than 200 in a window, 200 are taken evenly."""
    window: Annotated[int, Meta(ge=1)] = 40
    """Seconds of an untrimmed video that are looked at together; with 5 frames a second
    40 are the most that are seen in full."""
    hop: Annotated[int, Meta(ge=1)] = 20
    """Seconds from the start of a window to that of the next."""
    prompt: str = "{}"
    """The text for a query; {} stands for the query."""


class TubeDetrGrounder(TubeFinder):
    """TubeDETR: for a description, a box in each frame, and where it begins and ends.

    Source: antoyang/TubeDETR. A trimmed clip is looked at as a whole, 5 frames a second
    up to 200, and the box of a second is that of the frame shown then; its start and end
    are given. An untrimmed video is looked at window by window. For each description a
    window has one tube: the likeliest start and end and the seconds that they touch. Its
    score is the logarithm of their probability over chance. Of tubes of one description
    that share a time, the best is kept. How the paper ran it on whole videos is not known.
    """

    Settings: ClassVar = TubeDetrSettings
    roles: ClassVar[dict[str, str]] = {
        "checkpoint": "a checkpoint of antoyang/TubeDETR",
        "vocabulary": "the ids of roberta-base's tokens (vocab.json)",
        "merges": "the byte pairs of roberta-base's tokens (merges.txt)",
    }
    most: ClassVar[int] = 200
    longest: ClassVar[float] = 5 / 3
    _model: "TubeDetr"
    _settings: TubeDetrSettings

    def __init__(self, settings: TubeDetrSettings, setup: Setup) -> None:
        """Load the weights. Raises `InputError` where they or the settings do not serve."""
        self._stride = settings.stride
        super().__init__(settings, setup)

    def load(self, checkpoint: Path, setup: Setup) -> "TubeDetr":
        """The network with the weights of a checkpoint."""
        from gytbench.models.tube_detr import load_tube_detr

        return load_tube_detr(checkpoint, setup.device, setup.half, self._stride)

    def find(self, cells: "Tensor", tokens: "Tensor") -> "tuple[Tensor, Tensor]":
        """Boxes, frames x 4, and logits, frames x 2, as the network gives them."""
        return self._model.find(cells, tokens)
