"""Lines and rows of a text file, one after the other, and the numbers in them."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from gytbench.errors import InputError
from gytbench.inputs import open_input
from gytbench.predictions import limits
from gytbench.predictions.faults import quoted

MAX_LINE = 64 << 20
"""Bytes of a line."""


def byte_lines(file: IO[bytes], source: str) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, numbered from 1.

    Raises `InputError` for a line that is too long, and a file that is too large.
    """
    number = size = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        size += len(line)
        if len(line) > MAX_LINE:
            where = f"{source}: line {number}"
            raise InputError(f"longer than {MAX_LINE >> 20} MiB", where=where)
        limits.check_size(size, Path(source))
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield number, line


def _decoded(file: IO[bytes], source: str) -> Iterator[tuple[int, str]]:
    for number, line in byte_lines(file, source):
        try:
            yield number, line.decode()
        except UnicodeDecodeError:
            raise InputError("not UTF-8 text", where=f"{source}: line {number}") from None


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file that are not blank, numbered from 1."""
    with open_input(path) as file:
        yield from _decoded(file, str(path))


def csv_fields(file: IO[bytes], source: str) -> Iterator[tuple[str, list[str]]]:
    """The rows of CSV, each with its place; delimited by comma, tab or semicolon.

    A field is on one line. Raises `InputError` for what is no CSV.
    """
    delimiter = ""
    for number, line in _decoded(file, source):
        delimiter = delimiter or max(",\t;", key=line.count)
        where = f"{source}: line {number}"
        try:
            row = next(csv.reader([line], delimiter=delimiter, strict=True))
        except csv.Error as error:
            raise InputError(f"not CSV: {error}", where=where) from None
        yield where, row


def csv_rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The rows of a CSV file; see `csv_fields`."""
    with open_input(path) as file:
        yield from csv_fields(file, str(path))


def number_of(text: str, name: str, where: str) -> float:
    """A finite number; raises `InputError` that names the field."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    # Python reads 1_000 too; no other program does.
    if not math.isfinite(found) or "_" in text:
        raise InputError(f"{name}: {quoted(text)} is not a number", where=where)
    return found


def whole_of(text: str, name: str, where: str) -> int:
    """A whole number, also where it is written as 3.0."""
    found = number_of(text, name, where)
    if found != int(found):
        raise InputError(f"{name}: {quoted(text)} is not a whole number", where=where)
    return int(found)


def shown_number(value: float) -> str:
    """The shortest text that reads back as the same number."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
