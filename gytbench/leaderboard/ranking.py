"""Which systems stand before which: ranks that two systems share unless one is better.

A system's rank is 1 + the number of systems that are better than it beyond doubt. One
is, where the 95 % interval of the difference between the two lies above 0. The
difference is paired: both are scored on the same drawn videos, resample by resample,
and the interval is moved to the difference of the scores themselves, as in
`evaluation.uncertainty`. A better score alone moves nobody up.

What follows from the rule: ranks are shared, and after a shared rank there may be a
gap. "Cannot be told apart" is not transitive: A and B may share a rank, and so may B
and C, where A is better than C beyond doubt; two that share a rank may then differ
beyond doubt themselves, in rare cases. The more systems there are, the more of the
pairs that differ by chance alone are told apart: the rule makes no correction for
their number, so that the rank of a system depends on those that are better than it and
on nobody else.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gytbench.errors import InputError
from gytbench.evaluation import Score
from gytbench.evaluation.uncertainty import interval_of
from gytbench.leaderboard.results import RANKED, RELEASES, EntryResults, TaskScores
from gytbench.metrics.arrays import Floats
from gytbench.predictions import TASKS, Task

_LEAST: Final = 1e-6
"""Differences are not told apart below it: resamples are stored with seven digits."""
_TAIL: Final = 0.025


@dataclass(frozen=True)
class Table:
    """All results under one signature, which alone may stand beside each other."""

    task: Task
    signature: str
    scores: Mapping[str, TaskScores]
    """By entry, sorted by name: submissions, floors and ceilings."""
    better: Mapping[str, frozenset[str]]
    """For each submission with a score, the submissions that are better beyond doubt."""

    @property
    def release(self) -> str:
        """The box release; empty for a task without boxes."""
        return release_of(self.signature)

    def rank(self, name: str) -> int | None:
        """The rank of a submission; None for a floor, a ceiling, or one without a score."""
        return 1 + len(self.better[name]) if name in self.better else None

    def tied(self, name: str) -> tuple[str, ...]:
        """The other submissions with the same rank, by name."""
        rank = self.rank(name)
        if rank is None:
            return ()
        return tuple(each for each in self.better if each != name and self.rank(each) == rank)


def tables(entries: Iterable[EntryResults]) -> tuple[Table, ...]:
    """The results of all entries, one table for each task and signature.

    In the order of the tasks, then of `RELEASES`, then of the signatures.
    """
    found: dict[tuple[Task, str], dict[str, TaskScores]] = {}
    ranked: set[str] = set()
    for entry in sorted(entries, key=lambda each: each.entry):
        if entry.kind == "submission":
            ranked.add(entry.entry)
        for scores in entry.scores:
            found.setdefault((scores.task, scores.signature), {})[entry.entry] = scores
    made = [
        Table(task, signature, scores, better_beyond_doubt(_only(scores, ranked)))
        for (task, signature), scores in found.items()
    ]
    return tuple(sorted(made, key=_order))


def _only(scores: Mapping[str, TaskScores], names: set[str]) -> dict[str, TaskScores]:
    return {name: each for name, each in scores.items() if name in names}


def _order(table: Table) -> tuple[int, int, str]:
    release = table.release
    place = RELEASES.index(release) if release in RELEASES else len(RELEASES)
    return TASKS.index(table.task), place, table.signature


def release_of(signature: str) -> str:
    """The box release that a signature names; empty where it names none."""
    named = dict(part.partition(":")[::2] for part in signature.split("|"))
    return named.get("boxes", "").partition("@")[0]


def ranks(scores: Mapping[str, TaskScores]) -> dict[str, int | None]:
    """The rank of each system under one signature, 1 = nobody is better beyond doubt.

    None where the ranked metric is not defined. scores: submissions alone, by name;
    floors and ceilings have no rank. Raises InputError as `better_beyond_doubt` does.
    """
    better = better_beyond_doubt(scores)
    return {name: 1 + len(better[name]) if name in better else None for name in scores}


def better_beyond_doubt(scores: Mapping[str, TaskScores]) -> dict[str, frozenset[str]]:
    """For each system, those that are better than it beyond doubt in the ranked metric.

    Systems whose ranked metric is not defined are left out. Raises InputError where the
    systems have different signatures, or different numbers of resamples.
    """
    if len({each.signature for each in scores.values()}) > 1:
        raise InputError("systems under different signatures cannot be ranked together")
    known = {
        name: score for name, each in scores.items() if (score := ranked_score(each)) is not None
    }
    names = list(known)
    values = np.array([known[name] for name in names])
    drawn = _stacked([resampled(scores[name]) for name in names])
    better = {}
    for place, name in enumerate(names):
        ahead = np.flatnonzero(values > values[place])
        low = _lower_ends(drawn[ahead] - drawn[place], values[ahead] - values[place])
        better[name] = frozenset(names[other] for other in ahead[low > _LEAST])
    return better


def ranked_score(scores: TaskScores) -> Score:
    """The score that the task is ranked by."""
    return scores.metrics.get(RANKED[scores.task])


def resampled(scores: TaskScores) -> Floats:
    """The ranked metric in each resample; NaN where it is not defined."""
    return np.frombuffer(base64.b64decode(scores.resampled), dtype="<f4").astype(np.float64)


def _stacked(drawn: Sequence[Floats]) -> Floats:
    """Systems x resamples."""
    if len({len(each) for each in drawn}) > 1:
        raise InputError("systems with different numbers of resamples cannot be ranked together")
    return np.stack(drawn) if drawn else np.zeros((0, 0))


def _lower_ends(drawn: Floats, differences: Floats) -> Floats:
    """The lower end of the interval of each difference (k), which is positive.

    drawn: k x resamples; NaN where one of the two is not defined. NaN where no interval
    can be had. The same as `interval_of` gives, in one step where nothing is NaN.
    """
    if not drawn.size:
        return np.full(len(differences), np.nan)
    if np.isnan(drawn).any():
        found = [
            interval_of(row, float(difference), -1.0, 1.0)
            for row, difference in zip(drawn, differences, strict=True)
        ]
        return np.array([np.nan if each is None else each.low for each in found])
    low = differences + np.quantile(drawn, _TAIL, axis=1) - drawn.mean(axis=1)
    return np.asarray(np.minimum(low, differences))
