"""The threshold that is chosen is the best of those there are."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gytbench import Predictions, Tube, evaluate, load_benchmark, save_predictions
from gytbench.benchmark import Benchmark
from gytbench.errors import InputError
from gytbench.grounding.inference import best_runs
from gytbench.grounding.thresholds import best_tau

from ..cli.conftest import TALL, WIDE, data  # noqa: F401

LABELS = ("crack_egg", "pour_it", "fry_it")
SECONDS = {WIDE: 9, TALL: 4}


@pytest.fixture
def benchmark(data: Path) -> Benchmark:  # noqa: F811
    """WIDE: crack_egg from 2 to 5, pour_it from 4 to 6; TALL: fry_it from 0 to 2."""
    return load_benchmark(data=data)


def tube(video: str, label: str, scores: Sequence[float], start: float = 0) -> Tube:
    """A tube with a score for each second from its start on."""
    end = start + len(scores)
    return Tube(video=video, label=label, start=start, end=end, scores=list(scores))


def chosen(benchmark: Benchmark, *tubes: Tube) -> float:
    return best_tau(Predictions("st", list(tubes), {}), benchmark)


def test_a_case_by_hand(benchmark: Benchmark) -> None:
    tau = chosen(
        benchmark,
        tube(WIDE, "crack_egg", [0.1, 0.2, 0.9, 0.8, 0.7, 0.3, 0.1, 0.1]),
        tube(TALL, "fry_it", [0.9, 0.8, 0.3, 0.2]),
    )
    # What is above 0.3 and up to 0.7 keeps the true seconds alone. Of those tried, the lowest
    # lies a twentieth of the way: quantile 22/40 of twelve scores, the seventh being 0.3.
    assert tau == pytest.approx(0.3 + 0.05 * 0.4)


def test_where_nothing_is_background_every_second_is_kept(benchmark: Benchmark) -> None:
    tubes = tube(WIDE, "crack_egg", [-0.5, 0.2, 0.9], start=2), tube(TALL, "fry_it", [0.1, -2.0])
    assert chosen(benchmark, *tubes) == -2.0


def test_of_equally_good_thresholds_the_lowest(benchmark: Benchmark) -> None:
    # Every label is wrong, so every threshold is as bad.
    assert chosen(benchmark, tube(WIDE, "fry_it", [0.4, 0.3, 0.2, 0.8])) == 0.2
    # One score, one threshold.
    assert chosen(benchmark, tube(WIDE, "crack_egg", [0.7] * 5)) == 0.7


def test_a_tube_may_be_cut_in_the_middle(benchmark: Benchmark) -> None:
    split = tube(TALL, "fry_it", [0.9, 0.9, 0.1, 0.1])
    around = tube(WIDE, "crack_egg", [0.1, 0.1, 0.9, 0.9, 0.9, 0.1, 0.1])
    assert 0.1 < chosen(benchmark, split, around) <= 0.9


def test_nothing_predicted_is_said(benchmark: Benchmark) -> None:
    with pytest.raises(InputError, match="nothing is predicted for the videos"):
        chosen(benchmark)


def said(scores: dict[str, np.ndarray], tau: float | None) -> Iterator[Tube]:
    """What a run with a threshold predicts, as tubes with the scores of their seconds."""
    for video, values in scores.items():
        for run in best_runs(values, tau):
            start, end = float(run.seconds.start), float(run.seconds.stop)
            yield Tube(video, LABELS[run.query], start, end, scores=list(run.scores))


@given(seed=st.integers(0, 2**32 - 1), grain=st.sampled_from([0.5, 0.25, 0.001]))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_threshold_scores_more(
    benchmark: Benchmark, tmp_path: Path, seed: int, grain: float
) -> None:
    """A slow twin: every threshold that makes a difference, run and scored as a user would."""
    rng = np.random.default_rng(seed)
    scores = {
        video: rng.normal(0, 1, (count, len(LABELS))) // grain * grain
        for video, count in SECONDS.items()
    }
    scores[WIDE][2:5, 0] += 1

    def label_iou(tau: float) -> float:
        path = tmp_path / "kept.json"
        save_predictions(Predictions("st", list(said(scores, tau)), {}), path)
        return evaluate(path, benchmark=benchmark).metrics["label_iou"] or 0.0

    every = {value for values in scores.values() for value in values.max(axis=1).tolist()}
    best = max(map(label_iou, every))
    tau = best_tau(Predictions("st", list(said(scores, None)), {}), benchmark)
    assert label_iou(tau) == best
    assert not [value for value in every if value < tau and label_iou(value) == best]
