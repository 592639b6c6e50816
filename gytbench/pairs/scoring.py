"""AP over human-object pairs: V-HICO's own metric, and the same without its oddities.

Source: github.com/ShuangLI59/weakly-supervised-human-object-detection-video, eval/.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from gytbench.benchmark import Benchmark
from gytbench.errors import InputError
from gytbench.evaluation import Result, Score
from gytbench.evaluation.result import mean_of, named_rows
from gytbench.metrics.arrays import Bools, Floats, Ints, places_in_group
from gytbench.metrics.average_precision import average_precision
from gytbench.metrics.matching import equal_pairs, first_choice_match
from gytbench.metrics.pairs import CANVAS, phrase_overlaps, relation_overlaps
from gytbench.metrics.precision_rules import ruled_average_precision
from gytbench.pairs.laying import Laid, lay_pairs
from gytbench.pairs.schema import PairPredictions
from gytbench.pairs.signature import OVERLAP, TASK, TOP, pairs_signature

_PART: Final = 1 << 18
"""Candidates that are measured at once."""
_KINDS: Final = {"relation": relation_overlaps, "phrase": phrase_overlaps}
_METRICS: Final = tuple(
    f"pair_ap@{OVERLAP}_{kind}_{setting}{rule}"
    for rule in ("", "_all_point")
    for kind in _KINDS
    for setting in ("ko", "def")
)


class _Ranked(NamedTuple):
    """The pairs that count, the best first, and which of them are on a frame of their class
    and which are right, by kind of overlap."""

    label: Ints
    score: Floats
    known: Bools
    right: Mapping[str, Bools]


def score_pairs(predictions: PairPredictions, benchmark: Benchmark) -> Result:
    """Score pairs of a human and an object on the annotated frames.

    `relation` takes the lower of the two IoUs of a pair, `phrase` the IoU of what both boxes
    cover together; 0.3 is enough. `ko` (known object) ranks a class on its own frames alone,
    `def` on all annotated frames. Of a frame and class, the ten best pairs count. Each asks
    for the true pair of highest overlap, and is wrong where that is taken.

    The plain names are V-HICO's numbers: of equal scores the last is first; ten recalls are
    added up and divided by eleven, so a perfect detector has 0.909; classes that the file
    never names are left out of the mean. Those that end in `_all_point` are the area under
    the precision envelope, equal scores read together, averaged over all classes.

    Raises `InputError` for a benchmark without pairs, and with every fault of the file.
    """
    if not benchmark.pairs:
        raise InputError(f"the dataset {benchmark.dataset} has no pairs of a human and an object")
    laid = lay_pairs(predictions, benchmark)
    ranked = _ranked(laid)
    positives = np.bincount(laid.true_label, minlength=laid.asked.size)
    values = _precisions(ranked, positives, laid.asked)
    result = Result(
        signature=pairs_signature(benchmark),
        task=TASK,
        metrics={name: mean_of(row) for name, row in zip(_METRICS, values, strict=True)},
        counts={
            "videos": len(benchmark.videos),
            "frames": laid.frames,
            "classes": int(np.count_nonzero(positives)),
            "classes_named": int(np.count_nonzero(laid.asked & (positives > 0))),
            "true_pairs": int(positives.sum()),
            "pairs": ranked.label.size,
            "pairs_beyond_ten": laid.label.size - ranked.label.size,
            "pairs_on_other_frames": laid.outside,
        },
        missing=_missing(laid, positives),
        per_class=_rows(ranked, positives, values, benchmark.classes.names),
        per_video={},
    )
    return replace(result, notes=_notes(laid, result.counts))


def _ranked(laid: Laid) -> _Ranked:
    """By score, the best first; of equal ones the last by frame, and within it by file."""
    order = np.lexsort((-laid.score, laid.frame, laid.label))
    each = laid.frame * laid.asked.size + laid.label
    order = order[places_in_group(each[order]) < TOP]
    order = order[np.argsort(laid.score[order], kind="stable")[::-1]]
    key = each[order]
    true_key = laid.true_frame * laid.asked.size + laid.true_label
    return _Ranked(
        laid.label[order],
        laid.score[order],
        np.isin(key, true_key),
        _right(laid.pair[order], key, laid.true_pair, true_key),
    )


def _right(pair: Floats, key: Ints, true_pair: Floats, true_key: Ints) -> dict[str, Bools]:
    """Which pairs take a true one, by kind of overlap."""
    found: dict[str, list[tuple[Ints, Ints, Floats]]] = {kind: [] for kind in _KINDS}
    for detection, truth in equal_pairs(key, true_key, _PART):
        for kind, measure in _KINDS.items():
            overlap = measure(pair[detection], true_pair[truth])
            at = overlap >= OVERLAP
            found[kind].append((detection[at], truth[at], overlap[at]))
    right = {}
    for kind, parts in found.items():
        detections, truths, overlaps = zip(*parts, strict=True)
        taken = first_choice_match(
            np.concatenate(detections),
            np.concatenate(truths),
            np.concatenate(overlaps),
            OVERLAP,
            key.size,
            true_key.size,
        )
        right[kind] = np.asarray(taken >= 0)
    return right


def _precisions(ranked: _Ranked, positives: Ints, asked: Bools) -> Floats:
    """AP of each class under each metric, metrics x classes; NaN where it is not averaged."""
    published, plain = [], []
    for kind in _KINDS:
        for kept in (ranked.known, np.ones(ranked.label.size, dtype=bool)):
            label, right = ranked.label[kept], ranked.right[kind][np.newaxis, kept]
            ap = ruled_average_precision(label, right, positives, "10-of-11-point")[0]
            published.append(np.where(asked, ap, np.nan))
            plain.append(average_precision(label, ranked.score[kept], right, positives)[0])
    return np.stack(published + plain)


def _missing(laid: Laid, positives: Ints) -> dict[str, int]:
    """Classes that the file does not name, and frames of a class without a pair of it."""
    key = laid.frame * laid.asked.size + laid.label
    true_key = laid.true_frame * laid.asked.size + laid.true_label
    return {
        "classes": int(np.count_nonzero(~laid.asked & (positives > 0))),
        "frames_of_classes": int(np.setdiff1d(true_key, key).size),
    }


def _notes(laid: Laid, counts: Mapping[str, int]) -> tuple[str, ...]:
    notes = []
    if not counts["classes_named"]:
        notes.append("the file names no class of the ground truth, so V-HICO's mean has none")
    beyond = sum(
        int(np.count_nonzero((pair > CANVAS).any(axis=(1, 2)) | (pair < 0).any(axis=(1, 2))))
        for pair in (laid.pair, laid.true_pair)
    )
    if beyond:
        notes.append(
            f"{beyond:,} pairs reach beyond the canvas of {CANVAS} x {CANVAS} pixels that "
            "phrases are drawn on, and are cut there; the publisher's tool stops at 500"
        )
    return tuple(notes)


def _rows(
    ranked: _Ranked, positives: Ints, values: Floats, names: tuple[str, ...]
) -> dict[str, dict[str, Score]]:
    """The row of each class with a true pair."""
    counted = np.bincount(ranked.label, minlength=positives.size)
    scores = named_rows(_METRICS, values.T)
    return {
        names[index]: {
            "true_pairs": int(positives[index]),
            "pairs": int(counted[index]),
            **scores[index],
        }
        for index in np.flatnonzero(positives).tolist()
    }
