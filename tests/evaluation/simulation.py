"""Outcomes of videos drawn from a population that is known: easy and hard videos, rare classes."""

import numpy as np

from gytbench.evaluation import TUBE_THRESHOLDS
from gytbench.evaluation.st import SpatioTemporalOutcomes
from gytbench.metrics.arrays import Floats, Ints

PER_VIDEO = 6
"""Instances of a video, and its false tubes."""
EASE: Floats = np.array([1.4, 1.2, 1.0, 0.8, 0.5])[:, np.newaxis]
"""How likely a tube is right, at each threshold, as a multiple of the video's own chance."""


def simulate(rng: np.random.Generator, videos: int, classes: int) -> SpatioTemporalOutcomes:
    """Outcomes of one system on so many videos; class k is 1 / k as frequent as class 1."""
    skill = rng.beta(3, 3, videos)
    share = 1 / np.arange(1, classes + 1)
    video = np.repeat(np.arange(videos), PER_VIDEO)
    label, false_label = rng.choice(classes, (2, video.size), p=share / share.sum())
    positives = np.zeros((videos, classes), dtype=np.int64)
    np.add.at(positives, (video, label), 1)
    chance = 0.6 * skill[video]
    right = rng.random((len(TUBE_THRESHOLDS), video.size)) < chance * EASE
    score = np.stack((rng.normal(chance, 0.5), rng.normal(-0.2, 0.5, video.size)))
    return SpatioTemporalOutcomes(
        frames=_seconds(rng, skill),
        class_frames=np.zeros((videos, classes, 4), dtype=np.int64),
        tube_video=np.tile(video, 2),
        tube_label=np.concatenate((label, false_label)),
        tube_score=score.ravel(),
        tube_instance=np.hstack((np.where(right, 0, -1), np.full(right.shape, -1))),
        positives=positives,
        has_regions=True,
    )


def _seconds(rng: np.random.Generator, skill: Floats) -> Ints:
    covered = 5 + rng.poisson(40 * rng.gamma(2, 0.5, skill.size))
    predicted = 5 + rng.poisson(0.8 * covered)
    labelled = rng.binomial(np.minimum(covered, predicted), skill)
    hit = rng.binomial(labelled, 0.3 + 0.6 * skill)
    return np.stack((covered, predicted, labelled, hit), axis=1)
