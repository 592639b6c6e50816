"""How far annotators agree on where to point, and which frames to annotate again.

All distances are in pixels of the reference frame (640x480, upright 480x640):
frames are scaled to it first, so that annotations at any resolution compare.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from gytbench.annotation.table import AnnotatedFrame, PointTable
from gytbench.construction import MARGIN, REFERENCE_FRAME, PointSets, spread
from gytbench.metrics.arrays import Bools, Floats, Ints

LEAST_POINTS = 3
"""Points that a frame needs before one of them is tested against the others, so that at
least two make the box."""

LEAST_FRAMES = 10
"""Frames that a class or video needs before it is ranked, or says what spread is usual."""

FLOOR = 50.0
"""No frame is repeated for a spread up to this: half the margin that boxes have anyway."""

_SPLIT = (0.2, 0.8)
"""Strictly between these shares of answers without a point, annotators do not agree whether
there is anything to point at; one of five alone does not make a disagreement."""

_SIGMAS = 3.0
"""Standard deviations above the median of its class from which a spread is far."""

_SIGMA_PER_MAD = 1.4826
"""Standard deviation of a normal distribution, over its median absolute deviation."""


class Group(NamedTuple):
    """The agreement on all frames of a class, of a video, or of everything.

    A value that no frame tells is None.
    """

    name: str
    frames: int
    pointed: int
    """Frames with at least one point; of mean points, those with one."""
    measured: int
    """Frames with a spread."""
    unseen: float
    """Share of the answers that saw nothing to point at; of mean points, of frames without one."""
    median_spread: float | None
    high_spread: float | None
    """The 90th percentile."""
    inside: float | None
    """Share of the tested points that lie in the box that the others' points make."""


class Annotator(NamedTuple):
    """How one annotator compares with the others who saw the same frames."""

    name: str
    answers: int
    unseen: float
    """Share of the answers that saw nothing to point at."""
    median_distance: float | None
    """From the mean of the others' points; None without a frame where others pointed too."""
    inside: float | None
    """Share of the tested points that lie in the box that the others' points make."""


class Repeat(NamedTuple):
    """A frame to annotate again, and why."""

    frame: AnnotatedFrame
    reasons: tuple[str, ...]
    spread: float | None


@dataclass(frozen=True, eq=False)
class Agreement:
    """The agreement of k frames, and of the classes, videos and annotators they belong to."""

    frames: tuple[AnnotatedFrame, ...]
    classes_of: tuple[str, ...]
    """The class of each frame."""
    answers: Ints
    """Answers of each frame (k)."""
    points: Ints
    """Those that saw something to point at (k)."""
    spread: Floats
    """Mean distance of the points from their mean (k); NaN where fewer than two are known."""
    tested: Ints
    """Points of each frame that were tested against the others (k)."""
    held: Ints
    """Those that lie in the box that the others make (k)."""
    overall: Group
    classes: tuple[Group, ...]
    """By class, sorted by name."""
    videos: tuple[Group, ...]
    """By video, sorted by name."""
    annotators: tuple[Annotator, ...]
    """By annotator, sorted by name; empty where only mean points are known."""
    untested: str | None
    """Why no point was tested against the others; None where some were."""

    @property
    def inside(self) -> Floats:
        """Share of each frame's points in the box of the others (k); NaN where not tested."""
        return np.where(self.tested > 0, self.held / np.maximum(self.tested, 1), np.nan)


