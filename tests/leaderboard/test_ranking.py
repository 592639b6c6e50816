"""Ranks: shared where a difference may be chance, and never moved by a better score alone."""

import msgspec
import numpy as np
import pytest

from gytbench.errors import InputError
from gytbench.evaluation.uncertainty import interval_of
from gytbench.leaderboard.ranking import (
    better_beyond_doubt,
    ranked_score,
    ranks,
    release_of,
    resampled,
    tables,
)
from gytbench.leaderboard.results import TaskScores
from tests.leaderboard.inventing import (
    Invented,
    invented_bounds,
    invented_entries,
    invented_entry,
    invented_scores,
    signature,
    stored,
)

_RANDOM = np.random.default_rng(5)
_SHARED = _RANDOM.normal(0, 0.05, 1000)
"""What the drawn videos do to every system alike."""


_WEAK = Invented(
    "weak",
    0.05,
    0.4,
    {
        "system": "Weak",
        "authors": ("A",),
        "date": "2024-01-01",
        "backbone": "S3D",
        "training_data": (),
        "supervision": "none",
        "modality": "video",
        "tuned_on_test": False,
    },
)


def scored(score: float | None, drawn: object) -> TaskScores:
    return msgspec.structs.replace(
        invented_scores("temporal", "", 0.2, 0.7, 1),
        metrics={"iou": score},
        resampled=stored(drawn),
    )


def alone(score: float, own: float, seed: int) -> TaskScores:
    """A system whose resamples have noise of their own beside what all share."""
    return scored(score, score + _SHARED + np.random.default_rng(seed).normal(0, own, 1000))


def test_a_difference_beyond_doubt_moves_down_and_one_that_may_be_chance_does_not() -> None:
    found = ranks({"a": alone(0.30, 0.01, 1), "b": alone(0.29, 0.01, 2), "c": alone(0.20, 0.01, 3)})
    assert found == {"a": 1, "b": 1, "c": 3}


def test_the_comparison_is_by_pairs_not_by_whether_intervals_overlap() -> None:
    # The intervals are 20 points wide, yet one is better on every draw.
    one, other = alone(0.30, 0.001, 1), alone(0.29, 0.001, 2)
    ends = [np.quantile(resampled(each), [0.025, 0.975]) for each in (one, other)]
    assert ends[0][0] < ends[1][1]
    assert ranks({"one": one, "other": other}) == {"one": 1, "other": 2}


def test_the_interval_is_moved_to_the_difference_of_the_scores() -> None:
    # Every resample is off to the other side, as those of means over classes are.
    low = scored(0.20, 0.40 + _SHARED)
    high = scored(0.30, 0.30 + _SHARED)
    assert ranks({"low": low, "high": high}) == {"low": 2, "high": 1}


def test_it_says_what_the_interval_of_the_difference_says() -> None:
    systems = {f"s{n}": alone(0.2 + 0.004 * n, 0.012, n) for n in range(12)}
    better = better_beyond_doubt(systems)
    told_apart = 0
    for name, one in systems.items():
        for rival, other in systems.items():
            difference = ranked_score(other) - ranked_score(one)  # type: ignore[operator]
            found = interval_of(resampled(other) - resampled(one), difference, -1, 1)
            assert found is not None
            assert (rival in better[name]) == (found.low > 0)
            told_apart += found.low > 0
    assert 0 < told_apart < 66


def test_resamples_without_a_score_are_left_out() -> None:
    a, b = alone(0.30, 0.01, 1), alone(0.20, 0.01, 2)
    holes = resampled(b).copy()
    holes[::7] = np.nan
    assert ranks({"a": a, "b": scored(0.20, holes)}) == {"a": 1, "b": 2}
    nothing = scored(0.20, np.full(1000, np.nan))
    assert ranks({"a": a, "b": nothing}) == {"a": 1, "b": 1}


def test_the_same_predictions_share_a_rank_and_rounding_does_not_part_them() -> None:
    one = alone(0.25, 0.01, 1)
    other = msgspec.structs.replace(one, metrics={"iou": 0.25 + 1e-12})
    assert ranks({"one": one, "other": other}) == {"one": 1, "other": 1}


def test_what_is_not_defined_has_no_rank_and_takes_none() -> None:
    nothing = scored(None, np.full(1000, np.nan))
    assert ranks({"a": alone(0.3, 0.01, 1), "b": nothing}) == {"a": 1, "b": None}
    assert ranks({}) == {}


def test_not_being_told_apart_is_not_transitive() -> None:
    found = better_beyond_doubt(
        {"a": alone(0.32, 0.01, 1), "b": alone(0.30, 0.01, 2), "c": alone(0.28, 0.01, 3)}
    )
    assert found == {"a": frozenset(), "b": frozenset(), "c": frozenset({"a"})}


def test_a_newcomer_that_is_not_better_changes_no_rank() -> None:
    systems = {f"s{n}": alone(0.2 + 0.02 * n, 0.01, n) for n in range(5)}
    before = ranks(systems)
    after = ranks({**systems, "new": alone(0.21, 0.01, 99)})
    assert {name: after[name] for name in before} == before


def test_systems_under_different_signatures_or_draws_are_refused() -> None:
    one = invented_scores("st", "published", 0.2, 0.7, 1)
    with pytest.raises(InputError, match="different signatures"):
        ranks({"one": one, "other": invented_scores("st", "repaired", 0.2, 0.7, 2)})
    fewer = msgspec.structs.replace(one, resampled=stored(np.zeros(10)))
    with pytest.raises(InputError, match="different numbers of resamples"):
        ranks({"one": one, "other": fewer})


def test_one_table_for_each_task_and_signature() -> None:
    made = tables(invented_entries())
    assert [(each.task, each.release) for each in made] == [
        ("st", "published"),
        ("st", "repaired"),
        ("spatial", "published"),
        ("spatial", "repaired"),
        ("temporal", ""),
    ]
    assert [each.signature for each in made[:2]] == [signature("st"), signature("st", "repaired")]
    first = made[0]
    assert {"oracle-time", "full-house", "order-net"} <= first.scores.keys()
    assert "centre" not in first.scores
    assert first.rank("oracle-time") is None
    assert first.rank("full-house") == 1


def test_the_order_of_the_entries_does_not_matter() -> None:
    entries = invented_entries()
    assert tables(entries) == tables(entries[::-1])


def test_floors_and_ceilings_take_no_rank_from_anybody() -> None:
    with_bounds = tables([invented_entry(_WEAK), *invented_bounds()])
    assert [each.rank("weak") for each in with_bounds] == [1] * 5
    assert all(each.tied("weak") == () for each in with_bounds)
    assert with_bounds[0].tied("oracle-time") == ()


def test_those_with_the_same_rank_are_named() -> None:
    table = tables(invented_entries())[0]
    names = {name: table.rank(name) for name in table.better}
    shared = [name for name in names if table.tied(name)]
    assert shared
    for name in shared:
        assert {names[each] for each in table.tied(name)} == {names[name]}


def test_the_release_is_read_from_the_signature() -> None:
    assert release_of(signature("spatial", "repaired")) == "repaired"
    assert release_of(signature("temporal")) == ""
