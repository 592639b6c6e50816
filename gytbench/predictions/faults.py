"""List every fault of type or structure in a file that did not decode.

The fast decoder stops at the first fault. This slower reading runs only after
it has failed, and looks at every tube, field and array entry on its own.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Any, Literal, get_args, get_origin

import msgspec

from gytbench.errors import Fault
from gytbench.predictions.scanning import Text, entries, kind_of, members, numbered_lines
from gytbench.predictions.schema import Header, PredictionFile, Tube
from gytbench.predictions.syntax import NOT_DECODED, syntax_fault

MAX_FAULTS = 100_000
"""Faults listed of one file: nobody reads more, and they would only fill the memory."""

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
    if kind_of(data) != "an object":
        yield _no_object(where, data)
        return
    # Split by the decoder, which is fast, but passes over repeated keys: they come last.
    values = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    pairs = ((key, memoryview(value)) for key, value in values.items())
    yield from _object_faults(where, pairs, PredictionFile)
    keys = Counter(key for key, _ in members(data))
    for key, times in keys.items():
        if times > 1:
            yield _repeated(where, key)


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
    if kind_of(text) == "an object":
        yield from _object_faults(where, members(text), kind)
    else:
        yield _no_object(where, text)


def _object_faults(
    where: str, pairs: Iterable[tuple[str, memoryview]], kind: type[msgspec.Struct]
) -> Iterator[Fault]:
    fields = _fields(kind)
    seen: set[str] = set()
    for key, value in pairs:
        if key in seen:
            yield _repeated(where, key)
        elif key not in fields:
            reason = f"unknown key {quoted(key)}; keep your own under `meta` or `model`"
            yield Fault(where, reason, "unknown key")
        else:
            yield from _field_faults(f"{where}.{key}", value, fields[key].type)
        seen.add(key)
    for name, field in fields.items():
        if field.required and name not in seen:
            yield Fault(where, f"the key `{name}` is missing", "missing key")


def _no_object(where: str, text: Text) -> Fault:
    return Fault(where, f"must be an object, not {kind_of(text)}", "wrong type")


def _repeated(where: str, key: str) -> Fault:
    return Fault(where, f"the key {quoted(key)} stands twice", "repeated key")


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


def _field_faults(where: str, text: memoryview, kind: Any) -> Iterator[Fault]:
    if kind == list[Tube] and kind_of(text) == "an array":
        for index, tube in enumerate(entries(text)):
            yield from struct_faults(f"{where}[{index}]", tube, Tube)
        return
    mismatch = _mismatch(text, kind)
    if mismatch is None:
        for key in _repeated_keys(text):
            yield _repeated(where, key)
        return
    if kind_of(text) == "an array":
        found = False
        # One entry at a time, so that the first bad one does not hide the others.
        for index, entry in enumerate(entries(text)):
            bad = _mismatch(b"[" + entry + b"]", kind)
            if bad is not None and bad[1].startswith("[0]"):
                found = True
                yield Fault(f"{where}[{index}]{bad[1][3:]}", bad[0], "wrong type")
        if found:
            return
    yield Fault(where + mismatch[1], mismatch[0], "wrong type")


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.name: field for field in msgspec.structs.fields(kind)}


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _mismatch(text: Text, kind: Any) -> tuple[str, str] | None:
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


def _repeated_keys(text: memoryview) -> list[str]:
    """Keys that stand twice in one of the objects inside a value."""
    repeated: list[str] = []

    def count(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) < len(pairs):
            keys = Counter(key for key, _ in pairs)
            repeated.extend(key for key, times in keys.items() if times > 1)

    if b"{" in bytes(text):
        with suppress(ValueError, RecursionError):
            json.loads(bytes(text), object_pairs_hook=count)
    return repeated
