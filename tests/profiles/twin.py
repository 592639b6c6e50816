"""The conventions of every profile once more, in plain Python loops over seconds.

Written from the description of each evaluator, sharing no code with the package. It reads the
truths and files of `tests.reference`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Any

from tests.reference import Truth, heatmap_values, read_tubes
from tests.reference.model import exact

Box = tuple[float, float, float, float]
Scores = dict[str, float | None]
Near = Callable[[Any, Any], float]
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)


@dataclass
class Track:
    """Boxes by second, over the seconds first..stop-1."""

    video: str
    label: str
    start: float
    end: float
    boxes: dict[int, Box]
    score: float = 1.0
    instance: int | None = None
    scores: dict[int, float] | None = None

    @property
    def first(self) -> int:
        return ceil(self.start)

    @property
    def stop(self) -> int:
        return ceil(self.end)


def predicted(truth: Truth, file: dict[str, Any]) -> list[Track]:
    """The file's tubes in its order, boxes in the annotation frame."""
    found = []
    for raw, tube in zip(file["tubes"], read_tubes(truth, file), strict=True):
        size = raw.get("frame_size") or file.get("frame_size") or [1, 1]
        frame = truth.frames[raw["video"]]
        scale = [Fraction(frame[k % 2]) / exact(size[k % 2]) for k in range(4)]
        times = raw.get("times") or sorted(tube.seconds)
        boxes = {
            second: tuple(float(exact(v) * s) for v, s in zip(box, scale, strict=True))
            for second, box in zip(times, raw.get("boxes") or [], strict=False)
            if box is not None
        }
        scores = {second: moment.score for second, moment in tube.seconds.items()}
        start, end = float(raw["start"]), float(raw["end"])
        found.append(
            Track(tube.video, tube.label, start, end, boxes, tube.score, tube.instance, scores)
        )
    return found


def instances(truth: Truth) -> list[Track]:
    """The instances, with the boxes of their seconds."""
    found = []
    for each in truth.instances:
        boxes = {
            second: tuple(map(float, truth.boxes[each.video][second]))
            for second in range(ceil(each.start), ceil(each.end))
            if second in truth.boxes.get(each.video, {})
        }
        start, end = float(each.start), float(each.end)
        found.append(Track(each.video, each.label, start, end, boxes, instance=each.id))
    return found


def area(box: Box, pixel: int) -> float:
    width, height = box[2] - box[0] + pixel, box[3] - box[1] + pixel
    return width * height if width > 0 and height > 0 else 0.0


def shared_area(a: Box, b: Box, pixel: int) -> float:
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])), pixel)


def box_iou(a: Box, b: Box, pixel: int) -> float:
    shared = shared_area(a, b, pixel)
    union = area(a, pixel) + area(b, pixel) - shared
    return shared / union if union else 0.0


def product_iou(a: Track, b: Track) -> float:
    """Time in inclusive seconds times the mean over the seconds that both have."""
    both = sorted(set(a.boxes) & set(b.boxes))
    if not both:
        return 0.0
    spatial = 0.0
    for second in both:
        spatial += box_iou(a.boxes[second], b.boxes[second], 1)
    overlap = min(max(a.boxes), max(b.boxes)) - max(min(a.boxes), min(b.boxes)) + 1
    hull = max(max(a.boxes), max(b.boxes)) - min(min(a.boxes), min(b.boxes)) + 1
    return overlap / hull * (spatial / len(both))


def volumetric_iou(a: Track, b: Track) -> float:
    shared = sum(shared_area(a.boxes[t], b.boxes[t], 0) for t in set(a.boxes) & set(b.boxes))
    union = sum(area(box, 0) for track in (a, b) for box in track.boxes.values()) - shared
    return shared / union if union > 0 else 0.0


def interval_iou(a: Track, b: Track) -> float:
    shared = max(0.0, min(a.end, b.end) - max(a.start, b.start))
    return shared / (a.end - a.start + b.end - b.start - shared)


