"""The rows of caption files: a video, seconds and a text, in any of the layouts that are read.

They are told apart by what they hold, not by their names:

- a JSON object, video id -> {"start": [...], "end": [...], "text": [...]}, as HowTo100M's
  caption.json, raw_caption.json and raw_caption_superclean.json. These have NaN where a text
  is missing, which is no JSON; it is taken for null. Of an id that is there twice the last
  counts;
- a CSV file with the columns video (or video_id, video_path), start, end and text (or caption);
- a folder with a file for each video, ID.csv (columns start, end and text, as in the release
  of MIL-NCE), ID.srt or ID.vtt.

Text is UTF-8, with or without a byte order mark; times are seconds after the video's start.
"""

import csv
import html
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from gytbench.errors import InputError
from gytbench.predictions.syntax import NOT_DECODED, syntax_fault

MAX_BYTES = 4 << 30
"""Of a file with the captions, or the names, of all videos: four times HowTo100M's."""

MAX_VIDEO_BYTES = 16 << 20
"""Of a file with the captions of one video."""

SUFFIXES = frozenset({".csv", ".srt", ".vtt"})
"""Of the files of a folder of captions."""

VIDEO_COLUMNS = ("video", "video_id", "video_path")
"""Names of the column that says which video a row is of."""

_BOM = b"\xef\xbb\xbf"
_PIECE = 1 << 20
_COLUMNS = (("start",), ("end",), ("text", "caption"))

_NO_NUMBER = re.compile(rb"-?\b(?:NaN|Infinity)\b")
_ESCAPE = re.compile(rb"\\.", re.S)

_CLOCK = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2}(?:[.,]\d{1,6})?)"
_TIMING = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s|$)", re.A)
_MARKUP = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")


class Row(NamedTuple):
    """A narration as a file has it; a time that is missing or no number is NaN."""

    video: str
    start: float
    end: float
    text: str
    where: str
    """With the number behind it, the place for a message: "caption.csv: line "."""
    number: int


class LeftOut:
    """What does not count, by reason, with the first example of each."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def add(self, reason: str, example: str) -> None:
        """One more; only the first example is kept."""
        self.counts[reason] += 1
        self.examples.setdefault(reason, example)


Wanted = Callable[[str], str | None]
"""The id of the video that a name stands for, or None where it does not count."""


def caption_rows(path: Path, wanted: Wanted, left_out: LeftOut) -> Iterator[Row]:
    """The rows of the videos that are wanted, in the order of the file or folder.

    Raises `InputError` for what is in none of the layouts. A row, or a file of one video,
    that cannot be read is added to what is left out.
    """
    if path.is_dir():
        return _folder_rows(path, wanted, left_out)
    with _opened(path, MAX_BYTES) as file:
        begin = file.read(4096).removeprefix(_BOM).lstrip()
    if not begin:
        raise InputError("is empty", where=str(path))
    if begin[:1] in b"{[":
        return _json_rows(path, wanted)
    return _table_rows(path, wanted, left_out)


def csv_rows(
    path: Path, columns: Sequence[tuple[str, ...]], limit: int = MAX_BYTES
) -> Iterator[tuple[int, list[str] | None]]:
    """The line and the cells of each row of a CSV file, in the order of the columns.

    A column may have several names, of which the first that is there is meant; other
    columns do not count. Blank rows are passed over; of a row that is not CSV, or is too
    short, the cells are None.

    Raises `InputError` for a file that cannot be read, lacks a column, or is too large.
    """
    with _opened(path, limit) as file:
        text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
        # A line of a gigabyte is not read at once.
        reader = csv.reader(iter(lambda: text.readline(_PIECE), ""), strict=True)
        try:
            places = _places(reader, columns, path)
            while True:
                row = _next_row(reader, places)
                if row != []:
                    yield reader.line_num, row
        except StopIteration:
            return
        except UnicodeDecodeError:
            reason = f"is not UTF-8 text near line {reader.line_num + 1}"
            raise InputError(reason, where=str(path)) from None


def _places(
    reader: "Iterator[list[str]]", columns: Sequence[tuple[str, ...]], path: Path
) -> list[int]:
    """Where each column stands, by the first line."""
    try:
        header = [name.strip().lower() for name in next(reader, [])]
    except csv.Error as error:
        raise InputError(f"its first line is not CSV: {error}", where=str(path)) from None
    places = []
    for names in columns:
        place = next((header.index(name) for name in names if name in header), None)
        if place is None:
            has = ", ".join(header)[:200] or "none"
            reason = f"has no column {' or '.join(names)}; its columns are: {has}"
            raise InputError(reason, where=str(path))
        places.append(place)
    return places


def _next_row(reader: "Iterator[list[str]]", places: Sequence[int]) -> list[str] | None:
    """The cells, [] for a blank row, None for a broken one; StopIteration at the end."""
    try:
        row = next(reader)
        return [row[place] for place in places] if row else []
    except (csv.Error, IndexError):
        return None


def _json_rows(path: Path, wanted: Wanted) -> Iterator[Row]:
    """Of a JSON object; only the videos that are wanted are decoded further."""
    decoder = msgspec.json.Decoder(_Captions)
    for name, raw in _videos_of(_json_text(path), path).items():
        video = wanted(name)
        if video is None:
            continue
        place = f"{path}: $[{name[:100]!r}]"
        try:
            captions = decoder.decode(raw)
        except NOT_DECODED as error:
            raise InputError(_at(error), where=place) from None
        if not len(captions.start) == len(captions.end) == len(captions.text):
            reason = (
                f"has {len(captions.start)} starts, {len(captions.end)} ends and "
                f"{len(captions.text)} texts; there must be as many of each"
            )
            raise InputError(reason, where=place)
        rows = zip(captions.start, captions.end, captions.text, strict=True)
        for number, (start, end, text) in enumerate(rows):
            yield Row(video, _time(start), _time(end), text or "", f"{place}, entry ", number)


def _json_text(path: Path) -> bytes | bytearray:
    with _opened(path, MAX_BYTES) as file:
        data = file.read().removeprefix(_BOM)
    return _with_null(data) if b"NaN" in data or b"Infinity" in data else data


class _Captions(msgspec.Struct):
    """What HowTo100M's files have of a video."""

    start: list[float | None]
    end: list[float | None]
    text: list[str | None]


