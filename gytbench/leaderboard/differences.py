"""What a change does to the tables, as Markdown for a comment under it.

Text of entries stands in code spans: no Markdown, HTML, mention or address works there. What
could end a span or a cell is replaced.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from gytbench.bounds import REFERENCES
from gytbench.errors import Fault
from gytbench.evaluation.result import Interval
from gytbench.evaluation.uncertainty import interval_of
from gytbench.leaderboard.ranking import Table, ranked_score, resampled, tables
from gytbench.leaderboard.results import RANKED, EntryResults, TaskScores
from gytbench.predictions import Task

_TASKS: Final[dict[Task, str]] = {
    "st": "Time and place",
    "spatial": "Place, the time given",
    "temporal": "Time",
}
_ROWS = 30
"""Rows shown of a table, so that a comment does not grow beyond what it may hold."""
_LENGTH = 60
_LONG = 300
_LISTED = 20
_REPLACED = str.maketrans(
    {
        "`": "'",
        "|": "\N{BROKEN BAR}",
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
    }
)
_NONE = "n/a"


class _Row(NamedTuple):
    """An entry of a table before and after; None where it is not in it."""

    name: str
    before: TaskScores | None
    after: TaskScores | None
    rank_before: int | None
    rank_after: int | None

    @property
    def what(self) -> str:
        """How it changes; empty where it does not."""
        if self.before is None:
            return "new"
        if self.after is None:
            return "removed"
        if self.before.metrics != self.after.metrics:
            return "changed"
        return "moved" if self.rank_before != self.rank_after else ""


def markdown(before: Sequence[EntryResults], after: Sequence[EntryResults]) -> str:
    """The rows of all tables that differ, and what the changed entries are flagged with."""
    old = {(table.task, table.signature): table for table in tables(before)}
    new = {(table.task, table.signature): table for table in tables(after)}
    abouts = {each.entry: each for each in (*before, *after)}
    parts = [part for key in {**new, **old} for part in _table(old.get(key), new.get(key), abouts)]
    lines = ["## What this changes on the leaderboard", ""]
    lines += parts or ["No row of any table changes.", ""]
    lines += _words(before, after)
    return "\n".join(lines).rstrip("\n") + "\n"


def faults_markdown(faults: Sequence[Fault]) -> str:
    """What keeps a change from being merged."""
    lines = ["## This cannot go on the leaderboard yet", ""]
    lines += [f"- {escaped(str(fault), _LONG)}" for fault in faults[:_LISTED]]
    hidden = len(faults) - _LISTED
    if hidden > 0:
        lines.append(f"- and {hidden:,} more; `gytbench leaderboard check` lists them")
    return "\n".join(lines) + "\n"


def escaped(text: str, length: int = _LENGTH) -> str:
    """Text of a stranger as a code span of one line that holds no Markdown and no HTML."""
    plain = "".join(each if each.isprintable() else " " for each in text[: 2 * length])
    plain = " ".join(plain.split()).translate(_REPLACED)
    short = plain if len(plain) <= length else plain[: length - 1] + "…"
    return f"`{short}`" if short else _NONE


def _table(
    old: Table | None, new: Table | None, abouts: Mapping[str, EntryResults]
) -> Iterator[str]:
    """The lines of one table, of the rows that differ; none where no row does."""
    table = new or old
    assert table is not None
    found = _rows(old, new)
    rows = [row for row in found if row.what not in ("", "moved")]
    moved = [row for row in found if row.what == "moved"]
    if not rows and not moved:
        return
    release = f", boxes `{table.release}`" if table.release else ""
    yield from (f"### {_TASKS[table.task]}: `{table.task}`{release}", "")
    if rows:
        yield from _lines(rows, table, abouts, 0 if new is None else len(new.better))
    if moved:
        names = [f"{escaped(row.name)} {row.rank_before} → {row.rank_after}" for row in moved]
        yield from (f"Ranks that move: {_listed(names)}.", "")
    yield from (f"Signature: `{table.signature}`", "")


def _lines(
    rows: Sequence[_Row], table: Table, abouts: Mapping[str, EntryResults], systems: int
) -> Iterator[str]:
    floor = REFERENCES[table.task][0]
    metric = f"`{RANKED[table.task]}`, %"
    head = ("Change", "Entry", "System", "Rank", metric, "Before", "Difference", f"Above `{floor}`")
    yield _line(head)
    yield _line(["---"] * len(head))
    for row in rows[:_ROWS]:
        yield _line(_cells(row, abouts[row.name], table.scores.get(floor), systems))
    yield ""
    if len(rows) > _ROWS:
        yield from (f"And {len(rows) - _ROWS:,} more rows.", "")


def _listed(texts: Sequence[str]) -> str:
    """Texts with commas, and how many more there are."""
    hidden = len(texts) - _LISTED
    return ", ".join(texts[:_LISTED]) + (f" and {hidden:,} more" if hidden > 0 else "")


def _rows(old: Table | None, new: Table | None) -> list[_Row]:
    """All entries of a table: new, changed, removed, then the others; each of them by rank."""
    one = {} if old is None else old.scores
    two = {} if new is None else new.scores
    rows = [
        _Row(
            name,
            one.get(name),
            two.get(name),
            old.rank(name) if old is not None else None,
            new.rank(name) if new is not None else None,
        )
        for name in {**two, **one}
    ]
    order = ("new", "changed", "removed", "moved", "")
    return sorted(rows, key=lambda row: (order.index(row.what), row.rank_after or 0, row.name))


def _cells(row: _Row, entry: EntryResults, floor: TaskScores | None, systems: int) -> list[str]:
    shown = row.after or row.before
    assert shown is not None
    system = entry.about.system if entry.about is not None else f"({entry.kind})"
    gone = row.after is None
    return [
        row.what,
        escaped(row.name),
        escaped(system),
        _rank(row, systems),
        _NONE if gone else _score(shown),
        _NONE if row.before is None else _score(row.before),
        _NONE if gone or row.before is None else _difference(shown, row.before),
        _NONE if gone or floor is None or shown is floor else _difference(shown, floor),
    ]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rank(row: _Row, systems: int) -> str:
    if row.rank_after is None:
        return _NONE if row.rank_before is None else f"was {row.rank_before}"
    moved = row.rank_before is not None and row.rank_before != row.rank_after
    return f"{f'{row.rank_before} → ' if moved else ''}{row.rank_after} of {systems}"


def _score(scores: TaskScores) -> str:
    """The ranked metric in percent, with its interval."""
    value = ranked_score(scores)
    if value is None:
        return "not defined"
    interval = scores.intervals.get(RANKED[scores.task])
    return f"{100 * value:.2f}{_between(interval, '')}"


def _difference(scores: TaskScores, other: TaskScores) -> str:
    """The difference of the ranked metric in points, with its paired interval."""
    one, two = ranked_score(scores), ranked_score(other)
    if one is None or two is None:
        return _NONE
    drawn, beside = resampled(scores), resampled(other)
    same = drawn.shape == beside.shape
    interval = interval_of(drawn - beside, one - two, -1.0, 1.0) if same else None
    return f"{100 * (one - two):+.2f}{_between(interval, '+')}"


def _between(interval: Interval | None, sign: str) -> str:
    if interval is None:
        return ""
    return f" ({100 * interval.low:{sign}.2f} to {100 * interval.high:{sign}.2f})"


def _words(before: Sequence[EntryResults], after: Sequence[EntryResults]) -> Iterator[str]:
    """What changes beside scores: what entries say about themselves, and flags."""
    known = {each.entry: each for each in before}
    changed = [each for each in after if known.get(each.entry) != each]
    told = [
        each.entry
        for each in changed
        if each.entry in known and known[each.entry].about != each.about
    ]
    if told:
        names = _listed([escaped(name) for name in told])
        yield from (f"What these entries say about themselves changes: {names}.", "")
    flags = [(each.entry, flag) for each in changed for flag in each.flags]
    if flags:
        yield from ("To be looked at:", "")
        yield from (f"- {escaped(name)}: {escaped(flag, _LONG)}" for name, flag in flags[:_LISTED])
        if len(flags) > _LISTED:
            yield f"- and {len(flags) - _LISTED:,} more"
