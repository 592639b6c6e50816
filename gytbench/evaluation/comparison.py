"""Two or more systems: differences, their intervals, and tests over the same videos.

The interval of a difference is a paired bootstrap: both systems are scored on the
same drawn videos, and the interval is placed as those of `uncertainty` are. The
p-value is that of a paired permutation test: were the two systems alike, each video
could as well have been answered by the other one, so each swaps its answers with
probability 1/2, and the p-value is the share of such swaps whose difference is at
least as large as the observed one, in either direction.

Sources: Fisher, "The Design of Experiments" (1935), and Phipson and Smyth (2010) for
counting the observed difference among the permutations; Holm (1979) for the
correction over several systems.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

import numpy as np

from gytbench.errors import InputError
from gytbench.evaluation.outcomes import System
from gytbench.evaluation.resampling import Outcomes
from gytbench.evaluation.result import Interval, Score
from gytbench.evaluation.uncertainty import draw_videos, interval_of, resample_all
from gytbench.metrics.arrays import Floats

LEVEL: Final = 0.05
"""A difference is called significant below this p-value, after the correction."""

_ROUNDING = 1e-12
_OWNERS = ("video", "tube_video", "segment_video")


class Difference(NamedTuple):
    """One metric of another system and of the first, as fractions."""

    first: Score
    other: Score
    difference: float | None
    """other - first; None where one of them is not defined."""
    interval: Interval | None
    """95 % interval of the difference; None where it is not defined or not tested."""
    p: float | None
    """Of the permutation test, two-sided; None where the interval is."""
    p_holm: float | None
    """p after Holm's correction over the other systems."""

    @property
    def significant(self) -> bool:
        """Whether p_holm is below `LEVEL`."""
        return self.p_holm is not None and self.p_holm < LEVEL


@dataclass(frozen=True)
class Contrast:
    """Another system against the first."""

    title: str
    signature: str
    metrics: Mapping[str, Difference]
    """By name, those that both systems have."""
    untested: str = ""
    """Why there are no intervals and p-values; empty where there are."""


@dataclass(frozen=True)
class Comparison:
    """The first system, which all others are compared with, and how they were tested."""

    title: str
    signature: str
    contrasts: tuple[Contrast, ...]
    videos: int
    resamples: int
    permutations: int
    seed: int

    @property
    def unlike(self) -> bool:
        """Whether numbers of different protocols stand beside each other."""
        return any(each.signature != self.signature for each in self.contrasts)


def compare(
    systems: Sequence[System],
    resamples: int = 1000,
    permutations: int = 1000,
    seed: int = 0,
    anyway: bool = False,
) -> Comparison:
    """Compare each system with the first.

    Raises InputError for fewer than two systems; where two have different
    signatures, or different videos or classes under the same one, unless `anyway` is
    set; and where two have no metric in common. With `anyway`, systems with different
    videos, classes or averages are not tested.
    """
    if len(systems) < 2:
        raise InputError("a comparison needs two systems or more")
    first = systems[0]
    reasons = [_why_untested(first, other) for other in systems[1:]]
    if not anyway:
        for other, reason in zip(systems[1:], reasons, strict=True):
            _refuse_unlike(first, other, reason)
    weights = draw_videos(len(first.videos), resamples, seed)
    generator = np.random.default_rng(seed)
    swapped = generator.integers(0, 2, (permutations, len(first.videos))).astype(np.float64)
    drawn = resample_all(first.outcomes, weights, first.protocol.average)
    found = []
    for other, reason in zip(systems[1:], reasons, strict=True):
        if reason:
            metrics = {name: _untested(*scores) for name, scores in _shared(first, other).items()}
        else:
            metrics = _tested(first, other, drawn, weights, swapped)
        found.append(Contrast(other.title, other.signature, metrics, reason))
    contrasts = _corrected(found)
    return Comparison(
        first.title, first.signature, contrasts, len(first.videos), resamples, permutations, seed
    )


def _refuse_unlike(first: System, other: System, reason: str) -> None:
    """Raise InputError for systems whose numbers do not belong beside each other."""
    one, two = (
        dict(part.partition(":")[::2] for part in each.signature.split("|"))
        for each in (first, other)
    )
    # Signatures of one task have the same fields, and the task comes early.
    for name, value in one.items():
        if two.get(name) != value:
            raise InputError(
                f"scored under another protocol than {first.title}: "
                f"{name} is {two.get(name)!r}, not {value!r}; --anyway compares all the same",
                where=other.title,
            )
    if reason:
        raise InputError(f"cannot be compared with {first.title}: {reason}", where=other.title)