def average_precision(flags: Sequence[bool], positives: int, rule: str) -> float:
    """By one of the six rules of the table in section 2.4."""
    precisions, recalls, right = [], [], 0
    for rank, flag in enumerate(flags, start=1):
        right += flag
        precisions.append(right / rank)
        recalls.append(right / positives)
    if rule == "precision-sum":
        return sum(p for p, flag in zip(precisions, flags, strict=True) if flag) / positives
    if rule == "trapezoid":
        curve = [(0.0, 1.0), *zip(recalls, precisions, strict=True)]
        return sum((r - q) * (p + o) / 2 for (q, o), (r, p) in pairwise(curve))
    if rule == "all-point":
        total, before = 0.0, 0.0
        for index, recall in enumerate(recalls):
            total += (recall - before) * max(precisions[index:])
            before = recall
        return total
    levels = {
        "101-point": [step * 0.01 for step in range(100)] + [1.0],
        "11-point": [step * 0.1 for step in range(11)],
        "10-of-11-point": [step * 0.1 for step in range(10)],
    }[rule]
    heights = [
        max((p for r, p in zip(recalls, precisions, strict=True) if r >= level), default=0.0)
        for level in levels
    ]
    return sum(heights) / (101 if rule == "101-point" else 11)


def ranked(items: list[Any], reverse_ties: bool) -> list[Any]:
    """The highest score first; ties in the order given, or in the opposite one."""
    return sorted(reversed(items) if reverse_ties else items, key=lambda each: -each.score)


def next_best(ious: list[list[float]], threshold: float) -> list[bool]:
    free = set(range(len(ious[0]))) if ious else set()
    flags = []
    for row in ious:
        best = max(free, key=lambda g: (row[g], -g), default=None)
        flags.append(best is not None and row[best] >= threshold)
        if flags[-1]:
            free.remove(best)
    return flags


def first_choice(ious: list[list[float]], threshold: float) -> list[bool]:
    taken: set[int] = set()
    flags = []
    for row in ious:
        best = max(range(len(row)), key=lambda g: (row[g], -g), default=None)
        flags.append(best is not None and row[best] >= threshold and best not in taken)
        if flags[-1]:
            taken.add(best)
    return flags


def per_truth(ious: list[list[float]], threshold: float) -> list[bool]:
    free = set(range(len(ious)))
    for truth in range(len(ious[0]) if ious else 0):
        best = max(free, key=lambda d: (ious[d][truth], -d), default=None)
        if best is not None and ious[best][truth] > threshold:
            free.remove(best)
    return [index not in free for index in range(len(ious))]


def class_precisions(
    said: list[Any],
    true: list[Any],
    near: Near,
    match: Callable[[list[list[float]], float], list[bool]],
    rule: str,
    threshold: float,
) -> dict[str, float]:
    """AP of every class that has a truth; `near` is the overlap, 0 on another video or frame."""
    values = {}
    for label in {each.label for each in true}:
        truths = [each for each in true if each.label == label]
        own = [each for each in said if each.label == label]
        ious = [[near(d, g) for g in truths] for d in own]
        values[label] = average_precision(match(ious, threshold), len(truths), rule)
    return values


def mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None


def same_video(overlap: Callable[[Track, Track], float]) -> Near:
    return lambda a, b: overlap(a, b) if a.video == b.video else 0.0


def suppress(tubes: list[Track]) -> list[Track]:
    """Ranked tubes without those that are too like a better one of their video and class."""
    kept: list[Track] = []
    for tube in tubes:
        rivals = [k for k in kept if (k.video, k.label) == (tube.video, tube.label)]
        if all(product_iou(rival, tube) <= 0.3 for rival in rivals):
            kept.append(tube)
    return kept


