"""Score a prediction file under a profile."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gytbench.benchmark import Benchmark, Instance
from gytbench.evaluation import Protocol, Result
from gytbench.evaluation.temporal import evaluate_temporal
from gytbench.evaluation.truth import Truth, instance_columns, truth_of
from gytbench.evaluation.tubes import instances_with_box
from gytbench.predictions import PackedTubes, Predictions, pack
from gytbench.profiles.answers import Outcome, overlap_outcome, pointing_outcome
from gytbench.profiles.conventions import (
    AnswerOverlap,
    FramePrecision,
    Part,
    Pointing,
    Profile,
    TimeAverage,
    TimePrecision,
    TubePrecision,
)
from gytbench.profiles.detection import named_classes
from gytbench.profiles.frames import frame_scores, trimmed_boxes, untrimmed_boxes
from gytbench.profiles.signature import check_protocol, metric_name, signature
from gytbench.profiles.tubes import interval_scores, tube_scores

NO_BOXES = "the file has no boxes, so metrics of boxes are not defined: a heatmap or a mask is none"


def score_profile(
    predictions: Predictions, benchmark: Benchmark, protocol: Protocol, profile: Profile
) -> Result:
    """Score predictions under the conventions of a profile; metrics alone, no rows.

    The protocol gives the task and the ground truth; the profile's conventions stand in the
    place of its other choices. Raises `InputError` where the profile does not apply, and with
    every fault of the file.
    """
    return score_profiles(predictions, benchmark, protocol, (profile,))[0]


def score_profiles(
    predictions: Predictions,
    benchmark: Benchmark,
    protocol: Protocol,
    profiles: Sequence[Profile],
) -> list[Result]:
    """The same under several profiles; the file is held against the benchmark once."""
    for profile in profiles:
        check_protocol(profile, protocol)
    packed = pack(predictions, benchmark, protocol.task)
    return [_score(packed, benchmark, protocol, profile) for profile in profiles]


def _score(
    packed: PackedTubes, benchmark: Benchmark, protocol: Protocol, profile: Profile
) -> Result:
    outcomes = [
        _outcome(part, packed, benchmark, protocol) for part in profile.parts[protocol.task]
    ]
    asked = {each.video for each in _true(benchmark, protocol)}
    answered = {benchmark.videos[index] for index in np.unique(packed.video).tolist()}
    return Result(
        signature=signature(profile, protocol, benchmark),
        task=protocol.task,
        metrics={name: score for each in outcomes for name, score in each.metrics.items()},
        counts={
            "videos": len(benchmark.videos),
            "tubes": int(packed.video.size),
            **{name: count for each in outcomes for name, count in each.counts.items()},
        },
        missing={"videos": len(asked - answered)},
        per_class={},
        per_video={},
        notes=tuple(dict.fromkeys(note for each in outcomes for note in each.notes)),
    )


def _true(benchmark: Benchmark, protocol: Protocol) -> tuple[Instance, ...]:
    return benchmark.cues if protocol.task == "temporal" else benchmark.instances


def _outcome(part: Part, packed: PackedTubes, benchmark: Benchmark, protocol: Protocol) -> Outcome:
    if isinstance(part, TimeAverage):
        return _averaged(part, packed, benchmark, protocol)
    if isinstance(part, TimePrecision):
        segments = instance_columns(_true(benchmark, protocol), benchmark)
        scores = interval_scores(part, packed, segments, len(benchmark.classes.names))
        return Outcome(scores, {"segments": segments[0].size})
    truth = truth_of(benchmark)
    if isinstance(part, Pointing):
        return pointing_outcome(part, packed, truth)
    found = _of_boxes(part, packed, truth, protocol)
    if packed.video.size and np.isnan(packed.box).all():
        return Outcome(dict.fromkeys(found.metrics), found.counts, (NO_BOXES,))
    return found


def _of_boxes(
    part: TubePrecision | FramePrecision | AnswerOverlap,
    packed: PackedTubes,
    truth: Truth,
    protocol: Protocol,
) -> Outcome:
    if isinstance(part, AnswerOverlap):
        return overlap_outcome(part, packed, truth)
    if isinstance(part, TubePrecision):
        count = int(instances_with_box(truth).sum())
        return Outcome(tube_scores(part, packed, truth), {"instances_with_box": count})
    frames = trimmed_boxes if protocol.task == "spatial" else untrimmed_boxes
    boxes = frames(packed, truth)
    scores = frame_scores(
        part, boxes, named_classes(truth.label, truth.classes), metric_name(part, protocol)
    )
    return Outcome(scores, {"true_boxes": boxes.true_frame.size})


def _averaged(
    part: TimeAverage, packed: PackedTubes, benchmark: Benchmark, protocol: Protocol
) -> Outcome:
    like = replace(protocol, average=part.average, fps=part.fps)
    found = evaluate_temporal(packed, benchmark, like)
    return Outcome(found.metrics, {"segments": found.counts["segments"]}, found.notes)
