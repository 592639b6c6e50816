"""The worked examples of docs/metrics.md, each scored by gytbench itself.

An example is a small benchmark and a small prediction, both made by hand. Its `rows` are the
table below its figure on the page; figure and table take every number from the scorer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from gytbench import Benchmark, Instance, Predictions, Protocol, Result, Tube, evaluate
from gytbench.benchmark import ClassMap, Cues
from gytbench.evaluation.frames import Spoken, spoken_seconds
from gytbench.evaluation.overlaps import Overlaps, measure
from gytbench.evaluation.precedence import tie_ranks
from gytbench.evaluation.protocol import AVERAGES, TUBE_THRESHOLDS
from gytbench.evaluation.st import Measured, match_at, measure_st
from gytbench.evaluation.truth import lay_out, truth_of
from gytbench.evaluation.uncertainty import draw_videos, resample_all, with_intervals
from gytbench.metrics import boxes, regions
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.metrics.tracks import Tracks, product_iou
from gytbench.predictions import PackedTubes, encode_runs, pack

Box = tuple[float, float, float, float]
Labelled = tuple[str, float, float]
"""A class and its interval."""

CLASSES: Final = ("bake", "beat", "crack", "pour")
WIDE: Final = (640.0, 480.0)
SMALL: Final = (16, 12)
"""A frame of so few pixels that they can be counted by eye."""


class Row(NamedTuple):
    """A line of an example's table: a number, what it is made of, and its value."""

    quantity: str
    made_of: str
    value: str


def score_text(value: float | None) -> str:
    """A fraction with three decimals."""
    return "n/a" if value is None else f"{value:.3f}"


def metric_row(result: Result, name: str, made_of: str) -> Row:
    """The line of a metric of the result."""
    return Row(f"`{name}`", made_of, score_text(result.metrics[name]))


def truth(
    instances: Mapping[str, Sequence[Labelled]],
    by_second: Mapping[str, Mapping[int, Box]],
    frame: Mapping[str, tuple[float, float]] | None = None,
) -> Benchmark:
    """A benchmark made by hand: instances and boxes by video; 640x480 unless told."""
    listed = tuple(
        Instance(video, number, start, end, label, label)
        for video, of_video in instances.items()
        for number, (label, start, end) in enumerate(of_video)
    )
    return Benchmark(
        classes=ClassMap("mining512", CLASSES, {name: i for i, name in enumerate(CLASSES)}),
        frames=frame or dict.fromkeys(instances, WIDE),
        instances=listed,
        boxes=by_second,
        read_cues=lambda: Cues("local", listed),
    )


def answer(instance: Instance, **fields: Any) -> Tube:
    """A tube that answers an instance over its own interval."""
    return Tube(
        video=instance.video,
        label=instance.label,
        start=instance.start,
        end=instance.end,
        instance=instance.id,
        frame_size=WIDE,
        **fields,
    )


class Entries(NamedTuple):
    """A packed prediction, and its regions measured against the boxes, entry by entry."""

    packed: PackedTubes
    measured: Overlaps


def measured_entries(predictions: Predictions, benchmark: Benchmark) -> Entries:
    """What the scorer measures of every second of a file for the task `spatial`."""
    packed = pack(predictions, benchmark, "spatial")
    laid = truth_of(benchmark)
    grid = lay_out(laid, packed)
    wanted = np.ones(packed.second.size, dtype=bool)
    frames = laid.frames[grid.video]
    return Entries(packed, measure(packed, grid.box, frames, grid.entry_cell, wanted, 0.5))


# Pointing game


@dataclass(frozen=True)
class PointingExample:
    """The pointing game on two instances of one video.

    second, box, point: of everything that is drawn, the point as the scorer takes it.
    hit: by second, of the units alone.
    """

    benchmark: Benchmark
    result: Result
    entries: Entries
    hit: Mapping[int, bool]
    predicted_box: Mapping[int, Box]
    heatmap: Mapping[int, list[list[float]]]
    rows: tuple[Row, ...]


