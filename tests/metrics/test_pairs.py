"""Overlaps of pairs of boxes, against worked cases and pixels drawn one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gytbench.metrics.pairs import phrase_overlaps, relation_overlaps
from tests.reference import pairs as twin

A, B, FAR = (0, 0, 9, 9), (10, 0, 19, 9), (100, 100, 109, 109)


def both(a: object, b: object) -> tuple[float, float]:
    rows = [np.array([pair], dtype=float) for pair in (a, b)]
    return float(relation_overlaps(*rows)[0]), float(phrase_overlaps(*rows)[0])


@pytest.mark.parametrize(
    ("a", "b", "relation", "phrase"),
    [
        ((A, B), (A, B), 1, 1),
        # A relation knows which is the human, a phrase does not.
        ((A, B), (B, A), 0, 1),
        ((A, FAR), (A, B), 0, 81 / 243),
        # 5 x 10 of 10 x 10 inclusive pixels; 4 of 9 columns are drawn.
        ((A, A), ((0, 0, 4, 9), A), 0.5, 1),
        ((A, A), ((0, 0, 4, 9),) * 2, 0.5, 4 / 9),
        # A box of no width is one pixel wide, and draws nothing.
        (((3, 3, 3, 3),) * 2, ((3, 3, 3, 3),) * 2, 1, 0),
        # Corners lose their fractions where they are drawn.
        (((0.9, 0.9, 2.9, 2.9),) * 2, ((0, 0, 2, 2),) * 2, (2.1**2) / (9 + 9 - 2.1**2), 1),
        # What lies beyond the canvas is cut off.
        (((-50, 490, 10, 600),) * 2, ((0, 490, 10, 500),) * 2, 121 / (61 * 111), 1),
    ],
)
def test_worked(a: object, b: object, relation: float, phrase: float) -> None:
    assert both(a, b) == pytest.approx((relation, phrase), abs=1e-15)
    assert both(b, a) == pytest.approx((relation, phrase), abs=1e-15)


quarter = st.integers(-12, 40).map(lambda number: number / 4)
box = st.tuples(quarter, quarter, quarter, quarter).map(
    lambda x: (min(x[0], x[2]), min(x[1], x[3]), max(x[0], x[2]), max(x[1], x[3]))
)


@given(st.lists(st.tuples(box, box, box, box), min_size=1, max_size=4), st.sampled_from([0, 494]))
def test_as_drawn(rows: list[tuple[tuple[float, ...], ...]], corner: int) -> None:
    # At the top left corner of the canvas, or at the bottom right one; quarters of a pixel.
    moved = np.array(rows) + corner
    a, b = moved[:, :2], moved[:, 2:]
    pairs = [[tuple(each) for each in row] for row in moved.tolist()]
    assert phrase_overlaps(a, b).tolist() == [twin.phrase(row[:2], row[2:]) for row in pairs]
    assert relation_overlaps(a, b).tolist() == [twin.relation(row[:2], row[2:]) for row in pairs]


def test_none() -> None:
    none = np.zeros((0, 2, 4))
    assert phrase_overlaps(none, none).shape == relation_overlaps(none, none).shape == (0,)
