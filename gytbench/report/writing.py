"""Write a file whole or not at all."""

import errno
import os
import sys
from pathlib import Path

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
    try:
        if path.is_dir() or not path.name:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            _replace(path, content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot be written: {reason}", where=str(path)) from None


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
