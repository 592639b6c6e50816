"""The bytes of a file of points, and the JSON in them, within limits."""

import re
from pathlib import Path
from typing import Any

import msgspec

from gytbench.errors import Fault, InputError
from gytbench.predictions.limits import MAX_VALUES, check_size
from gytbench.predictions.syntax import NOT_DECODED, Text, syntax_fault

_PIECE = 1 << 24
_PACKED = {
    b"\x1f\x8b": "it is compressed; unpack it first",
    b"PK\x03\x04": "it is a zip archive; unpack it, and name the file of points in it",
}
# A whole string, or what some programs write for a number that is none, or too large for one.
_STRING_OR_WORD = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"?'
    rb"|-?\b(?:NaN|nan|Infinity|inf|None)\b"
    rb"|-?(?<![0-9.])(?:[0-9.]++[eE]\+?[0-9]{3,}|[0-9]{300,})",
    re.DOTALL,
)


def read_source(path: Path) -> bytes:
    """The file without a byte order mark, 2 GiB at most; it is never empty."""
    data = _bytes_of(path)
    for mark, reason in _PACKED.items():
        if data.startswith(mark):
            raise InputError(reason, where=str(path))
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise InputError("it is empty", where=str(path))
    return data


def _bytes_of(path: Path) -> bytes:
    if path.is_dir():
        raise InputError("this is a folder; name the file of points", where=str(path))
    data = bytearray()
    try:
        with path.open("rb") as handle:
            while piece := handle.read(_PIECE):
                data += piece
                check_size(len(data), path)
    except FileNotFoundError:
        raise InputError("no such file", where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return bytes(data)


def decode_json(data: Text, where: str, *, one_line: bool = False) -> Any:
    """The JSON value of a text; an `InputError` with line and column where it is none.

    NaN, Infinity, None and numbers beyond all bounds are read as text, so that
    whoever expects a number there can name the place.
    """
    if len(data) > 2 * MAX_VALUES and bytes(data).count(b",") > MAX_VALUES:
        raise InputError(f"more than {MAX_VALUES:,} values; split the file", where=where)
    try:
        return msgspec.json.decode(data)
    except NOT_DECODED:
        pass
    # Left as it is up to here, so that places count in the file as it stands.
    mended = _STRING_OR_WORD.sub(_as_text, bytes(data))
    try:
        return msgspec.json.decode(mended)
    except NOT_DECODED as error:
        fault = syntax_fault(where, data, one_line)
        raise InputError([fault or Fault(where, f"not JSON: {error}", "malformed")]) from None


def _as_text(found: re.Match[bytes]) -> bytes:
    text = found[0]
    return text if text.startswith(b'"') else b'"' + text + b'"'
