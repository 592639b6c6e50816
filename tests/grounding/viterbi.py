"""Alignment with a dictionary of hypotheses a frame, in plain Python: slow and obvious.

A hypothesis is a segment and its length so far, as in the decoder that the release of
MiningYouTube uses; without its beam all are kept, and the outcome is exact.
"""

from collections.abc import Sequence
from math import inf, lgamma, log
from typing import Any


def length_score(length: int, mean: float | None) -> float:
    """Poisson, and 0 at the mean."""
    if mean is None:
        return 0.0
    most = mean * log(mean) - mean - lgamma(mean + 1)
    return length * log(mean) - mean - lgamma(length + 1) - most


def viterbi(
    log_scores: Sequence[Sequence[float]],
    transcript: Sequence[int],
    mean: float | None = None,
    longest: int | None = None,
) -> tuple[list[int], float]:
    """The starts and the score of the best alignment; of equal ones, with the latest segment
    starting earliest, then the one before. No starts and -inf if none is possible."""
    most = longest or len(log_scores)
    finished = [length_score(length, mean) for length in range(1, most + 1)]
    # (segment, length): its score, and the starts so far, the last one first.
    hypotheses: dict[tuple[int, int], tuple[float, Any]] = {
        (0, 1): (log_scores[0][transcript[0]], (0, None))
    }
    for frame in range(1, len(log_scores)):
        emission = [log_scores[frame][label] for label in transcript]
        following: dict[tuple[int, int], tuple[float, Any]] = {}
        # Longest first: it started first, and keeps its place among equals.
        for (segment, length), (score, starts) in sorted(hypotheses.items(), reverse=True):
            if length < most:
                following[segment, length + 1] = (score + emission[segment], starts)
            if segment + 1 < len(transcript):
                total = score + finished[length - 1] + emission[segment + 1]
                held = following.get((segment + 1, 1))
                if held is None or total > held[0]:
                    following[segment + 1, 1] = (total, (frame, starts))
        hypotheses = following
    return _best(hypotheses, len(transcript), finished)


def _best(
    hypotheses: dict[tuple[int, int], tuple[float, Any]], segments: int, finished: list[float]
) -> tuple[list[int], float]:
    best, chain = -inf, None
    for (segment, length), (score, starts) in sorted(hypotheses.items(), reverse=True):
        if segment == segments - 1 and score + finished[length - 1] > best:
            best, chain = score + finished[length - 1], starts
    found: list[int] = []
    while chain:
        start, chain = chain
        found.append(start)
    return found[::-1], best
