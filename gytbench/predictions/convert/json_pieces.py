"""Read a large JSON file a member or an element at a time, in memory that does not grow with it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from gytbench.errors import InputError
from gytbench.predictions import limits
from gytbench.predictions.faults import quoted, split_path
from gytbench.predictions.syntax import NOT_DECODED

MAX_PIECE = 64 << 20
"""Bytes of one element: it is decoded whole."""
MAX_DEPTH = 64

_PIECE = 1 << 18
_BLANK = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_MARK = re.compile(rb'["{}\[\]]')
_SCALAR = re.compile(rb"[^\s,\]}]*")


class JsonPieces:
    """A cursor in JSON text; `source` names the file in faults.

    Every method raises `InputError`, with the byte, for text that is not JSON, and for
    a value that is larger than is decoded at once.
    """

    def __init__(self, file: IO[bytes], source: str) -> None:
        self.source = source
        self._file = file
        self._data = b""
        self._at = 0
        self._before = 0
        self._ended = False

    def _fault(self, reason: str) -> InputError:
        place = self._before + self._at
        return InputError(f"not JSON at byte {place:,}: {reason}", where=self.source)

    def _more(self) -> bool:
        """Read on, dropping what lies behind; False at the end."""
        if self._ended:
            return False
        piece = self._file.read(_PIECE + len(self._data) - self._at)
        self._ended = not piece
        self._before += self._at
        self._data, self._at = self._data[self._at :] + piece, 0
        limits.check_size(self._before + len(self._data), Path(self.source))
        if len(self._data) > MAX_PIECE + 2 * _PIECE:
            raise self._fault(f"one value holds more than {MAX_PIECE >> 20} MiB")
        return not self._ended

    def peek(self) -> bytes:
        """The next byte that is no blank; empty at the end."""
        while True:
            found = _BLANK.match(self._data, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._data):
                return self._data[self._at : self._at + 1]
            if not self._more():
                return b""

    def expect(self, mark: bytes) -> None:
        """Go past a mark."""
        found = self.peek()
        if found != mark:
            shown = f"found {found.decode('latin-1')!r}" if found else "the file ends"
            raise self._fault(f"expected {mark.decode()!r}, {shown}")
        self._at += 1

    def members(self) -> Iterator[str]:
        """The keys of an object; the caller takes the value of each before the next."""
        self.expect(b"{")
        if self.peek() == b"}":
            self._at += 1
            return
        while True:
            if self.peek() != b'"':
                raise self._fault("expected a key in quotes")
            key = self.decoded(self.raw(), str, "key")
            self.expect(b":")
            yield key
            if self.peek() == b"}":
                self._at += 1
                return
            self.expect(b",")

    def elements(self) -> Iterator[int]:
        """The indices of an array; the caller takes the value of each before the next."""
        self.expect(b"[")
        if self.peek() == b"]":
            self._at += 1
            return
        index = 0
        while True:
            yield index
            index += 1
            if self.peek() == b"]":
                self._at += 1
                return
            self.expect(b",")

    def raw(self) -> bytes:
        """The text of the next value."""
        first = self.peek()
        end = self._string_end if first == b'"' else self._scalar_end
        length = self._nested_end() if first in (b"{", b"[") else end(self._at) - self._at
        if not length:
            raise self._fault("a value is missing")
        text = self._data[self._at : self._at + length]
        self._at += length
        return text

    def skip(self) -> None:
        """Go past the next value, however large."""
        first = self.peek()
        if first not in (b"{", b"["):
            self.raw()
            return
        self._at += 1
        depth = 1
        while depth:
            found = _MARK.search(self._data, self._at)
            if found is None:
                self._at = len(self._data)
                if not self._more():
                    raise self._fault("the file ends too early")
            elif found[0] == b'"':
                self._at = found.start()
                self.raw()
            else:
                depth += 1 if found[0] in b"{[" else -1
                self._at = found.end()

    def _string_end(self, at: int) -> int:
        offset = at - self._at
        while (found := _STRING.match(self._data, self._at + offset)) is None:
            if not self._more():
                raise self._fault("a string does not end")
        return found.end()

    def _scalar_end(self, at: int) -> int:
        offset = at - self._at
        while True:
            found = _SCALAR.match(self._data, self._at + offset)
            assert found is not None
            if found.end() < len(self._data) or not self._more():
                return found.end()

    def _nested_end(self) -> int:
        """The length of the object or array that begins here."""
        depth, offset = 0, 0
        while True:
            found = _MARK.search(self._data, self._at + offset)
            if found is None:
                offset = len(self._data) - self._at
                if not self._more():
                    raise self._fault("the file ends too early")
                continue
            if found[0] == b'"':
                offset = self._string_end(found.start()) - self._at
                continue
            offset = found.end() - self._at
            depth += 1 if found[0] in b"{[" else -1
            if depth > MAX_DEPTH:
                raise self._fault("nested too deeply")
            if not depth:
                return offset

    def decoded(self, text: bytes, kind: Any, where: str) -> Any:
        """A value as a type; raises `InputError` that names the JSON path `where`."""
        return decode_piece(text, kind, f"{self.source}: {where}")

    def value(self, kind: Any, where: str) -> Any:
        """The next value as a type."""
        return self.decoded(self.raw(), kind, where)

    def end(self) -> None:
        """Raise `InputError` where anything follows."""
        if self.peek():
            raise self._fault("text follows the end")


def decode_piece(text: bytes, kind: Any, where: str) -> Any:
    """JSON text as a type; raises `InputError` with the path of the fault below `where`."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        reason, path = split_path(str(error))
        raise InputError(reason, where=where + path.removeprefix("$")) from None
    except NOT_DECODED as error:
        raise InputError(f"not JSON: {error}", where=where) from None


def key_path(path: str, key: str) -> str:
    """The JSON path of a member.

    >>> key_path("$.results", "a b")
    "$.results['a b']"
    """
    return f"{path}[{quoted(key)}]"
