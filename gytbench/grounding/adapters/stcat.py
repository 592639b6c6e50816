"""STCAT (Jin et al. 2022), trained on tubes: where in a clip; when and where in a video."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
import numpy as np
from msgspec import Meta

from gytbench.grounding.adapters.tube_finding import TubeFinder
from gytbench.grounding.adapters.windows import start_and_end
from gytbench.grounding.contract import Setup
from gytbench.metrics.arrays import Floats

if TYPE_CHECKING:
    from torch import Tensor

    from gytbench.models.stcat import Stcat

MAX_FRAMES = 128
"""Of a window, as in the published test: half of them go through the network together."""


class StcatSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How frames and texts are given, and how a video is cut into windows."""

    resolution: Annotated[int, Meta(ge=32, le=1024)] = 448
    """The shorter side of a frame in pixels, as in the checkpoint's training (`res`)."""
    fps: Annotated[float, Meta(gt=0, le=100)] = 5.0
    """Frames a second; of more than 128 in a window, 128 are taken evenly. The rate is that
    of TubeDETR (unverified for STCAT)."""
    window: Annotated[int, Meta(ge=1)] = 40
    """Seconds of an untrimmed video that are looked at together."""
    hop: Annotated[int, Meta(ge=1)] = 20
    """Seconds from the start of a window to that of the next."""
    prompt: str = "{}"
    """The text for a query; {} stands for the query. All of it is made lower case."""


class StcatGrounder(TubeFinder):
    """STCAT: for a description, a box in each frame, and where it begins and ends.

    Source: jy0205/STCAT. As in its test, every other frame of up to 128 goes through the
    network by itself, first the even, then the odd ones. Their boxes together, joined
    linearly, give that of each second; the tube begins with the earlier of the two starts
    and ends with the later of the two ends. Of a trimmed clip start and end are given. An
    untrimmed video is looked at window by window; a tube's score is the mean of the two
    halves' logarithms of the probability of start and end over chance. Of tubes of one
    description that share a time, the best is kept. No paper says how it was run on whole
    videos.
    """

    Settings: ClassVar = StcatSettings
    most: ClassVar[int] = MAX_FRAMES
    longest: ClassVar[float] = 720 / 448
    roles: ClassVar[dict[str, str]] = {
        "checkpoint": "a checkpoint of jy0205/STCAT",
        "vocabulary": "the ids of roberta-base's tokens (vocab.json)",
        "merges": "the byte pairs of roberta-base's tokens (merges.txt)",
    }
    _model: "Stcat"

    def load(self, checkpoint: Path, setup: Setup) -> "Stcat":
        """The network with the weights of a checkpoint."""
        from gytbench.models.stcat import load_stcat

        return load_stcat(checkpoint, setup.device, setup.half)

    def find(self, cells: "Tensor", tokens: "Tensor") -> "tuple[Tensor, Tensor]":
        """Boxes and logits of all frames, the even and the odd ones found by themselves."""
        boxes, logits = cells.new_empty(len(cells), 4), cells.new_empty(len(cells), 2)
        for half in _halves(len(cells)):
            boxes[half], logits[half], _ = self._model.find(cells[half], tokens)
        return boxes, logits

    def span(self, logits: Floats) -> tuple[int, int, float]:
        """The earlier of the halves' starts, the later of their ends, their mean score."""
        halves = _halves(len(logits))
        found = [start_and_end(logits[half]) for half in halves]
        first = min(half.start + 2 * each[0] for half, each in zip(halves, found, strict=True))
        last = max(half.start + 2 * each[1] for half, each in zip(halves, found, strict=True))
        return first, last, sum(each[2] for each in found) / len(found)

    def boxes_at(self, boxes: Floats, window: range, seconds: range) -> Floats:
        """The boxes of seconds, linear between those of the frames before and after."""
        times = window.start + np.arange(len(boxes)) * (len(window) / len(boxes))
        return np.stack([np.interp(seconds, times, side) for side in boxes.T], axis=1)

    def text_of(self, query: str) -> str:
        """The prompt in lower case, as the sentences of the training were."""
        return super().text_of(query).lower()


def _halves(count: int) -> list[slice]:
    """The even and the odd ones of so many frames; of a single frame it alone."""
    return [slice(start, count, 2) for start in range(min(count, 2))]