def act_tubes(truth: Truth, file: dict[str, Any]) -> Scores:
    said = suppress(ranked(predicted(truth, file), False))
    true = [each for each in instances(truth) if each.boxes]
    named = {each.label for each in truth.instances}
    scores: Scores = {}
    for t in THRESHOLDS:
        found = class_precisions(said, true, same_video(product_iou), next_best, "trapezoid", t)
        scores[f"video_map@{t}"] = mean(found.get(label, 0.0) for label in named)
    return with_mean(scores, "video_map")


def vq2d_tubes(truth: Truth, file: dict[str, Any]) -> Scores:
    said = ranked(predicted(truth, file), True)
    true = [each for each in instances(truth) if each.boxes]
    near = same_video(volumetric_iou)
    return with_mean(
        {
            f"video_map@{t}": mean(
                class_precisions(said, true, near, next_best, "all-point", t).values()
            )
            for t in THRESHOLDS
        },
        "video_map",
    )


def with_mean(scores: Scores, name: str) -> Scores:
    values = [scores[f"{name}@{t}"] for t in THRESHOLDS]
    return scores | {f"{name}@0.1:0.5": None if None in values else sum(values) / 5}  # type: ignore[arg-type]


def segments(truth: Truth, task: str) -> list[Track]:
    if task == "st":
        return instances(truth)
    return [Track(c.video, c.label, float(c.start), float(c.end), {}) for c in truth.cues]


def activitynet(truth: Truth, file: dict[str, Any]) -> Scores:
    said = ranked(predicted(truth, file), True)
    true, near = segments(truth, file["task"]), same_video(interval_iou)
    thresholds = (*THRESHOLDS, *(round(0.5 + 0.05 * k, 2) for k in range(1, 10)))
    values = {
        t: mean(class_precisions(said, true, near, next_best, "all-point", t).values())
        for t in thresholds
    }
    scores = with_mean({f"temporal_map@{t}": values[t] for t in THRESHOLDS}, "temporal_map")
    strict = [values[t] for t in thresholds[4:]]
    return scores | {"temporal_map@0.5:0.95": mean(v for v in strict if v is not None)}


def thumos(truth: Truth, file: dict[str, Any]) -> Scores:
    said = ranked(predicted(truth, file), False)
    true, near = segments(truth, file["task"]), same_video(interval_iou)
    return with_mean(
        {
            f"temporal_map@{t}": mean(
                class_precisions(said, true, near, per_truth, "precision-sum", t).values()
            )
            for t in THRESHOLDS
        },
        "temporal_map",
    )


@dataclass
class Detection:
    """A box on a frame."""

    frame: tuple[str, int]
    label: str
    box: Box
    score: float = 1.0


def on_frames(truth: Truth, file: dict[str, Any]) -> tuple[list[Detection], list[Detection]]:
    """Predicted and true boxes: on seconds of videos, or in the task spatial on those of clips."""
    if file["task"] == "spatial":
        true, said = [], []
        answers = {(tube.video, tube.instance): tube for tube in predicted(truth, file)}
        for each in instances(truth):
            tube = answers.get((each.video, each.instance))
            for second, box in each.boxes.items():
                frame = (f"{each.video} {each.instance}", second)
                true.append(Detection(frame, each.label, box))
                if tube is not None and second in tube.boxes:
                    score = tube.scores[second]
                    said.append(Detection(frame, each.label, tube.boxes[second], score))
        return said, true
    unique = {
        ((each.video, second), each.label): box
        for each in instances(truth)
        for second, box in each.boxes.items()
    }
    said = [
        Detection((tube.video, second), tube.label, box, tube.scores[second])
        for tube in predicted(truth, file)
        for second, box in sorted(tube.boxes.items())
    ]
    return said, [Detection(*key, box) for key, box in unique.items()]


def same_frame(pixel: int) -> Near:
    return lambda a, b: box_iou(a.box, b.box, pixel) if a.frame == b.frame else 0.0


def best_of_frames(said: list[Detection], top: int) -> list[Detection]:
    kept: list[Detection] = []
    for each in said:
        if sum(other.frame == each.frame for other in kept) < top:
            kept.append(each)
    return kept


