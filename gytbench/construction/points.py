"""The points of many frames in one array, and how far they lie apart."""

from dataclasses import dataclass

import numpy as np

from gytbench.metrics.arrays import Floats, Ints


@dataclass(frozen=True, eq=False)
class PointSets:
    """The visible points of k frames.

    xy: n x 2, in pixels; frame i owns the rows starts[i] to starts[i + 1].
    starts: k + 1.
    """

    xy: Floats
    starts: Ints

    @classmethod
    def of(cls, frame: Ints, xy: Floats, frames: int) -> "PointSets":
        """Points (n x 2) grouped by the number of their frame (n); rows with a NaN are left out."""
        seen = ~np.isnan(xy).any(axis=1)
        frame, xy = frame[seen], xy[seen]
        order = np.argsort(frame, kind="stable")
        return cls(xy[order], np.searchsorted(frame[order], np.arange(frames + 1)))

    @property
    def counts(self) -> Ints:
        """How many points each frame has (k)."""
        return np.diff(self.starts)

    @property
    def owner(self) -> Ints:
        """The frame of each point (n)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def reduce(self, ufunc: np.ufunc, values: Floats) -> Floats:
        """ufunc (np.minimum, np.add, ...) over the rows of each frame; NaN for one without points.

        values: n, or n x c. Returns k, or k x c.
        """
        reduced = np.full((len(self.counts), *values.shape[1:]), np.nan)
        filled = self.counts > 0
        if filled.any():
            reduced[filled] = ufunc.reduceat(values, self.starts[:-1][filled], axis=0)
        return reduced


def spread(points: PointSets) -> tuple[Floats, Floats]:
    """The mean point (k x 2) and the points' mean distance from it (k); NaN without points."""
    counts = np.maximum(points.counts, 1)
    means = points.reduce(np.add, points.xy) / counts[:, None]
    apart = points.xy - means[points.owner]
    distances = np.hypot(apart[:, 0], apart[:, 1])
    return means, points.reduce(np.add, distances) / counts
