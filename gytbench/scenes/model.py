"""What a scene holds: one second of one video, what is true there and what was predicted.

Coordinates are those of the annotation frame, x right and y down; time is in seconds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, overload

import numpy as np

from gytbench.benchmark import Box
from gytbench.metrics.arrays import Bools, Floats, Ints

VERDICTS: Final = (
    "right",
    "wrong place",
    "wrong label",
    "false alarm",
    "missed",
    "ignored",
    "background",
)
"""What the scorer makes of a second. Right: label and point. Wrong place: only the label.
False alarm: something predicted where nothing is true. Missed: nothing predicted where
something is true. Ignored: something is true, but without a box, so that the second does
not count. Background: neither true nor predicted."""

RIGHT, WRONG_PLACE, WRONG_LABEL, FALSE_ALARM, MISSED, IGNORED, BACKGROUND = range(len(VERDICTS))


@dataclass(frozen=True, eq=False)
class Scene:
    """One second of one video; in the task `spatial`, of one instance."""

    video: str
    second: int
    frame: tuple[float, float]
    """Width and height of the annotation frame."""
    verdict: str
    """One of `VERDICTS`."""
    true_labels: tuple[str, ...]
    """Of the instances that cover the second; in the task `spatial`, of the instance."""
    true_box: Box | None
    """The box of all those labels, as released: it may leave the frame or be degenerate."""
    label: str | None = None
    """The predicted label; None where nothing is predicted."""
    score: float | None = None
    point: tuple[float, float] | None = None
    """The point that is scored: as predicted, or derived from the region."""
    box: Box | None = None
    heatmap: Floats | None = None
    """Rows x columns, spread over the whole frame."""
    mask: Bools | None = None
    """Rows x columns, spread over the whole frame."""
    instance: int | None = None
    """Task `spatial`: the id of the instance that is asked for."""


class TrueSegment(NamedTuple):
    """An instance of the ground truth: it covers t when start <= t < end."""

    start: float
    end: float
    label: str
    id: int


class PredictedRun(NamedTuple):
    """Seconds start <= t < end in which one predicted label speaks.

    In the task `spatial`, a tube's own start and end.
    """

    start: float
    end: float
    label: str
    score: float
    """The highest of the run."""


class Scenes(Sequence[Scene]):
    """The scenes of a video, each made when it is asked for."""

    def __init__(self, count: int, make: Callable[[int], Scene]) -> None:
        self._rows = range(count)
        self._make = make

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Scene: ...
    @overload
    def __getitem__(self, at: slice) -> list[Scene]: ...
    def __getitem__(self, at: int | slice) -> Scene | list[Scene]:
        if isinstance(at, slice):
            return [self._make(row) for row in self._rows[at]]
        return self._make(self._rows[at])


@dataclass(frozen=True, eq=False)
class VideoScenes:
    """All scenes of a video: n rows in the order of their seconds.

    In the task `st` row t is the second t, from 0 to the last that is true or
    predicted; in the task `spatial` a row is an (instance, second).
    """

    video: str
    frame: tuple[float, float]
    """Width and height of the annotation frame."""
    truth: tuple[TrueSegment, ...]
    """In the order of their starts; they may share seconds."""
    predicted: tuple[PredictedRun, ...]
    scenes: Scenes
    seconds: Ints
    verdicts: Ints
    """Of each row, an index into `VERDICTS`."""
    scores: Floats
    """Of what is predicted in each row; NaN where nothing is."""
    distances: Floats
    """Pixels from the point to the centre of the true box; NaN where either is missing."""
    groups: Ints
    """Equal where the same tube speaks; without one, where the same instance is true."""

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many rows have each verdict; all of `VERDICTS` are named."""
        counted = np.bincount(self.verdicts, minlength=len(VERDICTS)).tolist()
        return dict(zip(VERDICTS, counted, strict=True))

    @property
    def hits(self) -> list[int]:
        """The seconds that are right."""
        hits: list[int] = self.seconds[self.verdicts == RIGHT].tolist()
        return hits

    def at(self, second: int) -> list[Scene]:
        """The scenes of a second: one in the task `st`, none beyond what is known."""
        return [self.scenes[row] for row in np.flatnonzero(self.seconds == second).tolist()]
