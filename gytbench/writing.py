"""Write a file whole or not at all."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gytbench.errors import InputError


def write_whole(path: Path, content: bytes) -> None:
    """Write content to a file, or, for the path `-`, to standard output.

    The file appears under its name only when it is complete. A device or pipe is
    written to as it is. Raises InputError where the path cannot be written to.
    """
    if str(path) == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    with open_whole(path) as file:
        file.write(content)


@contextmanager
def open_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to that appears under its name only when the block ends well.

    A device or pipe is written to as it is. Raises InputError where the path cannot be
    written to.
    """
    try:
        if path.is_dir() or not path.name:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        special = path.exists() and not path.is_file()
        with path.open("wb") if special else _replacing(path) as file:
            yield file
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot be written: {reason}", where=str(path)) from None


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
