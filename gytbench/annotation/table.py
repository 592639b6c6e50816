"""All points of an annotation in arrays, checked, in a frame of one's choice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gytbench.annotation.rows import PointRow
from gytbench.construction import REFERENCE_FRAME, PointSets, spread
from gytbench.errors import Fault, InputError
from gytbench.metrics.arrays import Floats, Ints

Size = tuple[float, float]
"""Width and height in pixels."""


class AnnotatedFrame(NamedTuple):
    """What the annotators were shown: one second of a video, and the step to point at."""

    video: str
    second: int
    step: str
    """Empty where the annotation names no step."""


@dataclass(frozen=True, eq=False)
class PointTable:
    """The points of k frames by n answers; frames are ordered by video, second and step.

    A frame may have answers and no point, when nobody saw anything to point at.
    """

    frames: tuple[AnnotatedFrame, ...]
    sizes: Floats
    """Width and height of each frame, in the pixels of its points (k x 2)."""
    frame: Ints
    """The number of the frame of each answer (n), ascending."""
    xy: Floats
    """The points (n x 2); NaN where the annotator saw nothing to point at."""
    annotator: Ints
    """The number of the annotator of each answer (n)."""
    annotators: tuple[str, ...]
    """Their names, sorted."""
    name: str = ""
    """Where it is from: the names of its files."""
    mean_distances: Floats | None = None
    """Of a table of mean points (one a frame): the annotators' mean distance from them,
    along x and along y (k x 2), which differ once a frame is stretched."""

    @cached_property
    def points(self) -> PointSets:
        """The visible points, by frame."""
        return PointSets.of(self.frame, self.xy, len(self.frames))

    @property
    def estimated(self) -> bool:
        """Whether only mean points are known, so that boxes can only be estimated."""
        return self.mean_distances is not None

    @cached_property
    def spreads(self) -> Floats:
        """Mean distance of each frame's points from their mean point (k).

        In pixels of the reference frame (640x480), so that annotations at any resolution
        compare. NaN for fewer than two points. Of mean points it is the distance that the
        table tells, the root mean square of both axes where a frame is stretched.
        """
        reference = self.scaled_to(REFERENCE_FRAME)
        counts = self.points.counts
        if reference.mean_distances is None:
            return np.where(counts > 1, spread(reference.points)[1], np.nan)
        distances = np.sqrt((reference.mean_distances**2).mean(axis=1))
        return np.where(counts > 0, distances, np.nan)

    def scaled_to(self, size: Size) -> "PointTable":
        """The table in frames of `size` (width, height); upright frames become height x width.

        This is how the released annotation stretches its videos. Dividing by the same
        factors leads back.
        """
        upright = self.sizes[:, 1] > self.sizes[:, 0]
        sizes = np.where(upright[:, None], size[::-1], size).astype(np.float64)
        scales = sizes / self.sizes
        apart = self.mean_distances
        return replace(
            self,
            sizes=sizes,
            xy=self.xy * scales[self.frame],
            mean_distances=None if apart is None else apart * scales,
        )


def build_table(
    rows: Sequence[PointRow], sizes: Mapping[str, Size] | None = None, name: str = ""
) -> PointTable:
    """The rows of one or more files as one table.

    `sizes` gives width and height by video, for rows that tell none; a row without
    either is taken to be in the reference frame (640x480).

    Raises `InputError` with every row that cannot be: a point outside its frame, not
    a finite number, or half a point; an annotator twice on one frame; frames of one
    video in different sizes; mean points mixed with annotators' own. Raises also where
    there is no row at all.
    """
    if not rows:
        raise InputError("there are no points")
    sized = [_sized(row, sizes or {}) for row in rows]
    faults = [fault for row in sized for fault in _row_faults(row)]
    faults += [*_twice(sized), *_mixed_sizes(sized), *_mixed_kinds(sized)]
    if faults:
        raise InputError(faults)
    return replace(_packed(sized), name=name)


def _sized(row: PointRow, sizes: Mapping[str, Size]) -> PointRow:
    if row.width is not None and row.height is not None:
        return row
    width, height = sizes.get(row.video, REFERENCE_FRAME)
    return row._replace(width=width, height=height)


def _row_faults(row: PointRow) -> Iterable[Fault]:
    width, height = row.width or 0, row.height or 0
    if not (0 < width <= 100_000 and 0 < height <= 100_000):
        yield Fault(row.where, f"a frame of {width:g}x{height:g} pixels cannot be", "frame size")
    if row.second < 0:
        yield Fault(row.where, f"second {row.second} is before the video", "second")
    if (row.x is None) != (row.y is None):
        yield Fault(row.where, "has one coordinate; give both, or neither", "half a point")
    elif row.x is not None and row.y is not None and not _inside(row.x, row.y, width, height):
        reason = (
            f"the point ({row.x:g}, {row.y:g}) is not inside its frame of {width:g}x{height:g} "
            "pixels; if the frame is larger, tell its size (--sizes, or columns width and height)"
        )
        yield Fault(row.where, reason, "outside the frame")
    distance = row.mean_distance
    if distance is not None and not 0 <= distance <= width + height:
        yield Fault(row.where, f"mean distance {distance:g} cannot be", "mean distance")


def _inside(x: float, y: float, width: float, height: float) -> bool:
    """Whether the point lies in the frame; false for NaN."""
    return 0 <= x <= width and 0 <= y <= height


def _twice(rows: Iterable[PointRow]) -> Iterable[Fault]:
    seen: dict[tuple[str, int, str, str], PointRow] = {}
    for row in rows:
        first = seen.setdefault((row.video, row.second, row.step, row.annotator), row)
        if first is not row:
            reason = (
                f"annotator {row.annotator!r} has an answer for second {row.second} of video "
                f"{row.video!r} already ({first.where}); remove one"
            )
            yield Fault(row.where, reason, "annotator twice")


def _mixed_sizes(rows: Iterable[PointRow]) -> Iterable[Fault]:
    sizes: dict[str, PointRow] = {}
    for row in rows:
        first = sizes.setdefault(row.video, row)
        if (row.width, row.height) != (first.width, first.height):
            reason = (
                f"a frame of {row.width:g}x{row.height:g} pixels, but video {row.video!r} has "
                f"{first.width:g}x{first.height:g} in {first.where}; give all points of a video "
                "at one size"
            )
            yield Fault(row.where, reason, "mixed resolutions")


def _mixed_kinds(rows: Sequence[PointRow]) -> Iterable[Fault]:
    mean = rows[0].mean_distance is None
    for row in rows:
        if (row.mean_distance is None) != mean:
            reason = (
                "mean points and annotators' own points are mixed "
                f"(compare {rows[0].where}); read them apart"
            )
            yield Fault(row.where, reason, "mixed kinds")
            return


def _packed(rows: Iterable[PointRow]) -> PointTable:
    rows = sorted(rows, key=lambda row: (row.video, row.second, row.step, row.annotator))
    names = tuple(sorted({row.annotator for row in rows}))
    number = {name: index for index, name in enumerate(names)}
    frames: dict[AnnotatedFrame, PointRow] = {}
    for row in rows:
        frames.setdefault(AnnotatedFrame(row.video, row.second, row.step), row)
    index = {frame: position for position, frame in enumerate(frames)}
    owners = [index[AnnotatedFrame(row.video, row.second, row.step)] for row in rows]
    firsts = list(frames.values())
    apart = [[row.mean_distance] * 2 for row in firsts]
    return PointTable(
        frames=tuple(frames),
        sizes=np.array([(row.width, row.height) for row in firsts], dtype=np.float64),
        frame=np.array(owners, dtype=np.int64),
        xy=np.array([(row.x, row.y) for row in rows], dtype=np.float64),
        annotator=np.array([number[row.annotator] for row in rows], dtype=np.int64),
        annotators=names,
        mean_distances=np.array(apart, dtype=np.float64) if apart[0][0] is not None else None,
    )
