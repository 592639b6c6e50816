"""Tells the formats apart by their content, and reads each with its own module."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from gytbench.annotation.reading.aggregate import is_aggregate, is_native, read_aggregate
from gytbench.annotation.reading.coco import read_coco
from gytbench.annotation.reading.cvat import read_cvat
from gytbench.annotation.reading.flat import read_flat
from gytbench.annotation.reading.label_studio import is_label_studio, read_label_studio
from gytbench.annotation.reading.sheets import (
    Sheet,
    sheet_of_json,
    sheet_of_lines,
    sheet_of_text,
)
from gytbench.annotation.reading.source import decode_json, read_source
from gytbench.annotation.rows import PointRow
from gytbench.errors import InputError
from gytbench.predictions.reading import collector_paused
from gytbench.predictions.syntax import NOT_DECODED

_LINES = (".jsonl", ".ndjson")
_FIRST = re.compile(rb"\s*(\S)")
# XML in two bytes a letter, which its own header or mark tells.
_WIDE_XML = (b"\xff\xfe<\x00", b"\xfe\xff\x00<")


class PointFile(NamedTuple):
    """The rows of one file of points."""

    rows: list[PointRow]
    aggregate: bool
    """Whether they are mean points."""
    native: bool
    """Whether they are mean points in the pixels of the videos."""


def read_rows(path: Path, columns: Mapping[str, str]) -> list[PointRow]:
    """The answers in a file of points: flat JSON, JSON Lines, CSV, TSV, the released
    aggregates, COCO keypoints, CVAT for images, or Label Studio.

    `columns` names columns of flat files by role (x, y, annotator, video, second, step,
    image, width, height), as {"x": "px"}; other formats need none. Coordinates are
    pixels. Raises `InputError` with all faults of the file.
    """
    return read_points(path, columns).rows


def read_points(path: Path, columns: Mapping[str, str], unnamed: str = "") -> PointFile:
    """As `read_rows`, and what kind of points they are.

    Annotators that the file does not name are numbered within their frame, behind the
    prefix `unnamed`.
    """
    data = read_source(path)
    with collector_paused():
        file = _read(data, path, columns)
        return file._replace(rows=_numbered(_with_sizes(file.rows), unnamed))


def _numbered(rows: list[PointRow], prefix: str) -> list[PointRow]:
    counts: Counter[tuple[str, int, str]] = Counter()
    for index, row in enumerate(rows):
        if not row.annotator:
            frame = row.video, row.second, row.step
            counts[frame] += 1
            rows[index] = row._replace(annotator=f"{prefix}{counts[frame]}")
    return rows


def known_sizes(rows: Sequence[PointRow]) -> dict[str, tuple[float, float]]:
    """The sizes that the rows tell, by video."""
    return {
        row.video: (row.width, row.height)
        for row in rows
        if row.width is not None and row.height is not None
    }


def _with_sizes(rows: list[PointRow]) -> list[PointRow]:
    """Rows without a size, such as Label Studio's empty answers, get that of their video."""
    sizes = known_sizes(rows)
    if not sizes:
        return rows
    for index, row in enumerate(rows):
        if row.width is None and row.height is None and row.video in sizes:
            width, height = sizes[row.video]
            rows[index] = row._replace(width=width, height=height)
    return rows


def _read(data: bytes, path: Path, columns: Mapping[str, str]) -> PointFile:
    source = str(path)
    found = _FIRST.match(data)
    first = found[1] if found else b""
    if first == b"<" or data.startswith(_WIDE_XML):
        return _own(read_cvat(data, source))
    if first == b"[":
        document = decode_json(data, source)
        if is_label_studio(document):
            return _own(read_label_studio(document, source))
        return _of_sheet(sheet_of_json(document, source), columns)
    if first == b"{" and not _is_lines(data, path):
        return _own(read_coco(_coco(decode_json(data, source), source), source))
    sheet = sheet_of_lines(data, source) if first == b"{" else sheet_of_text(data, source)
    return _of_sheet(sheet, columns)


def _own(rows: list[PointRow]) -> PointFile:
    return PointFile(rows, aggregate=False, native=False)


def _of_sheet(sheet: Sheet, columns: Mapping[str, str]) -> PointFile:
    if not sheet.places:
        raise InputError("holds no rows", where=sheet.source)
    if {"answer", "annotator", "time"} <= set(sheet.names):
        reason = (
            "is the log of `gytbench annotate`, which keeps answers that were replaced; "
            "export it with --export OUT.csv, and give that"
        )
        raise InputError(reason, where=sheet.source)
    if is_aggregate(sheet):
        return PointFile(read_aggregate(sheet, columns), True, is_native(sheet))
    return _own(read_flat(sheet, columns))


def _is_lines(data: bytes, path: Path) -> bool:
    """Whether text that begins with an object is JSON Lines: its first line is an object."""
    if path.name.lower().endswith(_LINES):
        return True
    line = data.lstrip().partition(b"\n")[0]
    try:
        first = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except NOT_DECODED:
        return False
    if {"images", "annotations"} & first.keys():
        return False
    # A row holds plain values; an object of objects or lists is another kind of file.
    return not any(bytes(value).lstrip().startswith((b"{", b"[")) for value in first.values())


def _coco(document: Any, source: str) -> dict[str, Any]:
    if isinstance(document, dict) and {"images", "annotations"} & document.keys():
        return document
    reason = (
        "an object that is not COCO (images, annotations, categories); "
        "write an array of rows, or one row a line (JSON Lines)"
    )
    raise InputError(reason, where=f"{source}: $")
