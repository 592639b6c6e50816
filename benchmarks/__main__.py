"""`make bench`: this scorer, the naive twin and a pixel loop, side by side in one run.

All ratios are taken within one run on one machine. The slow ways are run on a
sample of videos, and the fast way on the same sample, since the whole would take
them hours; the sizes are printed.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.alignment import alignment
from benchmarks.annotation import boxes_and_masks
from benchmarks.cross_attention import cross_attention
from benchmarks.frame_precision import frame_precision
from benchmarks.generate import heatmap_answers, many_tubes
from benchmarks.measuring import command_cost, json_load_cost, show, timed
from benchmarks.pixel_loop import hit_and_iou, tube_iou
from benchmarks.video_reading import video_reading
from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.evaluation import Protocol
from gytbench.evaluation.overlaps import measure
from gytbench.evaluation.spatial import evaluate_spatial
from gytbench.evaluation.st import evaluate_st
from gytbench.evaluation.truth import lay_out, truth_of
from gytbench.evaluation.tubes import tube_pairs
from gytbench.predictions import Predictions, load_predictions, pack, save_predictions
from tests.reference import Truth, score_spatial, score_st
from tests.reference.model import Instance as TwinInstance

SAMPLE_VIDEOS = 6


def main() -> None:
    """Write the files, measure, print the tables."""
    benchmark = load_benchmark()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tubes, heatmaps = folder / "tubes.json", folder / "heatmaps.json"
        save_predictions(many_tubes(benchmark), tubes)
        save_predictions(heatmap_answers(benchmark), heatmaps)
        for path, task in ((tubes, "st"), (heatmaps, "spatial")):
            _whole(path, task, benchmark)
        _tubes_against_slow_ways(load_predictions(tubes), benchmark)
        _heatmaps_against_slow_ways(load_predictions(heatmaps), benchmark)
        boxes_and_masks(benchmark, folder)
    alignment()
    video_reading()
    cross_attention()
    frame_precision()


def _whole(path: Path, task: Any, benchmark: Benchmark) -> None:
    """The whole command against json.load, and the stages inside it."""
    script = Path(sys.executable).with_name("gytbench")
    command = command_cost([str(script), "evaluate", str(path), "--task", task])
    loading = json_load_cost(str(path))
    predictions, reading = timed(lambda: load_predictions(path))
    packed, packing = timed(lambda: pack(predictions, benchmark, task))
    scorer = evaluate_st if task == "st" else evaluate_spatial
    _, scoring = timed(lambda: scorer(packed, benchmark, Protocol(task)))
    count = f"{len(predictions.tubes):,} tubes, {packed.second.size:,} seconds"
    show(
        f"Task {task}, {count}, {path.stat().st_size / 1e6:.1f} MB",
        [
            ["gytbench evaluate, whole command", command.seconds, command.peak_mib],
            ["json.load alone, standard library", loading.seconds, loading.peak_mib],
            ["  of the command: read and check types", reading, None],
            ["  of the command: pack and check against the benchmark", packing, None],
            ["  of the command: scoring proper", scoring, None],
        ],
        f"whole command / json.load = {command.seconds / loading.seconds:.2f}",
    )


def _sample(predictions: Predictions, benchmark: Benchmark) -> tuple[Predictions, Benchmark]:
    """The same, cut to the first videos."""
    videos = benchmark.videos[:SAMPLE_VIDEOS]
    cut = Benchmark(
        classes=benchmark.classes,
        frames={video: benchmark.frames[video] for video in videos},
        instances=tuple(i for i in benchmark.instances if i.video in videos),
        boxes={video: benchmark.boxes[video] for video in videos},
    )
    tubes = [tube for tube in predictions.tubes if tube.video in videos]
    return Predictions(predictions.task, tubes, {}, predictions.frame_size), cut


def _twin_inputs(predictions: Predictions, benchmark: Benchmark) -> tuple[Truth, dict[str, Any]]:
    truth = Truth(
        frames={video: (int(w), int(h)) for video, (w, h) in benchmark.frames.items()},
        instances=[
            TwinInstance(i.video, i.id, i.start, i.end, i.label) for i in benchmark.instances
        ],
        boxes={video: dict(boxes) for video, boxes in benchmark.boxes.items()},
    )
    file = {"tubes": [msgspec.to_builtins(tube) for tube in predictions.tubes]}
    if predictions.frame_size:
        file["frame_size"] = list(predictions.frame_size)
    return truth, file


def _tubes_against_slow_ways(predictions: Predictions, benchmark: Benchmark) -> None:
    predictions, benchmark = _sample(predictions, benchmark)
    protocol = Protocol("st")
    packed = pack(predictions, benchmark, "st")
    truth = truth_of(benchmark)
    grid = lay_out(truth, packed)
    nothing = np.zeros(packed.second.size, dtype=bool)

    def measure_pairs() -> Any:
        frames = truth.frames[grid.video]
        measured = measure(packed, grid.box, frames, grid.entry_cell, ~nothing, 0.5)
        return tube_pairs(packed, truth, measured, nothing)

    result, ours = timed(lambda: evaluate_st(packed, benchmark, protocol))
    pairs, pairing = timed(measure_pairs)
    twin, twin_seconds = timed(lambda: score_st(*_twin_inputs(predictions, benchmark)), repeat=1)
    _, pixel_seconds = timed(lambda: _drawn_pairs(predictions, benchmark, pairs), repeat=1)
    worst = max(
        abs((result.metrics[name] or 0) - (value or 0))
        for name, value in twin.items()
        if name != "per_class"
    )
    show(
        f"{len(predictions.tubes):,} tubes of {SAMPLE_VIDEOS} videos, after reading",
        [
            ["gytbench: whole task", ours],
            ["naive twin: whole task", twin_seconds],
            [f"gytbench: IoU of {pairs.tube.size:,} tube and instance pairs", pairing],
            ["pixel loop: IoU of the same pairs", pixel_seconds],
        ],
        f"naive twin / gytbench = {twin_seconds / ours:,.0f}, metrics apart by {worst:.1e} at most",
        f"pixel loop / gytbench = {pixel_seconds / pairing:,.0f}",
    )


def _drawn_pairs(predictions: Predictions, benchmark: Benchmark, pairs: Any) -> list[float]:
    found = []
    for tube, instance in zip(pairs.tube.tolist(), pairs.instance.tolist(), strict=True):
        said, true = predictions.tubes[tube], benchmark.instances[instance]
        width, height = benchmark.frames[said.video]
        boxes = {
            second: (x1 * width / 640, y1 * height / 480, x2 * width / 640, y2 * height / 480)
            for second, (x1, y1, x2, y2) in enumerate(said.boxes or [], int(said.start))
        }
        frame = (int(width), int(height))
        found.append(tube_iou(boxes, true, dict(benchmark.boxes[said.video]), frame))
    return found


def _heatmaps_against_slow_ways(predictions: Predictions, benchmark: Benchmark) -> None:
    """Point and region of every unit; the twin on fewer, since it takes seconds for each."""
    full = pack(predictions, benchmark, "spatial")
    result, ours = timed(lambda: evaluate_spatial(full, benchmark, Protocol("spatial")))
    units = result.counts["units"]

    predictions, benchmark = _sample(predictions, benchmark)
    packed = pack(predictions, benchmark, "spatial")
    truth = truth_of(benchmark)
    grid = lay_out(truth, packed)
    box = grid.box[grid.entry_cell]
    asked = ~np.isnan(box[:, 0])
    frames = truth.frames[grid.video]
    measured = measure(packed, grid.box, frames, grid.entry_cell, asked, 0.5)
    drawn, pixel_seconds = timed(lambda: _drawn_heatmaps(packed, truth, box, asked), repeat=1)
    apart = np.abs(measured.iou[asked] - drawn).max()
    few = Predictions("spatial", predictions.tubes[:2], {})
    twin_seconds = timed(lambda: score_spatial(*_twin_inputs(few, benchmark)), repeat=1)[1]
    each = ours / units
    drawn_each = pixel_seconds / np.count_nonzero(asked)
    twin_each = twin_seconds / sum(len(tube.heatmaps or []) for tube in few.tubes)
    show(
        f"7x7 heatmaps, {units:,} units: hit, region IoU and all metrics",
        [
            ["gytbench: scoring proper, all units", ours],
            ["gytbench: one unit", each],
            [f"pixel loop at 640x480: one unit, of {np.count_nonzero(asked):,}", drawn_each],
            ["naive twin: one unit", twin_each],
        ],
        f"pixel loop / gytbench = {drawn_each / each:,.0f}, IoU apart by {apart:.1e} at most",
        f"naive twin / gytbench = {twin_each / each:,.0f}",
    )


def _drawn_heatmaps(packed: Any, truth: Any, box: Any, asked: Any) -> Any:
    group = packed.heatmaps[0]
    found = []
    for entry, values in zip(group.entry, group.values, strict=True):
        if asked[entry]:
            width, height = truth.frames[packed.video[packed.tube[entry]]]
            frame = (int(width), int(height))
            found.append(hit_and_iou(values, box[entry], frame)[1])
    return np.array(found)


if __name__ == "__main__":
    main()
