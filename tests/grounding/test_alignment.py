"""Alignment of a transcript to frames."""

from collections.abc import Sequence
from itertools import combinations
from math import inf, lgamma, log, nan
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.errors import InputError
from gytbench.grounding.alignment import Alignment, align, length_scores
from tests.grounding.viterbi import length_score, viterbi


class Case(NamedTuple):
    scores: list[list[float]]
    transcript: list[int]
    mean: float | None
    longest: int | None

    def align(self) -> Alignment:
        return align(
            np.array(self.scores, dtype=float),
            np.array(self.transcript),
            mean_length=self.mean,
            max_length=self.longest,
        )

    def score(self, starts: Sequence[int]) -> float:
        """Of one alignment, frame by frame; -inf where a segment is too long."""
        total = 0.0
        bounds = [*starts, len(self.scores)]
        for label, start, end in zip(self.transcript, starts, bounds[1:], strict=True):
            if self.longest is not None and end - start > self.longest:
                return -inf
            total += sum(self.scores[frame][label] for frame in range(start, end))
            total += length_score(end - start, self.mean)
        return total

    def all_best(self) -> tuple[list[tuple[int, ...]], float]:
        frames, segments = len(self.scores), len(self.transcript)
        cuts = combinations(range(1, frames), segments - 1)
        scores = {(0, *cut): self.score((0, *cut)) for cut in cuts}
        best = max(scores.values())
        return [starts for starts, score in scores.items() if score == best], best


whole = st.sampled_from([0.0, -1.0, -2.0, -5.0])
floats = st.floats(-30, 5)
means = st.none() | st.sampled_from([0.3, 1.0, 2.5, 4.0, 40.0])


