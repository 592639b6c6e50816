"""List every fault of type or structure in a file that did not decode.

The fast decoder stops at the first fault. This slower reading runs only after
it has failed, and looks at every tube, field and array entry on its own.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Any, Literal, get_args, get_origin

import msgspec

from gytbench.errors import Fault
from gytbench.predictions.schema import Header, PredictionFile, Tube
from gytbench.predictions.syntax import NOT_DECODED, Text, kind_of, numbered_lines, syntax_fault

MAX_FAULTS = 100_000
"""Faults listed of one file: nobody reads more, and they would only fill the memory."""

MAX_COMMAS = 20_000_000
"""Longer arrays are not split to look at every entry: an entry takes some 60 bytes."""

NOT_WRITABLE = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError)
"""What the JSON encoder raises for values that have no JSON or another type."""

_TYPES = {"float": "number", "int": "integer", "str": "string", "bool": "boolean"}
_TYPE = re.compile(r"`([a-z| ]+)`")


def listed(faults: Iterable[Fault], source: str) -> list[Fault]:
    """The faults, up to the most that are listed of one file."""
    found = list(islice(faults, MAX_FAULTS + 1))
    if len(found) > MAX_FAULTS:
        found[-1] = not_listed(source)
    return found


def not_listed(source: str) -> Fault:
    """The last fault of a list that was cut."""
    return Fault(source, f"more faults follow: only {MAX_FAULTS:,} are listed", "not listed")


def quoted(name: str) -> str:
    """A name from the file in quotes, cut where it is too long to read."""
    return repr(name) if len(name) <= 100 else f"{name[:100]!r}..."


def faults_of_json(source: str, data: Text) -> Iterator[Fault]:
    """Every fault of a .json file."""
    where = f"{source}: $"
    broken = syntax_fault(source, data)
    if broken is not None:
        yield broken
        return
    yield from struct_faults(where, data, PredictionFile)


def faults_of_lines(source: str, data: bytes | bytearray) -> Iterator[Fault]:
    """Every fault of a .jsonl file."""
    if not data:
        yield Fault(source, "it is empty", "malformed")
    for number, line in numbered_lines(data):
        where = f"{source}: line {number}"
        broken = syntax_fault(where, line, one_line=True)
        if broken is not None:
            yield broken
        else:
            yield from struct_faults(f"{where}: $", line, Header if number == 1 else Tube)


def struct_faults(where: str, text: Text, kind: type[msgspec.Struct]) -> Iterator[Fault]:
    """The faults of one JSON object, field by field."""
    if kind_of(text) != "an object":
        yield Fault(where, f"must be an object, not {kind_of(text)}", "wrong type")
        return
    fields = _fields(kind)
    values = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    for key, value in values.items():
        if key in fields:
            yield from _field_faults(f"{where}.{key}", value, fields[key].type)
        else:
            reason = f"unknown key {quoted(key)}; keep your own under `meta` or `model`"
            yield Fault(where, reason, "unknown key")
    for name, field in fields.items():
        if field.required and name not in values:
            yield Fault(where, f"the key `{name}` is missing", "missing key")


def value_faults(
    where: str, value: Any, kind: type[msgspec.Struct], error: Exception
) -> list[Fault]:
    """The faults of a dictionary that did not convert, found as those of the same in JSON."""
    found: list[Fault] = []
    with suppress(*NOT_WRITABLE):
        found = list(struct_faults(where, msgspec.json.encode(value), kind))
    reason, path = split_path(str(error))
    found = found or [Fault(where + path.removeprefix("$"), reason, "wrong type")]
    note = " (a number that is not finite counts as null)"
    return [
        fault._replace(reason=fault.reason + note) if fault.reason.endswith("got null") else fault
        for fault in found
    ]


def _field_faults(where: str, text: msgspec.Raw, kind: Any) -> Iterator[Fault]:
    array = kind_of(memoryview(text)) == "an array"
    splits = array and bytes(text).count(b",") <= MAX_COMMAS
    if kind == list[Tube] and splits:
        for index, tube in enumerate(msgspec.json.decode(text, type=list[msgspec.Raw])):
            yield from struct_faults(f"{where}[{index}]", memoryview(tube), Tube)
        return
    mismatch = _mismatch(text, kind)
    if mismatch is None:
        return
    found = False
    if splits:
        # One entry at a time, so that the first bad one does not hide the others.
        for index, entry in enumerate(msgspec.json.decode(text, type=list[msgspec.Raw])):
            bad = _mismatch(b"[" + bytes(entry) + b"]", kind)
            if bad is not None and bad[1].startswith("[0]"):
                found = True
                yield Fault(f"{where}[{index}]{bad[1][3:]}", bad[0], "wrong type")
    if not found:
        yield Fault(where + mismatch[1], mismatch[0], "wrong type")
    if array and not splits:
        yield Fault(where, "too long to look at the entries after the first fault", "not listed")


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.name: field for field in msgspec.structs.fields(kind)}


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _mismatch(text: Text | msgspec.Raw, kind: Any) -> tuple[str, str] | None:
    """Reason and path below `text` where it is not of `kind`; None where it is."""
    try:
        _decoder(kind).decode(text)
    except NOT_DECODED as error:
        reason, path = split_path(str(error))
        if get_origin(kind) is Literal:
            reason = "must be " + " or ".join(f'"{choice}"' for choice in get_args(kind))
        return reason, path.removeprefix("$")
    return None


def split_path(message: str) -> tuple[str, str]:
    """Reason and JSON path of a msgspec message.

    >>> split_path("Expected `int`, got `str` - at `$.a[0]`")
    ('expected integer, got string', '$.a[0]')
    """
    reason, _, path = message.rpartition(" - at `") if " - at `" in message else (message, "", "$")
    reason = _TYPE.sub(_in_words, reason).replace("`", "")[:200]
    return reason[:1].lower() + reason[1:], path.removesuffix("`")


def _in_words(types: re.Match[str]) -> str:
    return " or ".join(_TYPES.get(name, name) for name in types[1].split(" | "))
