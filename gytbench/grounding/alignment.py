"""Exact alignment of an ordered transcript to a video's frames."""

from math import lgamma, log
from typing import NamedTuple

import numpy as np

from gytbench.errors import InputError
from gytbench.metrics.arrays import Floats, Ints

_ROWS = 32
"""Ends that are compared with all their possible starts at once."""


class Alignment(NamedTuple):
    """Segment i covers frames starts[i] to ends[i] - 1; score: what its search maximised."""

    starts: Ints
    ends: Ints
    score: float


def align(
    log_scores: Floats,
    transcript: Ints,
    *,
    mean_length: float | None = None,
    max_length: int | None = None,
) -> Alignment:
    """The best way to cut all frames into the transcript's segments, in its order.

    log_scores: frames x classes, -inf where a class is impossible; transcript: the
    class of each segment, background and repeats included. Every segment covers at
    least one frame and at most max_length of them. The score is the sum, over the
    frames, of the log score of their segment's class, plus `length_scores` of each
    segment's length if there is a mean_length (in frames).

    Ties: every boundary lies as early as in any of the best alignments, as far as sums
    of floats can tell. (-inf is exact; but with a mean_length or max_length, a finite
    score as low as -1e12 blurs the rest, since all are differences of running sums.)

    Takes frames x segments steps; with a mean_length or a max_length, at worst
    frames x segments x max_length, and a small part of it where segments can be told
    apart. Memory: a few copies of frames x segments.

    Raises InputError if the input is out of range or allows no finite score.

    The model is that of NeuralNetwork-Viterbi (Richard et al. 2018), which the release
    of MiningYouTube aligns with (Kuehne et al. 2019); here without its beam and its
    sampling of frames.
    """
    scores = np.asarray(log_scores, dtype=np.float64)
    labels = np.asarray(transcript)
    _check(scores, labels)
    frames, segments = len(scores), len(labels)
    longest = _longest(frames, segments, max_length)
    lengths = np.zeros(longest)
    if mean_length is not None:
        lengths = length_scores(mean_length, longest)
    emission = scores[:, labels]
    relative = _relative(emission)
    # A cap at the length that no segment can exceed anyway forbids nothing.
    free = mean_length is None and longest == frames - segments + 1
    starts = _free_starts(relative) if free else _timed_starts(relative, lengths)
    ends = np.append(starts[1:], frames)
    covering = np.repeat(np.arange(segments), ends - starts)
    total = emission[np.arange(frames), covering].sum() + lengths[ends - starts - 1].sum()
    return Alignment(starts, ends, float(total))


def length_scores(mean: float, longest: int) -> Floats:
    """Log scores of the lengths 1 to longest: Poisson, less what a length of `mean` would have.

    l log m - log l! - (m log m - log m!), which is 0 at l = m, with m! = gamma(m + 1).
    mean: in frames, need not be whole. Raises InputError unless 0 < mean <= 1e9.
    """
    if not 0 < mean <= 1e9:
        raise InputError(f"the mean length must be above 0 and at most 1e9 frames, not {mean}")
    lengths = range(1, longest + 1)
    most = mean * log(mean) - lgamma(mean + 1)
    return np.array([length * log(mean) - lgamma(length + 1) - most for length in lengths])


def _check(scores: Floats, labels: Ints) -> None:
    if scores.ndim != 2 or labels.ndim != 1:
        raise InputError("log scores must be frames x classes, and the transcript one row of them")
    if not labels.size:
        raise InputError("the transcript is empty")
    if labels.size > len(scores):
        raise InputError(f"{labels.size} segments do not fit into {len(scores)} frames")
    outside = labels[(labels < 0) | (labels >= scores.shape[1])]
    if outside.size:
        raise InputError(f"the transcript has class {outside[0]}, of {scores.shape[1]} classes")
    unusable = np.argwhere(np.isnan(scores) | (scores == np.inf))
    if unusable.size:
        frame, label = unusable[0]
        value = scores[frame, label]
        raise InputError(f"the score of class {label} is {value}", where=f"frame {frame}")


def _longest(frames: int, segments: int, max_length: int | None) -> int:
    """The most frames of a segment, where each of the others has one at least."""
    most = frames - segments + 1
    if max_length is None:
        return most
    if max_length < 1:
        raise InputError(f"the maximum length must be at least 1 frame, not {max_length}")
    if max_length * segments < frames:
        raise InputError(
            f"{segments} segments of at most {max_length} frames do not cover {frames} frames"
        )
    return min(max_length, most)


