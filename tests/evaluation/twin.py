"""The package's scorer on the reference scorer's truths, and how the two compare."""

from typing import Any

import msgspec
import pytest

from gytbench.benchmark import Benchmark, ClassMap, Cues, Instance
from gytbench.evaluation import Protocol, Result, score
from gytbench.predictions import Predictions
from gytbench.predictions.schema import PredictionFile
from tests.reference import Truth


def benchmark_of(truth: Truth) -> Benchmark:
    """The same ground truth for the package; class names are in no useful order on purpose."""
    labels = {i.label for i in truth.instances} | {cue.label for cue in truth.cues}
    names = tuple(sorted(labels | {"mix_egg", "add_egg", "cut_egg"}, reverse=True))
    cues = tuple(
        Instance(cue.video, number, float(cue.start), float(cue.end), cue.label, cue.label)
        for number, cue in enumerate(truth.cues)
    )
    return Benchmark(
        classes=ClassMap("mining512", names, {name: i for i, name in enumerate(names)}),
        frames=truth.frames,
        instances=tuple(
            Instance(i.video, i.id, float(i.start), float(i.end), i.label, i.label)
            for i in truth.instances
        ),
        boxes={
            video: {t: tuple(map(float, box)) for t, box in boxes.items()}
            for video, boxes in truth.boxes.items()
        },
        release="published",
        read_cues=lambda: Cues("local", cues),
    )


def predictions_of(file: dict[str, Any]) -> Predictions:
    """A parsed file as the reader would give it."""
    read = msgspec.convert(file, PredictionFile)
    return Predictions(read.task, read.tubes, read.model, read.frame_size, source="preds.json")


def package_score(truth: Truth, file: dict[str, Any], **options: Any) -> Result:
    """What the package makes of a file."""
    protocol = Protocol(task=file["task"], **options)
    return score(predictions_of(file), benchmark_of(truth), protocol)


def close(expected: float | None) -> Any:
    """Equal up to rounding; None only to None."""
    return None if expected is None else pytest.approx(expected, rel=0, abs=1e-12)
