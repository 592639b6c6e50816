"""How much a prediction file may hold, so that a hostile one costs little before it is refused."""

from pathlib import Path

from gytbench.errors import InputError

MAX_BYTES = 2 << 30
"""2 GiB, after decompression."""
MAX_TUBES = 2_000_000
MAX_VALUES = 50_000_000
"""Numbers and names that a text file may write out; each takes far more memory than text."""


def check_size(size: int, path: Path) -> None:
    """Raise InputError for more bytes, decompressed, than a file may hold."""
    if size > MAX_BYTES:
        reason = f"holds more than {MAX_BYTES / 2**30:g} GiB; split the file"
        raise InputError(reason, where=str(path))


def check_number(tubes: int, path: Path) -> None:
    """Raise InputError for more tubes than a file may hold."""
    if tubes > MAX_TUBES:
        raise InputError(f"more than {MAX_TUBES:,} tubes; split the file", where=str(path))


def check_values(values: int, path: Path) -> None:
    """Raise InputError for more values than a file may hold."""
    if values > MAX_VALUES:
        raise InputError(f"more than {MAX_VALUES:,} values; split the file", where=str(path))


def check_text(data: bytes | bytearray, path: Path) -> None:
    """Refuse, before it is decoded, JSON text that would fill the memory then."""
    if len(data) > 2 * MAX_VALUES and data.count(b",") > MAX_VALUES:
        reason = f"more than {MAX_VALUES:,} values; split the file, or write heatmaps as base64"
        raise InputError(reason, where=str(path))
    shortest = len(b'{"video":"","label":"","start":0,"end":1}')
    if len(data) > shortest * MAX_TUBES:
        check_number(data.count(b'"video"'), path)
