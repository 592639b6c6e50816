"""What systems share whose regions and words attend to each other: S3D or CLIP below it."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from gytbench.grounding.contract import Sampling, Stretch

if TYPE_CHECKING:
    from torch import Tensor

    from gytbench.models.clip import Clip
    from gytbench.models.comma import Comma
    from gytbench.models.words import Dictionary

CLIP_SECONDS = 16
"""The seconds that regions are looked at together, with one frame for each."""

_AT_ONCE = 8  # clips of 16 seconds whose attention is held at a time


class Texts(NamedTuple):
    """What a backbone makes of queries."""

    words: "Tensor"
    """Queries x words x width."""
    mask: "Tensor"
    """Queries x words: those that are no pads, at least the first of each query."""
    whole: "Tensor"
    """Queries x width: one vector for each, of all its words."""


class Backbone(Protocol):
    """What differs between the networks below a head."""

    device: str
    steps: int
    """Time steps whose regions are looked at together."""

    @property
    def sampling(self) -> Sampling:
        """Which frames the network sees."""

    def look(self, clips: np.ndarray) -> "tuple[Tensor, Tensor]":
        """Vectors of whole parts of clips, n x parts x width, and the cells of the steps.

        Cells are n x steps x rows x columns x width. A part is a step or the whole clip.
        """

    def texts(self, queries: Sequence[str]) -> Texts:
        """Vectors of queries and of their words."""

    def filled(self, steps: "Tensor") -> "Tensor":
        """Time steps (first axis), with black after them, so that they are whole clips."""

    def by_second(self, maps: "Tensor") -> "Tensor":
        """Maps by second, of maps by time step (first axis)."""


class OnS3D:
    """The trunk of S3D and its words; clips of 16 seconds have two steps."""

    steps = 2

    @property
    def sampling(self) -> Sampling:
        """Clips of 16 frames, one a second, from the start of a trimmed clip on."""
        return Sampling(
            size=(224, 224),
            frames=CLIP_SECONDS,
            stride=CLIP_SECONDS,
            trimmed=True,
            black_after=True,
        )

    def __init__(self, model: "Comma", dictionary: "Dictionary", max_words: int) -> None:
        """`max_words`: words of a text that count."""
        self.device = str(model.text_module.fc1.weight.device)
        self._model = model
        self._dictionary = dictionary
        self._max_words = max_words

    def look(self, clips: np.ndarray) -> "tuple[Tensor, Tensor]":
        """Vectors of steps, the means of their cells, and the cells."""
        cells = self.feature_map(clips)
        return cells.mean(dim=(3, 4)).transpose(1, 2), cells.permute(0, 2, 3, 4, 1)

    def feature_map(self, clips: np.ndarray) -> "Tensor":
        """mixed_5c of clips: n x 1024 x steps x rows x columns."""
        from gytbench.models.s3d import as_video

        return self._model.feature_map(as_video(clips, self.device))

    def texts(self, queries: Sequence[str]) -> Texts:
        """Of a query the maximum over its words, pads counted, as MIL-NCE has it."""
        import torch

        ids = torch.from_numpy(self._dictionary.ids(queries, self._max_words)).to(self.device)
        words = self._model.text_module.word_vectors(ids)
        return Texts(words, _at_least_one(ids != 0), words.amax(dim=1))

    def filled(self, steps: "Tensor") -> "Tensor":
        """The steps themselves: black frames were in their clips."""
        return steps

    def by_second(self, maps: "Tensor") -> "Tensor":
        """Joined linearly over time, as the published evaluation does."""
        from gytbench.models.comma import clip_seconds

        return clip_seconds(maps, len(maps), CLIP_SECONDS // self.steps)


class OnClip:
    """CLIP with a frame for each second: patch tokens, or the last map of a ResNet."""

    steps = CLIP_SECONDS

    def __init__(self, model: "Clip", *, normalised: bool = False) -> None:
        """`normalised`: pixels by CLIP's mean and deviation, else they stay in [0, 1]."""
        self.device = str(model.text_projection.device)
        self._model = model
        self._normalised = normalised

    @property
    def sampling(self) -> Sampling:
        """A frame for each second."""
        return Sampling(size=(self._model.size, self._model.size))

    def look(self, clips: np.ndarray) -> "tuple[Tensor, Tensor]":
        """Vectors of frames and their cells; one frame, one step."""
        from gytbench.models.clip import normalised
        from gytbench.models.clip_vit import VisionTransformer
        from gytbench.models.s3d import as_video

        pixels = as_video(clips, self.device)[:, :, 0]
        if self._normalised:
            pixels = normalised(pixels)
        if isinstance(self._model.visual, VisionTransformer):
            whole, cells = self._model.encode_image(pixels)
        else:
            trunk = self._model.trunk(pixels)
            whole = self._model.image_of(trunk)
            cells = self._model.visual.cells_of(trunk).float()
        side = self._model.grid
        return whole[:, None], cells.reshape(len(clips), 1, side, side, -1)

    def texts(self, queries: Sequence[str]) -> Texts:
        """Of a query its embedding, at the end of the text."""
        features = self._model.encode_text(self._model.tokenize(queries))
        return Texts(features.tokens, _at_least_one(features.mask), features.text)

    def filled(self, steps: "Tensor") -> "Tensor":
        """The published evaluation ends a video with black frames, and looks at them too."""
        import torch

        black = self._black.to(steps)
        return torch.cat([steps, black.expand(-len(steps) % self.steps, *black.shape[1:])])

    def by_second(self, maps: "Tensor") -> "Tensor":
        """The maps themselves: a step is a second."""
        return maps

    @cached_property
    def _black(self) -> "Tensor":
        """The cells of a black frame, 1 x rows x columns x width."""
        width, height = self.sampling.size
        _, cells = self.look(np.zeros((1, 1, height, width, 3), dtype=np.uint8))
        return cells[0]


def time_steps(stretch: Stretch, device: str) -> "Tensor":
    """The stored `cells` of all clips: time steps x rows x columns x width, float32."""
    import torch

    cells = stretch.features["cells"]
    return torch.from_numpy(cells.reshape(-1, *cells.shape[2:])).to(device).float()


def maps_by_step(steps: "Tensor", together: int, heat: "Callable[[Tensor], Tensor]") -> "Tensor":
    """What `heat` (clips x regions x width to clips x regions) says of steps, as maps.

    `together` steps, in their order, are a clip; the last clip may have fewer.
    """
    import torch

    maps = [heat(clips.flatten(1, 3)) for clips in _in_clips(steps, together)]
    return torch.cat([some.reshape(-1, *steps.shape[1:3]) for some in maps])


def _in_clips(steps: "Tensor", together: int) -> "Iterator[Tensor]":
    """Clips x steps x rows x columns x width, a few at a time; a shorter one comes last."""
    import torch

    end = len(steps) // together * together
    if end:
        yield from torch.split(steps[:end].reshape(-1, together, *steps.shape[1:]), _AT_ONCE)
    if end < len(steps):
        yield steps[None, end:]


def _at_least_one(mask: "Tensor") -> "Tensor":
    """The mask with the first word of each text that has none."""
    mask = mask.clone()
    mask[:, 0] |= ~mask.any(dim=1)
    return mask
