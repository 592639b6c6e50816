"""Reading a released JSON file into typed values, with faults that name file and JSON path."""

from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from gytbench.errors import InputError

T = TypeVar("T")

# Far beyond any frame, and small enough that areas and their sums stay finite.
Coordinate = Annotated[float, msgspec.Meta(ge=-100_000, le=100_000)]
Length = Annotated[float, msgspec.Meta(gt=0, le=100_000)]
Size = tuple[Length, Length]
"""Width and height in pixels."""
Second = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]

FETCH_HINT = "`gytbench data fetch` gets it, `gytbench data verify` shows what is missing"


def read_bytes(path: Path, hint: str = FETCH_HINT) -> bytes:
    """The whole file; an `InputError` that names it when it cannot be read.

    hint: what to do where it is missing.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"no such file; {hint}", where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None


def decode_file(path: Path, into: type[T]) -> T:
    """A JSON file of the type `into`; see `decode`."""
    return decode(read_bytes(path), into, path)


def decode(data: bytes, into: type[T], where: Path) -> T:
    """`data` as JSON of the type `into`.

    Raises `InputError` with the JSON path of the first fault, dictionary keys
    included (msgspec alone prints them as ``[...]``).
    """
    decoder = msgspec.json.Decoder(into)
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        reason, path = _spell_out(data, decoder.decode, str(error))
        raise InputError(reason, where=f"{where}: {path}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not valid JSON: {error}", where=str(where)) from None
    except RecursionError:
        raise InputError("nested too deeply", where=str(where)) from None


def _spell_out(data: bytes, check: Callable[[bytes], Any], message: str) -> tuple[str, str]:
    """Reason and JSON path of a fault, with the dictionary keys that lead to it.

    Decodes again, one entry at a time; slow, but only ever done for a broken file.
    """
    reason, _, path = message.partition(" - at ")
    # A bad key is reported as `key` in `$...`: the path of its dictionary.
    depth = path.count("[...]") + path.count("`key`")
    path = path.removeprefix("`key` in ").strip("`") or "$"
    keys: list[str] = []
    for _ in range(depth):
        entry = _first_bad(data, keys, check)
        if entry is None:
            break
        keys.append(entry[0])
        data = entry[1]
    names = [f'["{key}"]' for key in keys] + ["[...]"] * (depth - len(keys))
    pieces = path.split("[...]")
    return reason, "".join(piece + name for piece, name in zip_longest(pieces, names, fillvalue=""))


def _first_bad(
    data: bytes, outer: list[str], check: Callable[[bytes], Any]
) -> tuple[str, bytes] | None:
    """The first entry of the dictionary `data`, which lies under the keys `outer`, with a fault."""
    try:
        entries = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return None
    for key, raw in entries.items():
        alone = bytes(raw)
        for name in (key, *reversed(outer)):
            alone = b"{" + msgspec.json.encode(name) + b":" + alone + b"}"
        try:
            check(alone)
        except msgspec.ValidationError:
            return key, bytes(raw)
    return None
