"""Confidence intervals: a bootstrap over videos (docs/analysis.md, section 1).

Seconds and tubes of one video are not independent of each other, so whole videos
are drawn with replacement. A video that is drawn twice counts twice.

An interval is that of the percentiles, moved so that the mean of the resamples lies
at the score. The metrics that average over classes need this: about a third of the
videos is missing from a resample, so rare classes vanish from the mean or weigh
more, and every resample is off to the same side. For example, a video mAP@0.5 of
0.0473 had the plain percentiles 0.0478 to 0.0667, which exclude the score itself.
Moving mends the place of an interval, not its width.

How often an interval holds the expected score was measured on simulated data. Ratios
over all seconds, and means over videos: 0.94 to 0.95 of the intervals with 100 or 250
videos, 0.93 to 0.94 with 60. Video mAP: 0.92 to 0.93 with 100 videos and 60 classes of
very unequal frequency (plain percentiles: 0.84 to 0.90), and 0.87 to 0.91 with 250
videos and 300 classes, most of which have hardly an instance. Samples of the released
videos, with a system of 50,910 tubes: 0.91 to 0.94 (plain percentiles: 0.01 to 0.69).

Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 10
(bias) and 13 (percentiles).
"""

from dataclasses import replace

import numpy as np

from gytbench.errors import InputError
from gytbench.evaluation.protocol import parse_signature
from gytbench.evaluation.resampling import Outcomes, Resampled, resample
from gytbench.evaluation.result import Interval, Intervals, Result
from gytbench.evaluation.spatial import SpatialOutcomes
from gytbench.evaluation.st import SpatioTemporalOutcomes
from gytbench.metrics.arrays import Floats, Ints

_QUANTILES = (0.025, 0.975)
_MOST_VALUES = 1 << 24
"""Of weights of tubes at once: 128 MiB."""


def draw_videos(videos: int, resamples: int, seed: int) -> Floats:
    """How often each video is drawn in each resample (resamples x videos).

    The draws are `numpy.random.default_rng(seed).integers(0, videos, (resamples, videos))`.
    Raises InputError for less than one video or resample.
    """
    if videos < 1 or resamples < 1:
        raise InputError(f"cannot draw {resamples} resamples of {videos} videos")
    drawn = np.random.default_rng(seed).integers(0, videos, (resamples, videos))
    cells = drawn + np.arange(resamples)[:, np.newaxis] * videos
    counts = np.bincount(cells.ravel(), minlength=resamples * videos)
    return counts.reshape(resamples, videos).astype(np.float64)


def intervals(result: Result, resamples: int = 1000, seed: int = 0) -> dict[str, Interval | None]:
    """The 95 % interval of each metric of a result, within [0, 1].

    None for a metric that is not defined, in the result or in every resample;
    resamples in which it is not defined are left out.
    """
    weights = draw_videos(number_of_videos(result), resamples, seed)
    drawn = resample_all(result.outcomes, weights, parse_signature(result.signature).average)
    return {
        name: interval_of(drawn[name], score, 0.0, 1.0) for name, score in result.metrics.items()
    }


def with_intervals(result: Result, resamples: int = 1000, seed: int = 0) -> Result:
    """The result with the `intervals` of its metrics."""
    found = intervals(result, resamples, seed)
    return replace(
        result, intervals=Intervals(number_of_videos(result), resamples, seed, metrics=found)
    )


def number_of_videos(result: Result) -> int:
    """The videos of the benchmark that the result is of, also those without a score."""
    outcomes: Outcomes = result.outcomes
    if isinstance(outcomes, SpatialOutcomes):
        return result.counts["videos"]
    if isinstance(outcomes, SpatioTemporalOutcomes):
        return len(outcomes.frames)
    return len(outcomes.durations)


def resample_all(outcomes: Outcomes, weights: Floats, average: str) -> Resampled:
    """As `resample`, a part of the resamples at a time, so that memory stays small."""
    rows = max(1, _MOST_VALUES // _largest_class(outcomes))
    parts = [
        resample(outcomes, weights[first : first + rows], average)
        for first in range(0, len(weights), rows)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _largest_class(outcomes: Outcomes) -> int:
    """The most detections that one class ranks, at least 1."""
    labels: Ints = np.zeros(0, dtype=np.int64)
    if isinstance(outcomes, SpatioTemporalOutcomes):
        labels = outcomes.tube_label
    elif isinstance(outcomes, SpatialOutcomes):
        labels = outcomes.label
    return max(1, int(np.bincount(labels).max(initial=1)))


def interval_of(drawn: Floats, score: float | None, least: float, most: float) -> Interval | None:
    """The interval of a score from its resampled values (n, NaN = not defined).

    It lies within least and most and never excludes the score.
    """
    known = drawn[~np.isnan(drawn)]
    if score is None or not known.size:
        return None
    mean = float(known.mean())
    low, high = (score + float(value) - mean for value in np.quantile(known, _QUANTILES))
    # The mean of very skewed values may lie beyond a percentile.
    low, high = max(least, min(low, score)), min(most, max(high, score))
    return Interval(low, high, mean, int(known.size))
