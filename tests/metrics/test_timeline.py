"""Which interval speaks in each cell."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.metrics.timeline import foremost, ranges


def test_the_lowest_number_wins() -> None:
    begin, end = np.array([2, 0, 4]), np.array([5, 4, 4])
    # 0 covers 2..4, 1 covers 0..3, 2 is empty.
    assert foremost(begin, end, 7).tolist() == [1, 1, 0, 0, 0, -1, -1]


def test_no_interval_and_no_cell() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert foremost(none, none, 3).tolist() == [-1, -1, -1]
    assert foremost(none, none, 0).tolist() == []


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=8))
def test_equals_painting_from_the_last_to_the_first(pairs: list[tuple[int, int]]) -> None:
    painted = [-1] * 20
    for number in range(len(pairs) - 1, -1, -1):
        low, high = pairs[number]
        for cell in range(low, high):
            painted[cell] = number
    begin, end = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    assert foremost(begin, end, 20).tolist() == painted


def test_ranges_are_written_out() -> None:
    owner, cell = ranges(np.array([3, 5, 9]), np.array([5, 5, 10]))
    assert (owner.tolist(), cell.tolist()) == ([0, 0, 2], [3, 4, 9])
