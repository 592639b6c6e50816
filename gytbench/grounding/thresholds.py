"""The threshold below which a second is background, chosen on videos that are not tested on.

None is published. A run without a threshold gives every second its best description and
that one's score, so which seconds any threshold would keep follows from it.
"""

from collections.abc import Iterator

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.errors import InputError
from gytbench.evaluation import Protocol, score
from gytbench.metrics.arrays import Floats
from gytbench.predictions import Predictions, Tube

_TRIED = 40


def best_tau(predictions: Predictions, benchmark: Benchmark) -> float:
    """The threshold with the highest label IoU, of 40 that leave equal shares of the seconds.

    predictions: of the task `st`, from a run without a threshold on videos of the benchmark,
    each tube with the scores of its seconds. Of equally good ones the lowest. Raises
    `InputError` where nothing is predicted.
    """
    if not predictions.tubes:
        raise InputError("nothing is predicted for the videos that the threshold is chosen on")
    protocol = Protocol("st")
    seconds = np.concatenate([_scores(tube) for tube in predictions.tubes])
    tried = np.unique(np.quantile(seconds, np.linspace(0, 1, _TRIED, endpoint=False))).tolist()
    found = [_label_iou(predictions, tau, benchmark, protocol) for tau in tried]
    return float(tried[int(np.argmax(found))])


def _label_iou(
    predictions: Predictions, tau: float, benchmark: Benchmark, protocol: Protocol
) -> float:
    tubes = [part for tube in predictions.tubes for part in _kept(tube, tau)]
    kept = Predictions(task="st", tubes=tubes, model=predictions.model)
    return score(kept, benchmark, protocol).metrics["label_iou"] or 0.0


def _kept(tube: Tube, tau: float) -> Iterator[Tube]:
    """The runs of a tube's seconds that reach the threshold, without their places."""
    scores = _scores(tube)
    reached = np.concatenate([[False], scores >= tau, [False]])
    edges = np.flatnonzero(np.diff(reached))
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        start, end = tube.start + first, tube.start + last
        yield Tube(video=tube.video, label=tube.label, start=start, end=end, score=1.0)


def _scores(tube: Tube) -> Floats:
    return np.asarray(tube.scores, dtype=float)
