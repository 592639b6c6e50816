"""Rules about boxes alone and about boxes against the mean points."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np

from gytbench.audit.release import POINT_FILES, Place, Release
from gytbench.audit.rules import Found, registry
from gytbench.benchmark import BOX_FILES, Box
from gytbench.benchmark.explanation import BoxPoints
from gytbench.construction import clip_limits, cut_at_height
from gytbench.metrics.arrays import Bools, Floats

_EACH = tuple(BOX_FILES.values())


def show_box(box: Iterable[float]) -> str:
    """A box in words: [x1, y1, x2, y2]."""
    return f"[{', '.join(f'{edge:g}' for edge in box)}]"


def _found(file: str, boxes: BoxPoints, mask: Bools, text: Callable[[int], str]) -> Iterator[Found]:
    """A place for every box of the mask (k); `text` is given its row."""
    for row in np.flatnonzero(mask).tolist():
        yield Found(file, *boxes.places[row], text(row))


def _each_file(release: Release) -> Iterator[tuple[str, BoxPoints]]:
    """Every box file, its boxes beside the mean points."""
    for file, explanation in release.explanations.items():
        yield file, explanation.matched


@registry.rule(
    "swapped-clipping",
    "A box was clipped with the frame's width and height exchanged: it ends at the height in x, "
    "where the frame goes on, or below the frame in y.",
    each=_EACH,
    pictured=True,
)
def swapped_clipping(release: Release) -> Iterator[Found]:
    for file, boxes in _each_file(release):
        limits = clip_limits(boxes.sizes, "swapped")
        cut = cut_at_height(boxes.boxes, boxes.sizes)
        y2 = boxes.boxes[:, 3]
        below = (y2 > boxes.sizes[:, 1]) & (y2 <= limits[:, 1])
        yield from _found(file, boxes, cut | below, partial(_ends, boxes, cut, below))


def _ends(boxes: BoxPoints, cut: Bools, below: Bools, row: int) -> str:
    width, height = boxes.sizes[row]
    ends = [f"ends at x = {height:g} of {width:g}"] if cut[row] else []
    if below[row]:
        ends.append(f"reaches y = {boxes.boxes[row, 3]:g} of {height:g}")
    return f"{show_box(boxes.boxes[row])} {' and '.join(ends)}"


@registry.rule(
    "degenerate-box",
    "A box without area (x2 <= x1 or y2 <= y1): no prediction can hit it.",
    each=_EACH,
    pictured=True,
)
def degenerate_box(release: Release) -> Iterator[Found]:
    for file, boxes in _each_file(release):
        x1, y1, x2, y2 = boxes.boxes.T
        yield from _found(file, boxes, (x2 <= x1) | (y2 <= y1), _edges(boxes, "has no area"))


@registry.rule(
    "out-of-frame-box",
    "A box reaches beyond its frame, other than by swapped-clipping.",
    each=_EACH,
    pictured=True,
)
def out_of_frame_box(release: Release) -> Iterator[Found]:
    for file, boxes in _each_file(release):
        x1, y1, x2, y2 = boxes.boxes.T
        # Below the frame, but within its longer side, is what the swap explains.
        lowest = np.maximum(boxes.sizes[:, 1], clip_limits(boxes.sizes, "swapped")[:, 1])
        outside = (x1 < 0) | (y1 < 0) | (x2 > boxes.sizes[:, 0]) | (y2 > lowest)
        yield from _found(file, boxes, outside, _edges(boxes, "leaves its frame"))


@registry.rule(
    "box-misses-mean-point",
    "A box contains none of the annotators' mean points of its second.",
    needs=POINT_FILES,
    each=_EACH,
    pictured=True,
)
def box_misses_mean_point(release: Release) -> Iterator[Found]:
    points = np.array([(point.x, point.y) for point in release.points or ()]).reshape(-1, 2)
    for file, boxes in _each_file(release):
        box, point = boxes.pairs.T
        xy, edges = points[point], boxes.boxes[box]
        inside = ((edges[:, :2] <= xy) & (xy <= edges[:, 2:])).all(axis=1)
        missed = boxes.point >= 0
        missed[box[inside]] = False
        yield from _found(file, boxes, missed, partial(_misses, boxes, points))


def _misses(boxes: BoxPoints, points: Floats, row: int) -> str:
    x, y = points[boxes.point[row]]
    return f"{show_box(boxes.boxes[row])} does not contain the mean point ({x:g}, {y:g})"


@registry.rule(
    "unexplained-box",
    "No mean point of the second explains the box: the rule of construction (union of the "
    "annotators' points, grown by 100 px, clipped to the frame or with width and height "
    "exchanged) cannot have made it.",
    needs=POINT_FILES,
    each=_EACH,
    pictured=True,
)
def unexplained_box(release: Release) -> Iterator[Found]:
    for file, explanation in release.explanations.items():
        boxes = explanation.matched
        says = "does not follow from any mean point of its second"
        yield from _found(file, boxes, explanation.contradicted, _edges(boxes, says))


@registry.rule(
    "box-without-point",
    "A box has no mean point in its second, so nothing says where it is from.",
    needs=POINT_FILES,
    each=_EACH,
    pictured=True,
)
def box_without_point(release: Release) -> Iterator[Found]:
    for file, boxes in _each_file(release):
        text = _edges(boxes, "has no mean point in its second")
        yield from _found(file, boxes, boxes.point < 0, text)


def _edges(boxes: BoxPoints, says: str) -> Callable[[int], str]:
    return lambda row: f"{show_box(boxes.boxes[row])} {says}"


@registry.rule(
    "box-outside-segments",
    "A box lies in a second that no instance of seg.json covers, so it is never scored.",
    each=_EACH,
    pictured=True,
)
def box_outside_segments(release: Release) -> Iterator[Found]:
    for file, boxes in _each_file(release):
        outside = np.array([place not in release.covering for place in boxes.places], dtype=bool)
        yield from _found(file, boxes, outside, _edges(boxes, "lies in no instance"))


@registry.rule(
    "release-seconds-differ",
    "A second has a box in some of the box files only.",
    each=_EACH,
    pictured=True,
)
def release_seconds_differ(release: Release) -> Iterator[Found]:
    for place, boxes in _side_by_side(release):
        there, lacking = list(boxes), [file for file in release.boxes if file not in boxes]
        if lacking:
            text = f"has a box in {' and '.join(there)}, none in {' and '.join(lacking)}"
            yield Found(there[0], *place, text)


@registry.rule(
    "release-boxes-differ",
    "A second has different boxes in two box files.",
    each=_EACH,
    pictured=True,
)
def release_boxes_differ(release: Release) -> Iterator[Found]:
    for place, boxes in _side_by_side(release):
        files: dict[Box, list[str]] = {}
        for file, box in boxes.items():
            files.setdefault(box, []).append(file)
        if len(files) > 1:
            told = (f"{show_box(box)} in {' and '.join(held)}" for box, held in files.items())
            yield Found(next(iter(boxes)), *place, "; ".join(told))


def _side_by_side(release: Release) -> Iterator[tuple[Place, dict[str, Box]]]:
    """Every video and second with a box, in order, and its boxes by file."""
    found: dict[Place, dict[str, Box]] = {}
    for file, boxes in release.boxes.items():
        for video, rows in boxes.items():
            for second, box in rows.items():
                found.setdefault((video, second), {})[file] = box
    for place in sorted(found):
        yield place, found[place]
