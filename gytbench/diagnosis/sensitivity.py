"""How well instances are found, by what they are like."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.diagnosis.model import Bin
from gytbench.evaluation import tubes
from gytbench.evaluation.frames import Spoken
from gytbench.evaluation.st import Measured
from gytbench.evaluation.truth import Truth
from gytbench.metrics import boxes
from gytbench.metrics.arrays import Bools, Floats, Ints
from gytbench.predictions import PackedTubes


def sensitivity(
    packed: PackedTubes,
    laid: Measured,
    spoken: Spoken,
    taken: Ints | None,
    benchmark: Benchmark,
) -> dict[str, tuple[Bin, ...]]:
    """The instances in bins of each property; a property that nothing is known of is left out.

    taken: the instance of each ranked tube; None where tubes have no regions.
    """
    truth = laid.truth
    labelled, pointed = _found_units(packed, laid, spoken)
    instance = truth.unit_instance[truth.unit_has_box]
    counts = np.stack(
        [
            np.bincount(instance, part, minlength=truth.video.size)
            for part in (np.ones(instance.size), labelled, pointed)
        ],
        axis=1,
    )
    with_box = tubes.instances_with_box(truth)
    got = np.full(truth.video.size, np.nan)
    if taken is not None:
        got[with_box] = 0
        got[taken[taken >= 0]] = 1
    found: dict[str, tuple[Bin, ...]] = {}
    for name, (measure, edges, unit) in _PROPERTIES.items():
        values = measure(truth, benchmark)
        known = with_box & ~np.isnan(values)
        if known.any():
            found[name] = _bins(values, edges, unit, known, counts, got)
    return found


def _found_units(packed: PackedTubes, laid: Measured, spoken: Spoken) -> tuple[Bools, Bools]:
    """For each unit with a box, whether its label is predicted, and with its point in the box."""
    truth, grid = laid.truth, laid.grid
    said, hit = np.full(grid.cells, -1), np.zeros(grid.cells, dtype=bool)
    said[spoken.cell] = packed.label[packed.tube[spoken.entry]]
    hit[spoken.cell] = spoken.hit
    cell = grid.unit_cell[truth.unit_has_box]
    labelled = said[cell] == truth.label[truth.unit_instance[truth.unit_has_box]]
    return labelled, labelled & hit[cell]


def _bins(
    values: Floats,
    edges: Sequence[float],
    unit: str,
    known: Bools,
    counts: Floats | Ints,
    got: Floats,
) -> tuple[Bin, ...]:
    place = np.searchsorted(edges, values, side="right")
    rows = []
    for number, name in enumerate(_names(edges, unit)):
        members = known & (place == number)
        seconds, labelled, pointed = counts[members].sum(axis=0)
        shares = [part / seconds if seconds else float("nan") for part in (labelled, pointed)]
        tube = got[members].mean() if members.any() else float("nan")
        rows.append(Bin(name, int(members.sum()), *map(float, (*shares, tube))))
    return tuple(rows)


def _names(edges: Sequence[float], unit: str) -> list[str]:
    """The ranges below, between and above the edges."""
    middle = [f"{low:g} to {high:g}{unit}" for low, high in pairwise(edges)]
    return [f"under {edges[0]:g}{unit}", *middle, f"from {edges[-1]:g}{unit}"]


def _length(truth: Truth, _benchmark: Benchmark) -> Floats:
    """Seconds."""
    return (truth.stop - truth.first).astype(float)


def _box_size(truth: Truth, _benchmark: Benchmark) -> Floats:
    """Mean area of the boxes, in percent of the frame."""
    frames = truth.frames[truth.video[truth.unit_instance]]
    area = boxes.area(boxes.clip(truth.unit_box, frames)) / frames.prod(axis=1)
    return 100 * _unit_means(truth, area)


def _annotator_spread(truth: Truth, benchmark: Benchmark) -> Floats:
    """Mean distance of the annotators' points from their mean, in pixels of the frame."""
    videos = {video: number for number, video in enumerate(benchmark.videos)}
    spread = {
        (videos[point.video], point.second): float(np.hypot(*point.distances)) / 2**0.5
        for point in benchmark.points
    }
    places = zip(truth.video[truth.unit_instance].tolist(), truth.unit_second.tolist(), strict=True)
    return _unit_means(truth, np.array([spread.get(place, np.nan) for place in places]))


def _class_frequency(truth: Truth, _benchmark: Benchmark) -> Floats:
    """Instances of the class."""
    return np.bincount(truth.label, minlength=truth.classes)[truth.label].astype(float)


def _position(truth: Truth, _benchmark: Benchmark) -> Floats:
    """Where the middle of the instance lies, in percent of the time up to the last instance."""
    last = np.zeros(len(truth.frames))
    np.maximum.at(last, truth.video, truth.stop)
    return np.asarray(50 * (truth.first + truth.stop) / last[truth.video])


def _unit_means(truth: Truth, values: Floats) -> Floats:
    """Mean over the units of each instance that have a value; NaN without one."""
    known = ~np.isnan(values)
    sums, sizes = (
        np.bincount(truth.unit_instance, part, minlength=truth.video.size)
        for part in (np.where(known, values, 0), known)
    )
    none = np.full(sums.shape, np.nan)
    return np.asarray(np.divide(sums, sizes, out=none, where=sizes > 0))


_Measure = Callable[[Truth, Benchmark], Floats]

_PROPERTIES: dict[str, tuple[_Measure, Sequence[float], str]] = {
    "length": (_length, (3, 6, 11, 21), " s"),
    "box size": (_box_size, (10, 15, 20, 25), " % of the frame"),
    "annotator spread": (_annotator_spread, (5, 10, 20, 40), " px"),
    "class frequency": (_class_frequency, (2, 4, 11, 31), " instances"),
    "position": (_position, (25, 50, 75), " % of the video"),
}