@st.composite
def cases(
    draw: st.DrawFn,
    frames: int,
    values: st.SearchStrategy[float],
    means: st.SearchStrategy[float | None] = means,
) -> Case:
    length = draw(st.integers(1, frames))
    classes = draw(st.integers(1, 4))
    some = values | st.just(-inf) if draw(st.booleans()) else values
    row = st.lists(some, min_size=classes, max_size=classes)
    scores = draw(st.lists(row, min_size=length, max_size=length))
    labels = st.lists(st.integers(0, classes - 1), min_size=1, max_size=min(length, 6))
    transcript = draw(labels)
    longest = draw(st.none() | st.integers(-(-length // len(transcript)), length + 1))
    return Case(scores, transcript, draw(means), longest)


def check(case: Case, best: float) -> list[int]:
    """That the alignment is whole, and as good as the best; returns its starts."""
    if best == -inf:
        with pytest.raises(InputError, match="possible"):
            case.align()
        return []
    found = case.align()
    starts, ends = found.starts.tolist(), found.ends.tolist()
    assert starts[0] == 0
    assert ends == [*starts[1:], len(case.scores)]
    assert all(start < end for start, end in zip(starts, ends, strict=True))
    assert len(starts) == len(case.transcript)
    assert found.score == pytest.approx(case.score(starts), rel=0, abs=1e-9)
    assert found.score == pytest.approx(best, rel=0, abs=1e-9)
    return starts


# Frames 0-1 look like class 0, frame 2 like class 1, frames 3-4 like class 0.
THREE = [[0.0, -1.0], [0.0, -1.0], [-1.0, 0.0], [0.0, -1.0], [0.0, -1.0]]


def test_segments_lie_where_their_classes_score_best() -> None:
    found = align(np.array(THREE), np.array([0, 1, 0]))
    assert found.starts.tolist() == [0, 2, 3]
    assert found.ends.tolist() == [2, 3, 5]
    assert found.score == 0
    assert align(np.array(THREE), np.array([0])).score == -1
    # One frame each, whatever they score.
    assert align(np.array(THREE), np.array([1, 1, 0, 1, 1])).score == -5


def test_equal_alignments_have_the_earliest_boundaries() -> None:
    flat = np.zeros((7, 2))
    assert align(flat, np.array([0, 1, 0])).starts.tolist() == [0, 1, 2]
    assert align(flat, np.array([0, 1, 0]), max_length=3).starts.tolist() == [0, 1, 4]
    # Lengths 2, 2, 3 in any order are best; repeats are segments of their own.
    assert align(flat, np.array([1, 1, 1]), mean_length=2).starts.tolist() == [0, 2, 4]


def test_length_term_moves_a_boundary() -> None:
    # Frame 3 is better by 0.1 with class 0, but lengths 3 and 3 beat 4 and 2 by log(4 / 3).
    scores = np.array([[0.0, -9], [0, -9], [0, -9], [0, -0.1], [-9, 0], [-9, 0]])
    assert align(scores, np.array([0, 1])).starts.tolist() == [0, 4]
    timed = align(scores, np.array([0, 1]), mean_length=3)
    assert timed.starts.tolist() == [0, 3]
    assert timed.score == pytest.approx(-0.1)


def test_length_scores_by_hand() -> None:
    # 2 frames expected: 2^l / l! is 2, 2, 4/3, 2/3, and 2 at the mode.
    expected = [0, 0, log(2 / 3), log(1 / 3)]
    assert length_scores(2, 4).tolist() == pytest.approx(expected)
    most = 2.5 * log(2.5) - lgamma(3.5)
    assert length_scores(2.5, 1).tolist() == pytest.approx([log(2.5) - most])


def test_cap_and_impossible_frames() -> None:
    scores = np.array([[0.0, -1], [0, -1], [0, -1], [0, -1]])
    assert align(scores, np.array([0, 1]), max_length=2).starts.tolist() == [0, 2]
    scores[0, 0] = scores[2, 1] = -inf
    for mean in (None, 2.0):
        found = align(scores, np.array([1, 0, 1]), mean_length=mean)
        assert found.ends.tolist() == [1, 3, 4]


@settings(max_examples=300, deadline=None)
@given(cases(8, whole, st.none()))
def test_equals_brute_force_and_takes_the_earliest_of_each_boundary(case: Case) -> None:
    all_best, best = case.all_best()
    starts = check(case, best)
    if starts:
        assert starts == [min(boundary) for boundary in zip(*all_best, strict=True)]
        assert case.align().starts.tolist() == starts


@settings(max_examples=300, deadline=None)
@given(cases(8, floats))
def test_scores_as_high_as_brute_force(case: Case) -> None:
    check(case, case.all_best()[1])


@settings(max_examples=200, deadline=None)
@given(cases(40, whole, st.none()))
def test_equals_the_twin(case: Case) -> None:
    starts, best = viterbi(*case)
    assert check(case, best) == starts


@settings(max_examples=200, deadline=None)
@given(cases(40, floats | whole))
def test_scores_as_high_as_the_twin(case: Case) -> None:
    check(case, viterbi(*case)[1])


@pytest.mark.parametrize("mean", [None, 3.0, 60.0])
@pytest.mark.parametrize("longest", [None, 50])
@pytest.mark.parametrize("gaps", [0.0, 0.02, 0.3])
def test_equals_the_twin_on_many_frames(
    mean: float | None, longest: int | None, gaps: float
) -> None:
    """Several blocks of rows, with stretches that are impossible."""
    rng = np.random.default_rng(7)
    scores = rng.normal(0, 2, (150, 5))
    scores[rng.random((150, 5)) < gaps] = -inf
    scores[:, 4] = -4
    case = Case(scores.tolist(), [4, 0, 4, 1, 3, 2, 4, 3, 4, 0, 4], mean, longest)
    starts, best = viterbi(*case)
    assert check(case, best) == starts
    assert starts


@settings(max_examples=100, deadline=None)
@given(
    cases(30, whole),
    st.lists(st.integers(-1000, 1000), min_size=30, max_size=30),
)
def test_a_constant_on_all_scores_of_a_frame_moves_nothing(case: Case, added: list[int]) -> None:
    offset = [
        [value + constant for value in row]
        for row, constant in zip(case.scores, added, strict=False)
    ]
    moved = case._replace(scores=offset)
    best = viterbi(*case)[1]
    starts = check(case, best)
    assert check(moved, best + sum(added[: len(offset)])) == starts


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"transcript": []}, "the transcript is empty"),
        ({"transcript": [0] * 6}, "6 segments do not fit into 5 frames"),
        ({"transcript": [0, 2]}, "the transcript has class 2, of 2 classes"),
        ({"transcript": [-1]}, "the transcript has class -1, of 2 classes"),
        ({"longest": 2, "transcript": [0, 1]}, "2 segments of at most 2 frames do not cover 5"),
        ({"longest": 0}, "maximum length must be at least 1 frame, not 0"),
        ({"mean": 0.0}, "mean length must be above 0 and at most 1e9 frames, not 0.0"),
        ({"mean": nan}, "mean length must be above 0 and at most 1e9 frames, not nan"),
        ({"mean": inf}, "mean length must be above 0 and at most 1e9 frames, not inf"),
        ({"scores": [*THREE[:4], [0.0, nan]]}, "frame 4: the score of class 1 is nan"),
        ({"scores": [[inf, 0.0], *THREE[1:]]}, "frame 0: the score of class 0 is inf"),
        ({"scores": [0.0] * 5}, "log scores must be frames x classes"),
        ({"scores": [[0.0, -inf]] * 5, "transcript": [1]}, "frame 0: no class of the transcript"),
        ({"scores": [[-inf, 0.0]] * 5}, "every alignment has a frame"),
        ({"scores": [[-inf, 0.0]] * 5, "mean": 2.0}, "every alignment has a frame"),
    ],
)
def test_what_cannot_be_aligned(change: dict[str, object], reason: str) -> None:
    case = Case(THREE, [0, 1, 0], None, None)._replace(**change)
    with pytest.raises(InputError) as raised:
        case.align()
    assert reason in str(raised.value)
