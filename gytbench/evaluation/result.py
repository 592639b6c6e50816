"""What an evaluation returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from gytbench.metrics.arrays import Floats, Ints

Score = float | None
"""A fraction in [0, 1]; None where it is not defined, with the reason in the notes."""


class Interval(NamedTuple):
    """Where a metric may lie if other videos of the same kind had been taken: 95 %."""

    low: float
    high: float
    mean: float
    """Of the resampled metric, before the interval is moved to the score."""
    resamples: int
    """Those in which the metric is defined."""


@dataclass(frozen=True)
class Intervals:
    """Bootstrap intervals over videos, by metric; None for a metric that is not defined."""

    videos: int
    resamples: int
    seed: int
    metrics: Mapping[str, Interval | None]

    def as_dict(self) -> dict[str, Any]:
        """As they are written."""
        return {
            "videos": self.videos,
            "resamples": self.resamples,
            "seed": self.seed,
            "metrics": {name: each and each._asdict() for name, each in self.metrics.items()},
        }


@dataclass(frozen=True)
class Result:
    """Scores of one prediction file under one signature.

    metrics, per_class, per_video hold fractions. counts says how many of what
    were scored; missing says what the file does not answer. notes explains every
    None. outcomes keeps the counts per video, unit or tube that all metrics are
    made of, as arrays, so that resampling never matches again; it is not written.
    intervals is written where it is there (see `uncertainty.with_intervals`).
    """

    signature: str
    task: str
    metrics: Mapping[str, Score]
    counts: Mapping[str, int]
    missing: Mapping[str, int]
    per_class: Mapping[str, Mapping[str, Score]]
    per_video: Mapping[str, Mapping[str, Score]]
    notes: tuple[str, ...] = ()
    outcomes: Any = field(default=None, repr=False, compare=False)
    intervals: Intervals | None = None

    def as_dict(self) -> dict[str, Any]:
        """The result as plain dictionaries, in the order in which it is written."""
        names = ("signature", "task", "metrics", "counts", "missing", "per_class", "per_video")
        written = {name: getattr(self, name) for name in names} | {"notes": list(self.notes)}
        if self.intervals is not None:
            written["intervals"] = self.intervals.as_dict()
        return written

    def to_json(self) -> bytes:
        """The result as JSON, indented, one newline at the end."""
        return _indented(self.as_dict())


def results_json(results: Sequence[Result]) -> bytes:
    """One result as `to_json` writes it; several as a list of such results."""
    return (
        results[0].to_json()
        if len(results) == 1
        else _indented([each.as_dict() for each in results])
    )


def _indented(content: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


NO_REGIONS = "the file has no boxes, heatmaps or masks, so metrics of regions are not defined"


def named_rows(names: Sequence[str], scores: Floats) -> list[dict[str, Score]]:
    """Each row of scores (k x names) under the names, None for NaN."""
    return [
        {name: None if value != value else value for name, value in zip(names, row, strict=True)}
        for row in scores.tolist()
    ]


def mean_of(values: NDArray[Any]) -> Score:
    """Mean of the values that are not NaN; None where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def group_means(group: Ints, values: NDArray[Any], groups: int) -> Floats:
    """Mean of the values of each group, numbered below `groups`; NaN for one without."""
    sizes = np.bincount(group, minlength=groups).astype(float)
    sizes[sizes == 0] = np.nan
    return np.asarray(np.bincount(group, values, minlength=groups) / sizes)
