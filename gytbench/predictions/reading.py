"""Read a prediction file: .json, .json.gz, .jsonl, .jsonl.gz or .parquet."""

import gc
import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from gytbench.errors import InputError
from gytbench.predictions import faults
from gytbench.predictions.schema import FrameSize, Header, PredictionFile, Task, Tube

MAX_BYTES = 2 << 30
"""A file may hold 2 GiB, after decompression."""
MAX_TUBES = 2_000_000

SUFFIXES = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".parquet")


@dataclass(frozen=True)
class Predictions:
    """A prediction file in memory.

    `source` and `place` name a tube in messages: the file, and the JSON path,
    line or row of the tube with a given index.
    """

    task: Task
    tubes: list[Tube]
    model: dict[str, Any]
    frame_size: FrameSize | None = None
    source: str = ""
    place: Callable[[int], str] = "$.tubes[{}]".format


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
    if path.is_dir():
        raise InputError("this is a folder; name the prediction file", where=str(path))
    try:
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
    if data.count(b'"video"') > MAX_TUBES:
        raise InputError(f"more than {MAX_TUBES:,} tubes; split the file", where=str(path))
    with collector_paused():
        return _from_lines(path, data) if ".jsonl" in suffix else _from_json(path, data)


def _bytes_of(path: Path, compressed: bool) -> bytes:
    """The file's bytes; reading stops at the limit, so a gzip bomb costs no more than that."""
    opener: Callable[..., Any] = gzip.open if compressed else Path.open
    with opener(path, "rb") as handle:
        try:
            data: bytes = handle.read(MAX_BYTES + 1)
        except EOFError:
            raise InputError("the gzip file is truncated; write it again", str(path)) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"not a valid gzip file ({error})", where=str(path)) from None
    if len(data) > MAX_BYTES:
        raise InputError(f"larger than {MAX_BYTES >> 30} GiB; split the file", where=str(path))
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


def _from_json(path: Path, data: bytes) -> Predictions:
    try:
        file = msgspec.json.decode(data, type=PredictionFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(faults.faults_of_json(str(path), data, error)) from None
    return Predictions(file.task, file.tubes, file.model, file.frame_size, source=str(path))


def _from_lines(path: Path, data: bytes) -> Predictions:
    first, _, rest = data.partition(b"\n")
    try:
        header = msgspec.json.decode(first, type=Header)
        tubes = msgspec.json.Decoder(Tube).decode_lines(rest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InputError(faults.faults_of_lines(str(path), data)) from None
    numbers = [number for number, line in enumerate(rest.split(b"\n"), 2) if line.strip()]
    return Predictions(
        header.task,
        tubes,
        header.model,
        header.frame_size,
        source=str(path),
        place=lambda index: f"line {numbers[index]}: $",
    )
