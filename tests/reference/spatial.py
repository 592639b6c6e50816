"""Task `spatial`: the pointing game on trimmed clips (section 3)."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from .model import Box, Frame, Moment, Truth, as_float, exact, mean, whole_seconds
from .ranking import average_precision
from .reading import File, lacks_regions, read_tubes
from .regions import contains, iou, region_overlap

IOU_THRESHOLD = Fraction("0.3")


class Unit(NamedTuple):
    """One (instance, second) with a box, and how well it is answered.

    hit: whether the predicted point lies in the box; nothing predicted is a miss.
    success: whether the predicted region overlaps the box enough.
    score: that of the prediction, None where no region is predicted.
    """

    label: str
    hit: bool
    success: bool
    score: float | None


def score_spatial(
    truth: Truth,
    file: File,
    tolerance: float = 0,
    label_of: Mapping[str, str] | None = None,
    heatmap_threshold: float = 0.5,
) -> dict[str, Any]:
    """Every metric of the task by its name, and under "per_class" those of each class."""
    tubes = read_tubes(truth, file, label_of, heatmap_threshold)
    answers = {(tube.video, tube.instance): tube.seconds for tube in tubes}
    units = _units(truth, answers, exact(tolerance))
    with_regions = not lacks_regions(tubes)
    by_class = {
        label: _scores([unit for unit in units if unit.label == label], with_regions)
        for label in sorted({unit.label for unit in units})
    }
    overall = _scores(units, with_regions)
    names = ["pointing_accuracy", "success@0.3"]
    result: dict[str, Any] = {name: as_float(overall[name]) for name in names}
    for name in names:
        values = [scores[name] for scores in by_class.values()]
        result[f"{name}_class_mean"] = as_float(mean(v for v in values if v is not None))
    precisions = [scores["spatial_map@0.3"] for scores in by_class.values()]
    result["spatial_map@0.3"] = as_float(mean(v for v in precisions if v is not None))
    result["per_class"] = {
        label: {name: as_float(value) for name, value in scores.items()}
        for label, scores in by_class.items()
    }
    return result


def _units(
    truth: Truth, answers: Mapping[tuple[str, int | None], dict[int, Moment]], tolerance: Fraction
) -> list[Unit]:
    """Every (instance, second) with a box; the answer is the tube that names the instance."""
    units = []
    for instance in truth.instances:
        answer = answers.get((instance.video, instance.id), {})
        for second in whole_seconds(instance.start, instance.end):
            box = truth.box_at(instance.video, second)
            if box is not None:
                frame = truth.frames[instance.video]
                units.append(_unit(instance.label, box, frame, answer.get(second), tolerance))
    return units


def _unit(label: str, box: Box, frame: Frame, moment: Moment | None, tolerance: Fraction) -> Unit:
    if moment is None:
        return Unit(label, hit=False, success=False, score=None)
    hit = contains(box, moment.point, tolerance)
    if moment.region is None:
        return Unit(label, hit, success=False, score=None)
    success = iou(*region_overlap(moment.region, box, frame)) >= IOU_THRESHOLD
    return Unit(label, hit, success, moment.score)


def _scores(units: Sequence[Unit], with_regions: bool) -> dict[str, Fraction | None]:
    """Pointing accuracy, success, and average precision of some units."""
    accuracy = mean(Fraction(unit.hit) for unit in units)
    if not with_regions or not units:
        return {"pointing_accuracy": accuracy, "success@0.3": None, "spatial_map@0.3": None}
    detections = [(unit.score, unit.success) for unit in units if unit.score is not None]
    return {
        "pointing_accuracy": accuracy,
        "success@0.3": mean(Fraction(unit.success) for unit in units),
        "spatial_map@0.3": average_precision(detections, len(units)),
    }
