"""Grounding with a network that finds the tube of a description: TubeDETR and STCAT."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from gytbench.errors import InputError
from gytbench.grounding.adapters.detecting import no_number
from gytbench.grounding.adapters.needed import NEEDS_TORCH, needed_file
from gytbench.grounding.adapters.windows import (
    asked_by_window,
    frame_size,
    frame_times,
    frames_shown,
    pixels,
    seconds_touched,
    start_and_end,
    without_rivals,
)
from gytbench.grounding.contract import Asked, Request, Setup
from gytbench.grounding.inference import place_of_boxes
from gytbench.metrics.arrays import Floats
from gytbench.predictions import Tube

if TYPE_CHECKING:
    from torch import Tensor

    from gytbench.videos import FrameSource

    _Seen = dict[float, Tensor]  # the cells of frames by time

_AT_ONCE = 8  # frames that go through the backbone together


class WindowSettings(Protocol):
    """The settings that all such systems have."""

    @property
    def resolution(self) -> int:
        """The shorter side of a frame in pixels."""

    @property
    def fps(self) -> float:
        """Frames a second, as far as a window has no more than `TubeFinder.most`."""

    @property
    def window(self) -> int:
        """Seconds of an untrimmed video that are looked at together."""

    @property
    def hop(self) -> int:
        """Seconds from the start of a window to that of the next."""

    @property
    def prompt(self) -> str:
        """The text for a query; {} stands for the query."""


class Network(Protocol):
    """A network in three steps, of which the first two are shared."""

    def look(self, pixels: "Tensor") -> "Tensor":
        """What a frame shows, frame by frame."""

    def read(self, ids: "Tensor") -> "Tensor":
        """What a description says."""


class TubeFinder:
    """Looks at clips as a whole and at videos window by window.

    What the frames of a window show is shared by all descriptions, and by windows that
    overlap. To be extended with `load` and `find`; `span` and `boxes_at` may be replaced.
    """

    most: ClassVar[int]
    """Frames of a window."""
    longest: ClassVar[float]
    """Of a frame's sides to each other; beyond that frames are smaller."""
    extra: ClassVar[str] = "models"
    roles: ClassVar[dict[str, str]]
    """`checkpoint`, and the files of RoBERTa's tokenizer, `vocabulary` and `merges`."""

    def __init__(self, settings: WindowSettings, setup: Setup) -> None:
        """Load the weights. Raises `InputError` where they or the settings do not serve."""
        if settings.hop > settings.window:
            raise InputError("is longer than `window`: seconds would be left out", where="hop")
        if "{}" not in settings.prompt:
            raise InputError(f"the prompt {settings.prompt!r} has no {{}} for the query")
        checkpoint, vocabulary, merges = (needed_file(setup, self.roles, r) for r in self.roles)
        self._settings: WindowSettings = settings
        self._setup = setup
        self._texts: dict[str, Tensor] = {}
        try:
            from gytbench.models.bpe import load_byte_pairs

            self._tokens = load_byte_pairs(vocabulary, merges)
            self._model: Any = self.load(checkpoint, setup)
        except ImportError:
            raise InputError(NEEDS_TORCH) from None

    def load(self, checkpoint: Path, setup: Setup) -> Network:
        """The network; to be defined. Raises `InputError` as `__init__` does."""
        raise NotImplementedError

    def find(self, cells: "Tensor", tokens: "Tensor") -> "tuple[Tensor, Tensor]":
        """Of a window's frames and a description, boxes and logits; to be defined.

        Boxes are frames x 4: centre, width and height in fractions of the frame; logits are
        frames x 2, that the described begins at a frame, and that it ends there.
        """
        raise NotImplementedError

    def span(self, logits: Floats) -> tuple[int, int, float]:
        """The first and the last frame by logits, frames x 2, and a score."""
        return start_and_end(logits)

    def boxes_at(self, boxes: Floats, window: range, seconds: range) -> Floats:
        """The boxes of some seconds of a window, of those of its frames: seconds x 4.

        A second has the box of the frame that is shown then.
        """
        shown: Floats = boxes[frames_shown(window, len(boxes), seconds)]
        return shown

    def text_of(self, query: str) -> str:
        """What the network is asked for a query."""
        return self._settings.prompt.replace("{}", query)

    def tubes(self, request: Request) -> Sequence[Tube]:
        """One for each clip in `spatial`; else the best ones of each description.

        In `temporal` they have no places. Raises `InputError` where the video cannot be
        decoded, and where the network gives no numbers.
        """
        from gytbench.videos import open_frames

        source = open_frames(request.path)
        settings = self._settings
        found: list[Tube] = []
        seen: _Seen = {}
        for window, asked in asked_by_window(request, settings.window, settings.hop):
            seen = self._look(source, window, seen)
            found += [self._tube(request, window, seen, each) for each in asked]
        return found if request.task == "spatial" else without_rivals(found)

    def _look(self, source: "FrameSource", window: range, before: "_Seen") -> "_Seen":
        """What all descriptions share: the cells of the frames of a window.

        Frames that were seen in the window before are not looked at again.
        """
        import torch

        from gytbench.videos.clips import batched

        resolution = self._settings.resolution
        size = frame_size(source.size, resolution, round(resolution * self.longest))
        times = frame_times(window, self._settings.fps, self.most)
        new = [time for time in times if time not in before]
        kind = torch.half if self._setup.half else torch.float
        with torch.inference_mode():
            fresh = [
                cells
                for some in batched(source.sampled(new, size), _AT_ONCE)
                for cells in self._model.look(pixels(some, self._setup.device).to(kind))
            ]
        known = before | dict(zip(new, fresh, strict=True))
        return {time: known[time] for time in times}

    def _tube(self, request: Request, window: range, seen: "_Seen", asked: Asked) -> Tube:
        boxes, logits = self._numbers(request.video, window, seen, asked.query)
        seconds, score = window, 1.0
        if request.task != "spatial":
            first, last, score = self.span(logits)
            seconds = seconds_touched(window, len(boxes), first, last)
        tube = Tube(
            request.video,
            asked.query,
            start=float(seconds.start),
            end=float(seconds.stop),
            score=score,
            instance=asked.instance,
        )
        if request.task != "temporal":
            shown = self.boxes_at(boxes, window, seconds)
            centres, sides = shown[:, :2], shown[:, 2:]
            place = place_of_boxes(np.hstack([centres - sides / 2, centres + sides / 2]))
            tube.points, tube.boxes = list(place.points), place.boxes
        return tube

    def _numbers(
        self, video: str, window: range, seen: "_Seen", query: str
    ) -> tuple[Floats, Floats]:
        """Boxes and logits by frame; raises `InputError` where they are not numbers."""
        import torch

        with torch.inference_mode():
            boxes, logits = self.find(torch.stack(list(seen.values())), self._text(query))
            found: Floats = torch.cat([boxes, logits], dim=1).double().cpu().numpy()
        wrong = np.flatnonzero(~np.isfinite(found).all(axis=1))
        if wrong.size:
            second = window.start + int(wrong[0]) * len(window) // len(found)
            raise no_number(f"the network for {query!r}", video, second)
        return found[:, :4], found[:, 4:]

    def _text(self, query: str) -> "Tensor":
        """The tokens of a query (tokens x 256); kept, for queries come again."""
        import torch

        if query not in self._texts:
            ids = torch.tensor(self._tokens.ids(self.text_of(query)), device=self._setup.device)
            with torch.inference_mode():
                self._texts[query] = self._model.read(ids)
        return self._texts[query]
