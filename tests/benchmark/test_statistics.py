"""How stretches of actions and background are counted."""

import pytest

from gytbench.benchmark import Instance
from gytbench.benchmark.statistics import count_stretches


def cues(*times: tuple[float, float], video: str = "v") -> list[Instance]:
    return [Instance(video, n, a, b, "x", "x") for n, (a, b) in enumerate(times)]


@pytest.mark.parametrize(
    ("times", "count"),
    [
        ([(0.0, 1.0)], 2),  # action, background
        ([(0.5, 1.0)], 3),  # background, action, background
        ([(0.0, 1.0), (1.0, 2.0)], 3),  # touching actions: nothing between
        ([(0.0, 1.0), (2.0, 3.0)], 4),
        ([(0.0, 1.04), (1.06, 2.0)], 3),  # no frame of 10 a second in the pause
        ([(0.0, 1.04), (1.11, 2.0)], 4),  # the frame at 1.1 is in the pause
        ([(0.01, 0.09), (1.0, 2.0)], 3),  # an action that no frame falls into
        ([(0.0, 5.0), (1.0, 2.0), (5.0, 6.0)], 4),  # an action during another
    ],
)
def test_stretches(times: list[tuple[float, float]], count: int) -> None:
    assert count_stretches(cues(*times), rate=10) == count


def test_videos_are_counted_apart() -> None:
    both = cues((0.0, 1.0)) + cues((0.0, 1.0), video="w")
    assert count_stretches(both, rate=10) == 4
    assert count_stretches([], rate=10) == 0
