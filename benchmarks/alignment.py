"""Alignment of a long transcript, beside a decoder with a dictionary of hypotheses a frame."""

from typing import NamedTuple

import numpy as np

from benchmarks.measuring import show, timed
from gytbench.grounding.alignment import align
from gytbench.metrics.arrays import Floats, Ints
from tests.grounding.viterbi import viterbi

CLASSES = 513
MEAN_LENGTH = 150.0


class Size(NamedTuple):
    """Frames, segments of the transcript, and the most frames of a segment."""

    frames: int
    segments: int
    longest: int

    def __str__(self) -> str:
        return f"{self.frames:,} frames x {self.segments} segments of up to {self.longest:,}"

    def hypotheses(self) -> int:
        """How many the dictionaries of all frames hold together."""
        seen = np.arange(1, self.frames + 1)[:, None]
        before = np.arange(self.segments)
        # The segments before have a frame each at least, and `longest` each at most.
        most = np.minimum(self.longest, seen - before)
        least = np.maximum(1, seen - before * self.longest)
        return int(np.maximum(most - least + 1, 0).sum())


def alignment() -> None:
    """With and without the length term; the decoder on a sample, since the whole takes minutes."""
    _beside_the_decoder("Poisson lengths", MEAN_LENGTH, Size(5_000, 80, 1_500), Size(600, 20, 180))
    _beside_the_decoder("any lengths", None, Size(5_000, 80, 5_000), Size(600, 20, 600))


def _beside_the_decoder(title: str, mean: float | None, whole: Size, sample: Size) -> None:
    scores, labels = scores_of(whole)
    _, ours = timed(lambda: align(scores, labels, mean_length=mean, max_length=whole.longest))
    scores, labels = scores_of(sample)
    found, small = timed(lambda: align(scores, labels, mean_length=mean, max_length=sample.longest))
    rows, transcript = scores.tolist(), labels.tolist()
    (starts, score), seconds = timed(
        lambda: viterbi(rows, transcript, mean, sample.longest), repeat=1
    )
    expected = seconds * whole.hypotheses() / sample.hypotheses()
    show(
        f"Alignment, {title}: {whole}",
        [
            ["gytbench", ours],
            [f"dictionary of hypotheses: {whole.hypotheses():,} at the cost below", expected],
            [f"gytbench: sample, {sample}", small],
            [f"dictionary of hypotheses: {sample.hypotheses():,} of the sample", seconds],
        ],
        f"dictionary / gytbench = {expected / ours:,.0f} (extrapolated by hypotheses), "
        f"{seconds / small:,.0f} on the sample",
        f"score of the sample: gytbench - dictionary = {found.score - score:.1e}, boundaries "
        f"{'equal' if found.starts.tolist() == starts else 'DIFFERENT'}",
    )


def scores_of(size: Size) -> tuple[Floats, Ints]:
    """Log probabilities that favour a drawn alignment's classes, every second one background."""
    rng = np.random.default_rng(0)
    labels = np.full(size.segments, CLASSES - 1)
    labels[1::2] = rng.integers(0, CLASSES - 1, size.segments // 2)
    cuts = np.sort(rng.choice(np.arange(1, size.frames), size.segments - 1, replace=False))
    covering = np.repeat(labels, np.diff(np.concatenate(([0], cuts, [size.frames]))))
    logits = rng.normal(0, 1, (size.frames, CLASSES))
    logits[np.arange(size.frames), covering] += 2
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), labels
