"""List every fault of type or structure in a file that did not decode.

The fast decoder stops at the first fault. This slower reading runs only after
it has failed, and looks at every tube, field and array entry on its own.
"""

import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import UNSET

from gytbench.errors import Fault
from gytbench.predictions.schema import Header, PredictionFile, Tube

_WORDS = re.compile(rb"\b(NaN|-?Infinity|None|True|False)\b")


def split_path(message: str) -> tuple[str, str]:
    """Reason and JSON path of a msgspec message: ("Expected `int`, got `str`", "$.a[0]")."""
    reason, _, path = message.partition(" - at `")
    return reason.replace("`", ""), path.removesuffix("`") or "$"


def malformed(source: str, data: bytes, error: Exception, first_line: int = 1) -> Fault:
    """The one fault of text that is not JSON, with line, column and the likely cause."""
    found = re.search(r"\(byte (\d+)\)", str(error))
    if isinstance(error, UnicodeDecodeError):
        return Fault(source, f"not UTF-8 text ({error.reason} at byte {error.start})", "malformed")
    if found is None:
        reason = "ends too early: it is truncated" if "truncated" in str(error) else str(error)
        return Fault(source, f"not JSON: {reason}", "malformed")
    at = int(found[1])
    line = data.count(b"\n", 0, at) + first_line
    column = at - data.rfind(b"\n", 0, at)
    reason = f"not JSON at line {line}, column {column}"
    word = _WORDS.search(data, max(at - 9, 0), at + 10)
    if word:
        reason += f": {word[0].decode()} is no JSON; write null where nothing is predicted"
    return Fault(source, reason, "malformed")


def faults_of_json(source: str, data: bytes, error: Exception) -> list[Fault]:
    """Every fault of a .json file that `error` was the first of."""
    try:
        file = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as raw_error:
        return [malformed(source, data, raw_error)]
    if not isinstance(file, dict):
        kind = "an array" if isinstance(file, list) else "a plain value"
        return [Fault(source, f"the file holds {kind}, not an object", "header")]
    faults = list(struct_faults(f"{source}: $", file, PredictionFile, skip=("tubes",)))
    tubes = file.get("tubes", UNSET)
    if tubes is UNSET:
        faults.append(Fault(f"{source}: $", "the list `tubes` is missing", "header"))
    elif not isinstance(tubes, list):
        faults.append(Fault(f"{source}: $.tubes", "must be a list of tubes", "header"))
    else:
        for index, tube in enumerate(tubes):
            faults.extend(struct_faults(f"{source}: $.tubes[{index}]", tube, Tube))
    return faults or [malformed(source, data, error)]


def faults_of_lines(source: str, data: bytes) -> list[Fault]:
    """Every fault of a .jsonl file."""
    faults: list[Fault] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if number > 1 and not line.strip():
            continue
        where = f"{source}: line {number}"
        try:
            value = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            faults.append(malformed(where, line, error, first_line=number))
        else:
            faults.extend(struct_faults(f"{where}: $", value, Header if number == 1 else Tube))
    return faults


def struct_faults(
    where: str, value: object, kind: type[msgspec.Struct], skip: tuple[str, ...] = ()
) -> Iterator[Fault]:
    """The faults of one decoded object, field by field."""
    if not isinstance(value, dict):
        yield Fault(where, f"must be an object, not {type(value).__name__}", "wrong type")
        return
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for name in value.keys() - fields.keys():
        yield Fault(
            where, f"unknown key {name!r}; keep your own under `meta` or `model`", "unknown key"
        )
    for name, field in fields.items():
        if name in skip:
            continue
        if name in value:
            yield from _field_faults(f"{where}.{name}", value[name], field.type)
        elif field.required:
            yield Fault(where, f"the key `{name}` is missing", "missing key")


def _field_faults(where: str, value: Any, kind: Any) -> Iterator[Fault]:
    reason = _mismatch(value, kind)
    if reason is None:
        return
    if not isinstance(value, list):
        yield Fault(where + reason[1], reason[0], "wrong type")
        return
    # One entry at a time, so that the first bad one does not hide the others.
    entries = [(i, _mismatch([entry], kind)) for i, entry in enumerate(value)]
    found = [(i, entry) for i, entry in entries if entry is not None and entry[1].startswith("[0]")]
    for index, (text, path) in found:
        yield Fault(f"{where}[{index}]{path[3:]}", text, "wrong type")
    if not found:
        yield Fault(where + reason[1], reason[0], "wrong type")


def _mismatch(value: Any, kind: Any) -> tuple[str, str] | None:
    """Reason and path below `value` where it is not of `kind`; None where it is."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, path = split_path(str(error))
        if get_origin(kind) is Literal:
            reason = "must be " + " or ".join(f'"{choice}"' for choice in get_args(kind))
        return reason, path.removeprefix("$")
    return None
