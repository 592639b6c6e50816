"""What the stages of training hand to each other."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np


class Sample(NamedTuple):
    """A narration with the frames around it, as one process reads it."""

    name: str
    """The video and the narration's seconds, for messages: "abc.mp4, 12.0 to 17.5 s"."""
    text: str
    present: np.ndarray
    """U, bool: false for frames outside the video, which are black."""
    frames: np.ndarray | None
    """U x height x width x 3, uint8 RGB; None where features are given."""
    features: Mapping[str, np.ndarray] = {}
    """What a frozen backbone says of the frames, U first: see `gytbench.training.networks`."""


class Batch(NamedTuple):
    """Samples stacked, B first."""

    names: tuple[str, ...]
    texts: tuple[str, ...]
    present: np.ndarray
    frames: np.ndarray | None
    features: Mapping[str, np.ndarray]


def stacked(samples: list[Sample]) -> Batch:
    """A batch of samples that all have frames, or all the same features."""
    frames = [sample.frames for sample in samples if sample.frames is not None]
    return Batch(
        names=tuple(sample.name for sample in samples),
        texts=tuple(sample.text for sample in samples),
        present=np.stack([sample.present for sample in samples]),
        frames=np.stack(frames) if frames else None,
        features={
            name: np.stack([sample.features[name] for sample in samples])
            for name in samples[0].features
        },
    )
