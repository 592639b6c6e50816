"""The scores of an entry, of a floor or of a ceiling, under all signatures of the leaderboard.

Numbers are those of `gytbench evaluate --ci`, rounded: another machine adds up in another
order, and a result must be the same file there.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from gytbench import __version__
from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.bounds import find_bound, make_bound
from gytbench.evaluation import Protocol, Result, Score, score
from gytbench.evaluation.protocol import VERSION, parse_signature
from gytbench.evaluation.result import Interval
from gytbench.evaluation.uncertainty import (
    draw_videos,
    interval_of,
    number_of_videos,
    resample_all,
)
from gytbench.leaderboard.checking import Checked
from gytbench.leaderboard.results import RANKED, RELEASES, EntryResults, Kind, TaskScores
from gytbench.metrics.arrays import Floats
from gytbench.predictions import Predictions, Task, collector_paused, load_predictions

RESAMPLES: Final = 1000
SEED: Final = 0

_DIGITS = 10
_CLASS_DIGITS = 6
"""Of the scores of a class, which are many and are only shown."""


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """What all entries are scored against."""

    benchmarks: Mapping[str, Benchmark]
    """By box release."""
    checksums: Mapping[str, str]
    """SHA-256 by the data's name in signatures, and of the annotators' points."""


def ground_truth(data: Path | None = None) -> GroundTruth:
    """The ground truth of every release in `RELEASES`; raises as `load_benchmark` does.

    Checksums of boxes are those of the release's file. All others are of what was read from
    several files: frame sizes, classes and instances.
    """
    benchmarks = {name: load_benchmark(boxes=name, data=data) for name in RELEASES}
    one = benchmarks[RELEASES[0]]
    common = {"frames": one.frames, "classes": one.classes.names, "steps": one.classes.lookup}
    checksums = {
        one.data: _sha256({**common, "instances": one.instances}),
        one.cues_data: _sha256({**common, "instances": one.cues}),
        "points": _sha256(one.points),
    }
    checksums |= {name: each.release_sha256 for name, each in benchmarks.items()}
    return GroundTruth(benchmarks, dict(sorted(checksums.items())))


def _sha256(content: object) -> str:
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def score_entry(checked: Checked, truth: GroundTruth, *, submission: str) -> EntryResults:
    """The results of an entry that has been checked.

    submission: SHA-256 of its submission.yaml. Raises InputError for predictions that cannot
    be scored.
    """
    scores: list[TaskScores] = []
    # One process scores many files with millions of objects and no cycles.
    with collector_paused():
        for task in _in_order(checked.files):
            read = load_predictions(checked.files[task])
            scores += (
                _scored(read, benchmark, protocol) for benchmark, protocol in _under(task, truth)
            )
    named = checked.submission.predictions
    return _results(
        checked.name,
        "submission",
        truth,
        scores,
        submission=submission,
        predictions={task: named[task].sha256 for task in _in_order(named)},
        about=checked.submission,
        flags=checked.flags,
    )


def bound_results(name: str, truth: GroundTruth) -> EntryResults:
    """The results of a floor or ceiling in all its tasks; raises InputError as `make_bound`."""
    bound = find_bound(name)
    scores = []
    with collector_paused():
        for task in _in_order(bound.tasks):
            for benchmark, protocol in _under(task, truth):
                made = make_bound(name, benchmark, task)
                scores.append(_scored(made, benchmark, protocol))
    kind: Kind = "floor" if bound.kind == "floor" else "ceiling"
    return _results(name, kind, truth, scores, about=None, summary=bound.summary)


def _results(
    name: str, kind: Kind, truth: GroundTruth, scores: Iterable[TaskScores], **fields: Any
) -> EntryResults:
    return EntryResults(
        entry=name,
        kind=kind,
        protocol=VERSION,
        package=__version__,
        data=dict(truth.checksums),
        scores=tuple(scores),
        **fields,
    )


def _in_order(tasks: Iterable[Task]) -> list[Task]:
    return sorted(tasks, key=get_args(Task).index)


def _under(task: Task, truth: GroundTruth) -> list[tuple[Benchmark, Protocol]]:
    """The ground truths and protocols of a task; times have no boxes, so only one."""
    if task == "temporal":
        return [(truth.benchmarks[RELEASES[0]], Protocol(task))]
    return [(truth.benchmarks[name], Protocol(task, boxes=name)) for name in RELEASES]


def _scored(predictions: Predictions, benchmark: Benchmark, protocol: Protocol) -> TaskScores:
    return task_scores(score(predictions, benchmark, protocol))


def task_scores(result: Result) -> TaskScores:
    """A result as it is stored, with intervals from `RESAMPLES` resamples of the videos.

    All results of a task on the same videos have the same draws.
    """
    weights = draw_videos(number_of_videos(result), RESAMPLES, SEED)
    average = parse_signature(result.signature).average
    drawn = resample_all(result.outcomes, weights, average)
    task: Task = parse_signature(result.signature).task
    return TaskScores(
        signature=result.signature,
        task=task,
        metrics=_rounded(result.metrics, _DIGITS),
        intervals={
            name: _rounded_interval(interval_of(drawn[name], value, 0.0, 1.0))
            for name, value in result.metrics.items()
        },
        counts=dict(result.counts),
        missing=dict(result.missing),
        per_class={name: _rounded(row, _CLASS_DIGITS) for name, row in result.per_class.items()},
        notes=result.notes,
        resampled=_encoded(drawn[RANKED[task]]),
    )


def _rounded(scores: Mapping[str, Score], digits: int) -> dict[str, Score]:
    return {
        name: None if value is None else round(float(value), digits)
        for name, value in scores.items()
    }


def _rounded_interval(found: Interval | None) -> Interval | None:
    if found is None:
        return None
    low, high, mean = (round(value, _DIGITS) for value in found[:3])
    return Interval(low, high, mean, found.resamples)


def _encoded(drawn: Floats) -> str:
    """Values as base64 of little-endian float32."""
    return base64.b64encode(drawn.astype("<f4").tobytes()).decode("ascii")
