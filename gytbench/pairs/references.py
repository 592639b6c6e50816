"""The floor and the ceiling that stand beside a result on pairs."""

from gytbench.benchmark import Benchmark, Box
from gytbench.evaluation import Result
from gytbench.pairs.schema import PairFrame, PairPredictions, PairRow
from gytbench.pairs.scoring import score_pairs


def pair_references(benchmark: Benchmark) -> dict[str, Result | str]:
    """Results of `whole-frame` and of `oracle-pairs`, the floor first."""
    return {
        "whole-frame": score_pairs(whole_frame(benchmark), benchmark),
        "oracle-pairs": score_pairs(oracle_pairs(benchmark), benchmark),
    }


def whole_frame(benchmark: Benchmark) -> PairPredictions:
    """On every frame of a class, the frame itself as both boxes."""
    frames = {
        (instance.video, frame, instance.label): None
        for instance in benchmark.instances
        for frame in benchmark.pairs[instance.video, instance.id]
    }
    whole = (0.0, 0.0, 1.0, 1.0)
    row = PairRow(whole, whole, 1.0)
    said = (PairFrame(*each, [row]) for each in frames)
    return PairPredictions.of(said, {"name": "whole-frame"})


def oracle_pairs(benchmark: Benchmark) -> PairPredictions:
    """The true pairs themselves; all have the same score, so ten at most of a frame count."""
    frames: dict[tuple[str, int, str], PairFrame] = {}
    for instance in benchmark.instances:
        size = benchmark.frames[instance.video]
        for frame, pairs in benchmark.pairs[instance.video, instance.id].items():
            key = (instance.video, frame, instance.label)
            entry = frames.setdefault(key, PairFrame(*key, [], size))
            entry.pairs += [PairRow(_upright(human), _upright(it), 1.0) for human, it in pairs]
    return PairPredictions.of(frames.values(), {"name": "oracle-pairs"})


def _upright(box: Box) -> Box:
    """The box with its corners in order, as predictions must have them."""
    x1, y1, x2, y2 = box
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