def _relative(emission: Floats) -> Floats:
    """Scores less the best of their frame, which no alignment can lose and sums need not carry."""
    best = emission.max(axis=1, keepdims=True)
    blocked = np.flatnonzero(best == -np.inf)
    if blocked.size:
        raise InputError("no class of the transcript is possible", where=f"frame {blocked[0]}")
    return np.asarray(emission - best)


def _free_starts(emission: Floats) -> Ints:
    """The best starts (segments) where any lengths will do; emission: frames x segments."""
    frames, segments = emission.shape
    entered = np.zeros((frames, segments), dtype=np.bool_)
    # best[i]: of the alignments of the frames so far that end within segment i - 1;
    # best[0] stands for the state before all segments, which no frame can be in.
    best = np.full(segments + 1, -np.inf)
    best[1] = emission[0, 0]
    for frame in range(1, frames):
        np.greater(best[:-1], best[1:], out=entered[frame])
        best[1:] = np.maximum(best[:-1], best[1:]) + emission[frame]
    _check_possible(best[-1])
    starts = np.zeros(segments, dtype=np.int64)
    end = frames
    for segment in range(segments - 1, 0, -1):
        end = starts[segment] = np.flatnonzero(entered[:end, segment])[-1]
    return starts


def _timed_starts(emission: Floats, lengths: Floats) -> Ints:
    """The best starts (segments), with a score for each length; emission: frames x segments."""
    frames, segments = emission.shape
    ways = frames - segments + 1
    table = _shifted(lengths)
    # Segment i starts at one of the frames i to i + ways - 1, and ends one later at least.
    # best[j]: of the alignments of the first i + j frames to the first i segments.
    best = np.full(ways, -np.inf)
    best[0] = 0
    choice = np.empty((segments, ways), dtype=np.int32)
    for segment in range(segments):
        column = emission[:, segment]
        possible = column > -np.inf
        reached = np.concatenate(([0], np.cumsum(np.where(possible, column, 0))))
        after = np.where(possible, 0, np.arange(1, frames + 1))
        window = slice(segment, segment + ways)
        # A segment starts after the last frame that is impossible for it.
        first = np.maximum(np.maximum.accumulate(after)[window] - segment, 0)
        best, choice[segment] = _best_choice(best - reached[window], table, first)
        best += reached[segment + 1 : segment + 1 + ways]
    _check_possible(best[-1])
    starts = np.empty(segments, dtype=np.int64)
    place = ways - 1
    for segment in range(segments - 1, -1, -1):
        place = choice[segment, place]
        starts[segment] = segment + place
    return starts


def _shifted(lengths: Floats) -> Floats:
    """Scores of the lengths of _ROWS ends in a row (_ROWS x starts), impossible ones -inf.

    Ends and starts ascend, from the first end's earliest start to the last end's latest.
    """
    table = np.full((_ROWS, len(lengths) + _ROWS - 1), -np.inf)
    for row in range(_ROWS):
        table[row, row : row + len(lengths)] = lengths[::-1]
    return table


def _best_choice(value: Floats, table: Floats, first: Ints) -> tuple[Floats, Ints]:
    """Of each end's starts, the best sum of value and length score, and the earliest start of it.

    value: by start (k); table: of `_shifted`; first: the earliest start of each end (k),
    never falling. End j takes starts up to j, and has length 1 from the last.

    The scores of lengths are concave, so the best start never falls from one end to the
    next: of two starts, the later gains on the earlier as the end moves on. Hence the
    starts before the best one of the preceding end need no look.
    """
    best = np.empty(len(value))
    choice = np.zeros(len(value), dtype=np.int64)
    longest = table.shape[1] - _ROWS + 1
    for begin in range(0, len(value), _ROWS):
        end = min(begin + _ROWS, len(value))
        earliest = begin - longest + 1
        low = max(earliest, choice[begin - 1] if begin else 0, first[begin])
        # Also where no start is possible, for a choice that does not fall.
        low = min(low, end - 1)
        sums = value[low:end] + table[: end - begin, low - earliest : end - earliest]
        if first[end - 1] > low:
            sums[np.arange(low, end) < first[begin:end, None]] = -np.inf
        found = sums.argmax(axis=1)
        best[begin:end] = sums[np.arange(end - begin), found]
        choice[begin:end] = found + low
    return best, choice


def _check_possible(score: float) -> None:
    if score == -np.inf:
        raise InputError("every alignment has a frame whose segment's class is impossible there")
