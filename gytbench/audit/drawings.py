"""What the page draws of a place: frame, boxes, mean points, and the video's frame below them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gytbench.audit.release import Place, Release
from gytbench.audit.rules import Finding
from gytbench.benchmark import AnnotatedPoint, Box
from gytbench.benchmark.repaired import repair_boxes
from gytbench.construction import SIGMA_SHARE

_PADDING = 16
"""Pixels of canvas around all that is drawn."""

_HEAT_SIGMAS = 3
"""Radius of a drawn heatmap, in standard deviations; the page's gradient ends there."""


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

    @property
    def ring(self) -> Box:
        """The box around the ring."""
        x, y, across, down = self
        return x - across, y - down, x + across, y + down


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
    rebuilt = None if box is None else _rebuilt(release, place, box)
    boxes = [each for each in (box, rebuilt) if each is not None]
    others = _others(release, finding.file, place, box)
    points = tuple(map(_point, release.points_at.get(place, ())))
    return Drawing(
        finding=finding,
        step=_step(release, place),
        view=_view(size, [*boxes, *others, *(point.ring for point in points)]),
        frame=Shape(0, 0, *size),
        released=None if box is None else _shape(box),
        rebuilt=None if rebuilt is None else _shape(rebuilt),
        others=tuple(dict.fromkeys(map(_shape, others))),
        points=points,
        heat_radius=_HEAT_SIGMAS * SIGMA_SHARE * max(size),
        image=images.get(place, ""),
        note=notes.get(place, ""),
    )


def _box(release: Release, file: str, place: Place) -> Box | None:
    video, second = place
    return release.boxes.get(file, {}).get(video, {}).get(second)


def _others(release: Release, file: str, place: Place, box: Box | None) -> list[Box]:
    """The boxes of the other files in the same second that are not this one."""
    others = (_box(release, other, place) for other in release.boxes if other != file)
    return [other for other in others if other is not None and box is not None and other != box]


def _rebuilt(release: Release, place: Place, box: Box) -> Box | None:
    """The repaired box; None where nothing is to be repaired."""
    video, second = place
    points = release.points_at.get(place, ())
    mended = repair_boxes({video: {second: box}}, points, release.frames).boxes[video][second]
    return None if mended == box else mended


def _point(point: AnnotatedPoint) -> Point:
    across, down = (max(point.mean_distance * scale, 0) for scale in point.scale)
    return Point(point.x, point.y, across, down)


def _step(release: Release, place: Place) -> str:
    """The steps of the instances that cover the second, else the one named with the box."""
    covering = {row.step for row in release.covering.get(place, ())}
    return " / ".join(sorted(covering)) or release.box_steps.get(place, "")


def _shape(box: Box) -> Shape:
    """Also a box without area, or one turned inside out, is drawn."""
    x1, y1, x2, y2 = box
    return Shape(min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1))


def _view(size: tuple[float, float], boxes: Sequence[Box]) -> Shape:
    """A canvas that holds frame, boxes and rings, but no more than a frame's size around it."""
    width, height = size
    edges = np.array([(0, 0, width, height), *boxes]).reshape(-1, 2, 2)
    low = np.maximum(edges.min(axis=(0, 1)), [-width, -height]) - _PADDING
    high = np.minimum(edges.max(axis=(0, 1)), [2 * width, 2 * height]) + _PADDING
    return Shape(*low.tolist(), *(high - low).tolist())
