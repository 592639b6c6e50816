"""Five points a frame to boxes and heatmap masks, beside a dense loop over the frames."""

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from benchmarks.measuring import command_cost, show, timed
from gytbench.annotation import Built, PointRow, Rule, build, build_table, heatmap_masks
from gytbench.benchmark import Benchmark
from gytbench.benchmark.points import count_frames
from tests.construction import dense

ANNOTATORS = 5
LEVEL = 0.5
SAMPLE = 400


def boxes_and_masks(benchmark: Benchmark, folder: Path) -> None:
    """Every annotated frame of the release, with five points drawn around its mean point."""
    rows = five_points(benchmark)
    path = folder / "points.csv"
    _write(rows, path)
    built = build(build_table(rows), Rule())
    _, boxing = timed(lambda: build(built.table, Rule()))
    masks, masking = timed(lambda: heatmap_masks(built, LEVEL))
    frames = len(built.table.frames)
    sample = np.linspace(0, frames - 1, SAMPLE).astype(int).tolist()
    theirs, dense_seconds = timed(lambda: [_dense(built, i) for i in sample], repeat=1)
    same_boxes = all(
        np.allclose(built.boxes[i], box) for i, (box, _) in zip(sample, theirs, strict=True)
    )
    same_masks = sum(masks[i].counts == text for i, (_, text) in zip(sample, theirs, strict=True))
    script = Path(sys.executable).with_name("gytbench")
    outputs = ["-o", str(folder / "boxes.json"), "--masks", str(folder / "masks.json")]
    whole = command_cost([str(script), "build-boxes", str(path), *outputs])
    each, dense_each = (boxing + masking) / frames, dense_seconds / SAMPLE
    show(
        f"{frames:,} frames with {ANNOTATORS} points each: boxes and 640x480 masks",
        [
            ["gytbench: boxes, all frames", boxing, None],
            ["gytbench: masks, all frames", masking, None],
            ["gytbench build-boxes --masks, whole command", whole.seconds, whole.peak_mib],
            ["gytbench: box and mask of one frame", each, None],
            [f"dense loop: box and mask of one frame, of {SAMPLE}", dense_each, None],
        ],
        f"dense loop / gytbench = {dense_each / each:,.0f}, boxes "
        f"{'equal' if same_boxes else 'DIFFERENT'}, {same_masks} of {SAMPLE} masks equal",
    )


def five_points(benchmark: Benchmark) -> list[PointRow]:
    """Points with the released means and mean distances; frames without agreement anywhere."""
    rng = np.random.default_rng(0)
    places = [(p.x, p.y, p.mean_distance * min(p.scale)) for p in benchmark.points]
    missing = sum(count_frames(benchmark.folder or Path())) - len(places)
    places += [(rng.uniform(0, 640), rng.uniform(0, 480), 150.0) for _ in range(missing)]
    means = np.array(places)
    # A normal point of standard deviation s lies 1.25 s from its centre on average.
    apart = rng.normal(0, 1, (len(means), ANNOTATORS, 2)) * means[:, None, 2:] / 1.25
    points = np.clip(means[:, None, :2] + apart, 0, (640, 480))
    return [
        PointRow("video", frame, "", str(annotator), x, y, 640, 480, f"row {frame}.{annotator}")
        for frame, five in enumerate(points.tolist())
        for annotator, (x, y) in enumerate(five)
    ]


def _write(rows: list[PointRow], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("video", "second", "annotator", "x", "y", "width", "height"))
        writer.writerows((r.video, r.second, r.annotator, r.x, r.y, 640, 480) for r in rows)


def _dense(built: Built, number: int) -> tuple[list[float], Any]:
    """Box and COCO mask of one frame, its heatmap drawn at every pixel."""
    points = built.table.points
    xy = [(x, y) for x, y in points.xy[points.starts[number] : points.starts[number + 1]].tolist()]
    pixels = dense.region(xy, (640, 480), float(built.sigmas[number]), LEVEL) >= 0
    text = coco_mask.encode(np.asfortranarray(pixels.astype(np.uint8)))["counts"].decode()
    return dense.box(xy, (640, 480)), text
