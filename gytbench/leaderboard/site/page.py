"""The pages: what the templates are given, and the files that they become."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gytbench.errors import InputError
from gytbench.leaderboard.board import NAME
from gytbench.leaderboard.ranking import tables
from gytbench.leaderboard.results import EntryResults, Reported
from gytbench.leaderboard.site.charts import place_chart, progress_chart
from gytbench.leaderboard.site.classes import class_fields
from gytbench.leaderboard.site.entry import sections
from gytbench.leaderboard.site.rows import board_tables, table_keys
from gytbench.leaderboard.site.texts import address, bibtex, visible
from gytbench.leaderboard.site.words import SUPERVISION
from gytbench.report.html.canvas import SHAPES
from gytbench.report.html.templates import page_templates
from gytbench.writing import write_whole

if TYPE_CHECKING:
    import jinja2

_HERE: Final = Path(__file__).parent
_GENERATOR: Final = '<meta name="generator" content="gytbench leaderboard">'
"""What every page holds, and no other file does."""


def write_site(entries: Sequence[EntryResults], reported: Sequence[Reported], out: Path) -> None:
    """Write the leaderboard to a folder: index.html, and entries/NAME.html for each entry.

    The pages fetch nothing and can be read without a script. The same input makes the
    same bytes. Pages of entries that are gone are removed; other files are left alone.
    The entries are gone through three times, so that a sequence which reads each from its
    file need not hold the results of the classes of all at once.
    Raises InputError where two entries have one name or a name cannot be a file's, where
    results cannot be ranked together, where Jinja2 is missing, and where the folder
    cannot be written to.
    """
    named = _named(entries)
    environment = _environment()
    made = tables(named.values())
    keys = table_keys(made)
    pages = out / "entries"
    _make(pages)
    boards = board_tables(made, named, reported)
    charts = {each.key: _charts(each.table, named) for each in boards}
    board = environment.get_template("board.html.jinja").render(
        **_board(named, reported), boards=boards, charts=charts
    )
    fields = class_fields(entries)
    template = environment.get_template("entry.html.jinja")
    for entry in entries:
        shown = sections(entry, made, keys, named, fields)
        text = template.render(**_entry(entry), sections=shown)
        write_whole(pages / f"{entry.entry}.html", text.encode())
    write_whole(out / "index.html", board.encode())
    _remove_others(pages, {f"{name}.html" for name in named})


def _named(entries: Sequence[EntryResults]) -> dict[str, EntryResults]:
    """The entries without their classes, by name, sorted; a name is part of a path."""
    slim = sorted(map(_without_classes, entries), key=lambda each: each.entry)
    named = {each.entry: each for each in slim}
    if len(named) != len(entries):
        raise InputError("two entries have the same name")
    for name in named:
        if not NAME.fullmatch(name):
            raise InputError(f"{name[:60]!r} cannot be the name of an entry")
    return named


def _without_classes(entry: EntryResults) -> EntryResults:
    scores = tuple(msgspec.structs.replace(each, per_class={}) for each in entry.scores)
    return msgspec.structs.replace(entry, scores=scores)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot be made: {reason}", where=str(folder)) from None


def _remove_others(pages: Path, kept: set[str]) -> None:
    """Remove the pages of entries that are gone: what this module wrote, and nothing else."""
    for path in sorted(pages.glob("*.html")):
        if path.name in kept or path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as file:
            if _GENERATOR.encode() in file.read(2000):
                path.unlink()


def _environment() -> "jinja2.Environment":
    environment = page_templates(_HERE)
    script = (_HERE / "site.js").read_text(encoding="utf-8")
    style = (_HERE / "site.css").read_text(encoding="utf-8")
    environment.globals.update(
        script=script,
        style=style,
        script_hash=_digest(script),
        style_hash=_digest(style),
        generator=_GENERATOR,
        shapes=SHAPES,
        supervision_words=SUPERVISION,
    )
    environment.filters["visible"] = visible
    return environment


def _digest(text: str) -> str:
    """The hash by which a page allows this script or style, and no other."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _charts(table: Any, entries: Mapping[str, EntryResults]) -> list[Any]:
    drawn = [progress_chart(table, entries)]
    drawn += [place_chart(table, entries)] if table.task == "st" else []
    return [each for each in drawn if each]


def _board(named: Mapping[str, EntryResults], reported: Sequence[Reported]) -> dict[str, Any]:
    submitted = [each.about for each in named.values() if each.about]
    rows = [row for paper in reported for row in paper.rows]

    def values(field: str) -> list[str]:
        found = {visible(getattr(each, field)) for each in (*submitted, *rows)}
        return sorted(found - {""}, key=lambda text: (text.casefold(), text))

    return {
        "submissions": len(submitted),
        "choices": {
            "backbone": values("backbone"),
            "supervision": values("supervision"),
            "modality": values("modality"),
        },
        "protocols": sorted({each.protocol for each in named.values()}),
        "packages": sorted({each.package for each in named.values()}),
        "data": sorted({pair for each in named.values() for pair in each.data.items()}),
    }


def _entry(entry: EntryResults) -> dict[str, Any]:
    about = entry.about
    return {
        "entry": entry,
        "about": about,
        "title": visible(about.system) if about else entry.entry,
        "links": [
            (word, text, address(text))
            for word, text in (("Paper", about.paper), ("Code", about.code))
            if text
        ]
        if about
        else [],
        "citation": bibtex(entry.entry, about) if about else "",
        "own_citation": bool(about and about.citation.strip()),
    }