_POINTING_BOXES: Final[Mapping[int, Box]] = {
    0: (200, 140, 420, 340),
    1: (220, 140, 440, 340),
    2: (180, 120, 380, 320),
    4: (200, 120, 400, 320),
    5: (480, 150, 480, 350),
    6: (280, 160, 520, 400),
    7: (300, 200, 560, 420),
}
_POINTS: Final = ((330, 250), (440, 200), (470, 260), (300, 240), None, (480, 250))
_POINTING_HEAT: Final = [[0.1, 0.1, 0.2, 0.1], [0.1, 0.3, 0.8, 0.4], [0.0, 0.2, 0.9, 0.3]]


def pointing() -> PointingExample:
    """Six seconds of one class, two of another: borders, missing answers, a box without area."""
    benchmark = truth({"a": [("crack", 0, 6), ("beat", 6, 8)]}, {"a": _POINTING_BOXES})
    predicted: Box = (320, 220, 560, 420)
    first, second = benchmark.instances
    tubes = [
        answer(first, points=list(_POINTS)),
        answer(second, boxes=[predicted, None], heatmaps=[None, _POINTING_HEAT]),
    ]
    predictions = Predictions("spatial", tubes, {})
    result = evaluate(predictions, benchmark=benchmark)
    counts = result.counts
    by_class = " and ".join(
        f"{score_text(row['pointing_accuracy'])} ({name}, {row['units']} units)"
        for name, row in sorted(result.per_class.items(), reverse=True)
    )
    hits = f"{counts['hits']} hits / {counts['units']} units"
    return PointingExample(
        benchmark=benchmark,
        result=result,
        entries=measured_entries(predictions, benchmark),
        hit=dict(zip(sorted(_POINTING_BOXES), result.outcomes.hit.tolist(), strict=True)),
        predicted_box={6: predicted},
        heatmap={7: _POINTING_HEAT},
        rows=(
            metric_row(result, "pointing_accuracy", hits),
            metric_row(result, "pointing_accuracy_class_mean", f"mean of {by_class}"),
        ),
    )


# Success at an IoU


@dataclass(frozen=True)
class RegionExample:
    """Three regions against three boxes: a box, a heatmap's region and a mask.

    pixels: of the heatmap and of the mask, which pixels belong to the region.
    spans: the true boxes of these two in pixels.
    """

    benchmark: Benchmark
    result: Result
    entries: Entries
    predicted_box: Box
    heatmap: list[list[float]]
    pixels: tuple[Bools, Bools]
    spans: Ints
    rows: tuple[Row, ...]


_HEAT: Final = [[0.0, 0.2, 0.1, 0.0], [0.1, 1.0, 0.7, 0.1], [0.0, 0.4, 0.3, 0.1]]
_MASK: Final = (
    (0, 0, 0, 0, 0, 0, 0, 0),
    (0, 0, 1, 1, 1, 0, 0, 0),
    (0, 0, 1, 1, 1, 1, 0, 0),
    (0, 0, 0, 1, 1, 1, 0, 0),
    (0, 0, 0, 0, 1, 0, 0, 0),
    (0, 0, 0, 0, 0, 0, 0, 0),
)


_REGION_BOXES: Final[Mapping[str, Mapping[int, Box]]] = {
    "a": {0: (220, 260, 460, 540)},
    "b": {0: (4.7, 3.2, 12.6, 8.3)},
    "c": {0: (4.0, 3.0, 11.0, 9.0)},
}


def region() -> RegionExample:
    """A box that misses 0.3, a heatmap and a mask that reach it."""
    benchmark = truth(
        {"a": [("crack", 0, 1)], "b": [("beat", 0, 1)], "c": [("beat", 0, 1)]},
        _REGION_BOXES,
        {"a": WIDE, "b": SMALL, "c": SMALL},
    )
    predicted: Box = (320, 180, 560, 420)
    first, second, third = benchmark.instances
    tubes = [
        answer(first, boxes=[predicted]),
        answer(second, heatmaps=[_HEAT]),
        answer(third, masks=[encode_runs(np.array(_MASK))]),
    ]
    predictions = Predictions("spatial", tubes, {})
    result = evaluate(predictions, benchmark=benchmark)
    entries = measured_entries(predictions, benchmark)
    small = np.array([_REGION_BOXES["b"][0], _REGION_BOXES["c"][0]])
    return RegionExample(
        benchmark=benchmark,
        result=result,
        entries=entries,
        predicted_box=predicted,
        heatmap=_HEAT,
        pixels=_pixels_of_regions(),
        spans=boxes.pixel_spans(small, SMALL),
        rows=_region_rows(result, entries.measured),
    )


