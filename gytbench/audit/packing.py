"""Boxes and mean points of all videos as arrays, and which point belongs to which box."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gytbench.benchmark import AnnotatedPoint, Box
from gytbench.metrics.arrays import Floats, Ints

_SECONDS = 1 << 24
"""More than the largest second that a file may have."""

Sizes = Mapping[str, tuple[float, float]]
"""Width and height in pixels, by video."""


@dataclass(frozen=True, eq=False)
class PackedBoxes:
    """The k boxes of one release, by video and second."""

    videos: tuple[str, ...]
    """All video ids, sorted."""
    video: Ints
    """Index into `videos` (k)."""
    second: Ints
    """k."""
    xyxy: Floats
    """k x 4."""
    sizes: Floats
    """Width and height of each box's frame (k x 2)."""

    @cached_property
    def keys(self) -> Ints:
        """Video and second as one number (k), ascending."""
        return place_keys(self.video, self.second)

    def row(self, video: str, second: int) -> int | None:
        """The row of the box of a second; None where it has none."""
        key = self.videos.index(video) * _SECONDS + second
        at = int(np.searchsorted(self.keys, key))
        return at if at < len(self.keys) and self.keys[at] == key else None


@dataclass(frozen=True, eq=False)
class PackedPoints:
    """The k mean points of both rounds, by video and second, in the annotation frame."""

    videos: tuple[str, ...]
    video: Ints
    second: Ints
    round: Ints
    """1 or 2 (k)."""
    xy: Floats
    """k x 2."""
    distances: Floats
    """The mean distance along x and along y (k x 2)."""
    steps: tuple[str, ...]

    @cached_property
    def keys(self) -> Ints:
        """Video and second as one number (k), ascending, with repetitions."""
        return place_keys(self.video, self.second)

    def rows(self, video: str, second: int) -> range:
        """The rows of the points of a second."""
        key = self.videos.index(video) * _SECONDS + second
        low, high = np.searchsorted(self.keys, [key, key + 1]).tolist()
        return range(low, high)


def place_keys(video: Ints, second: Ints) -> Ints:
    """Index of the video and second as one number each."""
    return video * _SECONDS + second


def pack_boxes(boxes: Mapping[str, Mapping[int, Box]], frames: Sizes) -> PackedBoxes:
    """The boxes by video and second; every video of theirs must be in `frames`."""
    videos = tuple(sorted(frames))
    number = {video: index for index, video in enumerate(videos)}
    rows = sorted(
        (number[video], second, box)
        for video, by_second in boxes.items()
        for second, box in by_second.items()
    )
    video = np.array([row[0] for row in rows], dtype=np.int64)
    return PackedBoxes(
        videos,
        video,
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4),
        _sizes_of(frames, videos)[video],
    )


def pack_points(points: Iterable[AnnotatedPoint], frames: Sizes) -> PackedPoints:
    """The points by video and second, their mean distances in the annotation frame.

    Those of the first round were drawn on the video's own pixels, so they are
    stretched as the video was, differently along x and along y.
    """
    videos = tuple(sorted(frames))
    number = {video: index for index, video in enumerate(videos)}
    ordered = sorted(points, key=lambda point: (number[point.video], point.second, point.round))
    video = np.array([number[point.video] for point in ordered], dtype=np.int64)
    rounds = np.array([point.round for point in ordered], dtype=np.int64)
    apart = np.array([point.mean_distance for point in ordered], dtype=np.float64)
    scales = np.array([point.scale for point in ordered], dtype=np.float64).reshape(-1, 2)
    return PackedPoints(
        videos,
        video,
        np.array([point.second for point in ordered], dtype=np.int64),
        rounds,
        np.array([(point.x, point.y) for point in ordered], dtype=np.float64).reshape(-1, 2),
        apart[:, None] * scales,
        tuple(point.step for point in ordered),
    )


def pairs(boxes: PackedBoxes, points: PackedPoints) -> tuple[Ints, Ints]:
    """Every box with every point of its second: rows of boxes and rows of points.

    Both must be packed over the same videos.
    """
    low = np.searchsorted(points.keys, boxes.keys, side="left")
    counts = np.searchsorted(points.keys, boxes.keys, side="right") - low
    box = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(box)) - np.repeat(np.cumsum(counts) - counts, counts)
    return box, low[box] + within


def _sizes_of(sizes: Sizes, videos: tuple[str, ...]) -> Floats:
    return np.array([sizes[video] for video in videos], dtype=np.float64).reshape(-1, 2)
