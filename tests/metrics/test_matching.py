"""Greedy matching."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.metrics.matching import equal_pairs, first_choice_match, greedy_match


def match(overlaps: list[list[float]], threshold: float) -> list[int]:
    """From a full matrix, predictions (by rank) x targets; None entries are no candidates."""
    table = np.array(overlaps, dtype=float).reshape(len(overlaps), -1)
    prediction, target = np.nonzero(~np.isnan(table))
    return greedy_match(
        prediction, target, table[prediction, target], threshold, *table.shape
    ).tolist()


def one_by_one(overlaps: list[list[float]], threshold: float) -> list[int]:
    """In order of rank, the free target of highest overlap."""
    taken: list[int] = []
    for row in overlaps:
        free = [t for t, value in enumerate(row) if value >= threshold and t not in taken]
        taken.append(max(free, key=lambda t: (row[t], -t), default=-1))
    return taken


def test_the_better_ranked_takes_the_target_and_the_other_the_next_best() -> None:
    # Both prefer target 0; the first gets it, the second falls back on target 1.
    assert match([[0.9, 0.6], [0.8, 0.7]], 0.5) == [0, 1]
    # Without a second choice above the threshold it gets nothing.
    assert match([[0.9, 0.6], [0.8, 0.4]], 0.5) == [0, -1]


def test_threshold_is_inclusive_and_ties_take_the_lower_target() -> None:
    assert match([[0.5, 0.5]], 0.5) == [0]
    assert match([[0.5, 0.5]], 0.5000001) == [-1]


def test_a_chain_of_displacements() -> None:
    # Rank 2 proposes to 0 and is displaced by rank 1, which was displaced from 1 by rank 0.
    assert match([[0.1, 0.9, 0.2], [0.8, 0.9, 0.1], [0.9, 0.8, 0.7]], 0.1) == [1, 0, 2]


def test_nothing_to_match() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert greedy_match(none, none, np.zeros(0), 0.5, 2, 3).tolist() == [-1, -1]


@settings(max_examples=300, deadline=None)
@given(
    st.tuples(st.integers(1, 7), st.integers(1, 5)).flatmap(
        lambda shape: st.lists(
            st.lists(
                st.sampled_from([0.0, 0.2, 0.5, 0.5, 0.7, 0.9, float("nan")]),
                min_size=shape[1],
                max_size=shape[1],
            ),
            min_size=shape[0],
            max_size=shape[0],
        )
    )
)
def test_equals_one_by_one(overlaps: list[list[float]]) -> None:
    assert match(overlaps, 0.5) == one_by_one(overlaps, 0.5)


def test_first_choice_is_not_replaced_by_the_next_best() -> None:
    # Both want target 0; the second is wrong, though target 1 would do (the rule of VOC).
    pairs = (np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([0.9, 0.6, 0.8, 0.7]))
    assert first_choice_match(*pairs, 0.5, predictions=3, targets=2).tolist() == [0, -1, -1]
    assert greedy_match(*pairs, 0.5, predictions=3, targets=2).tolist() == [0, 1, -1]
    # Below the threshold it takes nothing, and leaves its target to the next.
    low = (pairs[0], pairs[1], np.array([0.4, 0.3, 0.8, 0.7]))
    assert first_choice_match(*low, 0.5, predictions=3, targets=2).tolist() == [-1, 0, -1]
    # Equal overlaps: the lower number.
    tied = (np.array([0, 0]), np.array([1, 0]), np.array([0.5, 0.5]))
    assert first_choice_match(*tied, 0.5, predictions=1, targets=2).tolist() == [0]


def test_equal_pairs_in_parts() -> None:
    left, right = np.array([2, 1, 7, 2]), np.array([1, 2, 2, 5])
    expected = [(0, 1), (0, 2), (1, 0), (3, 1), (3, 2)]
    for limit in (1, 2, 3, 100):
        parts = list(equal_pairs(left, right, limit))
        assert [pair for i, j in parts for pair in zip(i, j, strict=True)] == expected
        assert len(parts) > 1 or limit > 3
    none = np.zeros(0, dtype=np.int64)
    assert [(i.size, j.size) for i, j in equal_pairs(none, right)] == [(0, 0)]
