"""Every metric of a task when the videos are drawn again, from stored outcomes alone.

Matches are never made again: a video that is drawn twice counts twice, with the
outcomes it has. Weights are resamples x videos, how often each video is drawn; a
weight of 1 for every video gives the metrics of the file itself.
"""

from collections.abc import Mapping

import numpy as np

from gytbench.evaluation import spatial, st, temporal
from gytbench.evaluation.protocol import TUBE_THRESHOLDS
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.metrics.average_precision import resampled_average_precision

Resampled = Mapping[str, Floats]
"""Each metric of the task, one value a resample; NaN where it is not defined."""


Outcomes = st.SpatioTemporalOutcomes | spatial.SpatialOutcomes | temporal.TemporalOutcomes


def resample(outcomes: Outcomes, weights: Floats, average: str = "video-class") -> Resampled:
    """The metrics of a task's outcomes under each row of weights (resamples x videos).

    average: how the task `temporal` averages, as in `Protocol`.
    """
    if isinstance(outcomes, st.SpatioTemporalOutcomes):
        return _spatio_temporal(outcomes, weights)
    if isinstance(outcomes, spatial.SpatialOutcomes):
        return _spatial(outcomes, weights)
    return _temporal(outcomes, weights, average)


def _spatio_temporal(outcomes: st.SpatioTemporalOutcomes, weights: Floats) -> dict[str, Floats]:
    names = st.FRAME_SCORES
    overall = st.frame_scores(weights @ outcomes.frames)
    classes = _class_frame_means(outcomes.class_frames, weights)
    scores = st.frame_scores(outcomes.frames)
    scores[outcomes.frames[:, 0] == 0] = np.nan
    videos = _means(scores, weights)
    metrics = dict(zip(names, overall.T, strict=True))
    for suffix, columns in (("_class_mean", classes), ("_video_mean", videos)):
        metrics |= {name + suffix: column for name, column in zip(names, columns.T, strict=True)}
    return metrics | _video_maps(outcomes, weights)


def _class_frame_means(class_frames: Ints, weights: Floats) -> Floats:
    """Means over classes of the frame scores (resamples x scores)."""
    videos = len(class_frames)
    seen = np.flatnonzero(class_frames[:, :, 0].any(axis=0))
    drawn = weights @ class_frames[:, seen].reshape(videos, 4 * seen.size)
    drawn = drawn.reshape(len(weights), seen.size, 4)
    scores = st.frame_scores(drawn.reshape(-1, 4)).reshape(*drawn.shape[:2], len(st.FRAME_SCORES))
    scores[drawn[:, :, 0] == 0] = np.nan
    return _mean_known(scores)


def _video_maps(outcomes: st.SpatioTemporalOutcomes, weights: Floats) -> dict[str, Floats]:
    names = [f"video_map@{threshold}" for threshold in TUBE_THRESHOLDS]
    if not outcomes.has_regions:
        return dict.fromkeys([*names, "video_map@0.1:0.5"], np.full(len(weights), np.nan))
    precision = resampled_average_precision(
        group=outcomes.tube_label,
        score=outcomes.tube_score,
        correct=outcomes.tube_instance >= 0,
        owner=outcomes.tube_video,
        positives=outcomes.positives,
        weights=weights,
    )
    maps = _mean_known(np.moveaxis(precision, 2, 1))
    return dict(zip([*names, "video_map@0.1:0.5"], [*maps.T, maps.mean(axis=1)], strict=True))


def _spatial(outcomes: spatial.SpatialOutcomes, weights: Floats) -> dict[str, Floats]:
    classes = int(outcomes.label.max(initial=-1)) + 1
    shape = weights.shape[1], classes
    units, hits, successes = (
        _counts(outcomes.video, outcomes.label, values, shape)
        for values in (np.ones(outcomes.hit.size, dtype=bool), outcomes.hit, outcomes.success)
    )
    metrics = dict(
        zip(
            ("pointing_accuracy", "pointing_accuracy_class_mean"),
            _ratios(hits, units, weights),
            strict=True,
        )
    )
    regions = ("success@0.3", "success@0.3_class_mean", "spatial_map@0.3")
    if not outcomes.has_regions:
        return metrics | dict.fromkeys(regions, np.full(len(weights), np.nan))
    ranked = ~np.isnan(outcomes.score)
    precision = resampled_average_precision(
        group=outcomes.label[ranked],
        score=outcomes.score[ranked],
        correct=outcomes.success[np.newaxis, ranked],
        owner=outcomes.video[ranked],
        positives=units.astype(np.int64),
        weights=weights,
    )
    found = (*_ratios(successes, units, weights), _mean_known(np.moveaxis(precision, 2, 1))[:, 0])
    return metrics | dict(zip(regions, found, strict=True))


def _counts(video: Ints, label: Ints, values: Bools, shape: tuple[int, int]) -> Floats:
    """Sum of the values of each video and class."""
    sums = np.bincount(video * shape[1] + label, values, minlength=shape[0] * shape[1])
    return np.asarray(sums.reshape(shape), dtype=np.float64)


def _ratios(parts: Floats, wholes: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Of counts (videos x classes): the ratio over everything, and its mean over classes."""
    drawn, total = weights @ parts, weights @ wholes
    everything = _divide(drawn.sum(axis=1), total.sum(axis=1))
    return everything, _mean_known(_divide(drawn, total)[:, :, np.newaxis])[:, 0]


def _temporal(
    outcomes: temporal.TemporalOutcomes, weights: Floats, average: str
) -> dict[str, Floats]:
    if average == "frames-micro":
        by_video = outcomes.durations.sum(axis=1)
        iou, iod = temporal.micro_scores(weights @ by_video)
        return {"iou": iou, "iod": iod}
    scores = np.stack(temporal.group_scores(outcomes, average, by_class=False), axis=1)
    return dict(zip(("iou", "iod"), _means(scores, weights).T, strict=True))


def _means(scores: Floats, weights: Floats) -> Floats:
    """Weighted means of the known scores of the videos (videos x k): resamples x k."""
    known = ~np.isnan(scores)
    return _divide(weights @ np.where(known, scores, 0), weights @ known)


def _mean_known(values: Floats) -> Floats:
    """Mean over the middle axis of what is not NaN; NaN where nothing is."""
    known = ~np.isnan(values)
    return _divide(np.where(known, values, 0).sum(axis=1), known.sum(axis=1))


def _divide(part: Floats, whole: Floats) -> Floats:
    """part / whole; NaN where the whole is 0."""
    none = np.full(part.shape, np.nan)
    return np.asarray(np.divide(part, whole, out=none, where=whole > 0))
