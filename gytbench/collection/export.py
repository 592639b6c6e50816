"""The answers as a flat table: what the analysis of a collection starts from."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import msgspec

from gytbench.collection.log import Answer, latest
from gytbench.errors import InputError
from gytbench.writing import write_whole

COLUMNS = ("video", "second", "step", "annotator", "x", "y", "width", "height")


def export_answers(answers: Iterable[Answer], path: Path) -> int:
    """Write the answers that count as CSV or JSON, by the file's suffix; returns how many.

    One row an answer, skipped ones left out; x and y in pixels of the frame,
    empty (in JSON null) where nothing was visible. Raises `InputError` for
    another suffix or a path that cannot be written to.
    """
    rows = _counting(answers)
    if path.suffix == ".csv":
        content = encode_csv(rows)
    elif path.suffix == ".json":
        content = msgspec.json.format(msgspec.json.encode([_row(row) for row in rows])) + b"\n"
    else:
        raise InputError("write to a name that ends in .csv or .json", where=str(path))
    write_whole(path, content)
    return len(rows)


def encode_csv(answers: Iterable[Answer]) -> bytes:
    """The answers that count as CSV with a header, UTF-8."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(answer) for answer in _counting(answers))
    return text.getvalue().encode()


def _counting(answers: Iterable[Answer]) -> list[Answer]:
    """The latest answers that are not skips, by video, second, step and annotator."""
    given = (answer for answer in latest(answers).values() if answer.answer != "skip")
    return sorted(given, key=lambda a: (a.video, a.second, a.step or "", a.annotator))


def _row(answer: Answer) -> dict[str, str | int | float | None]:
    return {column: getattr(answer, column) for column in COLUMNS}