def _pixels_of_regions() -> tuple[Bools, Bools]:
    """Ask the scorer, pixel by pixel, which belong to the region of the heatmap and the mask."""
    width, height = SMALL
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(width), np.arange(height)))
    single = np.stack((x, y, x + 1, y + 1), axis=1)
    values = np.tile(np.array(_HEAT), (len(single), 1, 1))
    heat = regions.heatmap_overlaps(values, SMALL, single, 0.5)[1]
    set_cells = np.flatnonzero(np.array(_MASK).ravel(order="F"))
    owner = np.repeat(np.arange(len(single)), set_cells.size)
    first = np.tile(set_cells, len(single))
    size = (len(_MASK), len(_MASK[0]))
    mask = regions.mask_overlaps(owner, first, first + 1, size, SMALL, single)[1]
    return (heat > 0).reshape(height, width), (mask > 0).reshape(height, width)


def _region_rows(result: Result, measured: Overlaps) -> tuple[Row, ...]:
    names = ("box against box", "heatmap against box", "mask against box")
    overlaps = tuple(
        Row(
            f"IoU, {name}",
            f"{shared:,.0f} / ({area:,.0f} + {box_area:,.0f} - {shared:,.0f})",
            score_text(iou),
        )
        for name, shared, area, box_area, iou in zip(
            names, measured.shared, measured.area, measured.box_area, measured.iou, strict=True
        )
    )
    counts = result.counts
    by_class = " and ".join(
        f"{score_text(row['success@0.3'])} ({name})"
        for name, row in sorted(result.per_class.items(), reverse=True)
    )
    return (
        *overlaps,
        metric_row(
            result, "success@0.3", f"{counts['successes']} successes / {counts['units']} units"
        ),
        metric_row(result, "success@0.3_class_mean", f"mean of {by_class}"),
    )


# Ranked precision


class Curve(NamedTuple):
    """Recall and precision where they are read, at the end of each run of equal scores."""

    recall: Floats
    precision: Floats
    envelope: Floats

    @property
    def area(self) -> float:
        """Below the envelope."""
        return float(np.diff(self.recall, prepend=0) @ self.envelope)


