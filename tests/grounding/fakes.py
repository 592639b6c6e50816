"""Systems without a model, one for each kind; what they answer depends on little."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import msgspec
import numpy as np

from gytbench.grounding.contract import Features, Request, Sampling, Setup, Stretch
from gytbench.predictions import Tube

ENTRIES: Mapping[str, str] = {
    f"fake-{kind.lower()}": f"{__name__}:{kind}"
    for kind in ("When", "Maps", "Boxes", "Tubes", "Both")
}
"""What a package that has them would register."""


class FakeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A few kinds of values."""

    words: Annotated[int, msgspec.Meta(ge=1)] = 20
    prompt: str = "{}"
    size: int = 8
    look: Literal["near", "far"] = "near"


class When:
    """Says when: the brightness of a second, less for each later query.

    This is no part of the summary.
    """

    Settings: ClassVar = FakeSettings
    extra: ClassVar[str] = "models"
    roles: ClassVar[dict[str, str]] = {"checkpoint": "weights", "words": "the words"}

    def __init__(self, settings: FakeSettings, setup: Setup) -> None:
        self.settings, self.setup = settings, setup

    @property
    def sampling(self) -> Sampling:
        return Sampling(size=(self.settings.size, self.settings.size))

    def encode(self, clips: np.ndarray) -> Features:
        return {"brightness": clips.mean(axis=(1, 2, 3, 4))}

    def frame_scores(self, stretch: Stretch, queries: Sequence[str]) -> np.ndarray:
        return stretch.features["brightness"][:, None] - np.arange(len(queries))


class Maps:
    """Says where: the brightness of the pixels."""

    roles: ClassVar[dict[str, str]] = {"checkpoint": "weights"}
    sampling = Sampling(size=(4, 3))

    def __init__(self, settings: object, setup: Setup) -> None:
        self.settings, self.setup = settings, setup

    def encode(self, clips: np.ndarray) -> Features:
        return {"grey": clips[:, 0].mean(axis=-1)}

    def heatmaps(self, stretch: Stretch, query: str) -> np.ndarray:  # noqa: ARG002
        return stretch.features["grey"]


class Boxes:
    """Says when and where, by reading the video itself."""

    def __init__(self, settings: object, setup: Setup) -> None:
        self.settings, self.setup = settings, setup

    def read(self, request: Request) -> Features:
        return {"second": np.array(request.seconds)}

    def frame_scores(self, stretch: Stretch, queries: Sequence[str]) -> np.ndarray:
        return np.zeros((len(stretch.seconds), len(queries)))

    def boxes(self, stretch: Stretch, query: str) -> np.ndarray:  # noqa: ARG002
        return np.tile([0.0, 0.0, 0.5, 0.5], (len(stretch.seconds), 1))


class Tubes:
    """Grounds whole videos."""

    def __init__(self, settings: object, setup: Setup) -> None:
        self.settings, self.setup = settings, setup

    def tubes(self, request: Request) -> Iterable[Tube]:
        for asked in request.asked:
            start, end = float(asked.seconds.start), float(asked.seconds.stop)
            yield Tube(request.video, asked.query, start, end, instance=asked.instance)


class Both(Boxes, Tubes):
    """Grounds whole videos, and says where at times that are given."""
