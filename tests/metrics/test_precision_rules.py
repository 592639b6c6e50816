"""Six rules of average precision: the numbers known of each, and against the definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.metrics.precision_rules import RULES, Rule, ruled_average_precision
from tests.profiles.twin import average_precision


def one_class(flags: list[int], positives: int, rule: Rule) -> float:
    group = np.zeros(len(flags), dtype=np.int64)
    correct = np.array([flags], dtype=bool).reshape(1, len(flags))
    return float(ruled_average_precision(group, correct, np.array([positives]), rule)[0, 0])


# conventions.md, section 2.4: right or wrong by rank, of 5 positives; and wrong, right of 1.
KNOWN = {
    "all-point": (0.664, 0.5),
    "101-point": (0.668, 0.5),
    "11-point": (0.679, 0.5),
    "10-of-11-point": (0.679, 0.455),
    "trapezoid": (0.649, 0.25),
    "precision-sum": (0.664, 0.5),
}


@pytest.mark.parametrize("rule", RULES)
def test_known_values(rule: Rule) -> None:
    long, short = KNOWN[rule]
    assert round(one_class([1, 1, 0, 1, 0, 0, 1, 0], 5, rule), 3) == long
    assert round(one_class([0, 1], 1, rule), 3) == short


@pytest.mark.parametrize("rule", RULES)
def test_a_perfect_detector(rule: Rule) -> None:
    # Ten of the eleven recalls, divided by eleven.
    best = 10 / 11 if rule == "10-of-11-point" else 1
    for count in (1, 3, 10):
        assert one_class([1] * count, count, rule) == pytest.approx(best, abs=1e-15)
    assert one_class([], 2, rule) == one_class([0, 0], 2, rule) == 0


def test_recalls_are_the_doubles_of_the_published_loops() -> None:
    # Recall 3/5 does not reach the seventh of eleven recalls, 0.6000000000000001: the precisions
    # 1 to recall 0.4, 3/4 to recall 0.6 count at five and one of them.
    assert one_class([1, 1, 0, 1], 5, "11-point") == pytest.approx((5 + 3 / 4) / 11)


def test_precision_falls_without_an_envelope() -> None:
    # From (0, 1) to (0, 0), (1/2, 1/2), (1, 2/3).
    assert one_class([0, 1, 1], 2, "trapezoid") == pytest.approx((1 / 4 + 7 / 12) / 2)
    assert one_class([0, 1, 1], 2, "precision-sum") == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert one_class([0, 1, 1], 2, "all-point") == pytest.approx(2 / 3)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=14),
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
    st.sampled_from(RULES),
)
def test_equals_the_definition(found: list[tuple[int, bool]], extra: list[int], rule: Rule) -> None:
    group = np.array([each for each, _ in found], dtype=np.int64)
    correct = np.array([[hit for _, hit in found], [False] * len(found)], dtype=bool)
    hits = np.bincount(group, correct[0], minlength=4).astype(np.int64)
    # A right detection needs something that it can be right about.
    positives = hits + np.array(extra)
    values = ruled_average_precision(group, correct, positives, rule)
    for index in range(4):
        flags = [hit for each, hit in found if each == index]
        if positives[index]:
            count = int(positives[index])
            assert values[0, index] == pytest.approx(average_precision(flags, count, rule))
            assert values[1, index] == 0
        else:
            assert np.isnan(values[:, index]).all()
