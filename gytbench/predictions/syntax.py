"""Say what is wrong with text that is not JSON, and where."""

import re
from collections.abc import Iterator

import msgspec

from gytbench.errors import Fault

Text = bytes | bytearray | memoryview

NOT_DECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the JSON decoder raises for text that it cannot decode to a type."""

_WORDS = re.compile(rb"-?\b(NaN|Infinity|None|True|False|inf|nan)\b")
_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")


def syntax_fault(where: str, data: Text, one_line: bool = False) -> Fault | None:
    """The one fault of text that is not JSON, with line, column and the likely cause."""
    try:
        str(data, "utf-8")
        msgspec.json.decode(data, type=msgspec.Raw)
    except UnicodeDecodeError as error:
        reason = f"not UTF-8 text at {_line_and_column(data, error.start, one_line)}"
        if bytes(data[:2]) == b"\x1f\x8b":
            reason = "it is compressed: let its name end in .gz"
        return Fault(where, reason, "malformed")
    except RecursionError:
        return Fault(where, "not JSON that can be read: nested too deeply", "malformed")
    except msgspec.DecodeError as error:
        return Fault(where, f"not JSON{_syntax_reason(bytes(data), error, one_line)}", "malformed")
    return None


def _syntax_reason(data: bytes, error: msgspec.DecodeError, one_line: bool) -> str:
    found = re.search(r"(?:malformed: )?([^:]*) \(byte (\d+)\)", str(error))
    if found is None:
        if not data.strip():
            return ": it is empty"
        half = " (or a \\u escape lacks its other half)" if _HALF_PAIR.search(data) else ""
        return f": it is truncated: it ends too early{half}"
    detail, at = found[1], int(found[2])
    word = _WORDS.search(data, max(at - 9, 0), at + 10)
    if word:
        detail = f"{word[0].decode()} is no JSON; write null where nothing is predicted"
    if at == 0 and data.startswith(b"\xef\xbb\xbf"):
        detail = "it starts with a byte order mark; save it as UTF-8 without one"
    return f" at {_line_and_column(data, at, one_line)}: {detail}"


def _line_and_column(data: Text, at: int, one_line: bool) -> str:
    before = bytes(data[:at])
    line, column = before.count(b"\n") + 1, at - before.rfind(b"\n")
    return f"column {column}" if one_line else f"line {line}, column {column}"


_KINDS = {"{": "an object", "[": "an array", '"': "a string", "t": "true", "f": "false"}


def kind_of(text: Text) -> str:
    """What a JSON value is, in words."""
    first = bytes(text[:64]).lstrip()[:1].decode("ascii", "replace")
    return _KINDS.get(first, "null" if first == "n" else "a number")


def numbered_lines(data: bytes | bytearray) -> Iterator[tuple[int, bytes | bytearray]]:
    """The lines, numbered from 1; blank ones are passed over, but for the first."""
    begin, number = 0, 1
    while begin < len(data):
        end = data.find(b"\n", begin)
        end = len(data) if end < 0 else end
        line = data[begin:end]
        if number == 1 or line.strip():
            yield number, line
        begin, number = end + 1, number + 1
