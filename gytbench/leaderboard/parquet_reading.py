"""A program: reads a Parquet file of a stranger under limits of the operating system.

    python -m gytbench.leaderboard.parquet_reading FILE BYTES

It ends with 0 where the file unpacks to no more than BYTES, else prints why it does not, or
is ended by the system. Nothing of what it reads is kept.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEMORY_PER_BYTE = 2
"""Reading takes what is read twice: as it is unpacked, and decoded."""
MEMORY_BESIDES = 2 << 30
"""For the interpreter and its libraries, most of it addresses alone."""
SECONDS = 240
_ROWS = 256


def confine(size: int) -> None:
    """Limit the memory and time of this process, as far as the system can."""
    try:
        import resource
    except ImportError:
        return
    memory = MEMORY_BESIDES + MEMORY_PER_BYTE * size
    for what, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, SECONDS)):
        _, hard = resource.getrlimit(what)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, hard))
    # A killed process leaves no copy of its memory on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def fault_of(path: Path, limit: int) -> str | None:
    """Why a Parquet file is not to be read further; None where it may be."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    too_large = f"unpacks to more than {limit / 2**30:.4g} GiB; see `gytbench submit init`"
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            return _claimed(file, limit, too_large) or _found(file, limit, too_large)
    except (pa.ArrowException, MemoryError, OSError, UnicodeDecodeError) as error:
        if isinstance(error, MemoryError) or "alloc of size" in str(error):
            return too_large
        return "not a readable Parquet file"


def _claimed(file: Any, limit: int, too_large: str) -> str | None:
    """What is wrong by the file's own account."""
    from gytbench.predictions.limits import MAX_TUBES

    metadata = file.metadata
    if metadata.num_rows > MAX_TUBES:
        return f"more than {MAX_TUBES:,} tubes; split the file"
    groups = (metadata.row_group(at) for at in range(metadata.num_row_groups))
    if sum(group.total_byte_size for group in groups) > limit:
        return too_large
    hidden = sorted({name for name, kind in _columns(file.schema_arrow) if _hides(kind)})
    if hidden:
        return f"column {hidden[0][:60]!r} is a dictionary; see `gytbench submit init`"
    return None


def _found(file: Any, limit: int, too_large: str) -> str | None:
    """What is wrong with what is really read, a few rows at a time."""
    from gytbench.predictions.limits import MAX_TUBES, MAX_VALUES
    from gytbench.predictions.parquet import weight

    size = rows = values = 0
    for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
        weights = [weight(column) for column in batch.columns]
        rows += batch.num_rows
        size += sum(each.size for each in weights)
        values += sum(each.values for each in weights)
        if size > limit:
            return too_large
        if values > MAX_VALUES or rows > MAX_TUBES:
            return f"more than {MAX_VALUES:,} values; split the file"
    return None


def _columns(schema: Any) -> Iterator[tuple[str, Any]]:
    """The types of all columns, with those inside of them."""
    waiting = [(field.name, field.type) for field in schema]
    while waiting:
        name, kind = waiting.pop()
        yield name, kind
        waiting += [(name, kind.field(at).type) for at in range(kind.num_fields)]


def _hides(kind: Any) -> bool:
    """Whether values of a type take more when they are read out than they do here."""
    import pyarrow as pa

    types = pa.types
    return bool(types.is_dictionary(kind) or types.is_run_end_encoded(kind))


def main() -> int:
    """Check the file that is named on the command line."""
    path, limit = Path(sys.argv[1]), int(sys.argv[2])
    confine(limit)
    reason = fault_of(path, limit)
    if reason is not None:
        sys.stdout.write(reason)
    return reason is not None


if __name__ == "__main__":
    sys.exit(main())
