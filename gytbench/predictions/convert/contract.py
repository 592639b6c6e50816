"""What every converter is given, and what it reports."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from gytbench.errors import Fault, InputError
from gytbench.predictions.faults import MAX_FAULTS
from gytbench.predictions.schema import FrameSize, Task, Tube

Coordinates = Literal["auto", "fraction", "thousand", "pixels"]

EXAMPLES = 3
"""Records of each kind that a report shows."""


class Placed(NamedTuple):
    """A tube of a prediction file, its frame resolved, and where it stands."""

    where: str
    tube: Tube


class Query(NamedTuple):
    """What was asked under an id, where a format's results do not repeat it."""

    video: str
    label: str
    instance: int | None = None
    start: float | None = None
    end: float | None = None
    fps: float | None = None
    frame_size: FrameSize | None = None


class Image(NamedTuple):
    """Which second of which video an image is; its size where that is known."""

    video: str
    second: int
    frame_size: FrameSize | None = None


@dataclass(frozen=True)
class Options:
    """What a format does not tell by itself.

    frame_size: width and height of the frame that coordinates are in (--from), or are to be
    in (--to). fps: frames a second. video, label: of all results, where the format names none.
    labels: names by number. images: by id, for COCO. queries: by id. zipped: whether OUT is to
    be a .zip.
    """

    task: Task = "st"
    frame_size: FrameSize | None = None
    fps: float | None = None
    video: str | None = None
    label: str | None = None
    labels: Mapping[int, str] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    queries: Mapping[str, Query] = field(default_factory=dict)
    coordinates: Coordinates = "auto"
    zipped: bool = False

    def need_fps(self, where: str) -> float:
        """The rate; raises `InputError` where it was not given."""
        if self.fps is None:
            raise InputError("counts frames: give their rate with --fps", where=where)
        return self.fps

    def need_size(self, where: str) -> FrameSize:
        """The frame; raises `InputError` where it was not given."""
        if self.frame_size is None:
            raise InputError("has pixels: give their frame with --frame-size WxH", where=where)
        return self.frame_size

    def label_of(self, number: int) -> str:
        """The name of a class number, or the number itself where no names were given.

        Raises KeyError for a number without a name.
        """
        return self.labels[number] if self.labels else str(number)


@dataclass
class Report:
    """What was left out, by kind; the first records that could not be read."""

    strict: bool = False
    lost: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Fault]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    records: int = 0
    tubes: int = 0

    def lose(self, what: str, count: int = 1) -> None:
        """Note content that the other format cannot carry."""
        if count:
            self.lost[what] += count

    def skip(self, where: str, reason: str, kind: str) -> None:
        """Note a record that could not be read."""
        self.unread[kind] += 1
        fault = Fault(where, reason, kind)
        shown = self.examples.setdefault(kind, [])
        if len(shown) < EXAMPLES:
            shown.append(fault)
        if self.strict and len(self.faults) < MAX_FAULTS:
            self.faults.append(fault)

    def check(self) -> None:
        """Under `strict`, raise `InputError` where anything was left out or not read."""
        if not self.strict:
            return
        lost = [Fault("", f"left out: {line}", "left out") for line in self._losses()]
        if self.faults or lost:
            raise InputError([*self.faults, *lost])

    def _losses(self) -> Iterator[str]:
        for what, count in self.lost.most_common():
            yield f"{what} ({count:,})"

    def lines(self) -> Iterator[str]:
        """The report, a line each."""
        for kind, count in self.unread.most_common():
            yield f"not read: {kind} ({count:,})"
            yield from (f"  {fault}" for fault in self.examples[kind])
        for line in self._losses():
            yield f"left out: {line}"