def _videos_of(data: bytes | bytearray, path: Path) -> dict[str, msgspec.Raw]:
    """The object, its values undecoded, so that what does not count takes no memory."""
    try:
        return msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except NOT_DECODED as error:
        fault = syntax_fault(str(path), data)
        if fault:
            raise InputError([fault]) from None
        reason = f"{error}: captions are an object with a video's id as each key"
        raise InputError(reason, where=str(path)) from None


def _time(value: float | None) -> float:
    return math.nan if value is None else value


def _at(error: Exception) -> str:
    """The decoder's words, with the path said as one that goes on from the video's."""
    reason, _, place = str(error).partition(" - at `$")
    return f"{place.rstrip('`').lstrip('.')}: {reason}" if place else reason


def _with_null(data: bytes) -> bytearray:
    """JSON with null for NaN and Infinity where they are not within a string."""
    written = bytearray()
    last, inside = 0, False
    for found in _NO_NUMBER.finditer(data):
        between = data[last : found.start()]
        # An escaped quote does not end a string.
        escaped = sum(escape[0] == b'\\"' for escape in _ESCAPE.finditer(between))
        inside ^= bool((between.count(b'"') - escaped) % 2)
        written += between
        written += found[0] if inside else b"null"
        last = found.end()
    written += data[last:]
    return written


def _table_rows(path: Path, wanted: Wanted, left_out: LeftOut) -> Iterator[Row]:
    """Of one CSV file; a video's rows need not be together."""
    where = f"{path}: line "
    for line, cells in csv_rows(path, (VIDEO_COLUMNS, *_COLUMNS)):
        if cells is None:
            left_out.add(_BROKEN, f"{where}{line}")
            continue
        name, start, end, text = cells
        video = wanted(name)
        if video is not None:
            yield Row(video, _number(start), _number(end), text, where, line)


_BROKEN = "rows that are not CSV"


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _folder_rows(folder: Path, wanted: Wanted, left_out: LeftOut) -> Iterator[Row]:
    """Of a folder with a file for each video."""
    for name, paths in _caption_files(folder).items():
        video = wanted(name)
        if video is None:
            continue
        if len(paths) > 1:
            left_out.add("videos with several caption files", f"{paths[0]} and {paths[1].name}")
            continue
        try:
            yield from _file_rows(paths[0], video, left_out)
        except InputError as error:
            left_out.add("caption files that cannot be read", str(error))


def _caption_files(folder: Path) -> dict[str, list[Path]]:
    """The caption files by the id that they are named for, in order."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(folder)) from None
    found: dict[str, list[Path]] = {}
    for path in paths:
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            found.setdefault(path.stem, []).append(path)
    if not found:
        reason = "has no caption file: ID.csv, ID.srt or ID.vtt for each video"
        raise InputError(reason, where=str(folder))
    return found


def _file_rows(path: Path, video: str, left_out: LeftOut) -> Iterator[Row]:
    where = f"{path}: line "
    if path.suffix.lower() == ".csv":
        for line, cells in csv_rows(path, _COLUMNS, MAX_VIDEO_BYTES):
            if cells is None:
                left_out.add(_BROKEN, f"{where}{line}")
            else:
                start, end, text = cells
                yield Row(video, _number(start), _number(end), text, where, line)
    else:
        for line, begin, finish, text in _cues(path):
            yield Row(video, begin, finish, text, where, line)


def _cues(path: Path) -> Iterator[tuple[int, float, float, str]]:
    """The line, times and text of each cue of a SubRip or WebVTT file, without markup.

    Whatever is not between a line with times and the next blank one is passed over:
    headers, numbers, notes and styles.
    """
    try:
        with _opened(path, MAX_VIDEO_BYTES) as file:
            lines = file.read().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text", where=str(path)) from None
    texts = iter(enumerate([*lines, ""], 1))
    for number, line in texts:
        if "-->" not in line:
            continue
        words = []
        for _, text in texts:
            if not text.strip():
                break
            words.append(text)
        times = _TIMING.match(line)
        start, end = (
            _seconds(*times.groups()[at : at + 3]) if times else math.nan for at in (0, 3)
        )
        yield number, start, end, html.unescape(_MARKUP.sub("", " ".join(words)))


def _seconds(hours: str | None, minutes: str, seconds: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))


@contextmanager
def _opened(path: Path, limit: int) -> Iterator[BinaryIO]:
    """The file's bytes; `InputError` for what is no file, too large, or fails in the block."""
    try:
        # What is no plain file, such as a pipe, might never end.
        if not path.is_file():
            raise InputError("no such file", where=str(path))
        size = path.stat().st_size
        if size > limit:
            reason = f"holds {size:,} bytes, more than the {limit:,} that are read"
            raise InputError(reason, where=str(path))
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