def curve_of(score: Floats, right: Bools, positives: int) -> Curve:
    """The curve of a ranking, drawn; its area is the average precision."""
    order = np.argsort(-score, kind="stable")
    score, right = score[order], right[order]
    last = np.append(score[1:] != score[:-1], True)
    found = np.cumsum(right)[last]
    precision = found / (np.flatnonzero(last) + 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return Curve(found / positives, precision, highest)


@dataclass(frozen=True)
class RankingExample:
    """The units of a class, ranked. score: NaN for a unit without a region."""

    result: Result
    score: Floats
    right: Bools
    curve: Curve
    rows: tuple[Row, ...]


def ranking() -> RankingExample:
    """Seven units of one class, one without a region, and a class that nobody answers."""
    box: Box = (200, 140, 420, 340)
    off: Box = (420, 140, 640, 340)
    benchmark = truth({"a": [("crack", 0, 7), ("beat", 7, 8)]}, {"a": dict.fromkeys(range(8), box)})
    given = [off, box, box, off, box, None, box]
    scores = [0.8, 0.9, 0.8, 0.5, 0.6, 0.7, 0.4]
    tube = answer(benchmark.instances[0], boxes=given, scores=scores)
    result = evaluate(Predictions("spatial", [tube], {}), benchmark=benchmark)
    outcomes = result.outcomes
    mine = outcomes.label == CLASSES.index("crack")
    score, right = outcomes.score[mine], outcomes.success[mine]
    ranked = ~np.isnan(score)
    curve = curve_of(score[ranked], right[ranked], score.size)
    rows = _ranking_rows(result, curve, score.size)
    return RankingExample(result=result, score=score, right=right, curve=curve, rows=rows)


def _ranking_rows(result: Result, curve: Curve, units: int) -> tuple[Row, ...]:
    gained = np.diff(curve.recall, prepend=0) * units
    added = np.repeat(curve.envelope, np.rint(gained).astype(np.int64)).tolist()
    summed = " + ".join(map(score_text, added))
    by_class = {name: row["spatial_ap@0.3"] for name, row in result.per_class.items()}
    crack, beat = (score_text(by_class[name]) for name in ("crack", "beat"))
    return (
        Row("`spatial_ap@0.3` of crack", f"({summed}) / {units} units", crack),
        Row("`spatial_ap@0.3` of beat", "no unit is ranked", beat),
        metric_row(result, "spatial_map@0.3", f"mean over {len(by_class)} classes"),
    )


# Time


@dataclass(frozen=True)
class TimeExample:
    """Labels over time in two videos. durations: |G|, |D| and |G n D| by video and class."""

    benchmark: Benchmark
    tubes: Sequence[Tube]
    result: Result
    durations: Floats
    rows: tuple[Row, ...]
    averages: tuple[Row, ...]


_SAID_IN_TIME: Final = (
    ("a", "crack", 4, 10, 0.9),
    ("a", "beat", 8, 18, 0.8),
    ("a", "pour", 14, 22, 0.85),
    ("b", "beat", 2, 10, 0.7),
)


def time() -> TimeExample:
    """A late start, a label that takes time from another, a class never said, a gap."""
    first: list[Labelled] = [("crack", 2, 8), ("beat", 10, 20), ("bake", 24, 28)]
    benchmark = truth({"a": first, "b": [("beat", 0, 4), ("beat", 8, 12)]}, {})
    tubes = [
        Tube(video=video, label=label, start=start, end=end, score=score)
        for video, label, start, end, score in _SAID_IN_TIME
    ]
    predictions = Predictions("temporal", tubes, {})
    results = {
        average: evaluate(predictions, benchmark=benchmark, average=average) for average in AVERAGES
    }
    result = results["video-class"]
    return TimeExample(
        benchmark=benchmark,
        tubes=tubes,
        result=result,
        durations=result.outcomes.durations,
        rows=_time_rows(benchmark, result),
        averages=tuple(
            Row(f"`{name}`", score_text(each.metrics["iou"]), score_text(each.metrics["iod"]))
            for name, each in results.items()
        ),
    )


def _time_rows(benchmark: Benchmark, result: Result) -> tuple[Row, ...]:
    rows = []
    for video, of_video in zip(benchmark.videos, result.outcomes.durations, strict=True):
        for name, (true, said, shared) in zip(CLASSES, of_video, strict=True):
            if true:
                iod = f"{shared:g} / {said:g} = {score_text(shared / said)}" if said else "0"
                iou = f"{shared:g} / {true + said - shared:g}"
                iou = f"{iou} = {score_text(shared / (true + said - shared))}"
                rows.append(Row(f"{video}: {name}", iou, iod))
    for video, row in result.per_video.items():
        rows.append(Row(f"{video}: mean", score_text(row["iou"]), score_text(row["iod"])))
    metrics = (score_text(result.metrics[name]) for name in ("iou", "iod"))
    return (*rows, Row("`iou` and `iod`: mean over videos", *metrics))


# Seconds


@dataclass(frozen=True)
class SecondsExample:
    """Labels and points of two videos, second by second. spoken: as the scorer sees them."""

    benchmark: Benchmark
    packed: PackedTubes
    laid: Measured
    spoken: Spoken
    result: Result
    rows: tuple[Row, ...]


_HIT, _MISS = (300, 240), (500, 400)
_SAID_IN_SECONDS: Final = (
    ("a", "crack", 0, 4, 0.9, [_HIT, _MISS, _HIT, _HIT]),
    ("a", "beat", 4, 10, 0.8, [_HIT, _HIT, _HIT, _MISS, _HIT, _HIT]),
    ("a", "crack", 4, 6, 0.3, [_HIT, _HIT]),
    ("b", "crack", 0, 2, 0.6, [_HIT, _HIT]),
    ("b", "beat", 2, 4, 0.7, [_HIT, _HIT]),
)


def seconds() -> SecondsExample:
    """A shared second, an ignored second, a wrong label, a point that misses, background."""
    box: Box = (200, 140, 420, 340)
    first = {second: box for second in range(9) if second != 3}
    benchmark = truth(
        {"a": [("crack", 0, 6), ("beat", 5, 9)], "b": [("beat", 1, 5)]},
        {"a": first, "b": dict.fromkeys(range(1, 5), box)},
    )
    names = ("video", "label", "start", "end", "score", "points")
    tubes = [
        Tube(frame_size=WIDE, **dict(zip(names, said, strict=True)))  # type: ignore[arg-type]
        for said in _SAID_IN_SECONDS
    ]
    predictions = Predictions("st", tubes, {})
    result = evaluate(predictions, benchmark=benchmark)
    packed = pack(predictions, benchmark, "st")
    laid = measure_st(packed, benchmark, Protocol("st"))
    spoken = spoken_seconds(packed, laid.grid, laid.pairs, tie_ranks(packed, benchmark))
    return SecondsExample(
        benchmark=benchmark,
        packed=packed,
        laid=laid,
        spoken=spoken,
        result=result,
        rows=_seconds_rows(result),
    )


_RATIOS: Final = {
    "iou_point": "{3} / ({0} + {1} - {3})",
    "label_iou": "{2} / ({0} + {1} - {2})",
    "pointing_given_label": "{3} / {2}",
}


def _seconds_rows(result: Result) -> tuple[Row, ...]:
    frames, class_frames = result.outcomes.frames, result.outcomes.class_frames.sum(axis=0)
    named = {"videos": dict(zip("ab", frames.tolist(), strict=True))}
    named["classes"] = {
        name: counts
        for name, counts in zip(CLASSES, class_frames.tolist(), strict=True)
        if counts[0]
    }
    rows = [
        Row(f"G, D, L, TP of {name}", "{}, {}, {}, {}".format(*counts), "")
        for group in named.values()
        for name, counts in group.items()
    ]
    totals = frames.sum(axis=0).tolist()
    rows.append(Row("G, D, L, TP of all videos", "{}, {}, {}, {}".format(*totals), ""))
    for name, ratio in _RATIOS.items():
        rows.append(metric_row(result, name, ratio.format(*totals)))
        for suffix, group in (("_class_mean", "classes"), ("_video_mean", "videos")):
            parts = ", ".join(ratio.format(*counts) for counts in named[group].values())
            rows.append(metric_row(result, name + suffix, f"mean of {parts}"))
    return tuple(rows)


# Tubes


@dataclass(frozen=True)
class TubeExample:
    """One tube against one instance, second by second.

    area, true_area, shared: by second, of what counts.
    """

    benchmark: Benchmark
    predicted: Mapping[int, Box]
    area: Mapping[int, float]
    true_area: Mapping[int, float]
    shared: Mapping[int, float]
    ignored: frozenset[int]
    iou: float
    rows: tuple[Row, ...]


_TRUE_TUBE: Final[Mapping[int, Box]] = {
    0: (100, 140, 300, 340),
    1: (120, 140, 320, 340),
    2: (140, 140, 340, 340),
    4: (180, 140, 380, 340),
    5: (200, 140, 400, 340),
}
_SAID_TUBE: Final[Mapping[int, Box]] = {
    1: (120, 180, 320, 380),
    2: (190, 140, 390, 340),
    3: (160, 140, 360, 340),
    4: (180, 140, 380, 340),
    6: (250, 140, 450, 340),
}


def tube() -> TubeExample:
    """Overlapping seconds, one ignored, one without a region, ends that differ."""
    benchmark = truth({"a": [("crack", 0, 6)]}, {"a": _TRUE_TUBE})
    said = [_SAID_TUBE.get(second) for second in range(1, 7)]
    only = Tube(video="a", label="crack", start=1, end=7, boxes=said, frame_size=WIDE)
    packed = pack(Predictions("st", [only], {}), benchmark, "st")
    laid = measure_st(packed, benchmark, Protocol("st"))
    counted = ~laid.removed
    area = _by_second(packed, np.where(counted, np.nan_to_num(laid.overlaps.area), 0))
    shared = _by_second(packed, np.where(counted, laid.overlaps.shared, 0))
    true_area = {
        second: float(boxes.area(np.array([box]))[0]) for second, box in _TRUE_TUBE.items()
    }
    iou, product = float(laid.candidates.iou[0]), _product(_TRUE_TUBE, _SAID_TUBE)
    return TubeExample(
        benchmark=benchmark,
        predicted=_SAID_TUBE,
        area=area,
        true_area=true_area,
        shared=shared,
        ignored=benchmark.ignored_seconds["a"],
        iou=iou,
        rows=(
            *_volume_rows(shared, area, true_area, iou),
            Row("the rule `product`", "IoU in time x mean IoU of the boxes", score_text(product)),
        ),
    )


def _volume_rows(
    shared: Mapping[int, float],
    area: Mapping[int, float],
    true_area: Mapping[int, float],
    iou: float,
) -> tuple[Row, ...]:
    names = ("shared area", "area of the tube", "area of the instance")
    both, said, true = (f"{sum(each.values()):,.0f}" for each in (shared, area, true_area))
    parts = (_sum_text(each) for each in (shared, area, true_area))
    return (
        *map(Row, names, parts, (both, said, true)),
        Row("tube IoU", f"{both} / ({said} + {true} - {both})", score_text(iou)),
    )


def _by_second(packed: PackedTubes, values: Floats) -> dict[int, float]:
    return dict(zip(packed.second.tolist(), values.tolist(), strict=True))


def _sum_text(areas: Mapping[int, float]) -> str:
    return " + ".join(f"{area:,.0f}" for area in areas.values() if area)


def _product(*sides: Mapping[int, Box]) -> float:
    """Tube IoU of two tubes as IoU in time x mean IoU of the boxes."""
    none = (np.nan,) * 4
    a, b = (
        Tracks(
            first=np.array([min(side)]),
            offset=np.array([0, max(side) + 1 - min(side)]),
            box=np.array([side.get(t, none) for t in range(min(side), max(side) + 1)]),
        )
        for side in sides
    )
    one = np.zeros(1, dtype=np.int64)
    return float(product_iou(a, b, one, one)[0])


# Video mAP


@dataclass(frozen=True)
class MatchingExample:
    """Five tubes of a class against three instances.

    iou: tubes x instances. taken: by threshold, the instance of each tube, -1 = none.
    """

    benchmark: Benchmark
    tubes: Sequence[Tube]
    result: Result
    iou: Floats
    taken: Mapping[float, Ints]
    curves: Mapping[float, Curve]
    rows: tuple[Row, ...]


_INSTANCES: Final[Sequence[Labelled]] = (
    ("crack", 0, 4),
    ("crack", 5, 9),
    ("crack", 13, 17),
    ("beat", 17, 19),
)
_SAID_TUBES: Final = (
    ("crack", 0, 4, 0.9),
    ("crack", 0, 7, 0.8),
    ("crack", 10, 12, 0.7),
    ("crack", 6, 9, 0.6),
    ("crack", 12, 15, 0.6),
    ("pour", 2, 5, 0.5),
)


def matching() -> MatchingExample:
    """A tube that goes on to the next best, one between the instances, an instance missed."""
    box: Box = (200, 140, 420, 340)
    benchmark = truth({"a": _INSTANCES}, {"a": dict.fromkeys(range(20), box)})
    tubes = [
        Tube("a", label, start, end, score, boxes=[box] * (end - start), frame_size=WIDE)
        for label, start, end, score in _SAID_TUBES
    ]
    predictions = Predictions("st", tubes, {})
    result = evaluate(predictions, benchmark=benchmark)
    packed = pack(predictions, benchmark, "st")
    laid = measure_st(packed, benchmark, Protocol("st"))
    iou = np.zeros((len(tubes), len(_INSTANCES)))
    iou[laid.candidates.tube, laid.candidates.instance] = laid.candidates.iou
    mine = packed.label == CLASSES.index("crack")
    taken, curves = {}, {}
    for threshold in TUBE_THRESHOLDS:
        by_tube = np.full(len(tubes), -1)
        by_tube[laid.ranked] = match_at(packed, laid, threshold)
        taken[threshold] = by_tube
        curves[threshold] = curve_of(packed.score[mine], by_tube[mine] >= 0, 3)
    return MatchingExample(
        benchmark=benchmark,
        tubes=tubes,
        result=result,
        iou=iou,
        taken=taken,
        curves=curves,
        rows=_matching_rows(result, iou, taken),
    )


def _matching_rows(result: Result, iou: Floats, taken: Mapping[float, Ints]) -> tuple[Row, ...]:
    second = ", ".join(
        f"{score_text(value)} with {name}" for name, value in zip("AB", iou[1], strict=False)
    )
    rows = [Row("tube IoU of 2", second, "")]
    crack, beat = (result.per_class[name] for name in ("crack", "beat"))
    for threshold, by_tube in taken.items():
        right = ", ".join(
            f"{number} takes {'ABC'[instance]}"
            for number, instance in enumerate(by_tube.tolist(), 1)
            if instance >= 0
        )
        aps = [score_text(each[f"video_ap@{threshold}"]) for each in (crack, beat)]
        made_of = f"{right}; AP {aps[0]} (crack) and {aps[1]} (beat)"
        rows.append(metric_row(result, f"video_map@{threshold}", made_of))
    rows.append(metric_row(result, "video_map@0.1:0.5", "mean of the five"))
    return tuple(rows)


# Intervals


@dataclass(frozen=True)
class IntervalExample:
    """Pointing accuracy of 40 videos drawn again. drawn: the resampled scores."""

    result: Result
    drawn: Floats
    rows: tuple[Row, ...]


def interval() -> IntervalExample:
    """Forty videos of unlike length, hits thrown with a die of its own for each."""
    dice = np.random.default_rng(7)
    box: Box = (200, 140, 420, 340)
    lengths = dice.integers(2, 12, 40).tolist()
    skill = dice.uniform(0.2, 0.9, 40).tolist()
    videos = {f"video {n}": length for n, length in enumerate(lengths)}
    benchmark = truth(
        {video: [("crack", 0, length)] for video, length in videos.items()},
        {video: dict.fromkeys(range(length), box) for video, length in videos.items()},
    )
    tubes = [
        answer(each, points=[(300, 240) if dice.random() < p else (9, 9) for _ in each.seconds()])
        for each, p in zip(benchmark.instances, skill, strict=True)
    ]
    result = with_intervals(evaluate(Predictions("spatial", tubes, {}), benchmark=benchmark))
    found = result.intervals
    assert found is not None
    weights = draw_videos(found.videos, found.resamples, found.seed)
    drawn = resample_all(result.outcomes, weights, "")["pointing_accuracy"]
    name, counts = "pointing_accuracy", result.counts
    of_metric = found.metrics[name]
    assert of_metric is not None
    return IntervalExample(
        result=result,
        drawn=drawn,
        rows=(
            metric_row(result, name, f"{counts['hits']} hits / {counts['units']} units"),
            Row(
                "95 % interval",
                f"{found.resamples:,} resamples of {found.videos} videos, seed {found.seed}",
                f"{score_text(of_metric.low)} to {score_text(of_metric.high)}",
            ),
        ),
    )
