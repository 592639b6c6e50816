"""The inference of the paper's Figure 3, over arrays: when, by similarity; where, by a map.

Source: Chen et al. 2024, section 3.5 and Figure 3. The threshold's value and the form
of the heatmaps are not published; see `docs/baselines.md`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gytbench.errors import InputError
from gytbench.grounding.alignment import align
from gytbench.metrics.arrays import Floats, Ints
from gytbench.predictions import EncodedHeatmap, encode_heatmap


class Run(NamedTuple):
    """Consecutive seconds that were given one label."""

    query: int
    """Index among the queries."""
    seconds: range
    scores: tuple[float, ...]
    """The similarity of each second."""

    @property
    def score(self) -> float:
        """The mean similarity."""
        return float(np.mean(self.scores))


class Place(NamedTuple):
    """Where, for consecutive seconds; in fractions of the frame, None = nothing."""

    points: list[tuple[float, float] | None]
    boxes: list[tuple[float, float, float, float] | None] | None = None
    heatmaps: list[EncodedHeatmap | None] | None = None


def best_runs(scores: Floats, tau: float | None) -> list[Run]:
    """Per second the best query, background below tau; runs of one query, in time order.

    scores: seconds x queries, -inf where a query cannot be. Of equal similarities the
    first query wins. tau: seconds whose best similarity is below it are background;
    None = no second is, unless all of its queries are impossible.
    Raises InputError for a score that is not a number, and for a tau that is not.
    """
    _check(scores)
    if tau is not None and np.isnan(tau):
        raise InputError("the threshold tau is not a number")
    if not scores.size:
        return []
    best = scores.argmax(axis=1)
    similarity = scores[np.arange(len(scores)), best]
    kept = similarity > -np.inf
    if tau is not None:
        kept &= similarity >= tau
    return _runs(np.where(kept, best, -1), similarity)


def aligned_runs(
    scores: Floats,
    transcript: Sequence[int],
    *,
    background: int,
    temperature: float = 1.0,
    mean_length: float | None = None,
) -> list[Run]:
    """The steps of an ordered transcript, aligned to the seconds exactly.

    scores: seconds x queries; transcript: query indices in order, background included;
    the log score of a second is the log softmax over the queries of similarity /
    temperature. mean_length: in seconds, of the Poisson length term. Runs of
    `background` are left out. Raises InputError as `align` does, and for a score that is
    not a number.

    Source: the alignment of MiningYouTube (Kuehne et al. 2019), on log softmax scores as
    in Multimodal Clustering Networks (Chen et al. 2021).
    """
    _check(scores)
    likely = _log_softmax(scores, temperature)
    found = align(likely, np.asarray(transcript, dtype=np.int64), mean_length=mean_length)
    runs = []
    for query, start, end in zip(transcript, found.starts, found.ends, strict=True):
        if query != background:
            seconds = range(int(start), int(end))
            runs.append(Run(query, seconds, tuple(scores[start:end, query].tolist())))
    return runs


def place_of_heatmaps(heatmaps: Floats) -> Place:
    """Regions and points of heatmaps (seconds x rows x columns), each scaled from 0 to 1.

    Without the scaling, half of the maximum, where the scorer cuts, would be below every
    cell of a map of similarities. The point is the centre of the first highest cell. A
    map that is everywhere the same says nothing: no region and no point.
    Raises InputError for a map without cells, and for values that are not finite.
    """
    values = np.asarray(heatmaps, dtype=np.float64)
    rows, columns = values.shape[1:]
    if not rows * columns:
        raise InputError(f"a heatmap has {rows} x {columns} cells")
    if not np.isfinite(values).all():
        raise InputError("a heatmap holds a value that is not a finite number")
    flat = values.reshape(len(values), rows * columns)
    low, high = flat.min(axis=1), flat.max(axis=1)
    at = flat.argmax(axis=1)
    points: list[tuple[float, float] | None] = []
    maps: list[EncodedHeatmap | None] = []
    for second, cell in enumerate(at.tolist()):
        spread = high[second] - low[second]
        if spread <= 0:
            points.append(None)
            maps.append(None)
            continue
        points.append(((cell % columns + 0.5) / columns, (cell // columns + 0.5) / rows))
        maps.append(encode_heatmap((values[second] - low[second]) / spread))
    return Place(points, heatmaps=maps)


def place_of_boxes(boxes: Floats) -> Place:
    """Regions and points, the centres, of boxes (seconds x 4); nan where there is none.

    Raises InputError for a box that ends before it starts or is not finite, and for rows
    that do not have four numbers.
    """
    values = np.asarray(boxes, dtype=np.float64)
    if values.shape[1:] != (4,):
        raise InputError(f"boxes have the shape {values.shape}, not seconds x 4")
    known = ~np.isnan(values).any(axis=1)
    sound = np.isfinite(values).all(axis=1) & (values[:, :2] <= values[:, 2:]).all(axis=1)
    wrong = np.flatnonzero(known & ~sound)
    if wrong.size:
        raise InputError(f"{values[wrong[0]].tolist()} is no box: not x1 <= x2, y1 <= y2, finite")
    found: list[Any] = [None] * len(values)
    for second in np.flatnonzero(known).tolist():
        found[second] = tuple(values[second].tolist())
    points = [box and ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in found]
    return Place(points, boxes=found)


def _check(scores: Floats) -> None:
    if np.isnan(scores).any() or (scores == np.inf).any():
        raise InputError("a score is not a number below infinity")


def _log_softmax(scores: Floats, temperature: float) -> Floats:
    """Over the queries of each second; nothing is possible where all scores are -inf."""
    best = scores.max(axis=1, keepdims=True)
    # A quotient beyond all numbers is impossible, as it should be.
    with np.errstate(over="ignore"):
        logits = (scores - np.where(best > -np.inf, best, 0)) / temperature
    total = np.exp(logits).sum(axis=1, keepdims=True)
    return np.asarray(logits - np.log(np.maximum(total, 1)))


def _runs(chosen: Ints, similarity: Floats) -> list[Run]:
    """Runs of equal choices, those of -1 left out."""
    edges = np.flatnonzero(np.diff(chosen)) + 1
    starts = np.concatenate(([0], edges))
    ends = np.append(edges, len(chosen))
    return [
        Run(int(chosen[start]), range(start, end), tuple(similarity[start:end].tolist()))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        if chosen[start] >= 0
    ]