def _why_untested(first: System, other: System) -> str:
    """Why two systems have no videos to swap; empty where they have."""
    if first.videos != other.videos:
        return "the videos differ"
    if first.classes != other.classes:
        return "the classes differ"
    if first.protocol.average != other.protocol.average:
        return "the averages differ"
    return ""


def _shared(first: System, other: System) -> dict[str, tuple[Score, Score]]:
    """The scores of both systems, by the metrics that both have."""
    one, two = first.metrics, other.metrics
    scores = {name: (one[name], two[name]) for name in one if name in two}
    if not scores:
        raise InputError(f"has no metric in common with {first.title}", where=other.title)
    return scores


def _untested(first: Score, other: Score) -> Difference:
    difference = None if first is None or other is None else other - first
    return Difference(first, other, difference, None, None, None)


def _tested(
    first: System,
    other: System,
    drawn: Mapping[str, Floats],
    weights: Floats,
    swapped: Floats,
) -> dict[str, Difference]:
    """Every shared metric with its interval and p-value, not yet corrected."""
    scores = _shared(first, other)
    average = first.protocol.average
    beside = resample_all(other.outcomes, weights, average)
    permuted = swapped_differences(first.outcomes, other.outcomes, swapped, average)
    found = {}
    for name, (one, two) in scores.items():
        plain = _untested(one, two)
        interval = interval_of(beside[name] - drawn[name], plain.difference, -1.0, 1.0)
        p = p_value(plain.difference, permuted[name])
        found[name] = plain._replace(interval=interval, p=p, p_holm=p)
    return found


def swapped_differences(
    first: Outcomes, other: Outcomes, swapped: Floats, average: str
) -> dict[str, Floats]:
    """other - first of every metric when the two swap their answers to some videos.

    Both are outcomes of one task on the same videos and classes. swapped: permutations
    x videos, 1 where a video's answers are swapped, else 0. Returns, for each metric,
    one value a permutation; NaN where it is not defined.
    """
    both = _stacked(first, other, swapped.shape[1])
    kept = 1 - swapped
    one = resample_all(both, np.hstack((kept, swapped)), average)
    two = resample_all(both, np.hstack((swapped, kept)), average)
    return {name: two[name] - one[name] for name in one}


def _stacked(first: Outcomes, other: Outcomes, videos: int) -> Outcomes:
    """The outcomes of both, as if the other's were those of `videos` further videos."""
    joined: dict[str, Any] = {}
    for field in fields(first):
        one, two = getattr(first, field.name), getattr(other, field.name)
        if field.name == "has_regions":
            joined[field.name] = one and two
            continue
        axis = 1 if field.name == "tube_instance" else 0
        shifted = two + videos if field.name in _OWNERS else two
        joined[field.name] = np.concatenate((one, shifted), axis=axis)
    return type(first)(**joined)


def p_value(observed: float | None, permuted: Floats) -> float | None:
    """Two-sided p-value of a difference, from the differences after swaps (n, NaN = none).

    None where the difference or all of those are not defined.
    """
    known = permuted[~np.isnan(permuted)]
    if observed is None or not known.size:
        return None
    extreme = int((np.abs(known) >= abs(observed) - _ROUNDING).sum())
    return (1 + extreme) / (1 + known.size)


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down correction: the k-th smallest of m p-values times m - k + 1, at least
    as large as the one before, at most 1. None stays None and does not count."""
    order = sorted((value, at) for at, value in enumerate(p) if value is not None)
    corrected: list[float | None] = [None] * len(p)
    largest = 0.0
    for rank, (value, at) in enumerate(order):
        largest = max(largest, min(1.0, value * (len(order) - rank)))
        corrected[at] = largest
    return corrected


def _corrected(contrasts: Sequence[Contrast]) -> tuple[Contrast, ...]:
    """The contrasts with p-values corrected over the other systems, for each metric."""
    tables = [dict(each.metrics) for each in contrasts]
    for name in {name for table in tables for name in table}:
        having = [table for table in tables if name in table]
        values = holm([table[name].p for table in having])
        for table, value in zip(having, values, strict=True):
            table[name] = table[name]._replace(p_holm=value)
    return tuple(
        Contrast(each.title, each.signature, table, each.untested)
        for each, table in zip(contrasts, tables, strict=True)
    )
