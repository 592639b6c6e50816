"""Files from outside, opened: packed or not, and never more of them than is allowed."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from gytbench.errors import InputError


@contextmanager
def open_input(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, decompressed where its name ends in .gz.

    Raises `InputError` where it cannot be read, within the block too.
    """
    opener: Callable[..., Any] = gzip.open if path.name.lower().endswith(".gz") else Path.open
    try:
        if path.is_dir():
            raise InputError("this is a folder; name the file", where=str(path))
        with opener(path, "rb") as file:
            yield file
    except FileNotFoundError:
        raise InputError("no such file", where=str(path)) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"not a valid gzip file ({error})", where=str(path)) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot be read: {reason}", where=str(path)) from None


def read_limited(path: Path, most: int) -> bytes:
    """The whole file; raises `InputError` where it is larger than `most` bytes."""
    with open_input(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise InputError(f"holds more than {most / 2**20:g} MiB", where=str(path))
    return data
