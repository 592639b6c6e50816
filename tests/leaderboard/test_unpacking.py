"""What unpacks to too much: small files that stand for gigabytes."""

import gzip
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gytbench.leaderboard import checking, unpacking
from gytbench.leaderboard.board import Board
from gytbench.leaderboard.parquet_reading import fault_of
from gytbench.predictions import limits

from ..cli.conftest import tube
from .entries import checked, entry, faults

COST = """
import re, sys
from pathlib import Path
from gytbench.errors import InputError
from gytbench.leaderboard.unpacking import check_unpacked
try:
    check_unpacked(Path(sys.argv[1]))
except InputError as error:
    print(error)
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 2**10)
"""

COST_OF_CHILDREN = """
import resource, sys
from pathlib import Path
from gytbench.errors import InputError
from gytbench.leaderboard import unpacking
unpacking.MAX_UNPACKED_BYTES = 2**27
try:
    unpacking.check_unpacked(Path(sys.argv[1]))
except InputError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20)
"""


def test_a_gzip_bomb_stops_at_the_limit_and_takes_no_memory(tmp_path: Path) -> None:
    assert unpacking.MAX_UNPACKED_BYTES == 2**30
    # A block of zeros again and again: a megabyte that unpacks to more than the limit.
    packer = zlib.compressobj(9, wbits=31)
    begin = packer.compress(bytes(2**26)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**26)) + packer.flush(zlib.Z_FULL_FLUSH)
    path = tmp_path / "st.json.gz"
    path.write_bytes(begin + block * 20)
    assert path.stat().st_size < 2 * 2**20
    done = subprocess.run(
        [sys.executable, "-c", COST, str(path)], capture_output=True, text=True, check=True
    )
    told, memory = done.stdout.splitlines()
    assert told == f"{path}: unpacks to more than 1 GiB; see `gytbench submit init`"
    assert float(memory) < 200


def test_a_bomb_in_an_entry_is_refused_undecoded(
    board: Board,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 2**20)
    monkeypatch.setattr(checking, "load_predictions", None)
    entry(board, data=gzip.compress(bytes(2**20 + 1)))
    (told,) = faults(board, data)
    assert "unpacks to more than" in told


@pytest.mark.parametrize("over", [0, 1])
def test_the_limit_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int) -> None:
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 100_000)
    for raw in (bytes(100_000 + over), os.urandom(100_000 + over)):
        path = tmp_path / "st.json.gz"
        path.write_bytes(gzip.compress(raw))
        assert (unpacked(path) is None) == (not over)


def unpacked(path: Path) -> str | None:
    """Why a file is not unpacked."""
    try:
        unpacking.check_unpacked(path)
    except unpacking.InputError as error:
        return error.faults[0].reason
    return None


def test_what_takes_long_to_read_as_gzip(tmp_path: Path) -> None:
    path = tmp_path / "st.json.gz"
    one = gzip.compress(b"{}")
    long_name = b"\x1f\x8b\x08\x08" + bytes(6) + b"x" * 2**20 + b"\0" + one[10:]
    for raw, reason in {
        one + one: "something follows the gzip stream",
        gzip.compress(b"") * 1000: "something follows the gzip stream",
        one + b"\0" * 70_000: "something follows the gzip stream",
        long_name: "not a usual gzip file: its header is too long",
        one[:-1]: "the gzip file is truncated",
        gzip.compress(os.urandom(200_000))[:150_000]: "the gzip file is truncated",
        b"": "the gzip file is truncated",
        b"PK\3\4": "not a valid gzip file",
    }.items():
        path.write_bytes(raw)
        told = unpacked(path)
        assert told is not None
        assert told.startswith(reason)
    path.write_bytes(one)
    assert unpacked(path) is None
    # The stream ends where a piece does that is read at once.
    for count in range(65_000, 65_536):
        if len(even := gzip.compress(os.urandom(count), 0)) == 65_536:
            path.write_bytes(even)
            assert unpacked(path) is None
            path.write_bytes(even + b"x")
            assert unpacked(path) is not None
            return
    pytest.fail("no such stream")


HEADER = {b"gytbench": json.dumps({"format": "gytbench-predictions/1", "task": "st"}).encode()}


def parquet(path: Path, rows: int, *, plain: bool = True, **columns: Any) -> Path:
    """A Parquet file of right tubes with columns replaced; plain: without Arrow's own types."""
    right = {name: [value] * rows for name, value in tube().items()}
    table = pa.table(right | columns).replace_schema_metadata(HEADER)
    pq.write_table(table, path, compression="zstd", store_schema=not plain)
    return path


