"""Read a file of pairs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from gytbench.errors import Fault, InputError
from gytbench.inputs import open_input, read_limited
from gytbench.pairs.schema import (
    FORMAT,
    MAX_BYTES,
    MAX_COMMAS,
    MAX_PAIRS,
    PairFile,
    PairFrame,
    PairHeader,
    PairPredictions,
)
from gytbench.predictions.convert.json_pieces import JsonPieces
from gytbench.predictions.faults import listed, struct_faults
from gytbench.predictions.syntax import NOT_DECODED, syntax_fault

SUFFIXES = (".json", ".json.gz")


class _Pieces(PairHeader, forbid_unknown_fields=True, kw_only=True):
    """A file whose entries are not decoded yet: an object for each would fill the memory."""

    frames: list[msgspec.Raw]


def is_pairs_file(path: Path) -> bool:
    """Whether the file says that it is one of pairs; False where it cannot be read."""
    if not path.name.lower().endswith(SUFFIXES) or not path.is_file():
        return False
    try:
        with open_input(path) as file:
            pieces = JsonPieces(file, str(path))
            for key in pieces.members():
                if key == "format":
                    return bool(pieces.value(Any, "$.format") == FORMAT)
                pieces.skip()
    except InputError:
        return False
    return False


def load_pairs(path: str | Path) -> PairPredictions:
    """A file of pairs, .json or .json.gz.

    Raises `InputError` with every fault of type or structure. Unknown videos and labels,
    and boxes whose corners are exchanged, are told when the pairs are scored.
    """
    path = Path(path)
    source = str(path)
    if not path.name.lower().endswith(SUFFIXES):
        raise InputError(f"the file name must end in {' or '.join(SUFFIXES)}", where=source)
    data = read_limited(path, MAX_BYTES)
    if data.count(b'"human"') > MAX_PAIRS or data.count(b",") > MAX_COMMAS:
        reason = f"more than {MAX_PAIRS:,} pairs; the ten best of a frame and label are enough"
        raise InputError(reason, where=source)
    try:
        file = msgspec.json.decode(data, type=_Pieces)
        return PairPredictions.of(_frames(file.frames), file.model, file.frame_size, source)
    except NOT_DECODED as error:
        raise InputError(listed(_faults(source, data), source) or str(error), source) from None


def _frames(pieces: list[msgspec.Raw]) -> Iterator[PairFrame]:
    decode = msgspec.json.Decoder(PairFrame).decode
    return map(decode, pieces)


def _faults(source: str, data: bytes) -> Iterator[Fault]:
    broken = syntax_fault(source, data)
    if broken is not None:
        yield broken
        return
    yield from struct_faults(f"{source}: $", data, PairFile)
