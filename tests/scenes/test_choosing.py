"""Which scenes are picked."""

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.bounds import make_bound
from gytbench.evaluation import Protocol
from gytbench.predictions import Predictions, pack
from gytbench.scenes import Picks, Scene, VideoScenes, pick, scenes_of, spread

from .making import EMPTY, TUBES, VIDEO, scenes


def tube(
    start: int, end: int, score: float, x: float, label: str = "crack_egg"
) -> dict[str, object]:
    points = [(x, 200)] * (end - start)
    return {"label": label, "start": start, "end": end, "score": score, "points": points}


def seconds(picked: tuple[Scene, ...]) -> list[int]:
    return [scene.second for scene in picked]


def test_best_worst_and_typical() -> None:
    video = scenes(*TUBES)[VIDEO]
    picked = pick(video, 3)
    assert seconds(picked.best) == [1]
    # Wrong label, wrong place, false alarm and missed take turns.
    assert seconds(picked.worst) == [3, 2, 8]
    assert seconds(pick(video, 9).worst) == [3, 2, 8, 4, 5]
    # Distances are 10, 200 and 0: the median is 10.
    assert seconds(picked.typical) == [1, 3, 2]


def test_the_score_comes_before_the_distance_and_each_tube_once_before_twice() -> None:
    tubes = (tube(1, 3, 0.5, 200), tube(3, 4, 0.9, 290), tube(4, 5, 0.5, 210))
    assert seconds(pick(scenes(*tubes)[VIDEO], 4).best) == [3, 1, 4, 2]


def test_far_mistakes_come_first_among_equal_scores() -> None:
    tubes = (tube(1, 2, 0.5, 310), tube(2, 3, 0.5, 600))
    assert seconds(pick(scenes(*tubes)[VIDEO], 2).worst)[:1] == [2]


def test_nothing_to_pick() -> None:
    assert pick([], 3) == Picks((), (), ())
    assert pick(scenes()[EMPTY], 3) == Picks((), (), ())
    assert pick(scenes(*TUBES)[VIDEO], 0) == Picks((), (), ())


def test_spread_is_even_and_keeps_to_seconds_with_a_box() -> None:
    video = scenes(*TUBES)[VIDEO]
    assert seconds(spread(video, 24)) == [1, 2, 3, 4, 5]
    assert seconds(spread(video, 2)) == [1, 3]
    assert spread(scenes()[EMPTY], 24) == ()


def test_picks_are_the_same_every_time_and_from_many_videos(benchmark: Benchmark) -> None:
    def picked(predictions: Predictions) -> tuple[Picks, list[VideoScenes]]:
        packed = pack(predictions, benchmark, "st")
        videos = list(scenes_of(packed, benchmark, Protocol("st")).values())
        return pick(videos, 12), videos

    predictions = make_bound("random", benchmark, "st")
    first, _ = picked(predictions)
    tubes = [predictions.tubes[at] for at in np.random.default_rng(0).permutation(5091)]
    shuffled, _ = picked(Predictions("st", tubes, {}, predictions.frame_size))
    for kind, other in zip(first, shuffled, strict=True):
        assert [(s.video, s.second) for s in kind] == [(s.video, s.second) for s in other]
        assert len(kind) == 12
        assert len({scene.video for scene in kind}) > 8
    assert {scene.verdict for scene in first.best} == {"right"}
