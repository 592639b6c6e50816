"""Datasets whose times count frames: systems answer seconds, and every frame has its second's."""

from pathlib import Path

import numpy as np
import pytest

from gytbench.benchmark import Benchmark, FrameClock, Instance, load_benchmark
from gytbench.evaluation import evaluate
from gytbench.grounding import work
from gytbench.grounding.answering import Choices
from gytbench.grounding.running import run
from gytbench.grounding.systems import Options
from gytbench.predictions import load_predictions

from .making import Ground, make_ground

VIDEO = "demo-eggs_1"
CLOCK = FrameClock(25.0, first=1)
FRAMES = range(45, 281)
"""From the last frames of second 1 to the first ones of second 11."""
CLIP = Instance(VIDEO, 0, float(FRAMES.start), float(FRAMES.stop), "crack_egg", "crack_egg")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


@pytest.fixture
def in_frames(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Benchmark:
    """A benchmark of one clip, which every process loads."""
    monkeypatch.syspath_prepend(ground.site)
    demo = load_benchmark(data=ground.data)
    benchmark = Benchmark(
        classes=demo.classes,
        frames={VIDEO: (1000.0, 1000.0)},
        instances=(CLIP,),
        boxes={},
        dataset="daly",
        instance_boxes={(VIDEO, 0): {47: (0, 0, 1000, 1000), 280: (-2, -2, -1, -1)}},
        clocks={VIDEO: CLOCK},
    )
    monkeypatch.setattr(work, "load_benchmark", lambda **_: benchmark)
    return benchmark


def test_each_frame_has_the_place_of_its_second(
    ground: Ground, in_frames: Benchmark, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    job = work.Job("yellow", ground.videos, Choices("spatial"), Options(), truth={})
    assert not run(job, out).failed
    (tube,) = load_predictions(out).tubes
    assert (tube.start, tube.end, tube.times) == (45, 281, list(FRAMES))
    assert tube.points is not None
    second = {frame: CLOCK.second(frame) for frame in FRAMES}
    assert set(second.values()) == set(range(1, 12))
    by_second = {second[frame]: point for frame, point in zip(second, tube.points, strict=True)}
    assert [by_second[second[frame]] for frame in second] == tube.points
    assert len({tuple(np.round(point, 6)) for point in by_second.values()}) > 1
    result = evaluate(out, benchmark=in_frames)
    assert result.counts["units"] == 2
    assert result.metrics["pointing_accuracy"] == 0.5
