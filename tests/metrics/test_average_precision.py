"""Average precision: numbers known from other tools, ties, groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.metrics.average_precision import average_precision


def one_class(correct: list[int], positives: int, scores: list[float] | None = None) -> float:
    count = len(correct)
    ranks = scores or [1 - i / 100 for i in range(count)]
    return float(
        average_precision(
            np.zeros(count, dtype=np.int64),
            np.array(ranks),
            np.array([correct], dtype=bool).reshape(1, count),
            np.array([positives]),
        )[0, 0]
    )


def test_known_values() -> None:
    # Hits at ranks 1, 2, 4, 7 of 5 positives: precisions 1, 1, 3/4, 4/7.
    assert one_class([1, 1, 0, 1, 0, 0, 1, 0], 5) == pytest.approx((1 + 1 + 3 / 4 + 4 / 7) / 5)
    assert one_class([0, 1], 1) == 0.5
    assert one_class([], 3) == 0.0


def test_the_envelope_lifts_a_late_recovery() -> None:
    # Precisions at the hits are 1/2 and 2/3; the first is lifted to 2/3.
    assert one_class([0, 1, 1], 2) == pytest.approx(2 / 3)


def test_ties_are_read_at_the_end_of_their_run() -> None:
    # One run of four with two hits: precision 1/2 at recall 1, whatever the order.
    assert one_class([1, 1, 0, 0], 2, [0.5] * 4) == one_class([0, 0, 1, 1], 2, [0.5] * 4) == 0.5


def test_groups_do_not_mix_and_levels_are_rows() -> None:
    group = np.array([2, 0, 2, 0, 1])
    score = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    correct = np.array([[1, 0, 0, 1, 1], [0, 0, 1, 0, 0]], dtype=bool)
    found = average_precision(group, score, correct, np.array([1, 0, 1, 2]))
    # Group 1 has no positives; group 3 has positives but no detection.
    assert found[:, [0, 2, 3]].tolist() == [[0.5, 1.0, 0.0], [0.0, 0.5, 0.0]]
    assert np.isnan(found[:, 1]).all()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.booleans()), max_size=12),
    st.integers(0, 3),
)
def test_equals_the_area_by_definition(found: list[tuple[float, bool]], extra: int) -> None:
    positives = max(1, sum(hit for _, hit in found) + extra)
    curve = []
    for level in sorted({score for score, _ in found}, reverse=True):
        kept = [hit for score, hit in found if score >= level]
        curve.append((sum(kept) / positives, sum(kept) / len(kept)))
    area = sum(
        max((p for r, p in curve if r * positives >= step - 1e-9), default=0.0) / positives
        for step in range(1, positives + 1)
    )
    scores, hits = [s for s, _ in found], [int(h) for _, h in found]
    assert one_class(hits, positives, scores) == pytest.approx(area, abs=1e-12)
