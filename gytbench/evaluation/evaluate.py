"""One call from predictions to a result."""

from dataclasses import replace
from pathlib import Path

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.errors import InputError
from gytbench.evaluation.protocol import Protocol
from gytbench.evaluation.result import Result
from gytbench.evaluation.spatial import evaluate_spatial
from gytbench.evaluation.st import evaluate_st
from gytbench.evaluation.temporal import evaluate_temporal
from gytbench.predictions import Predictions, Task, doubts, load_predictions, pack

_SCORERS = {"st": evaluate_st, "spatial": evaluate_spatial, "temporal": evaluate_temporal}


def evaluate(
    predictions: Predictions | str | Path,
    task: Task | None = None,
    *,
    dataset: str = "groundingyoutube",
    boxes: str = "",
    classes: str = "",
    subset: str = "",
    coordinates: str = "",
    heatmap_threshold: float = 0.5,
    tolerance: float = 0.0,
    average: str = "video-class",
    fps: float | None = None,
    data: str | Path | None = None,
    benchmark: Benchmark | None = None,
) -> Result:
    """Score a prediction file, or predictions in memory.

    The options are those of `gytbench evaluate` and are explained at `Protocol`;
    `task` defaults to the file's own. `data` names the folder of the released
    files. A `benchmark` that is already loaded stands for dataset, boxes, classes, subset,
    coordinates and data, which must then keep their defaults.

    Raises InputError with every fault of the file, or for an option that the task
    does not have.

    >>> import gytbench
    >>> result = gytbench.evaluate("preds.json", task="st")  # doctest: +SKIP
    >>> result.metrics["iou_point"], result.signature  # doctest: +SKIP
    """
    if not isinstance(predictions, Predictions):
        predictions = load_predictions(predictions)
    asked = {"boxes": boxes, "classes": classes, "subset": subset, "coordinates": coordinates}
    if benchmark is not None:
        if any(asked.values()) or data is not None or dataset != "groundingyoutube":
            names = "dataset, boxes, classes, subset, coordinates and data"
            raise InputError(f"give either a loaded benchmark or {names}")
        asked, dataset = _of_loaded(benchmark, task or predictions.task), benchmark.dataset
    protocol = Protocol(
        task=task or predictions.task,
        dataset=dataset,
        **asked,
        heatmap_threshold=heatmap_threshold,
        tolerance=tolerance,
        average=average,
        fps=fps,
    )
    if benchmark is None:
        benchmark = load_benchmark(dataset=dataset, **asked, data=data)
    return score(predictions, benchmark, protocol)


def score(predictions: Predictions, benchmark: Benchmark, protocol: Protocol) -> Result:
    """Score predictions on a loaded benchmark under a protocol for that benchmark."""
    packed = pack(predictions, benchmark, protocol.task)
    result = _SCORERS[protocol.task](packed, benchmark, protocol)
    guessed = _estimated(benchmark) if protocol.task != "temporal" else ()
    return replace(result, notes=(*result.notes, *guessed, *doubts(packed, benchmark)))


def _estimated(benchmark: Benchmark) -> tuple[str, ...]:
    if not benchmark.estimated:
        return ()
    boxes = sum(len(by_second) for by_second in benchmark.boxes.values())
    return (f"{len(benchmark.estimated):,} of the {boxes:,} boxes have an estimated right edge",)


def _of_loaded(benchmark: Benchmark, task: Task) -> dict[str, str]:
    """The choices that a benchmark was loaded with, as far as they matter for the task."""
    if task == "temporal":
        return {"classes": benchmark.classes.kind}
    return {
        "boxes": benchmark.release,
        "classes": benchmark.classes.kind,
        "subset": benchmark.subset,
        "coordinates": benchmark.coordinates,
    }