def agreement(
    table: PointTable,
    labels: Callable[[str], str | None] | None = None,
    margin: float = MARGIN,
) -> Agreement:
    """How far the annotators of a table agree.

    The spread of a frame is the mean distance of its points from their mean point;
    a single point has none. Each point of a frame with at least `LEAST_POINTS` is
    tested: does it lie in the box that the rule (union, grown by `margin` pixels of
    the reference frame, clipped) makes of the frame's other points?

    A table of mean points tells its mean distances as spreads; nothing is tested. Where
    such a table was stretched, its spread is the root mean square of both axes.

    labels: the class of a step, None where it has none; the step itself then counts.
    """
    reference = table.scaled_to(REFERENCE_FRAME)
    points = reference.points
    # Every point lies in its frame, so that clipping the boxes excludes none.
    tested = (points.counts >= LEAST_POINTS)[points.owner] & (not table.estimated)
    held = tested & _near_others(points, margin)
    frames = _Frames(
        answers=np.bincount(table.frame, minlength=len(table.frames)),
        points=points.counts,
        spread=table.spreads,
        tested=np.bincount(points.owner[tested], minlength=len(table.frames)),
        held=np.bincount(points.owner[held], minlength=len(table.frames)),
    )
    names = {frame.step: frame.step for frame in table.frames}
    if labels is not None:
        names = {step: labels(step) or step for step in names}
    classes_of = tuple(names[frame.step] for frame in table.frames)
    return Agreement(
        frames=table.frames,
        classes_of=classes_of,
        **frames._asdict(),
        overall=_group("all", frames, np.arange(len(table.frames))),
        classes=_groups(classes_of, frames),
        videos=_groups([frame.video for frame in table.frames], frames),
        annotators=() if table.estimated else _annotators(reference, tested, held),
        untested=_untested(table, tested),
    )


def ranked(
    groups: Iterable[Group],
    by: Literal["spread", "unseen"] = "spread",
    least_frames: int = LEAST_FRAMES,
) -> tuple[Group, ...]:
    """Classes or videos, the hardest first.

    by "spread": those with at least `least_frames` frames with a spread, by its median;
    by "unseen": those with at least as many frames, by the share without a point.
    """
    if by == "unseen":
        enough = [group for group in groups if group.frames >= least_frames]
        return tuple(sorted(enough, key=lambda group: (-group.unseen, group.name)))
    enough = [group for group in groups if group.measured >= max(least_frames, 1)]
    return tuple(sorted(enough, key=lambda group: (-(group.median_spread or 0), group.name)))


def frames_to_repeat(found: Agreement, most: int | None = None) -> tuple[Repeat, ...]:
    """The frames to annotate again, the worst first; at most `most`, all by default.

    A frame is listed for any of three reasons:

    - more than 20 % and fewer than 80 % of its annotators saw nothing to point at;
    - a point lies outside the box that the others' points make;
    - its spread is above `FLOOR` and far beyond its class: above the median plus 3
      standard deviations, estimated robustly as 1.4826 times the median absolute
      deviation; only in classes with at least `LEAST_FRAMES` frames with a spread.

    Frames with more reasons come first, then those with a larger spread, then
    those that were not measured.
    """
    unseen = (found.answers - found.points) / found.answers
    split = (unseen > _SPLIT[0]) & (unseen < _SPLIT[1])
    outside = found.tested - found.held
    limits = _limits(found)
    with np.errstate(invalid="ignore"):
        far = found.spread > limits
    reasons = split.astype(np.int64) + (outside > 0) + far
    order = np.lexsort((-np.nan_to_num(found.spread, nan=-1.0), -reasons))
    listed = order[: np.count_nonzero(reasons)][:most]
    return tuple(
        Repeat(
            found.frames[i],
            tuple(_reasons(found, i, split[i], outside[i], limits[i] if far[i] else None)),
            _known(found.spread[i]),
        )
        for i in listed.tolist()
    )


def _reasons(
    found: Agreement, frame: int, split: bool, outside: int, limit: float | None
) -> Iterator[str]:
    answers, points = found.answers[frame], found.points[frame]
    if split:
        yield f"{answers - points} of {answers} annotators saw nothing"
    if outside:
        what = "point lies" if outside == 1 else "points lie"
        yield f"{outside} of {points} {what} outside the others' box"
    if limit is not None:
        yield f"spread {found.spread[frame]:.1f} px, above {limit:.1f} px for its class"


def _limits(found: Agreement) -> Floats:
    """From which spread on a frame is repeated (k); infinite in classes with too few frames."""
    limits = np.full(len(found.frames), np.inf)
    for _, part in _parts(found.classes_of):
        spreads = _finite(found.spread[part])
        if spreads.size >= LEAST_FRAMES:
            median = np.median(spreads)
            sigma = _SIGMA_PER_MAD * np.median(np.abs(spreads - median))
            limits[part] = max(median + _SIGMAS * sigma, FLOOR)
    return limits


