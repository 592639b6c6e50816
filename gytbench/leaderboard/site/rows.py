"""The tables of the board as rows of text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gytbench.leaderboard.ranking import Table, ranked_score
from gytbench.leaderboard.results import EntryResults, Reported, ReportedRow
from gytbench.leaderboard.site.strips import Span, axis, span_of, strip
from gytbench.leaderboard.site.texts import address, authors, shortened, visible
from gytbench.leaderboard.site.words import TASK_WORDS, TaskWords, metric_title
from gytbench.report.html.canvas import Canvas
from gytbench.report.tables import NONE, interval, percent

_SHORT: Final = 60


class Row(NamedTuple):
    """One result, or one that a paper reports, as the table shows it."""

    name: str
    """Of the entry; empty for a reported row, which has no page."""
    kind: str
    """`submission`, `floor`, `ceiling` or `reported`."""
    rank: str
    """Empty where there is none; `=` after it where it is shared."""
    system: str
    byline: str
    scores: tuple[str, ...]
    """In percent, the ranked one first."""
    interval: str
    strip: Canvas | None
    backbone: str = ""
    supervision: str = ""
    modality: str = ""
    date: str = ""
    tuned: bool = False
    flagged: bool = False
    links: tuple[tuple[str, str], ...] = ()
    note: int = 0
    """The number of the note below the table; 0 = none."""


class Note(NamedTuple):
    """What stands below a table about rows of a paper."""

    number: int
    paper: str
    url: str
    table: str
    text: str
    """What makes the numbers differ; may be empty."""


@dataclass(frozen=True)
class BoardTable:
    """A table of the board: one task, one signature."""

    key: str
    """Its name in addresses."""
    words: TaskWords
    release: str
    table: Table
    titles: tuple[str, ...]
    """Of the columns of scores."""
    axis: Canvas
    rows: tuple[Row, ...]
    """The best first; floors and ceilings stand among the submissions."""
    reported: tuple[Row, ...]
    notes: tuple[Note, ...]
    submissions: int
    floor: str
    """The best floor, which the dashed line is; empty = it is not drawn."""


def board_tables(
    made: Sequence[Table], entries: Mapping[str, EntryResults], reported: Iterable[Reported]
) -> list[BoardTable]:
    """The tables of the board, in order."""
    papers = list(reported)
    keys = table_keys(made)
    return [_board_table(table, keys[table.signature], entries, papers) for table in made]


def table_keys(made: Sequence[Table]) -> dict[str, str]:
    """A name for the address of each table, by signature: `st-published`."""
    keys: dict[str, str] = {}
    for table in made:
        key = "-".join(filter(None, (table.task, table.release)))
        taken = sum(each == key or each.startswith(f"{key}-v") for each in keys.values())
        keys[table.signature] = f"{key}-v{taken + 1}" if taken else key
    return keys


def _board_table(
    table: Table, key: str, entries: Mapping[str, EntryResults], papers: Sequence[Reported]
) -> BoardTable:
    words = TASK_WORDS[table.task]
    floor = best_floor(table, entries)
    span = table_span(table, floor)
    names = sorted(table.scores, key=lambda name: _descending(table, name))
    rows = tuple(_row(table, entries[name], span, floor) for name in names)
    reported, notes = _reported(table, papers)
    return BoardTable(
        key=key,
        words=words,
        release=table.release,
        table=table,
        titles=tuple(map(metric_title, words.columns)),
        axis=axis(span),
        rows=rows,
        reported=tuple(reported),
        notes=tuple(notes),
        submissions=sum(row.kind == "submission" for row in rows),
        floor=floor if floor and _inside(span, table, floor) else "",
    )


def _descending(table: Table, name: str) -> tuple[bool, float, str]:
    score = ranked_score(table.scores[name])
    return score is None, -(score or 0.0), name


def _inside(span: Span, table: Table, name: str) -> bool:
    score = ranked_score(table.scores[name])
    return score is not None and span.low <= score <= span.high


def best_floor(table: Table, entries: Mapping[str, EntryResults]) -> str:
    """The floor with the highest score; empty where there is none."""
    scored = [
        (score, name)
        for name, each in table.scores.items()
        if entries[name].kind == "floor" and (score := ranked_score(each)) is not None
    ]
    return max(scored)[1] if scored else ""


def table_span(table: Table, floor: str) -> Span:
    """The span of the submissions' intervals and of the best floor."""
    values: list[float] = []
    for name in table.better:
        scores = table.scores[name]
        found = scores.intervals.get(TASK_WORDS[table.task].columns[0])
        score = ranked_score(scores)
        values += [found.low, found.high] if found else [score] if score is not None else []
    lowest = ranked_score(table.scores[floor]) if floor else None
    return span_of([*values, lowest] if values and lowest is not None else values)


