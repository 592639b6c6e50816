"""Task `temporal`: IoU (Jaccard) and IoD (docs/protocol.md, section 4)."""

from dataclasses import dataclass

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.evaluation.precedence import tie_ranks
from gytbench.evaluation.protocol import Protocol
from gytbench.evaluation.result import Result, Score, group_means, mean_of, named_rows
from gytbench.evaluation.truth import instance_columns
from gytbench.metrics.arrays import Floats, Ints
from gytbench.metrics.timeline import foremost, ranges
from gytbench.predictions import PackedTubes

_FRAME_ROUNDING = 1e-9
"""A time this little after a frame, in frames, is at the frame: 1.1 s at 10 fps is frame 11."""


@dataclass(frozen=True)
class TemporalOutcomes:
    """What all metrics of the task are computed from.

    durations: videos x classes x 3: |G|, |D| and |G n D|, in seconds or frames.
    segment_video, segment_label, segment_iou, segment_iod: one row for each
    ground-truth segment, against the best predicted segment of its label.
    """

    durations: Floats
    segment_video: Ints
    segment_label: Ints
    segment_iou: Floats
    segment_iod: Floats


@dataclass(frozen=True)
class _Segments:
    """Labelled half-open ranges of cells of the common time axis."""

    video: Ints
    label: Ints
    begin: Ints
    end: Ints


def evaluate_temporal(packed: PackedTubes, benchmark: Benchmark, protocol: Protocol) -> Result:
    """Score packed tubes against the MiningYouTube segments."""
    video, label, times = instance_columns(benchmark.cues, benchmark)
    position, cue_cells, tube_cells = _axis(
        np.concatenate((video, packed.video)),
        np.concatenate((times[:, 0], packed.start)),
        np.concatenate((times[:, 1], packed.end)),
        video.size,
        protocol.fps,
    )
    # At a frame rate, a segment without a frame is not in the ground truth.
    lasting = position[cue_cells[1]] > position[cue_cells[0]]
    cues = _Segments(*(part[lasting] for part in (video, label, *cue_cells)))
    order = np.lexsort((tie_ranks(packed, benchmark), -packed.score))
    speaking = foremost(tube_cells[0][order], tube_cells[1][order], position.size - 1)
    tube = np.where(speaking >= 0, order[speaking] if order.size else -1, -1)
    predicted = _runs(tube, packed)
    shape = (len(benchmark.videos), len(benchmark.classes.names))
    iou, iod = _best_segments(cues, predicted, position, shape[1])
    outcomes = TemporalOutcomes(
        durations=_durations(cues, predicted, position, shape),
        segment_video=cues.video,
        segment_label=cues.label,
        segment_iou=iou,
        segment_iod=iod,
    )
    return _result(outcomes, packed, benchmark, protocol)


