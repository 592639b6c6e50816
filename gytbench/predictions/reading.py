"""Read a prediction file: .json, .json.gz, .jsonl, .jsonl.gz or .parquet."""

import gc
import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from gytbench.errors import InputError
from gytbench.predictions import faults, limits
from gytbench.predictions.schema import Header, PredictionFile, Predictions, Tube
from gytbench.predictions.syntax import NOT_DECODED, numbered_lines

_PIECE = 1 << 24

SUFFIXES = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".parquet")


def suffix_of(path: Path) -> str:
    """The format suffix of a path, `.gz` included; InputError when it is none of ours."""
    name = path.name.lower()
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix):
            return suffix
    raise InputError(f"the file name must end in one of {', '.join(SUFFIXES)}", where=str(path))


def load_predictions(path: str | Path) -> Predictions:
    """Read a prediction file; InputError lists every fault of type or structure.

    What only the benchmark can tell (unknown videos and labels, instances) is
    checked when the file is scored or validated.
    """
    path = Path(path)
    suffix = suffix_of(path)
    try:
        if path.is_dir():
            raise InputError("this is a folder; name the prediction file", where=str(path))
        return _read(path, suffix)
    except FileNotFoundError:
        raise InputError("no such file", where=str(path)) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot be read: {reason}", where=str(path)) from None


def _read(path: Path, suffix: str) -> Predictions:
    if suffix == ".parquet":
        from gytbench.predictions.parquet import read_parquet

        return read_parquet(path)
    data = _bytes_of(path, compressed=suffix.endswith(".gz"))
    limits.check_text(data, path)
    with collector_paused():
        read = _from_lines(path, data) if ".jsonl" in suffix else _from_json(path, data)
    limits.check_number(len(read.tubes), path)
    return read


def _bytes_of(path: Path, compressed: bool) -> bytearray:
    """The file's bytes; reading stops at the limit, so a gzip bomb costs no more than that."""
    opener: Callable[..., Any] = gzip.open if compressed else Path.open
    data = bytearray()
    with opener(path, "rb") as handle:
        try:
            while piece := handle.read(_PIECE):
                data += piece
                limits.check_size(len(data), path)
        except EOFError:
            raise InputError("the gzip file is truncated; write it again", str(path)) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"not a valid gzip file ({error})", where=str(path)) from None
    return data


@contextmanager
def collector_paused() -> Iterator[None]:
    """Decoding makes millions of objects and no cycles: collecting meanwhile only costs time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _from_json(path: Path, data: bytearray) -> Predictions:
    source = str(path)
    try:
        file = msgspec.json.decode(data, type=PredictionFile)
    except NOT_DECODED as error:
        found = faults.listed(faults.faults_of_json(source, data), source)
        raise InputError(found or str(error), where=source) from None
    return Predictions(file.task, file.tubes, file.model, file.frame_size, source)


def _from_lines(path: Path, data: bytearray) -> Predictions:
    source = str(path)
    lines = numbered_lines(data)
    decode = msgspec.json.Decoder(Tube).decode
    numbers, tubes = [], []
    try:
        header = msgspec.json.decode(next(lines, (1, b""))[1], type=Header)
        for number, line in lines:
            tubes.append(decode(line))
            numbers.append(number)
    except NOT_DECODED as error:
        found = faults.listed(faults.faults_of_lines(source, data), source)
        raise InputError(found or str(error), where=source) from None
    return Predictions(
        header.task,
        tubes,
        header.model,
        header.frame_size,
        source,
        place=lambda index: f"line {numbers[index]}: $",
    )
