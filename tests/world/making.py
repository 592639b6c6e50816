"""Rules and small worlds for tests."""

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gytbench.world.folder import write_world
from gytbench.world.rules import Rules
from gytbench.world.stories import Story, tell

SHORT = Rules(steps=2, step_seconds=(2, 4), gap_seconds=(1, 2), clutter=2, tools_about=1)
"""Rules of videos of about ten seconds."""


def span(low: float, high: float) -> st.SearchStrategy[tuple[float, float]]:
    """Ranges within a range."""
    return st.tuples(st.floats(low, high), st.floats(low, high)).map(sorted).map(tuple)


RULES = st.builds(
    Rules,
    steps=st.integers(1, 8),
    step_seconds=span(2, 12),
    gap_seconds=span(0, 9),
    clutter=st.integers(0, 6),
    tools_about=st.integers(0, 6),
    idle_hand=st.floats(0, 1),
    drift=st.floats(0, 0.2),
    said=st.floats(0, 1),
    late=st.floats(-10, 10),
    loose=st.floats(0, 10),
    said_seconds=span(0, 6),
    chatter=st.floats(0, 1),
)
SEEDS = st.integers(0, 2**32 - 1)


def story(seed: int, rules: Rules | None = None, **changes: Any) -> Story:
    """A story by rules, the default ones but for changes."""
    return tell(rules or Rules(**changes), np.random.default_rng(seed))


def world(folder: Path, rules: Rules = SHORT, seed: int = 3, **counts: int) -> Path:
    """A small world, written."""
    write_world(folder, rules, seed, **{"train": 2, "validation": 1, "test": 2, **counts})
    return folder
