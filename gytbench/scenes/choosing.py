"""Which scenes to show: the best, the worst, the typical, or evenly over a video."""

from collections.abc import Iterable, Sequence
from itertools import chain, islice, zip_longest
from typing import NamedTuple

import numpy as np

from gytbench.metrics.arrays import Floats, Ints
from gytbench.scenes.model import (
    BACKGROUND,
    FALSE_ALARM,
    IGNORED,
    MISSED,
    RIGHT,
    WRONG_LABEL,
    WRONG_PLACE,
    Scene,
    VideoScenes,
)


class Picks(NamedTuple):
    """Scenes worth a look, the most telling first."""

    best: tuple[Scene, ...]
    worst: tuple[Scene, ...]
    typical: tuple[Scene, ...]


def pick(scenes: VideoScenes | Iterable[VideoScenes], number: int) -> Picks:
    """At most `number` scenes of each kind, of a video or of many.

    best: right, with the highest score; among equal scores the point nearest to the
    centre of the box.
    worst: wrong label, wrong place, false alarm and missed take turns; the first
    three with the highest score first, and among equal scores the point farthest
    away; missed ones by how many seconds of the instance are missed.
    typical: of the scenes with a point and a box that count, those whose distance
    from the point to the centre of the box is nearest to the median.

    In each kind, tubes (without one: instances) come once before one comes twice,
    and so do videos, so that neighbouring seconds do not fill a page. What is still
    equal goes by video and second: the same scenes are picked every time.
    """
    videos = [scenes] if isinstance(scenes, VideoScenes) else list(scenes)
    pool = _Pool(videos)
    mistakes = [
        pool.ranked(np.flatnonzero(pool.verdict == verdict), -pool.score, -pool.distance)
        for verdict in (WRONG_LABEL, WRONG_PLACE, FALSE_ALARM)
    ]
    missed = np.flatnonzero(pool.verdict == MISSED)
    turns = zip_longest(*mistakes, pool.ranked(missed, -pool.times(missed)))
    worst = islice((row for row in chain.from_iterable(turns) if row is not None), number)
    right = pool.ranked(np.flatnonzero(pool.verdict == RIGHT), -pool.score, pool.distance)
    return Picks(
        pool.scenes(right[:number]), pool.scenes(worst), pool.scenes(pool.typical()[:number])
    )


def spread(scenes: VideoScenes, number: int) -> tuple[Scene, ...]:
    """At most `number` scenes, evenly from those with a box.

    Where a video has no box, from the ignored seconds and those with a prediction.
    """
    verdict = scenes.verdicts
    rows = np.flatnonzero(~np.isin(verdict, (FALSE_ALARM, IGNORED, BACKGROUND)))
    if not rows.size:
        rows = np.flatnonzero(verdict != BACKGROUND)
    count = min(number, rows.size)
    return tuple(scenes.scenes[int(rows[at * rows.size // count])] for at in range(count))


class _Pool:
    """The rows of all videos, one after another."""

    def __init__(self, videos: Sequence[VideoScenes]) -> None:
        self._videos = videos
        self._begin = np.cumsum([0, *(each.seconds.size for each in videos)])
        self.video = np.repeat(np.arange(len(videos)), np.diff(self._begin))
        empty: tuple[list[float], ...] = ([],)
        joined = [
            np.concatenate([*empty, *columns])
            for columns in (
                [each.verdicts for each in videos],
                [each.scores for each in videos],
                [each.distances for each in videos],
                [each.groups for each in videos],
            )
        ]
        self.verdict = joined[0].astype(np.int64)
        self.score = joined[1]
        self.distance = np.nan_to_num(joined[2])
        self._placed = ~np.isnan(joined[2])
        self._group = joined[3].astype(np.int64)

    def ranked(self, rows: Ints, *keys: Floats) -> list[int]:
        """The rows by keys (of all rows, the first first), tubes and videos taking turns."""
        order = rows[np.lexsort([key[rows] for key in reversed(keys)])]
        of_group = _occurrence(self._group[order])
        order, of_group = (column[of_group.argsort(kind="stable")] for column in (order, of_group))
        of_video = _occurrence(of_group * len(self._videos) + self.video[order])
        ranked: list[int] = order[np.lexsort((of_video, of_group))].tolist()
        return ranked

    def typical(self) -> list[int]:
        """Rows with a point and a box that count, nearest to the median distance first."""
        rows = np.flatnonzero(self._placed & (self.verdict != IGNORED))
        if not rows.size:
            return []
        return self.ranked(rows, np.abs(self.distance - np.median(self.distance[rows])))

    def times(self, rows: Ints) -> Floats:
        """For each of these rows, how many of them are of its group; 0 for all others."""
        counted = np.zeros(self._group.size)
        _, at, count = np.unique(self._group[rows], return_inverse=True, return_counts=True)
        counted[rows] = count[at]
        return counted

    def scenes(self, rows: Iterable[int]) -> tuple[Scene, ...]:
        return tuple(
            self._videos[self.video[row]].scenes[row - int(self._begin[self.video[row]])]
            for row in rows
        )


def _occurrence(keys: Ints) -> Ints:
    """How many equal keys come before each."""
    order = keys.argsort(kind="stable")
    ordered = keys[order]
    first = np.searchsorted(ordered, ordered)
    occurrence = np.empty_like(keys)
    occurrence[order] = np.arange(keys.size) - first
    return occurrence