def best_of_classes(said: list[Detection], top: int) -> list[Detection]:
    kept: list[Detection] = []
    for each in said:
        of_it = [other for other in kept if (other.frame, other.label) == (each.frame, each.label)]
        if len(of_it) < top:
            kept.append(each)
    return kept


def act_frames(truth: Truth, file: dict[str, Any]) -> Scores:
    said, true = on_frames(truth, file)
    named = {each.label for each in truth.instances}
    scores: Scores = {}
    for t in (0.3, 0.5):
        order = ranked(said, False)
        found = class_precisions(order, true, same_frame(1), next_best, "trapezoid", t)
        scores[f"frame_map@{t}"] = mean(found.get(label, 0.0) for label in named)
    return scores


def ava_frames(truth: Truth, file: dict[str, Any], top: int = 50) -> Scores:
    said, true = on_frames(truth, file)
    annotated = {each.frame for each in true}
    said = [each for each in ranked(said, False) if each.frame in annotated]
    said = best_of_frames(said, top)
    return {
        f"frame_map@{t}": mean(
            class_precisions(said, true, same_frame(0), first_choice, "all-point", t).values()
        )
        for t in (0.3, 0.5)
    }


def vhico_frames(truth: Truth, file: dict[str, Any]) -> Scores:
    said, true = on_frames(truth, file)
    name = "spatial_map" if file["task"] == "spatial" else "frame_map"
    annotated = {each.frame for each in true}
    said = [each for each in said if each.frame in annotated]
    scores = vhico_scores(ranked(said, True), true, name)
    if file["task"] == "spatial":
        return scores
    shown = {(each.frame, each.label) for each in true}
    known = [each for each in said if (each.frame, each.label) in shown]
    return scores | vhico_scores(ranked(known, True), true, "frame_map_ko")


def vhico_scores(said: list[Detection], true: list[Detection], name: str) -> Scores:
    said = best_of_classes(said, 10)
    labels = {each.label for each in said}
    scores: Scores = {}
    for t in (0.3, 0.5):
        found = class_precisions(said, true, same_frame(1), first_choice, "10-of-11-point", t)
        scores[f"{name}@{t}"] = mean(value for label, value in found.items() if label in labels)
    return scores


def between(tube: Track) -> dict[int, Box]:
    """The tube's boxes, with straight lines between them."""
    filled = dict(tube.boxes)
    known = sorted(tube.boxes)
    for low, high in pairwise(known):
        for second in range(low + 1, high):
            share = (second - low) / (high - low)
            a, b = tube.boxes[low], tube.boxes[high]
            filled[second] = tuple(p + share * (q - p) for p, q in zip(a, b, strict=True))
    return filled


def answers(truth: Truth, file: dict[str, Any], tool: str) -> Scores:
    """vIoU, IoU in time and sIoU as TubeDETR or STCAT take them."""
    tubes = {(tube.video, tube.instance): tube for tube in predicted(truth, file)}
    rows = []
    for each in instances(truth):
        tube = tubes.get((each.video, each.instance))
        if not each.boxes:
            continue
        if tube is None:
            if tool == "tubedetr":
                return dict.fromkeys(("m_viou", "viou@0.3", "viou@0.5", "m_tiou", "m_siou"))
            continue
        said = tube.boxes if tool == "tubedetr" else between(tube)
        hull = range(min(each.first, tube.first), max(each.stop, tube.stop))
        if tool == "tubedetr":
            hull = [second for second in hull if second in each.boxes or second in said]
        inner = [s for s in hull if each.first <= s < each.stop and tube.first <= s < tube.stop]
        total = sum(box_iou(each.boxes[s], said[s], 0) for s in each.boxes if s in said)
        rows.append((total / len(hull), len(inner) / len(hull), total / len(each.boxes)))
    return {
        "m_viou": mean(row[0] for row in rows),
        "viou@0.3": mean(float(row[0] > 0.3) for row in rows),
        "viou@0.5": mean(float(row[0] > 0.5) for row in rows),
        "m_tiou": mean(row[1] for row in rows),
        "m_siou": mean(row[2] for row in rows),
    }