def _row(table: Table, entry: EntryResults, span: Span, floor: str) -> Row:
    words, scores = TASK_WORDS[table.task], table.scores[entry.entry]
    ranked, about = words.columns[0], entry.about
    rank = table.rank(entry.entry)
    lowest = ranked_score(table.scores[floor]) if floor else None
    found = scores.intervals.get(ranked)
    row = Row(
        name=entry.entry,
        kind=entry.kind,
        rank="" if rank is None else f"{rank}{'=' if table.tied(entry.entry) else ''}",
        system=visible(about.system) if about else entry.entry,
        byline=authors(about.authors) if about else visible(entry.summary),
        scores=tuple(percent(scores.metrics.get(name)) for name in words.columns),
        interval=interval(found) if found else "",
        strip=strip(span, scores.metrics.get(ranked), found, entry.kind, lowest),
        flagged=bool(entry.flags),
    )
    if about is None:
        return row
    linked = (("paper", address(about.paper)), ("code", address(about.code)))
    return row._replace(
        backbone=shortened(visible(about.backbone), _SHORT),
        supervision=about.supervision,
        modality=about.modality,
        date=visible(about.date),
        tuned=about.tuned_on_test,
        links=tuple((word, url) for word, url in linked if url),
    )


def _reported(table: Table, papers: Sequence[Reported]) -> tuple[list[Row], list[Note]]:
    """The reported rows of a task, the best first, and the notes that they share."""
    ranked = TASK_WORDS[table.task].columns[0]
    found = [(row, paper) for paper in papers for row in paper.rows if row.task == table.task]
    found.sort(key=lambda each: (-each[0].metrics.get(ranked, -1.0), each[0].system))
    rows, notes = [], dict[tuple[str, ...], Note]()
    for row, paper in found:
        said = (paper.paper, paper.url, row.table, row.notes)
        note = notes.setdefault(said, _note(len(notes) + 1, row, paper))
        rows.append(_reported_row(row, paper, note.number, table))
    return rows, list(notes.values())


def _reported_row(row: ReportedRow, paper: Reported, number: int, table: Table) -> Row:
    ranked, *others = TASK_WORDS[table.task].columns
    known = {name: f"{value:.2f}" for name, value in row.metrics.items()}
    return Row(
        name="",
        kind="reported",
        rank="",
        system=shortened(visible(row.system), _SHORT),
        byline="",
        scores=(known.get(ranked, NONE), *(known.get(name, "") for name in others)),
        interval="",
        strip=None,
        backbone=shortened(visible(row.backbone), _SHORT),
        supervision=shortened(visible(row.supervision), _SHORT),
        modality=shortened(visible(row.modality), _SHORT),
        date=shortened(visible(paper.date), 10),
        note=number,
    )


def _note(number: int, row: ReportedRow, paper: Reported) -> Note:
    said = (visible(text).strip() for text in (row.table, row.notes))
    return Note(number, visible(paper.paper), address(paper.url), *said)