def repeated(text: str, times: int) -> Any:
    """One text many times, as a dictionary of one."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(times, np.int32)), pa.array([text]))


def nested(values: Any) -> Any:
    """All values in one list of one row, in lists of four."""
    inner = pa.array(np.arange(0, len(values) + 1, 4, dtype=np.int32))
    pairs = pa.ListArray.from_arrays(inner, values)
    return pa.ListArray.from_arrays(pa.array([0, len(pairs)], pa.int32()), pairs)


def test_a_parquet_file_that_is_right(tmp_path: Path) -> None:
    assert unpacked(parquet(tmp_path / "st.parquet", 1000)) is None


def test_a_kilobyte_of_parquet_that_unpacks_to_gigabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 2**27)
    # The metadata says the truth, which is small: a text of a megabyte stands there once.
    path = parquet(tmp_path / "st.parquet", 20_000, label=repeated("x" * 10**6, 20_000))
    assert path.stat().st_size < 2000
    assert unpacked(path) == "unpacks to more than 0.125 GiB; see `gytbench submit init`"


def test_a_batch_that_would_take_more_memory_than_is_allowed(tmp_path: Path) -> None:
    # A text of 16 MiB in each of 256 rows that are read together, which makes 4 GiB.
    path = parquet(tmp_path / "st.parquet", 256, label=repeated("x" * 2**24, 256))
    assert path.stat().st_size < 5000
    # Alone, as the memory of child processes is told for all that a process ever had.
    done = subprocess.run(
        [sys.executable, "-c", COST_OF_CHILDREN, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    told, memory = done.stdout.splitlines()
    assert told == f"{path}: unpacks to more than 0.125 GiB; see `gytbench submit init`"
    # In GiB: 2 and twice the limit.
    assert float(memory) < 2.3


def test_a_dictionary_that_only_unpacks_when_it_is_read_out(tmp_path: Path) -> None:
    label = repeated("x" * 10**5, 2000)
    path = parquet(tmp_path / "st.parquet", 2000, plain=False, label=label)
    for told in (unpacked(path), fault_of(path, 2**30)):
        assert told is not None
        assert told.startswith("column 'label' is a dictionary")


def test_limits_of_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [[[0.5, 0.5]] * 3] * 1000
    path = parquet(tmp_path / "st.parquet", 1000, points=points)
    assert fault_of(path, 2**30) is None
    # A row has 14 values, lists among them, which take some 200 bytes.
    assert (
        fault_of(path, 150_000) == "unpacks to more than 0.0001397 GiB; see `gytbench submit init`"
    )
    assert fault_of(path, 250_000) is None
    monkeypatch.setattr(limits, "MAX_VALUES", 13_999)
    assert fault_of(path, 2**30) == "more than 13,999 values; split the file"
    monkeypatch.setattr(limits, "MAX_VALUES", 14_000)
    assert fault_of(path, 2**30) is None
    monkeypatch.setattr(limits, "MAX_TUBES", 999)
    assert fault_of(path, 2**30) == "more than 999 tubes; split the file"


@pytest.mark.parametrize("kind", ["zeros", "nulls"])
def test_values_that_take_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 2**26)
    count = 12_000_000
    values = pa.array(np.zeros(count)) if kind == "zeros" else pa.nulls(count)
    path = parquet(tmp_path / "st.parquet", 1, boxes=nested(values))
    assert path.stat().st_size < 20_000
    assert unpacked(path) == "unpacks to more than 0.0625 GiB; see `gytbench submit init`"


def test_metadata_that_lies_about_what_it_unpacks_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 2**26)
    # Not to be taken for a dictionary, whose size in the file would be small anyway.
    table = pa.table(
        {name: [value] for name, value in tube().items()}
        | {"boxes": nested(pa.array(np.zeros(12_000_000)))}
    ).replace_schema_metadata(HEADER)
    path = tmp_path / "st.parquet"
    pq.write_table(table, path, compression="zstd", use_dictionary=False)
    group = pq.ParquetFile(path).metadata.row_group(0)
    sizes = {group.total_byte_size, group.column(4).total_uncompressed_size}
    assert min(sizes) > 2**26
    raw = path.read_bytes()
    for size in sizes:
        assert varint(size) in raw
        raw = raw.replace(varint(size), varint(1000, len(varint(size))))
    path.write_bytes(raw)
    assert pq.ParquetFile(path).metadata.row_group(0).total_byte_size == 1000
    assert unpacked(path) == "unpacks to more than 0.0625 GiB; see `gytbench submit init`"


def varint(number: int, length: int = 0) -> bytes:
    """A number as Parquet's metadata holds it, drawn out to a length."""
    number *= 2
    digits = []
    while number or not digits or len(digits) < length:
        digits.append(number & 127 | 128)
        number >>= 7
    return bytes([*digits[:-1], digits[-1] & 127])


@pytest.mark.parametrize("raw", [b"", b"PAR1", b"PAR1" * 100, bytes(5000)])
def test_what_is_no_parquet(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "st.parquet").write_bytes(raw)
    assert unpacked(tmp_path / "st.parquet") == "not a readable Parquet file"


def test_a_reading_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_READING_SECONDS", 0.01)
    assert unpacked(parquet(tmp_path / "st.parquet", 10)) == "takes too long to read"


def test_a_parquet_entry(board: Board, data: Path, tmp_path: Path) -> None:
    raw = parquet(tmp_path / "st.parquet", 3, plain=False).read_bytes()
    entry(board, data=raw, file="st.parquet")
    assert checked(board, data).files["st"].name == "st.parquet"
