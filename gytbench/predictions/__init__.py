"""The shared prediction format: types, reading, checking, packing, writing."""

from gytbench.predictions.encoding import encode_heatmap, encode_runs
from gytbench.predictions.packing import PackedTubes, doubts, frames_of, pack
from gytbench.predictions.reading import collector_paused, load_predictions
from gytbench.predictions.schema import (
    FORMAT,
    TASKS,
    EncodedHeatmap,
    Mask,
    Predictions,
    Task,
    Tube,
    json_schema,
)
from gytbench.predictions.writing import PredictionWriter, save_predictions

__all__ = [
    "FORMAT",
    "TASKS",
    "EncodedHeatmap",
    "Mask",
    "PackedTubes",
    "PredictionWriter",
    "Predictions",
    "Task",
    "Tube",
    "collector_paused",
    "doubts",
    "encode_heatmap",
    "encode_runs",
    "frames_of",
    "json_schema",
    "load_predictions",
    "pack",
    "save_predictions",
]