class _Frames(NamedTuple):
    """What is known by frame; the fields are those of `Agreement`."""

    answers: Ints
    points: Ints
    spread: Floats
    tested: Ints
    held: Ints


def _near_others(points: PointSets, margin: float) -> Bools:
    """Which points lie in their frame's other points' union, grown by the margin (n)."""
    low, high = _least_of_others(points, points.xy), -_least_of_others(points, -points.xy)
    near = (points.xy >= low - margin) & (points.xy <= high + margin)
    return np.asarray(near.all(axis=1))


def _least_of_others(points: PointSets, xy: Floats) -> Floats:
    """The least x and the least y of a frame's other points, for each point (n x 2).

    Without meaning for a point that is alone in its frame.
    """
    owner = points.owner
    least = np.empty_like(xy)
    first = points.starts[owner]
    second = np.minimum(first + 1, len(xy) - 1)
    for axis in range(2):
        order = np.lexsort((xy[:, axis], owner))
        rising = xy[order, axis]
        # Sorted within its frame: the least point's least other is the second.
        is_least = np.arange(len(xy)) == first
        least[order, axis] = np.where(is_least, rising[second], rising[first])
    return least


def _annotators(table: PointTable, tested: Bools, held: Bools) -> tuple[Annotator, ...]:
    seen = np.flatnonzero(~np.isnan(table.xy).any(axis=1))
    # The points of a table lie in the order of its answers.
    was_seen, was_tested, was_held = np.zeros((3, len(table.xy)), dtype=np.bool_)
    was_seen[seen], was_tested[seen], was_held[seen] = True, tested, held
    distance = np.full(len(table.xy), np.nan)
    distance[seen] = _from_others(table.points)
    names = [table.annotators[number] for number in table.annotator]
    return tuple(
        Annotator(
            name=name,
            answers=len(part),
            unseen=1 - float(was_seen[part].mean()),
            median_distance=_quantile(distance[part], 0.5),
            inside=_ratio(was_held[part].sum(), was_tested[part].sum()),
        )
        for name, part in _parts(names)
    )


def _from_others(points: PointSets) -> Floats:
    """How far each point lies from the mean of its frame's others (n); NaN for one alone."""
    counts = points.counts[points.owner]
    apart = points.xy - spread(points)[0][points.owner]
    # The others' mean lies opposite: p - (n mean - p) / (n - 1) = (p - mean) n / (n - 1).
    stretch = np.where(counts > 1, counts / np.maximum(counts - 1, 1), np.nan)
    return np.asarray(np.hypot(apart[:, 0], apart[:, 1]) * stretch)


def _groups(names: Sequence[str], frames: _Frames) -> tuple[Group, ...]:
    return tuple(_group(name, frames, part) for name, part in _parts(names))


def _group(name: str, frames: _Frames, part: Ints) -> Group:
    points, spreads = frames.points[part], _finite(frames.spread[part])
    return Group(
        name=name,
        frames=len(part),
        pointed=int(np.count_nonzero(points)),
        measured=spreads.size,
        unseen=float(1 - points.sum() / frames.answers[part].sum()),
        median_spread=_quantile(spreads, 0.5),
        high_spread=_quantile(spreads, 0.9),
        inside=_ratio(frames.held[part].sum(), frames.tested[part].sum()),
    )


def _parts(names: Sequence[str]) -> Iterator[tuple[str, Ints]]:
    """Each name, sorted, with the places where it stands."""
    index = {name: number for number, name in enumerate(sorted(set(names)))}
    numbers = np.array([index[name] for name in names], dtype=np.int64)
    order = np.argsort(numbers, kind="stable")
    cuts = np.searchsorted(numbers[order], np.arange(1, len(index)))
    return zip(index, np.split(order, cuts), strict=True)


def _untested(table: PointTable, tested: Bools) -> str | None:
    if table.estimated:
        return "only the annotators' mean points are known"
    return None if tested.any() else f"no frame has {LEAST_POINTS} points"


def _finite(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _quantile(values: Floats, share: float) -> float | None:
    values = _finite(values)
    return float(np.quantile(values, share)) if values.size else None


def _ratio(part: np.int64, whole: np.int64) -> float | None:
    return float(part / whole) if whole else None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