def _axis(
    video: Ints, start: Floats, end: Floats, cues: int, fps: float | None
) -> tuple[Floats, tuple[Ints, Ints], tuple[Ints, Ints]]:
    """All starts and ends of all videos in a row; a cell lies between two neighbours.

    Returns the position of each boundary, in seconds or, with `fps`, in frames,
    and the begin and end cell of the first `cues` intervals and of the others.
    Cells between two videos are covered by nothing.
    """
    keys = np.stack((np.tile(video, 2).astype(float), np.concatenate((start, end))))
    order = np.lexsort(keys[::-1])
    keys = keys[:, order]
    new = np.ones(order.size, dtype=bool)
    new[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    index = np.empty(order.size, dtype=np.int64)
    index[order] = np.cumsum(new) - 1
    position = keys[1, new]
    if fps is not None:
        # Frame i is shown at i / fps, so [start, end) holds ceil(end fps) - ceil(start fps).
        position = np.ceil(position * fps - _FRAME_ROUNDING)
    begin, stop = index[: video.size], index[video.size :]
    return position, (begin[:cues], stop[:cues]), (begin[cues:], stop[cues:])


def _runs(tube: Ints, packed: PackedTubes) -> _Segments:
    """Maximal runs of cells that speak with the same label in the same video."""
    spoken = np.flatnonzero(tube >= 0)
    video, label = packed.video[tube[spoken]], packed.label[tube[spoken]]
    new = np.ones(spoken.size, dtype=bool)
    same = (video[1:] == video[:-1]) & (label[1:] == label[:-1])
    new[1:] = ~(same & (np.diff(spoken) == 1))
    last = np.append(new[1:], True) if spoken.size else new
    return _Segments(video[new], label[new], spoken[new], spoken[last] + 1)


def _durations(
    cues: _Segments, predicted: _Segments, position: Floats, shape: tuple[int, int]
) -> Floats:
    """|G|, |D| and |G n D| for each video and class."""
    length = np.diff(position, append=0.0)
    owner, cell = ranges(cues.begin, cues.end)
    key = cues.video[owner] * shape[1] + cues.label[owner]
    # Cues of one class may overlap: each moment counts once.
    order = np.lexsort((cell, key))
    key, cell = key[order], cell[order]
    new = np.ones(key.size, dtype=bool)
    new[1:] = (key[1:] != key[:-1]) | (cell[1:] != cell[:-1])
    key, cell = key[new], cell[new]

    owner, spoken = ranges(predicted.begin, predicted.end)
    said = np.full(position.size, -1)
    said[spoken] = (predicted.video * shape[1] + predicted.label)[owner]
    right = said[cell] == key
    sums = [
        np.bincount(k, length[c], minlength=shape[0] * shape[1])
        for k, c in ((key, cell), (said[spoken], spoken), (key[right], cell[right]))
    ]
    return np.stack(sums, axis=1).astype(np.float64).reshape(*shape, 3)


def _best_segments(
    cues: _Segments, predicted: _Segments, position: Floats, classes: int
) -> tuple[Floats, Floats]:
    """For each cue, the best intersection / hull and intersection / predicted length
    over the predicted segments of its label in its video; 0 without one."""
    key = predicted.video * classes + predicted.label
    order = np.argsort(key, kind="stable")
    wanted = cues.video * classes + cues.label
    low = np.searchsorted(key[order], wanted, side="left")
    high = np.searchsorted(key[order], wanted, side="right")
    cue, at = ranges(low, high)
    segment = order[at]
    start, end = position[cues.begin[cue]], position[cues.end[cue]]
    first, last = position[predicted.begin[segment]], position[predicted.end[segment]]
    shared = np.maximum(np.minimum(end, last) - np.maximum(start, first), 0)
    hull = np.maximum(end, last) - np.minimum(start, first)
    best = []
    for whole in (hull, last - first):
        share = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
        scores = np.zeros(cues.video.size)
        np.maximum.at(scores, cue, share)
        best.append(scores)
    return best[0], best[1]


def metrics_of(outcomes: TemporalOutcomes, average: str) -> dict[str, Score]:
    """`iou` and `iod` from the stored outcomes, averaged in one of `AVERAGES`."""
    if average == "frames-micro":
        iou, iod = micro_scores(outcomes.durations.sum(axis=(0, 1))[np.newaxis])
    else:
        iou, iod = group_scores(outcomes, average, by_class=False)
    return {"iou": mean_of(iou), "iod": mean_of(iod)}


def group_scores(outcomes: TemporalOutcomes, average: str, by_class: bool) -> tuple[Floats, Floats]:
    """IoU and IoD of each video, or of each class, in one of `AVERAGES`; NaN without a segment."""
    if average == "isba":
        group = outcomes.segment_label if by_class else outcomes.segment_video
        size = outcomes.durations.shape[1 if by_class else 0]
        return (
            group_means(group, outcomes.segment_iou, size),
            group_means(group, outcomes.segment_iod, size),
        )
    if average == "frames-micro":
        return micro_scores(outcomes.durations.sum(axis=0 if by_class else 1))
    iou, iod = class_scores(outcomes, average)
    return (
        (_row_means(iou.T), _row_means(iod.T)) if by_class else (_row_means(iou), _row_means(iod))
    )


def micro_scores(durations: Floats) -> tuple[Floats, Floats]:
    """IoU and IoD of sums of |G|, |D| and |G n D| (k x 3); IoD 0 where nothing is predicted."""
    true, said, shared = durations.T
    either = true + said - shared
    iou = np.divide(shared, either, out=np.full(len(durations), np.nan), where=either > 0)
    iod = np.divide(shared, said, out=np.zeros(len(durations)), where=said > 0)
    return iou, iod


def class_scores(outcomes: TemporalOutcomes, average: str) -> tuple[Floats, Floats]:
    """IoU and IoD of each video and class (videos x classes); NaN where not averaged.

    A class that is never predicted has IoD 0, except under `videogem`.
    """
    true, said, shared = np.moveaxis(outcomes.durations, 2, 0)
    known = true > 0
    iou = np.full(true.shape, np.nan)
    np.divide(shared, true + said - shared, out=iou, where=known)
    iod = np.where(known, np.nan if average == "videogem" else 0.0, np.nan)
    np.divide(shared, said, out=iod, where=known & (said > 0))
    return iou, iod


def _row_means(scores: Floats) -> Floats:
    """Mean of each row's values that are not NaN; NaN where there is none."""
    known = ~np.isnan(scores)
    count = known.sum(axis=1)
    total = np.where(known, scores, 0).sum(axis=1)
    none = np.full(len(scores), np.nan)
    return np.asarray(np.divide(total, count, out=none, where=count > 0))


def _result(
    outcomes: TemporalOutcomes, packed: PackedTubes, benchmark: Benchmark, protocol: Protocol
) -> Result:
    known = outcomes.durations[:, :, 0] > 0
    sent = np.bincount(packed.video, minlength=len(benchmark.videos))
    with_cues = known.any(axis=1)
    by_class = group_scores(outcomes, protocol.average, by_class=True)
    by_video = group_scores(outcomes, protocol.average, by_class=False)
    return Result(
        signature=protocol.signature(benchmark),
        task=protocol.task,
        metrics=metrics_of(outcomes, protocol.average),
        counts={
            "videos": int(with_cues.sum()),
            "segments": int(outcomes.segment_video.size),
            "video_classes": int(known.sum()),
            "tubes": int(packed.video.size),
        },
        missing={"videos": int((with_cues & (sent == 0)).sum())},
        per_class=_rows(benchmark.classes.names, "videos", known.sum(axis=0), by_class),
        per_video=_rows(benchmark.videos, "classes", known.sum(axis=1), by_video),
        outcomes=outcomes,
    )


def _rows(
    names: tuple[str, ...], counted: str, count: Ints, scores: tuple[Floats, Floats]
) -> dict[str, dict[str, Score]]:
    """The scores of each video or class that has a ground-truth segment, under its name."""
    seen = np.flatnonzero(count)
    rows = named_rows(("iou", "iod"), np.stack(scores, axis=1)[seen])
    return {
        names[index]: {counted: int(count[index]), **row}
        for index, row in zip(seen, rows, strict=True)
    }
