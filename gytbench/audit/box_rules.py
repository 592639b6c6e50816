"""Rules about boxes alone and about boxes against the mean points."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from gytbench.audit.packing import PackedBoxes, pairs
from gytbench.audit.release import POINT_FILES, Release
from gytbench.audit.rules import Found, registry
from gytbench.benchmark import BOX_FILES
from gytbench.construction import clip_limits, cut_at_height
from gytbench.metrics.arrays import Bools, Floats, Ints

_EACH = tuple(BOX_FILES.values())


def show_box(box: Floats) -> str:
    """A box in words: [x1, y1, x2, y2]."""
    return f"[{', '.join(f'{edge:g}' for edge in box)}]"


def _found(
    file: str, boxes: PackedBoxes, mask: Bools, text: Callable[[int], str]
) -> Iterator[Found]:
    """A place for every box of the mask (k); `text` is given its row."""
    for row in np.flatnonzero(mask).tolist():
        yield Found(file, boxes.videos[boxes.video[row]], int(boxes.second[row]), text(row))


@registry.rule(
    "swapped-clipping",
    "A box was clipped with the frame's width and height exchanged: it ends at the height in x, "
    "where the frame goes on, or below the frame in y.",
    each=_EACH,
    pictured=True,
)
def swapped_clipping(release: Release) -> Iterator[Found]:
    for file, boxes in release.boxes.items():
        limits = clip_limits(boxes.sizes, "swapped")
        cut = cut_at_height(boxes.xyxy, boxes.sizes)
        y2 = boxes.xyxy[:, 3]
        below = (y2 > boxes.sizes[:, 1]) & (y2 <= limits[:, 1])
        yield from _found(file, boxes, cut | below, partial(_ends, boxes, cut, below))


def _ends(boxes: PackedBoxes, cut: Bools, below: Bools, row: int) -> str:
    width, height = boxes.sizes[row]
    ends = [f"ends at x = {height:g} of {width:g}"] if cut[row] else []
    if below[row]:
        ends.append(f"reaches y = {boxes.xyxy[row, 3]:g} of {height:g}")
    return f"{show_box(boxes.xyxy[row])} {' and '.join(ends)}"


@registry.rule(
    "degenerate-box",
    "A box without area (x2 <= x1 or y2 <= y1): no prediction can hit it.",
    each=_EACH,
    pictured=True,
)
def degenerate_box(release: Release) -> Iterator[Found]:
    for file, boxes in release.boxes.items():
        x1, y1, x2, y2 = boxes.xyxy.T
        yield from _found(file, boxes, (x2 <= x1) | (y2 <= y1), _edges(boxes, "has no area"))


@registry.rule(
    "out-of-frame-box",
    "A box reaches beyond its frame, other than by swapped-clipping.",
    each=_EACH,
    pictured=True,
)
def out_of_frame_box(release: Release) -> Iterator[Found]:
    for file, boxes in release.boxes.items():
        x1, y1, x2, y2 = boxes.xyxy.T
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
    points = release.points
    if points is None:
        return
    for file, boxes in release.boxes.items():
        box, point = pairs(boxes, points)
        xy, xyxy = points.xy[point], boxes.xyxy[box]
        inside = ((xyxy[:, :2] <= xy) & (xy <= xyxy[:, 2:])).all(axis=1)
        missed, holds = (np.zeros(len(boxes.keys), dtype=bool) for _ in range(2))
        missed[box] = True
        holds[box[inside]] = True
        told = np.full((len(boxes.keys), 2), np.nan)
        told[box] = xy
        yield from _found(file, boxes, missed & ~holds, partial(_misses, boxes, told))


def _misses(boxes: PackedBoxes, points: Floats, row: int) -> str:
    x, y = points[row]
    return f"{show_box(boxes.xyxy[row])} does not contain the mean point ({x:g}, {y:g})"


@registry.rule(
    "unexplained-box",
    "No mean point of the second explains the box: the rule of construction (union of the "
    "annotators' points, grown by 100 px, clipped with width and height exchanged) cannot have "
    "made it.",
    needs=POINT_FILES,
    each=_EACH,
    pictured=True,
)
def unexplained_box(release: Release) -> Iterator[Found]:
    for file, found in release.explanations.items():
        unexplained = ~found.explained & (found.points > 0)
        says = "does not follow from any mean point of its second"
        yield from _found(file, found.boxes, unexplained, _edges(found.boxes, says))


@registry.rule(
    "box-without-point",
    "A box has no mean point in its second, so nothing says where it is from.",
    needs=POINT_FILES,
    each=_EACH,
    pictured=True,
)
def box_without_point(release: Release) -> Iterator[Found]:
    for file, found in release.explanations.items():
        text = _edges(found.boxes, "has no mean point in its second")
        yield from _found(file, found.boxes, found.points == 0, text)


def _edges(boxes: PackedBoxes, says: str) -> Callable[[int], str]:
    return lambda row: f"{show_box(boxes.xyxy[row])} {says}"


@registry.rule(
    "box-outside-segments",
    "A box lies in a second that no instance of seg.json covers, so it is never scored.",
    each=_EACH,
    pictured=True,
)
def box_outside_segments(release: Release) -> Iterator[Found]:
    for file, boxes in release.boxes.items():
        outside = ~np.isin(boxes.keys, release.covered_keys)
        yield from _found(file, boxes, outside, _edges(boxes, "lies in no instance"))


@registry.rule(
    "release-seconds-differ",
    "A second has a box in some of the box files only.",
    each=_EACH,
    pictured=True,
)
def release_seconds_differ(release: Release) -> Iterator[Found]:
    keys, edges = _side_by_side(release)
    has = ~np.isnan(edges[:, :, 0])
    files = list(release.boxes)
    for at in np.flatnonzero(~has.all(axis=0)).tolist():
        there = [file for file, held in zip(files, has[:, at], strict=True) if held]
        lacking = [file for file in files if file not in there]
        text = f"has a box in {' and '.join(there)}, none in {' and '.join(lacking)}"
        yield Found(there[0], *_place(release.boxes[there[0]], keys[at]), text)


@registry.rule(
    "release-boxes-differ",
    "A second has different boxes in two box files.",
    each=_EACH,
    pictured=True,
)
def release_boxes_differ(release: Release) -> Iterator[Found]:
    keys, edges = _side_by_side(release)
    files = list(release.boxes)
    # fmin and fmax pass over the NaN of a file that lacks the second.
    low, high = np.fmin.reduce(edges, axis=0), np.fmax.reduce(edges, axis=0)
    for at in np.flatnonzero((low != high).any(axis=1)).tolist():
        boxes = [
            (file, box)
            for file, box in zip(files, edges[:, at], strict=True)
            if not np.isnan(box[0])
        ]
        text = "; ".join(f"{show_box(box)} in {file}" for file, box in boxes)
        yield Found(boxes[0][0], *_place(release.boxes[boxes[0][0]], keys[at]), text)


def _side_by_side(release: Release) -> tuple[Ints, Floats]:
    """The keys of all seconds with a box (k), and the boxes or NaN (files x k x 4)."""
    packed = list(release.boxes.values())
    keys = np.unique(np.concatenate([boxes.keys for boxes in packed]))
    edges = np.full((len(packed), len(keys), 4), np.nan)
    for number, boxes in enumerate(packed):
        edges[number, np.searchsorted(keys, boxes.keys)] = boxes.xyxy
    return keys, edges


def _place(boxes: PackedBoxes, key: int) -> tuple[str, int]:
    """Video and second of a key that the boxes have."""
    row = int(np.searchsorted(boxes.keys, key))
    return boxes.videos[boxes.video[row]], int(boxes.second[row])
