"""How much a prediction file of a stranger unpacks to, found before it is decoded.

A few kilobytes of gzip or Parquet may stand for terabytes. Gzip is unpacked piece by piece up
to the limit, and nothing is kept. What Parquet unpacks to, its metadata only claims: so it is
read in a process of its own, which may not take more memory and time than an honest file.
"""

import os
import subprocess
import sys
import zlib
from pathlib import Path

from gytbench.errors import InputError

MAX_UNPACKED_BYTES = 1 << 30
MAX_READING_SECONDS = 300
"""For a Parquet file, in its own process."""

_PIECE = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS


def check_unpacked(path: Path) -> None:
    """Raise `InputError` where a .gz or .parquet file is damaged, or unpacks to too much."""
    try:
        if path.suffix == ".parquet":
            _check_parquet(path)
        else:
            _check_gzip(path)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None


def _check_gzip(path: Path) -> None:
    """Hold a file to what gzip writes: one stream, a short header, nothing behind it.

    Other files that unpack, of many streams or with a name of megabytes in the header, take
    Python's reader minutes.
    """
    stream = zlib.decompressobj(_GZIP)
    size = 0
    with path.open("rb") as file:
        while not stream.eof:
            piece = stream.unconsumed_tail or file.read(_PIECE)
            if not piece:
                raise InputError("the gzip file is truncated; write it again", where=str(path))
            try:
                size += len(stream.decompress(piece, _PIECE))
            except zlib.error as error:
                raise InputError(f"not a valid gzip file ({error})", where=str(path)) from None
            if size > MAX_UNPACKED_BYTES:
                raise too_large(path)
            if not size and file.tell() >= 2 * _PIECE:
                raise InputError("not a usual gzip file: its header is too long", where=str(path))
        if stream.unused_data or file.read(1):
            reason = "something follows the gzip stream; write the file anew, as one stream"
            raise InputError(reason, where=str(path))


def too_large(path: Path) -> InputError:
    """What to say of a file that unpacks to more than the limit."""
    most = f"{MAX_UNPACKED_BYTES / 2**30:g} GiB"
    return InputError(f"unpacks to more than {most}; see `gytbench submit init`", where=str(path))


def _check_parquet(path: Path) -> None:
    module = "gytbench.leaderboard.parquet_reading"
    # One thread, and the plain allocator: others set memory aside that counts as taken.
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = os.environ | single | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", module, str(path.resolve()), str(MAX_UNPACKED_BYTES)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            timeout=MAX_READING_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError("takes too long to read", where=str(path)) from None
    if done.returncode == 0:
        return
    told = done.stdout[:500].decode("utf-8", "replace").strip()
    if not told:
        told = "cannot be read within the memory and time that an honest file takes"
    raise InputError(told, where=str(path))
