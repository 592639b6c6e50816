"""Task `st`: IoU+Point and video mAP in the untrimmed video (section 5)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

from .model import Instance, Point, Truth, Tube, as_float, mean, ratio, whole_seconds
from .ranking import average_precision, greedy_match
from .reading import File, lacks_regions, read_tubes
from .regions import contains, iou, region_overlap

THRESHOLDS = ("0.1", "0.2", "0.3", "0.4", "0.5")

Second: TypeAlias = tuple[str, int]
Scores: TypeAlias = dict[str, Fraction | None]


def score_st(
    truth: Truth,
    file: File,
    label_of: Mapping[str, str] | None = None,
    heatmap_threshold: float = 0.5,
) -> dict[str, Any]:
    """Every metric of the task by its name, and under "per_class" those of each class."""
    tubes = read_tubes(truth, file, label_of, heatmap_threshold)
    overall, point_classes = iou_point(truth, tubes)
    maps, map_classes = video_map(truth, tubes)
    result: dict[str, Any] = {name: as_float(value) for name, value in (overall | maps).items()}
    result["per_class"] = {
        label: {
            name: as_float(value)
            for name, value in (point_classes.get(label, {}) | map_classes.get(label, {})).items()
        }
        for label in sorted(point_classes.keys() | map_classes.keys())
    }
    return result


# --- which seconds ----------------------------------------------------------------------------


def seconds_of(instance: Instance) -> range:
    """The integer seconds that an instance covers."""
    return whole_seconds(instance.start, instance.end)


def classes_by_second(truth: Truth) -> dict[Second, set[str]]:
    """The classes of the instances that cover each (video, second)."""
    classes: dict[Second, set[str]] = {}
    for instance in truth.instances:
        for second in seconds_of(instance):
            classes.setdefault((instance.video, second), set()).add(instance.label)
    return classes


def ignored_seconds(truth: Truth) -> dict[Second, set[str]]:
    """The seconds that an instance covers, but that have no box; and their classes."""
    return {
        (video, second): labels
        for (video, second), labels in classes_by_second(truth).items()
        if second not in truth.boxes.get(video, {})
    }


# --- IoU+Point --------------------------------------------------------------------------------


def frame_labels(tubes: Iterable[Tube]) -> dict[Second, tuple[str, Point | None]]:
    """The label of each covered (video, second), and the point that comes with it.

    The covering tube with the highest score there decides; ties: the earlier start, the earlier
    end, the class name, the smaller x of the point, its smaller y; no point comes last.
    """
    best: dict[Second, tuple[Any, str, Point | None]] = {}
    for tube in tubes:
        for second, moment in tube.seconds.items():
            place = (moment.point is None, moment.point or (Fraction(0), Fraction(0)))
            key = (-moment.score, tube.start, tube.end, tube.label, place)
            where = (tube.video, second)
            if where not in best or key < best[where][0]:
                best[where] = (key, tube.label, moment.point)
    return {where: (label, point) for where, (_, label, point) in best.items()}


@dataclass
class Sets:
    """The sets of seconds of IoU+Point (section 5): G, D, L and TP."""

    truth: set[Second] = field(default_factory=set)
    predicted: set[Second] = field(default_factory=set)
    label_right: set[Second] = field(default_factory=set)
    point_right: set[Second] = field(default_factory=set)

    def scores(self) -> Scores:
        """The three scores of section 5; pointing_given_label is None where no label is right."""
        both_sides = len(self.truth) + len(self.predicted)
        right, hits = len(self.label_right), len(self.point_right)
        return {
            "iou_point": ratio(hits, both_sides - hits),
            "label_iou": ratio(right, both_sides - right),
            "pointing_given_label": Fraction(hits, right) if right else None,
        }


def point_sets(truth: Truth, tubes: Sequence[Tube]) -> dict[str, dict[str, Sets]]:
    """The sets over everything (under "all"), per "class", and per "video".

    Ignored seconds are in none of them.
    """
    groups: dict[str, dict[str, Sets]] = {"all": {"": Sets()}, "class": {}, "video": {}}
    covering = classes_by_second(truth)
    predicted = frame_labels(tubes)
    for where in (covering.keys() | predicted.keys()) - ignored_seconds(truth).keys():
        true_labels = covering.get(where, set())
        label, point = predicted.get(where, (None, None))
        box = truth.box_at(*where)
        for name in true_labels if label is None else true_labels | {label}:
            for sets in (
                groups["all"][""],
                groups["class"].setdefault(name, Sets()),
                groups["video"].setdefault(where[0], Sets()),
            ):
                if name in true_labels:
                    sets.truth.add(where)
                if name == label:
                    sets.predicted.add(where)
                if name in true_labels and name == label:
                    sets.label_right.add(where)
                    if box is not None and contains(box, point):
                        sets.point_right.add(where)
    return groups


def iou_point(truth: Truth, tubes: Sequence[Tube]) -> tuple[Scores, dict[str, Scores]]:
    """IoU+Point, its factors and their class and video means; and the scores of each class.

    The means go over the classes (videos) that have a kept second of ground truth; the mean of
    pointing_given_label over those with a right label.
    """
    groups = point_sets(truth, tubes)
    result = groups["all"][""].scores()
    for kind in ("class", "video"):
        known = [sets.scores() for sets in groups[kind].values() if sets.truth]
        for name in ("iou_point", "label_iou", "pointing_given_label"):
            values = [scores[name] for scores in known]
            result[f"{name}_{kind}_mean"] = mean(value for value in values if value is not None)
    return result, {label: sets.scores() for label, sets in groups["class"].items()}


# --- video mAP --------------------------------------------------------------------------------


def tube_iou(truth: Truth, tube: Tube, seconds: set[int], instance: Instance) -> Fraction:
    """Sum of the intersections over sum of the unions (section 5).

    seconds: those of the tube that are not ignored. The sums go over the seconds of either side;
    a second where only one side has a region adds that area to the union.
    """
    frame = truth.frames[tube.video]
    inside = set(seconds_of(instance))
    common = region_volume = box_volume = Fraction(0)
    for second in seconds | inside:
        region = tube.seconds[second].region if second in seconds else None
        box = truth.box_at(tube.video, second) if second in inside else None
        intersection, region_area, box_area = region_overlap(region, box, frame)
        common += intersection
        region_volume += region_area
        box_volume += box_area
    return iou(common, region_volume, box_volume)


def _ranking_key(truth: Truth, tube: Tube, ignored: set[Second]) -> tuple[Any, ...]:
    """Score descending, then video, start, end, then what the tube covers, second by second."""
    overlaps = [
        region_overlap(
            tube.seconds[second].region,
            truth.box_at(tube.video, second),
            truth.frames[tube.video],
        )
        for second in sorted(tube.seconds)
        if (tube.video, second) not in ignored
    ]
    return (-tube.score, tube.video, tube.start, tube.end, tuple(overlaps))


def instances_with_boxes(truth: Truth) -> dict[str, list[Instance]]:
    """The ground truth of each class: its instances with at least one box, earliest first."""
    result: dict[str, list[Instance]] = {}
    for instance in sorted(truth.instances, key=lambda i: (i.start, i.end, i.id)):
        if any(second in truth.boxes.get(instance.video, {}) for second in seconds_of(instance)):
            result.setdefault(instance.label, []).append(instance)
    return result


def class_average_precision(
    truth: Truth, tubes: Sequence[Tube], instances: Sequence[Instance], ignored: set[Second]
) -> dict[str, Fraction]:
    """AP at every threshold of the tubes and instances of one class and its ignored seconds.

    A tube that is left with no second is neither right nor wrong.
    """
    ranked: list[Tube] = []
    overlaps: list[dict[Instance, Fraction]] = []
    for tube in sorted(tubes, key=lambda tube: _ranking_key(truth, tube, ignored)):
        seconds = {t for t in tube.seconds if (tube.video, t) not in ignored}
        if seconds:
            ranked.append(tube)
            overlaps.append(
                {
                    instance: tube_iou(truth, tube, seconds, instance)
                    for instance in instances
                    if instance.video == tube.video
                }
            )
    result = {}
    for threshold in THRESHOLDS:
        matches = greedy_match(overlaps, Fraction(threshold))
        outcomes = [
            (tube.score, match is not None) for tube, match in zip(ranked, matches, strict=True)
        ]
        result[threshold] = average_precision(outcomes, len(instances))
    return result


def video_map(truth: Truth, tubes: Sequence[Tube]) -> tuple[Scores, dict[str, Scores]]:
    """video_map at every threshold and over all of them; and the AP of each class.

    The mean goes over the classes with at least one instance that has a box. Without any region
    in the file's tubes every value is None.
    """
    by_class: dict[str, Scores] = {}
    ignored = ignored_seconds(truth)
    for label, instances in instances_with_boxes(truth).items():
        own = [tube for tube in tubes if tube.label == label]
        own_ignored = {where for where, labels in ignored.items() if label in labels}
        precisions = class_average_precision(truth, own, instances, own_ignored)
        by_class[label] = {f"video_map@{t}": ap for t, ap in precisions.items()}
    if lacks_regions(tubes):
        by_class = {label: dict.fromkeys(scores) for label, scores in by_class.items()}
    result: Scores = {}
    for threshold in THRESHOLDS:
        name = f"video_map@{threshold}"
        result[name] = _mean_or_none([scores[name] for scores in by_class.values()])
    result["video_map@0.1:0.5"] = _mean_or_none(list(result.values()))
    return result, by_class


def _mean_or_none(values: Sequence[Fraction | None]) -> Fraction | None:
    """The mean, or None where there is nothing to average or a value is None."""
    numbers = [value for value in values if value is not None]
    return mean(numbers) if len(numbers) == len(values) else None
