"""An entry's own page: its rank and metrics in every table, and its classes in the field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gytbench.bounds import REFERENCES
from gytbench.leaderboard.ranking import Table
from gytbench.leaderboard.results import EntryResults, TaskScores
from gytbench.leaderboard.site.classes import (
    ClassField,
    ClassRow,
    Fields,
    class_rows,
    outstanding,
)
from gytbench.leaderboard.site.strips import Look, looks_of, metric_strip, strip_keys
from gytbench.leaderboard.site.texts import visible
from gytbench.leaderboard.site.words import (
    TASK_WORDS,
    TaskWords,
    metric_meanings,
    metric_title,
)
from gytbench.report.html.canvas import Canvas, Key
from gytbench.report.html.meanings import FIELDS
from gytbench.report.tables import interval, percent

_MOST_NAMED: Final = 12


class MetricRow(NamedTuple):
    """One metric as text, beside the floors and ceilings of its task."""

    name: str
    title: str
    score: str
    interval: str
    references: tuple[str, ...]
    strip: Canvas


class Others(NamedTuple):
    """Submissions that stand in one relation to the entry."""

    words: str
    named: tuple[tuple[str, str], ...]
    """Name of the entry and of its system, the first few."""
    more: int


@dataclass(frozen=True)
class Section:
    """The entry's result in one table."""

    key: str
    words: TaskWords
    release: str
    scores: TaskScores
    rank: int | None
    shared: bool
    """Whether another submission has the same rank."""
    of: int
    """The number of ranked submissions."""
    others: tuple[Others, ...]
    references: tuple[tuple[str, str], ...]
    """Name and kind of the floors and ceilings in the table of metrics."""
    keys: tuple[Key, ...]
    """Of the marks of the drawn metrics."""
    rows: tuple[MetricRow, ...]
    meanings: Mapping[str, str]
    """Of the metrics, by what they are called."""
    fields: tuple[tuple[str, str, str], ...]
    """Of the signature: name, value, meaning."""
    classes: tuple[ClassRow, ...]
    outstanding: Canvas | None
    """The classes furthest from the field; None where there is no field."""


def sections(
    entry: EntryResults,
    made: Sequence[Table],
    keys: Mapping[str, str],
    entries: Mapping[str, EntryResults],
    fields: Fields,
) -> list[Section]:
    """What an entry's page shows, a section for each table that it stands in.

    Only the entry itself needs the results of its classes.
    """
    own = {each.signature: each for each in entry.scores}
    return [
        _section(
            entry,
            own[table.signature],
            table,
            keys[table.signature],
            entries,
            fields.get(table.signature, {}),
        )
        for table in made
        if table.signature in own
    ]


def _section(
    entry: EntryResults,
    scores: TaskScores,
    table: Table,
    key: str,
    entries: Mapping[str, EntryResults],
    field: Mapping[str, ClassField],
) -> Section:
    names = [name for name in REFERENCES[table.task] if name in table.scores]
    beside = [entries[name] for name in names if name != entry.entry]
    looks = looks_of([(each.entry, each.kind) for each in beside])
    return Section(
        key=key,
        words=TASK_WORDS[table.task],
        release=table.release,
        scores=scores,
        rank=table.rank(entry.entry),
        shared=bool(table.tied(entry.entry)),
        of=len(table.better),
        others=_others(entry.entry, table, entries),
        references=tuple((each.entry, each.kind) for each in beside),
        keys=strip_keys(looks),
        rows=tuple(_metric_row(name, entry, table, looks) for name in scores.metrics),
        meanings=metric_meanings(scores.metrics),
        fields=_signature_fields(table.signature),
        classes=class_rows(scores, field),
        outstanding=outstanding(scores, field)
        if len(table.better) > 1 and table.rank(entry.entry)
        else None,
    )


def _signature_fields(signature: str) -> tuple[tuple[str, str, str], ...]:
    parts = [part.partition(":") for part in signature.split("|")]
    return tuple((name, value, FIELDS.get(name, "")) for name, _, value in parts)


def _others(name: str, table: Table, entries: Mapping[str, EntryResults]) -> tuple[Others, ...]:
    """Who is better, who cannot be told apart, who is worse."""
    if name not in table.better:
        return ()
    better = sorted(table.better[name])
    worse = [each for each, above in table.better.items() if name in above]
    alike = [each for each in table.better if each not in {name, *better, *worse}]
    groups = (
        ("Better beyond doubt", better),
        ("Cannot be told apart from it", alike),
        ("Worse beyond doubt", worse),
    )
    return tuple(
        Others(
            words,
            tuple((each, _system(entries[each])) for each in found[:_MOST_NAMED]),
            max(0, len(found) - _MOST_NAMED),
        )
        for words, found in groups
        if found
    )


def _system(entry: EntryResults) -> str:
    return visible(entry.about.system) if entry.about else entry.entry


def _metric_row(
    name: str, entry: EntryResults, table: Table, looks: Mapping[str, Look]
) -> MetricRow:
    scores = table.scores[entry.entry]
    score, found = scores.metrics[name], scores.intervals.get(name)
    beside = {each: table.scores[each].metrics.get(name) for each in looks}
    return MetricRow(
        name=name,
        title=metric_title(name),
        score=percent(score),
        interval=interval(found) if found else "",
        references=tuple(map(percent, beside.values())),
        strip=metric_strip(score, found, looks, beside),
    )
