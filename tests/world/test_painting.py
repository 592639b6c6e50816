"""The pictures of the narrated world, and the boxes that are said to be exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image

from gytbench.world import painting
from gytbench.world.painting import RATE, box, frames
from gytbench.world.rules import STEPS, Rules
from gytbench.world.sprites import SPRITES
from gytbench.world.stories import HEIGHT, WIDTH, Act, IdleHand, Story

from .making import RULES, SEEDS, story

BLUE = (0.0, 0.0, 90.0)
"""A worktop that no sprite looks like."""

EDGE = 2
"""Pixels by which the soft edge of a sprite may go unseen."""


@pytest.fixture
def no_arms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thing and tool are painted without the hand that moves them."""
    monkeypatch.setattr(painting, "_arm", lambda *_: None)


def pictures(told: Story) -> np.ndarray:
    return np.stack(list(frames(told))).astype(int)


def acting(act: Act) -> Story:
    """Nothing but a step, on blue."""
    return Story(act.end, BLUE, [], [act], [], [])


def differing(one: np.ndarray, other: np.ndarray) -> tuple[int, int, int, int]:
    """The box of the pixels that differ: x1, y1, x2, y2."""
    rows, columns = np.nonzero((one != other).any(axis=-1))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def step(verb: str, thing: str, x: float, y: float, size: float = 1.0, turn: float = 0) -> Act:
    return Act(verb, thing, 0, 1, [(x, y)], size, turn)


@pytest.mark.usefixtures("no_arms")
@given(RULES, SEEDS)
@settings(max_examples=15)
def test_a_step_changes_nothing_outside_its_box(rules: Rules, seed: int) -> None:
    told = story(seed, rules)
    empty = pictures(told._replace(acts=[]))
    painted = pictures(told)
    changed = (painted != empty).any(axis=-1)
    for act in told.acts:
        for second in range(act.start, act.end):
            x1, y1, x2, y2 = map(int, box(act, second))
            inside = np.zeros((HEIGHT, WIDTH), bool)
            inside[y1:y2, x1:x2] = True
            assert not changed[second * RATE][~inside].any()
            assert changed[second * RATE][inside].any()
            changed[second * RATE : (second + 1) * RATE] = False
    assert not changed.any()


@pytest.mark.usefixtures("no_arms")
@pytest.mark.parametrize(("verb", "thing"), STEPS)
@pytest.mark.parametrize(("x", "y"), [(80, 60), (134, 26), (26, 94)])
@pytest.mark.parametrize(("size", "turn"), [(0.9, 0), (1.2, 45), (1.0, 359)])
def test_a_box_is_touched_on_all_sides(
    verb: str, thing: str, x: float, y: float, size: float, turn: float
) -> None:
    act = step(verb, thing, x, y, size, turn)
    told = acting(act)
    found = differing(pictures(told)[0], pictures(told._replace(acts=[]))[0])
    x1, y1, x2, y2 = box(act, 0)
    assert (x1, y1) <= found[:2]
    assert found[0] - x1 <= EDGE
    assert found[1] - y1 <= EDGE
    assert 0 <= x2 - found[2] <= EDGE
    assert 0 <= y2 - found[3] <= EDGE


def test_a_box_goes_where_the_step_goes() -> None:
    act = Act("cut", "egg", 5, 7, [(60, 50), (75, 58)], 1.0, 0)
    first, second = np.array(box(act, 5)), np.array(box(act, 6))
    assert (second - first).tolist() == [15, 8, 15, 8]
    # An egg is drawn about the middle; the knife is held above it, to the right.
    x1, y1, x2, y2 = first
    assert x1 < 60 < x2
    assert y1 < 50 < y2
    assert (x1 + x2) / 2 > 60
    assert (y1 + y2) / 2 < 50


@given(RULES, SEEDS)
@settings(max_examples=40)
def test_boxes_lie_in_the_frame(rules: Rules, seed: int) -> None:
    for act in story(seed, rules).acts:
        for second in range(act.start, act.end):
            x1, y1, x2, y2 = box(act, second)
            assert 0 <= x1 < x2 <= WIDTH
            assert 0 <= y1 < y2 <= HEIGHT


def test_a_hand_holds_the_tool_and_its_arm_comes_from_the_right() -> None:
    act = step("cut", "egg", 60, 60)
    told = acting(act)
    x1, _, x2, y2 = differing(pictures(told)[0], pictures(told._replace(acts=[]))[0])
    inner = box(act, 0)
    assert x2 == WIDTH > inner[2]
    assert (x1, y2) == pytest.approx((inner[0], inner[3]), abs=EDGE)


def test_an_idle_hand_is_seen_in_its_seconds_alone() -> None:
    told = Story(4, BLUE, [], [], [IdleHand(1, 3, 50, 60)], [])
    seen = pictures(told)
    changed = (seen != seen[0]).any(axis=(1, 2, 3))
    assert changed.tolist() == [False] * RATE + [True] * 2 * RATE + [False] * RATE


def test_the_tool_moves_and_the_worktop_lies_still() -> None:
    told = story(5, clutter=4, tools_about=3, idle_hand=0)
    seen = pictures(told)
    for number in range(len(seen)):
        second = number // RATE
        acting = any(act.start <= second < act.end for act in told.acts)
        assert (seen[number] == seen[0]).all() == (not acting or number == 0)
    act = told.acts[0]
    first, next_one = seen[act.start * RATE], seen[act.start * RATE + 1]
    assert (first != next_one).any()


def test_frames_are_of_the_length_and_size_that_are_stated() -> None:
    told = story(1)
    painted = list(frames(told))
    assert len(painted) == told.seconds * RATE
    assert all(each.shape == (HEIGHT, WIDTH, 3) and each.dtype == np.uint8 for each in painted)


def test_what_is_named_differently_looks_different() -> None:
    seen = {}
    for name in SPRITES:
        sprite = painting._sprite(name, 1.0, 0)
        ground = Image.new("RGB", sprite.size, tuple(map(int, BLUE)))
        ground.paste(sprite, (0, 0), sprite)
        seen[name] = np.asarray(ground).astype(int)
    for name, pixels in seen.items():
        assert (pixels != np.array(BLUE)).any(axis=-1).mean() > 0.05
        for other in seen.keys() - {name}:
            assert np.abs(pixels - seen[other]).mean() > 3
