"""The format of human-object pairs, `gytbench-pairs/1`, as types (docs/pairs.md)."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from gytbench.metrics.arrays import Floats, Ints
from gytbench.predictions.schema import MAX_COORDINATE, FrameSize

FORMAT: Final = "gytbench-pairs/1"

MAX_PAIRS = 5_000_000
"""Pairs that a file may hold."""
MAX_COMMAS = 12 * MAX_PAIRS
"""More than so many pairs and their entries have."""
MAX_BYTES = 1 << 30
"""Of a file, after decompression."""

Coordinate = Annotated[float, Meta(ge=-MAX_COORDINATE, le=MAX_COORDINATE)]
PairBox = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
FrameNumber = Annotated[int, Meta(ge=0, le=10_000_000)]


class PairRow(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True):
    """A human, an object, and how sure the model is of both, in any unit."""

    human: PairBox
    object: PairBox
    score: float


class PairFrame(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """What is predicted for one label in one frame of a video.

    Boxes are x1, y1, x2, y2 in the pixel frame `frame_size` (of the entry, else of the
    file, else [1, 1]: fractions of the frame). No pairs: the label was looked for, and
    nothing found.
    """

    video: str
    frame: FrameNumber
    label: str
    pairs: list[PairRow]
    frame_size: FrameSize | None = None


class PairHeader(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a file says once."""

    format: Literal["gytbench-pairs/1"]
    model: dict[str, Any] = {}
    frame_size: FrameSize | None = None


class PairFile(PairHeader, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A whole file."""

    frames: list[PairFrame]


class PairEntry(NamedTuple):
    """What an entry says besides its pairs."""

    video: str
    frame: int
    label: str
    frame_size: FrameSize | None


@dataclass(frozen=True, eq=False)
class PairPredictions:
    """Entries, and their n pairs as arrays, one entry after the other.

    counts: pairs of each entry. pair: n x 2 x 4, human and object, in the frame that the
    entry or the file gives. score: n. `source` names the file in messages.
    """

    entries: list[PairEntry]
    counts: Ints
    pair: Floats
    score: Floats
    model: dict[str, Any]
    frame_size: FrameSize | None = None
    source: str = ""

    @classmethod
    def of(
        cls,
        frames: Iterable[PairFrame],
        model: dict[str, Any],
        frame_size: FrameSize | None = None,
        source: str = "",
    ) -> "PairPredictions":
        """From entries, each of which may be forgotten once it is passed."""
        entries: list[PairEntry] = []
        counts, numbers = array("q"), array("d")
        for each in frames:
            entries.append(PairEntry(each.video, each.frame, each.label, each.frame_size))
            counts.append(len(each.pairs))
            for row in each.pairs:
                numbers.extend((*row.human, *row.object, row.score))
        rows = np.array(numbers).reshape(-1, 9)
        pair = rows[:, :8].reshape(-1, 2, 4)
        return cls(entries, np.array(counts, np.int64), pair, rows[:, 8], model, frame_size, source)

    @cached_property
    def owner(self) -> Ints:
        """The entry of each pair."""
        return np.repeat(np.arange(self.counts.size), self.counts)

    def where(self, entry: int) -> str:
        """The place of an entry, for messages."""
        place = f"$.frames[{entry}]"
        return f"{self.source}: {place}" if self.source else place
