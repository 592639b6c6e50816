"""Write a file whole or not at all."""

import os
import sys
from pathlib import Path

from gytbench.errors import InputError


def write_whole(path: Path, content: bytes) -> None:
    """Write content to a file, or, for the path `-`, to standard output.

    The file appears under its name only when it is complete. Raises InputError
    where the folder is missing or cannot be written to.
    """
    if str(path) == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from None
