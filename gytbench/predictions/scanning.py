"""Step through JSON text an entry at a time, decoding nothing.

What a broken file costs in memory stays small, however many entries it has. The
text must be known to be JSON.
"""

import re
from collections.abc import Iterator

import msgspec

Text = bytes | bytearray | memoryview

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
# A flat array, such as a box, is one token: that is most of the text.
_TOKEN = re.compile(_STRING + rb'|\[[^][{}"]*+\]|[][{},]', re.DOTALL)
_OPENING = re.compile(rb"\s*+[\[{]")
_KEY = re.compile(rb"\s*+(" + _STRING + rb")\s*+:\s*+", re.DOTALL)

_KINDS = {"{": "an object", "[": "an array", '"': "a string", "t": "true", "f": "false"}


def entries(text: Text) -> Iterator[memoryview]:
    """The entries of an array, or the members of an object, as slices of the text."""
    text = memoryview(text)
    opening = _OPENING.match(text)
    assert opening is not None
    begin, depth = opening.end(), 0
    for token in _TOKEN.finditer(text, begin):
        mark = text[token.start()]
        if token.end() - token.start() > 1:
            continue
        if mark in b"[{":
            depth += 1
        elif mark == ord(","):
            if not depth:
                yield text[begin : token.start()]
                begin = token.end()
        elif depth:
            depth -= 1
        else:
            last = text[begin : token.start()]
            if bytes(last).strip():
                yield last
            return


def members(text: Text) -> Iterator[tuple[str, memoryview]]:
    """Key and value of each member of an object, repeated keys included."""
    for member in entries(text):
        key = _KEY.match(member)
        assert key is not None
        yield msgspec.json.decode(key[1], type=str), member[key.end() :]


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
