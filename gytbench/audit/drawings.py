"""What the page draws of a place: frame, boxes, mean points, and the video's frame below them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gytbench.audit.packing import PackedPoints
from gytbench.audit.release import Release
from gytbench.audit.rules import Finding
from gytbench.construction import SIGMA_SHARE, explained, repair
from gytbench.metrics.arrays import Floats

_PADDING = 16
"""Pixels of canvas around all that is drawn."""

_HEAT_SIGMAS = 3
"""Radius of a drawn heatmap, in standard deviations; the page's gradient ends there."""

Place = tuple[str, int]
"""Video and second."""


class Shape(NamedTuple):
    """A rectangle as SVG has it, in pixels of the annotation frame."""

    x: float
    y: float
    width: float
    height: float


class Point(NamedTuple):
    """A mean point and the ring of its mean distance, an ellipse where the video was stretched."""

    x: float
    y: float
    across: float
    down: float


@dataclass(frozen=True)
class Drawing:
    """One picture of the page. Lengths in pixels of the annotation frame."""

    finding: Finding
    step: str
    view: Shape
    frame: Shape
    released: Shape | None
    rebuilt: Shape | None
    """What the box would be, clipped as it should; None where that is the released one."""
    others: tuple[Shape, ...]
    """The boxes of other releases, where they differ."""
    points: tuple[Point, ...]
    heat_radius: float
    image: str
    """The frame as a data: address; empty for a blank canvas."""
    note: str
    """Why there is no image, where one was asked for."""


def draw(
    release: Release,
    finding: Finding,
    images: Mapping[Place, str],
    notes: Mapping[Place, str],
) -> Drawing:
    """The drawing of a finding that has a second."""
    place = (finding.video, finding.second or 0)
    size = release.frames[finding.video]
    box = _box(release, finding.file, place)
    rebuilt = None if box is None else _rebuilt(release, place, box, size)
    boxes = [each for each in (box, rebuilt) if each is not None]
    others = _others(release, finding.file, place, box)
    return Drawing(
        finding=finding,
        step=_step(release, place),
        view=_view(size, [*boxes, *others]),
        frame=Shape(0, 0, *size),
        released=None if box is None else _shape(box),
        rebuilt=None if rebuilt is None else _shape(rebuilt),
        others=tuple(dict.fromkeys(map(_shape, others))),
        points=_points(release, place),
        heat_radius=_HEAT_SIGMAS * SIGMA_SHARE * max(size),
        image=images.get(place, ""),
        note=notes.get(place, ""),
    )


def _box(release: Release, file: str, place: Place) -> Floats | None:
    boxes = release.boxes.get(file)
    row = None if boxes is None else boxes.row(*place)
    return None if boxes is None or row is None else boxes.xyxy[row]


def _others(release: Release, file: str, place: Place, box: Floats | None) -> list[Floats]:
    """The boxes of the other files in the same second that are not this one."""
    others = [_box(release, other, place) for other in release.boxes if other != file]
    return [
        other
        for other in others
        if other is not None and box is not None and not np.array_equal(other, box)
    ]


def _rebuilt(
    release: Release, place: Place, box: Floats, size: tuple[float, float]
) -> Floats | None:
    """The repaired box; None where nothing is to be repaired."""
    mean_x = np.array([_mean_x(release, place, box, size)])
    mended = repair(box[None], mean_x, np.array([size]))[0]
    return None if np.array_equal(mended, box) else mended


def _mean_x(release: Release, place: Place, box: Floats, size: tuple[float, float]) -> float:
    """Of the point that explains the box, else of the first; NaN without one."""
    points = release.points
    rows = list(points.rows(*place)) if points else []
    if points is None or not rows:
        return np.nan
    boxes, sizes = np.tile(box, (len(rows), 1)), np.tile(size, (len(rows), 1))
    possible = explained(boxes, points.xy[rows], points.distances[rows], sizes)
    return float(points.xy[rows[int(np.argmax(possible))], 0])


def _points(release: Release, place: Place) -> tuple[Point, ...]:
    points = release.points
    rows = points.rows(*place) if points else ()
    return tuple(_point(points, row) for row in rows if points)


def _point(points: PackedPoints, row: int) -> Point:
    (x, y), (across, down) = points.xy[row].tolist(), points.distances[row].tolist()
    return Point(x, y, max(across, 0), max(down, 0))


def _step(release: Release, place: Place) -> str:
    """The steps of the instances that cover the second, else the one named with the box."""
    covering = {row.step for row in release.covering.get(place, ())}
    return " / ".join(sorted(covering)) or release.box_steps.get(place, "")


def _shape(box: Floats) -> Shape:
    """Also a box without area, or one turned inside out, is drawn."""
    x1, y1, x2, y2 = box.tolist()
    return Shape(min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1))


def _view(size: tuple[float, float], boxes: Sequence[Floats]) -> Shape:
    """A canvas that holds the frame and the boxes, but no more than a frame's size around it."""
    width, height = size
    edges = np.array([(0, 0, width, height), *boxes]).reshape(-1, 2, 2)
    low = np.maximum(edges.min(axis=(0, 1)), [-width, -height]) - _PADDING
    high = np.minimum(edges.max(axis=(0, 1)), [2 * width, 2 * height]) + _PADDING
    return Shape(*low.tolist(), *(high - low).tolist())