def resized_peak(rows: list[list[float]], frame: tuple[int, int]) -> tuple[int, int]:
    """The first highest pixel of the heatmap, resized with cell centres aligned."""

    def neighbours(pixel: int, pixels: int, cells: int) -> list[tuple[int, Fraction]]:
        at = (Fraction(2 * pixel + 1, 2) * cells) / pixels - Fraction(1, 2)
        at = min(max(at, Fraction(0)), Fraction(cells - 1))
        low = int(at)
        return [(low, 1 - (at - low)), (min(low + 1, cells - 1), at - low)]

    best: tuple[Fraction, int, int] | None = None
    for y in range(frame[1]):
        for x in range(frame[0]):
            value = sum(
                wy * wx * Fraction(rows[i][j])
                for i, wy in neighbours(y, frame[1], len(rows))
                for j, wx in neighbours(x, frame[0], len(rows[0]))
            )
            if best is None or value > best[0]:
                best = (value, x, y)
    assert best is not None
    return best[1], best[2]


def pointing(truth: Truth, file: dict[str, Any], tool: str) -> Scores:
    """The pointing game of VideoGEM, or of the authors' script."""
    tubes = {(t.video, t.instance): t for t in read_tubes(truth, file)}
    said = {video for video, _ in tubes}
    peaks = heatmap_peaks(truth, file) if tool == "gyt-official" else {}
    hits = []
    for each in instances(truth):
        tube = tubes.get((each.video, each.instance))
        for second, box in each.boxes.items():
            if each.video not in said or (tool == "videogem" and second == 0):
                continue
            at: int | None = second
            known = tube is not None and second - 1 in tube.seconds
            before = second - 1 if known and tube.seconds[second - 1].point is not None else second
            if tool == "videogem":
                at = before
            elif second == each.stop - 1:
                at = before if (each.stop - 1 - each.first) % 16 == 0 else None
            hits.append(hit(tube, at, peaks, box, tool == "videogem"))
    return {"pointing_accuracy": mean(map(float, hits))}


def hit(tube: Any, at: int | None, peaks: Any, box: Box, rounded: bool) -> bool:
    if tube is None:
        return False
    if at is None:
        point = (0, 0)
    elif at in tube.seconds:
        point = peaks.get((tube.video, tube.instance, at), tube.seconds[at].point)
    else:
        point = None
    if rounded:
        box = tuple(round(value) for value in box)
    inside = point is not None and box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
    return inside and box[0] < box[2] and box[1] < box[3]


def heatmap_peaks(truth: Truth, file: dict[str, Any]) -> dict[Any, tuple[int, int]]:
    """Where heatmaps point that have neither box nor another point beside them."""
    peaks = {}
    for raw, tube in zip(file["tubes"], read_tubes(truth, file), strict=True):
        times = raw.get("times") or sorted(tube.seconds)
        for index, second in enumerate(times):
            entries = {n: (raw.get(n) or [None] * len(times))[index] for n in ("boxes", "heatmaps")}
            if entries["heatmaps"] is None or entries["boxes"] is not None:
                continue
            rows = heatmap_values(entries["heatmaps"])
            frame = truth.frames[tube.video]
            if tube.seconds[second].point == cell_centre(rows, frame):
                peaks[tube.video, tube.instance, second] = resized_peak(rows, frame)
    return peaks


def cell_centre(rows: list[list[float]], frame: tuple[int, int]) -> tuple[Fraction, Fraction]:
    highest = max(max(row) for row in rows)
    i, j = next((i, row.index(highest)) for i, row in enumerate(rows) if highest in row)
    return (
        Fraction(2 * j + 1, 2 * len(rows[0])) * frame[0],
        Fraction(2 * i + 1, 2 * len(rows)) * frame[1],
    )
