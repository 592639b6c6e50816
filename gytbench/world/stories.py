"""What happens in a video of the narrated world, and what is said over it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gytbench.world.rules import OBJECTS, STEPS, VERBS, Rules

WIDTH, HEIGHT = 160, 120
"""Of a video, in pixels."""

_MARGIN = 26
"""Pixels between the frame's edge and the place of a step."""

_SHORTEST = 0.5
"""Seconds of a narration."""

_PHRASES = (
    "{verb} the {thing}",
    "now we {verb} the {thing}",
    "so i am going to {verb} the {thing} here",
    "you want to {verb} the {thing} like this",
    "then {verb} the {thing} a little",
)
_CHATTER = (
    "welcome back to my kitchen",
    "my grandmother showed me this",
    "do not forget to subscribe",
    "this is going to be so good",
    "it takes a bit of time",
    "let me know what you think",
)


class Item(NamedTuple):
    """Something that is painted: what, where (pixels), how large (1 = as drawn), how turned."""

    name: str
    x: float
    y: float
    size: float
    turn: float


class Act(NamedTuple):
    """A step: from `start` up to, but without, `end`, in whole seconds."""

    verb: str
    thing: str
    start: int
    end: int
    places: Sequence[tuple[float, float]]
    """Where it is done, by second, in pixels."""
    size: float
    turn: float

    @property
    def step(self) -> str:
        """Its class, as the released files write one."""
        return f"{self.verb}_{self.thing}"


class IdleHand(NamedTuple):
    """A hand that does nothing, in the seconds from `start` up to, but without, `end`."""

    start: int
    end: int
    x: float
    y: float


class Said(NamedTuple):
    """A narration, in seconds."""

    start: float
    end: float
    text: str


class Story(NamedTuple):
    """All that a video shows and says."""

    seconds: int
    worktop: tuple[float, float, float]
    """Its colour, RGB from 0 to 255."""
    clutter: Sequence[Item]
    acts: Sequence[Act]
    idle: Sequence[IdleHand]
    said: Sequence[Said]


def tell(rules: Rules, rng: np.random.Generator) -> Story:
    """A story drawn by the rules."""
    acts: list[Act] = []
    idle: list[IdleHand] = []
    said: list[Said] = []
    second = 0
    for number in range(rules.steps + 1):
        gap = _whole(rng, rules.gap_seconds)
        if rng.random() < rules.idle_hand:
            idle.append(IdleHand(second, second + gap, *_place(rng)))
        if rng.random() < rules.chatter:
            middle = rng.uniform(second, second + gap)
            said.append(_around(rng, rules, middle, str(rng.choice(_CHATTER))))
        second += gap
        if number < rules.steps:
            act = _act(rules, rng, second)
            acts.append(act)
            said.extend(_narration(rules, rng, act))
            second = act.end
    return Story(
        seconds=second,
        worktop=_colour(rng),
        clutter=_clutter(rules, rng),
        acts=acts,
        idle=idle,
        said=sorted(narration for narration in said if narration.start < second),
    )


def _act(rules: Rules, rng: np.random.Generator, start: int) -> Act:
    end = start + _whole(rng, rules.step_seconds)
    steps = rng.normal(0, rules.drift * WIDTH, (end - start, 2))
    steps[0] = 0
    limits = (WIDTH - _MARGIN, HEIGHT - _MARGIN)
    places = np.clip(_place(rng) + steps.cumsum(axis=0), _MARGIN, limits)
    verb, thing = STEPS[rng.integers(len(STEPS))]
    return Act(
        verb=verb,
        thing=thing,
        start=start,
        end=end,
        places=[(float(x), float(y)) for x, y in places],
        size=float(rng.uniform(0.9, 1.2)),
        turn=float(rng.uniform(0, 360)),
    )


def _narration(rules: Rules, rng: np.random.Generator, act: Act) -> Iterator[Said]:
    phrase = str(rng.choice(_PHRASES))
    middle = (act.start + act.end) / 2 + rng.normal(rules.late, rules.loose)
    if rng.random() < rules.said:
        yield _around(rng, rules, middle, phrase.format(verb=act.verb, thing=act.thing))


def _around(rng: np.random.Generator, rules: Rules, middle: float, text: str) -> Said:
    length = max(_SHORTEST, rng.uniform(*rules.said_seconds))
    start = max(0.0, middle - length / 2)
    return Said(round(start, 2), round(start + length, 2), text)


def _clutter(rules: Rules, rng: np.random.Generator) -> list[Item]:
    names = [OBJECTS[i] for i in rng.integers(len(OBJECTS), size=rules.clutter)]
    names += [VERBS[i] for i in rng.integers(len(VERBS), size=rules.tools_about)]
    return [
        Item(name, *_place(rng), float(rng.uniform(0.9, 1.2)), float(rng.uniform(0, 360)))
        for name in names
    ]


def _place(rng: np.random.Generator) -> tuple[float, float]:
    x = float(rng.uniform(_MARGIN, WIDTH - _MARGIN))
    return x, float(rng.uniform(_MARGIN, HEIGHT - _MARGIN))


def _colour(rng: np.random.Generator) -> tuple[float, float, float]:
    """Wood or stone: no strong colour."""
    light = rng.uniform(110, 190)
    red, green, blue = (float(light + shift) for shift in rng.uniform(-25, 25, 3))
    return red, green, blue


def _whole(rng: np.random.Generator, span: tuple[float, float]) -> int:
    """Whole seconds."""
    return round(float(rng.uniform(*span)))
