"""Rows under named columns, whether they stand in JSON, JSON Lines, CSV or TSV."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from gytbench.annotation.reading.answers import MAX_ROWS, Answers
from gytbench.annotation.reading.source import decode_json
from gytbench.annotation.reading.values import ABSENT
from gytbench.errors import Fault, InputError
from gytbench.predictions.syntax import numbered_lines, syntax_fault

DELIMITERS = (",", "\t", ";")


@dataclass(frozen=True)
class Sheet:
    """n rows; the names of their columns, and the values of one."""

    source: str
    names: tuple[str, ...]
    places: Sequence[str]
    """File and line or JSON path of each row (n)."""
    values: Callable[[str], list[Any]]
    """The n values of a column: JSON values with `ABSENT` for a missing key, or text."""
    written: bool
    """Whether all values are text, as in CSV."""

    def at(self, row: int, name: str) -> str:
        """The place of one value."""
        return f"{self.places[row]}{', column ' if self.written else '.'}{name}"


def sheet_of_json(document: list[Any], source: str) -> Sheet:
    """The rows of a JSON array of objects; `InputError` with each that is no object."""
    _check_number(len(document), source)
    return _of_records(Answers(source), f"{source}: $", document)


def sheet_of_lines(data: bytes, source: str) -> Sheet:
    """The rows of JSON Lines; `InputError` with every line that is no JSON object."""
    _check_number(data.count(b"\n"), source)
    faults: list[Fault] = []
    places, records = [], []
    for number, line in numbered_lines(data):
        if not line.strip():
            continue
        where = f"{source}: line {number}"
        try:
            record = decode_json(line, where, one_line=True)
        except InputError as error:
            faults += error.faults
            continue
        if isinstance(record, dict):
            places.append(f"{where}: $")
            records.append(record)
        else:
            faults.append(Fault(where, "must be a JSON object", "wrong type"))
    if faults:
        raise InputError(faults)
    return _json_sheet(source, places, records)


def _of_records(answers: Answers, where: str, document: list[Any]) -> Sheet:
    found = answers.objects(document, where)
    if answers.faults:
        raise InputError(answers.faults)
    return _json_sheet(
        answers.source, [place for place, _ in found], [record for _, record in found]
    )


def _json_sheet(source: str, places: list[str], records: list[dict[str, Any]]) -> Sheet:
    names = tuple(dict.fromkeys(chain.from_iterable(records)))

    def values(name: str) -> list[Any]:
        return [record.get(name, ABSENT) for record in records]

    return Sheet(source, names, places, values, written=False)


def sheet_of_text(data: bytes, source: str) -> Sheet:
    """The rows of CSV or TSV, also with semicolons; the first line names the columns."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise InputError(filter(None, [syntax_fault(source, data)])) from None
    header, _, _ = text.lstrip("\r\n").partition("\n")
    delimiter = max(DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines, rows = _csv_rows(reader, source)
    names = tuple(name.strip() for name in rows.pop(0))
    _check_fields(names, lines[1:], rows, source)

    def values(name: str) -> list[Any]:
        column = names.index(name)
        return [row[column] for row in rows]

    places = [f"{source}: line {line}" for line in lines[1:]]
    return Sheet(source, tuple(filter(None, names)), places, values, written=True)


def _csv_rows(reader: Any, source: str) -> tuple[list[int], list[list[str]]]:
    """The rows that are not blank, header included, each with the line it begins in."""
    lines, rows = [], []
    begin = 1
    try:
        for row in reader:
            if any(row):
                lines.append(begin)
                rows.append(row)
                _check_number(len(rows) - 1, source)
            begin = reader.line_num + 1
    except csv.Error as error:
        reason = f"not CSV: {error}; see the quotes from here on"
        raise InputError([Fault(f"{source}: line {begin}", reason, "malformed")]) from None
    if not rows:
        raise InputError("it is empty", where=source)
    return lines, rows


def _check_fields(
    names: tuple[str, ...], lines: list[int], rows: list[list[str]], source: str
) -> None:
    """Raise `InputError` for two columns of one name, and for rows of other lengths."""
    answers = Answers(source)
    for name in dict.fromkeys(names):
        if name and names.count(name) > 1:
            reason = f"column {name!r} stands there {names.count(name)} times; rename one"
            answers.fault(f"{source}: line 1", reason, "columns")
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(names):
            reason = f"has {len(row)} fields where the first line names {len(names)}"
            answers.fault(f"{source}: line {line}", reason, "columns")
    if answers.faults:
        raise InputError(answers.faults)


def _check_number(rows: int, source: str) -> None:
    if rows > MAX_ROWS:
        raise InputError(f"more than {MAX_ROWS:,} rows; split the file", where=source)
