"""Stories of the narrated world obey the rules that are stated."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given

from gytbench.world.rules import OBJECTS, STEPS, VERBS, Rules
from gytbench.world.stories import HEIGHT, WIDTH, Act, Story

from .making import RULES, SEEDS, story

LOW_LENGTH = 0.5
"""Seconds of the shortest narration."""


def gaps(told: Story) -> list[int]:
    """Seconds before each step, and after the last."""
    ends = [0, *(act.end for act in told.acts)]
    starts = [*(act.start for act in told.acts), told.seconds]
    return [start - end for end, start in zip(ends, starts, strict=True)]


def names(text: str, act: Act) -> bool:
    return {act.verb, act.thing} <= set(text.split())


@given(RULES, SEEDS)
def test_steps_and_gaps_last_as_long_as_the_rules_say(rules: Rules, seed: int) -> None:
    told = story(seed, rules)
    assert len(told.acts) == rules.steps
    low, high = rules.step_seconds
    for act in told.acts:
        assert round(low) <= act.end - act.start <= round(high)
        assert (act.verb, act.thing) in STEPS
    low, high = rules.gap_seconds
    assert all(round(low) <= gap <= round(high) for gap in gaps(told))


@given(RULES, SEEDS)
def test_steps_follow_each_other(rules: Rules, seed: int) -> None:
    told = story(seed, rules)
    assert told.acts[0].start >= 0
    assert all(before.end <= after.start for before, after in pairwise(told.acts))
    assert told.acts[-1].end <= told.seconds


@given(RULES, SEEDS)
def test_everything_has_its_place_in_the_frame(rules: Rules, seed: int) -> None:
    told = story(seed, rules)
    places = [place for act in told.acts for place in act.places]
    places += [(each.x, each.y) for each in (*told.clutter, *told.idle)]
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in places)
    assert all(len(act.places) == act.end - act.start for act in told.acts)


@given(RULES, SEEDS)
def test_as_much_lies_about_as_the_rules_say(rules: Rules, seed: int) -> None:
    lying = [item.name for item in story(seed, rules).clutter]
    assert sum(name in OBJECTS for name in lying) == rules.clutter
    assert sum(name in VERBS for name in lying) == rules.tools_about


@given(RULES, SEEDS)
def test_an_idle_hand_is_seen_in_gaps_alone(rules: Rules, seed: int) -> None:
    told = story(seed, rules)
    for idle in told.idle:
        assert all(idle.end <= act.start or act.end <= idle.start for act in told.acts)
        assert 0 <= idle.start <= idle.end <= told.seconds


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (1.0, 7)])
def test_of_the_gaps_a_share_has_an_idle_hand_or_chatter(share: float, count: int) -> None:
    for seed in range(20):
        assert len(story(seed, idle_hand=share).idle) == count
        # A narration that would begin after the video's end is not heard.
        assert len(story(seed, said=0, chatter=share).said) == count


@given(RULES, SEEDS)
def test_narrations_have_times_and_begin_within_the_video(rules: Rules, seed: int) -> None:
    told = story(seed, rules)
    low, high = (max(LOW_LENGTH, bound) for bound in rules.said_seconds)
    for said in told.said:
        assert 0 <= said.start < told.seconds
        # Times are written to hundredths.
        assert low - 0.011 <= said.end - said.start <= high + 0.011
    assert list(told.said) == sorted(told.said)
    assert len(told.said) <= len(told.acts) + len(gaps(told))


@given(SEEDS)
def test_nothing_is_said_where_the_rules_say_so(seed: int) -> None:
    assert not story(seed, said=0, chatter=0).said


@pytest.mark.parametrize("seconds", [(2, 5), (0, 0.3)])
@pytest.mark.parametrize("late", [0, 1.5])
@given(SEEDS)
def test_a_strict_narration_is_centred_on_its_step(
    seconds: tuple[float, float], late: float, seed: int
) -> None:
    rules = Rules(said=1, loose=0, late=late, chatter=0, said_seconds=seconds, gap_seconds=(3, 8))
    told = story(seed, rules)
    assert len(told.said) == len(told.acts)
    for said, act in zip(told.said, told.acts, strict=True):
        middle = (act.start + act.end) / 2 + late
        assert (said.start + said.end) / 2 == pytest.approx(middle, abs=0.011)
        assert names(said.text, act)


def test_of_many_steps_the_narration_names_the_share_of_the_rules_as_loosely_as_they_say() -> None:
    rules = Rules(said=0.8, loose=3, late=1, chatter=0, steps=1, gap_seconds=(30, 30))
    distances = []
    for seed in range(1500):
        told = story(seed, rules)
        (act,) = told.acts
        distances += [(said.start + said.end) / 2 - (act.start + act.end) / 2 for said in told.said]
    # Bounds at four standard errors.
    assert len(distances) / 1500 == pytest.approx(0.8, abs=0.042)
    assert np.mean(distances) == pytest.approx(1, abs=0.35)
    assert np.std(distances) == pytest.approx(3, abs=0.25)


def test_chatter_names_no_step() -> None:
    words = {word for verb, thing in STEPS for word in (verb, thing)}
    for seed in range(40):
        for said in story(seed, said=0, chatter=1).said:
            assert words.isdisjoint(said.text.split())


def test_all_steps_are_as_likely() -> None:
    drawn = [(a.verb, a.thing) for seed in range(100) for a in story(seed, steps=50).acts]
    counts = np.array([drawn.count(step) for step in STEPS])
    expected = len(drawn) / len(STEPS)
    # The 99.99 % quantile of chi squared with 23 degrees of freedom.
    assert len(STEPS) == 24
    assert ((counts - expected) ** 2 / expected).sum() < 59


def test_a_step_drifts_as_far_as_the_rules_say() -> None:
    def steps(drift: float) -> np.ndarray:
        acts = [act for seed in range(30) for act in story(seed, drift=drift).acts]
        return np.concatenate([np.diff(act.places, axis=0) for act in acts])

    assert not steps(0).any()
    # Some steps end at the margin.
    assert 1.3 < steps(0.01).std() < 1.65


@given(RULES, SEEDS)
def test_the_same_seed_tells_the_same_story(rules: Rules, seed: int) -> None:
    assert story(seed, rules) == story(seed, rules)
    assert story(seed, rules) != story(seed + 1, rules)
