"""What the reference scorer works on: the truth, and tubes as the protocol sees them.

Every coordinate and every time is an exact Fraction, so no result depends on rounding.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import NamedTuple, TypeAlias

Number: TypeAlias = int | float | Fraction
Frame: TypeAlias = tuple[int, int]
Point: TypeAlias = tuple[Fraction, Fraction]
RawBox: TypeAlias = tuple[Number, Number, Number, Number]
Pixels: TypeAlias = frozenset[tuple[int, int]]
"""A region as the set of its pixels (row i, column j) in the annotation frame."""


def exact(number: Number) -> Fraction:
    """The number that is written in the file: 0.1 is one tenth, not the double nearest to it."""
    return Fraction(str(number)) if isinstance(number, float) else Fraction(number)


def whole_seconds(start: Number, end: Number) -> range:
    """The integers t with start <= t < end (protocol section 1, Time)."""
    return range(ceil(exact(start)), ceil(exact(end)))


class Box(NamedTuple):
    """A box x1, y1, x2, y2 in continuous coordinates of the annotation frame (section 1)."""

    x1: Fraction
    y1: Fraction
    x2: Fraction
    y2: Fraction


Region: TypeAlias = Box | Pixels


class Instance(NamedTuple):
    """A step in a video: the seconds of [start, end) belong to the class `label` (section 1)."""

    video: str
    id: int
    start: Number
    end: Number
    label: str


class Cue(NamedTuple):
    """A subtitle of the temporal ground truth, [start, end) in seconds (section 4)."""

    video: str
    start: Number
    end: Number
    label: str


@dataclass
class Truth:
    """The ground truth of one benchmark; labels are the scored class names already.

    frames: video -> (width, height) of its annotation frame; every known video has one.
    boxes: video -> second -> released box, which may be degenerate or leave the frame.
    """

    frames: dict[str, Frame]
    instances: list[Instance] = field(default_factory=list)
    boxes: dict[str, dict[int, RawBox]] = field(default_factory=dict)
    cues: list[Cue] = field(default_factory=list)

    def box_at(self, video: str, second: int) -> Box | None:
        """The released box of that second, or None; it belongs to every instance covering it."""
        box = self.boxes.get(video, {}).get(second)
        return None if box is None else Box(*(exact(value) for value in box))


class Moment(NamedTuple):
    """What a tube says at one second: its score there, and its point and region, if any."""

    score: float
    point: Point | None
    region: Region | None


@dataclass
class Tube:
    """A predicted tube, scaled to the annotation frame of its video (section 2)."""

    video: str
    label: str
    score: float
    start: Fraction
    end: Fraction
    instance: int | None
    seconds: dict[int, Moment]
    """One entry for every integer second of [start, end)."""


def mean(values: Iterable[Fraction]) -> Fraction | None:
    """The arithmetic mean, or None of nothing."""
    numbers = list(values)
    return sum(numbers, Fraction(0)) / len(numbers) if numbers else None


def ratio(part: Number, whole: Number) -> Fraction:
    """part / whole, and 0 where the whole is 0."""
    return exact(part) / exact(whole) if whole else Fraction(0)


def as_float(value: Fraction | None) -> float | None:
    """The double nearest to the value, for the result."""
    return None if value is None else float(value)
