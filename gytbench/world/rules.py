"""The rules that the narrated world is made by, and how hard they make it."""

from typing import Annotated

import msgspec
from msgspec import Meta

THINGS = {
    "add": ("onion", "tomato", "egg", "carrot", "cucumber", "cheese"),
    "put": ("onion", "tomato", "egg", "carrot", "cucumber", "cheese"),
    "slice": ("onion", "tomato", "egg", "cucumber"),
    "cut": ("onion", "tomato", "egg"),
    "chop": ("onion", "tomato", "carrot"),
    "grate": ("carrot", "cheese"),
}
"""What is done to what: steps that GroundingYouTube names."""

STEPS = tuple((verb, thing) for verb, things in THINGS.items() for thing in things)
VERBS = tuple(THINGS)
OBJECTS = THINGS["add"]

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=1000)]
Number = Annotated[int, Meta(ge=0, le=1000)]
Range = tuple[Seconds, Seconds]
StepSeconds = Annotated[float, Meta(ge=2, le=1000)]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a video comes about; every draw is uniform where nothing else is said.

    On a worktop lie things and tools that nobody touches. Then steps follow each other, with
    background between them. In a step a hand holds the verb's tool to the object of the step, at
    a place of its own that drifts; in the background there is nothing more to be seen, or an
    idle hand. The narration names steps, but not at their time, not always, and not only.
    """

    steps: Annotated[int, Meta(ge=1, le=100)] = 6
    """Of a video; all of `STEPS` are equally likely."""
    step_seconds: tuple[StepSeconds, StepSeconds] = (4, 10)
    """From 2 on: the layout of the released files has no segments of one second."""
    gap_seconds: Range = (2, 8)
    """Background before each step, and after the last."""
    clutter: Number = 3
    """Objects that lie about, of the same kinds as those of the steps."""
    tools_about: Number = 2
    """Tools that lie about."""
    idle_hand: Share = 0.3
    """Of the gaps: those with an empty hand, anywhere."""
    drift: Annotated[float, Meta(ge=0, le=1)] = 0.01
    """Standard deviation of a step's movement in a second, as a share of the frame's width."""
    said: Share = 0.8
    """Of the steps: those that the narration names."""
    late: Annotated[float, Meta(ge=-100, le=100)] = 0.0
    """Seconds by which narrations come after the middle of their step, in the mean."""
    loose: Seconds = 3.0
    """The standard deviation of that, normal."""
    said_seconds: Range = (2, 5)
    chatter: Share = 0.3
    """Of the gaps: those in which something is said that names nothing to be seen."""

    def __post_init__(self) -> None:
        """Raises ValueError for a range that ends before it starts."""
        for name in ("step_seconds", "gap_seconds", "said_seconds"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} is {low:g} to {high:g}: the smaller number goes first")
