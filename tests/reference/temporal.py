"""Task `temporal`: IoU and IoD against the subtitle cues (section 4)."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Any, NamedTuple

from .model import Cue, Truth, Tube, as_float, exact, mean, ratio
from .reading import File, read_tubes

AVERAGES = ("class", "isba", "frames-micro", "videogem")


class Segment(NamedTuple):
    """A stretch [start, end) of one label."""

    start: Fraction
    end: Fraction
    label: str


class Overlap(NamedTuple):
    """Durations of one class in one video: |G n D|, |G u D|, |D|."""

    both: Fraction
    either: Fraction
    predicted: Fraction


def score_temporal(
    truth: Truth,
    file: File,
    average: str = "class",
    fps: float | None = None,
    label_of: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The metrics `iou` and `iod` under one of the AVERAGES, by duration or counted in frames."""
    tubes = read_tubes(truth, file, label_of)
    timelines = {
        video: resolved_timeline([tube for tube in tubes if tube.video == video])
        for video in truth.frames
    }
    # At a frame rate, a cue without a frame is not in the ground truth.
    lasting = [c for c in truth.cues if duration(exact(c.start), exact(c.end), fps) > 0]
    cues = {video: [cue for cue in lasting if cue.video == video] for video in truth.frames}
    if average == "isba":
        pairs = [_isba(cues[video], timelines[video], fps) for video in cues if cues[video]]
        iou, iod = mean(pair[0] for pair in pairs), mean(pair[1] for pair in pairs)
    elif average == "frames-micro":
        iou, iod = _micro([_overlaps(cues[video], timelines[video], fps) for video in cues])
    elif average in ("class", "videogem"):
        overlaps = [_overlaps(cues[video], timelines[video], fps) for video in cues]
        own = [
            [pair for label, pair in found.items() if label in {cue.label for cue in cues[video]}]
            for video, found in zip(cues, overlaps, strict=True)
            if cues[video]
        ]
        iou, iod = _class_means(own, skip_unpredicted=average == "videogem")
    else:
        raise ValueError(f"average must be one of {AVERAGES}, not {average!r}")
    return {"iou": as_float(iou), "iod": as_float(iod)}


def resolved_timeline(tubes: Sequence[Tube]) -> list[Segment]:
    """The maximal runs of one predicted label in a video, background left out.

    At any instant the covering tube with the highest score decides (ties: the earlier start, the
    earlier end, the class name). Between two neighbouring starts or ends nothing changes.
    """
    moments = sorted({tube.start for tube in tubes} | {tube.end for tube in tubes})
    segments: list[Segment] = []
    for start, end in pairwise(moments):
        covering = [tube for tube in tubes if tube.start <= start and end <= tube.end]
        if not covering:
            continue
        best = min(covering, key=lambda tube: (-tube.score, tube.start, tube.end, tube.label))
        if segments and segments[-1].end == start and segments[-1].label == best.label:
            segments[-1] = segments[-1]._replace(end=end)
        else:
            segments.append(Segment(start, end, best.label))
    return segments


def duration(start: Fraction, end: Fraction, fps: float | None) -> Fraction:
    """end - start; with fps, the number of integers i with start <= i / fps < end."""
    if end <= start:
        return Fraction(0)
    if fps is None:
        return end - start
    rate = exact(fps)
    return Fraction(ceil(end * rate) - ceil(start * rate))


def _overlaps(
    cues: Sequence[Cue], timeline: Sequence[Segment], fps: float | None
) -> dict[str, Overlap]:
    """The durations of every class that one video's cues or predictions name."""
    truth = [Segment(exact(cue.start), exact(cue.end), cue.label) for cue in cues]
    moments = {moment for part in [*truth, *timeline] for moment in (part.start, part.end)}
    pieces = list(pairwise(sorted(moments)))
    result = {}
    for label in {part.label for part in [*truth, *timeline]}:
        true_parts = [part for part in truth if part.label == label]
        said_parts = [part for part in timeline if part.label == label]
        both = either = predicted = Fraction(0)
        for start, end in pieces:
            true = any(part.start <= start and end <= part.end for part in true_parts)
            said = any(part.start <= start and end <= part.end for part in said_parts)
            length = duration(start, end, fps)
            both += length * (true and said)
            either += length * (true or said)
            predicted += length * said
        result[label] = Overlap(both, either, predicted)
    return result


def _class_means(
    videos: Sequence[Sequence[Overlap]], skip_unpredicted: bool
) -> tuple[Fraction | None, Fraction | None]:
    """Mean over the ground-truth classes of a video, then over videos.

    IoD is 0 for a class that is never predicted, or leaves that class out (VideoGEM), and with
    it a video where no class is left.
    """
    ious = [mean(ratio(pair.both, pair.either) for pair in pairs) for pairs in videos]
    iods = [
        mean(
            ratio(pair.both, pair.predicted)
            for pair in pairs
            if pair.predicted or not skip_unpredicted
        )
        for pairs in videos
    ]
    return mean(v for v in ious if v is not None), mean(v for v in iods if v is not None)


def _micro(videos: Sequence[Mapping[str, Overlap]]) -> tuple[Fraction | None, Fraction]:
    """Sums over every video and every class that is in the cues or predicted; IoU is None
    where there is nothing of either."""
    pairs = [pair for overlaps in videos for pair in overlaps.values()]
    both = sum((pair.both for pair in pairs), Fraction(0))
    either = sum((pair.either for pair in pairs), Fraction(0))
    predicted = sum((pair.predicted for pair in pairs), Fraction(0))
    return (ratio(both, either) if either else None), ratio(both, predicted)


def _isba(
    cues: Sequence[Cue], timeline: Sequence[Segment], fps: float | None
) -> tuple[Fraction, Fraction]:
    """One video: per cue the best predicted segment of its label; the mean over the cues.

    IoU divides the intersection by the hull of the two, IoD by the predicted segment.
    """
    ious, iods = [], []
    for cue in cues:
        start, end = exact(cue.start), exact(cue.end)
        best_iou = best_iod = Fraction(0)
        for segment in timeline:
            if segment.label != cue.label:
                continue
            common = duration(max(start, segment.start), min(end, segment.end), fps)
            hull = duration(min(start, segment.start), max(end, segment.end), fps)
            best_iou = max(best_iou, ratio(common, hull))
            best_iod = max(best_iod, ratio(common, duration(segment.start, segment.end, fps)))
        ious.append(best_iou)
        iods.append(best_iod)
    return sum(ious, Fraction(0)) / len(cues), sum(iods, Fraction(0)) / len(cues)
