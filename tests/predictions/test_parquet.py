"""What can be wrong with a Parquet file."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gytbench.errors import InputError
from gytbench.predictions import (
    PredictionWriter,
    faults,
    limits,
    load_predictions,
    pack,
)

from .making import BENCHMARK, reading_faults, tube

HEADER = {"format": "gytbench-predictions/1", "task": "st"}

Table = Callable[..., Path]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Writes columns as Parquet with a header in the metadata."""

    def write(columns: dict[str, Any], header: Any = HEADER, **options: Any) -> Path:
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        made = pa.table(columns).replace_schema_metadata(
            None if header is None else {b"gytbench": text}
        )
        path = tmp_path / "preds.parquet"
        pq.write_table(made, path, **options)
        return path

    return write


def columns(count: int = 3, **others: Any) -> dict[str, Any]:
    """Columns of right tubes, with columns replaced or added; None takes one away."""
    right = {name: [value] * count for name, value in tube().items()}
    return {name: value for name, value in (right | others).items() if value is not None}


def test_what_another_program_writes(table: Table) -> None:
    # Other widths, other order, dictionary strings, no columns but the needed: all can be read.
    path = table(
        {
            "end": pa.array([5, 6], pa.int32()),
            "start": pa.array([2, 2.5], pa.float32()),
            "label": pa.array(["pour_it"] * 2).dictionary_encode(),
            "video": pa.array(["aaaaaaaaaaa"] * 2, pa.large_string()),
            "points": pa.array([[[1, 2], None, None], None], pa.list_(pa.list_(pa.int64(), 2))),
            "times": pa.nulls(2),
        },
        HEADER | {"frame_size": [640, 480], "model": {"name": "m"}},
    )
    read = load_predictions(path)
    assert (read.frame_size, read.model) == ((640, 480), {"name": "m"})
    assert [(t.start, t.end, t.score) for t in read.tubes] == [(2, 5, 1), (2.5, 6, 1)]
    assert read.tubes[0].points == [(1, 2), None, None]
    assert pack(read, BENCHMARK, "st").point[0].tolist() == [1, 2]
    assert read.place(1) == "row 1: $"


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all" * 100, bytes(5000)])
def test_garbage(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "preds.parquet"
    path.write_bytes(content)
    (fault,) = reading_faults(path)
    assert fault.startswith("not a readable Parquet file (")


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_truncated(table: Table, share: float) -> None:
    path = table(columns(500, score=[n / 7 for n in range(500)]))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    (fault,) = reading_faults(path)
    assert fault.startswith("not a readable Parquet file (")


@pytest.mark.parametrize("at", range(4, 1200, 37))
def test_damaged(table: Table, at: int) -> None:
    # A byte changed anywhere is a fault, or is read as other values: never a traceback.
    path = table(columns(50, score=[n / 7 for n in range(50)]), write_statistics=False)
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 0xFF
    path.write_bytes(data)
    with suppress(InputError):
        load_predictions(path)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, ["its schema metadata lacks the key `gytbench` with the header as JSON; write"]),
        ({}, ["header: $: the key `format` is missing", "header: $: the key `task` is missing"]),
        (HEADER | {"task": "spacial"}, ['header: $.task: must be "st" or "spatial" or "temporal"']),
        (HEADER | {"tubes": []}, ["header: $: unknown key 'tubes'"]),
        ([], ["header: $: must be an object, not an array"]),
        (b"{", ["header: not JSON: it is truncated"]),
        (b"\xff", ["header: not UTF-8 text at column 1"]),
        (b"[" * 100_000, ["header: not JSON that can be read: nested too deeply"]),
    ],
)
def test_headers(table: Table, header: Any, expected: list[str]) -> None:
    found = reading_faults(table(columns(), header))
    assert len(found) == len(expected)
    for fault, beginning in zip(found, expected, strict=True):
        assert fault.startswith(beginning)


def test_all_wrong_columns_are_told_once_each(table: Table) -> None:
    path = table(
        columns(
            video=[b"x"] * 3,
            end=None,
            score=["1", "2", "3"],
            points=[[1.0, 2.0]] * 3,
            masks=[[{"size": [1, 1]}]] * 3,
            boxs=[1] * 3,
            meta=[{"a": 1}] * 3,
        )
    )
    found = reading_faults(path)
    assert [fault.partition(", not ")[0] for fault in found] == [
        "column 'video': must be string",
        "column 'score': must be double",
        "column 'points': must be list<item: list<item: double>>",
        "column 'masks': must be list<item: struct<size: list<item: int32>, "
        "counts: list<item: int64>>>",
        "column 'boxs': unknown column; keep your own in `meta`, as JSON",
        "column 'meta': must be string",
        "the column `end` is missing",
    ]
    assert found[0] == "column 'video': must be string, not binary"


def test_a_column_that_stands_twice(tmp_path: Path) -> None:
    right = columns()
    names = [*right, "score", "score"]
    values = [pa.array(column) for column in right.values()] + [pa.array([0.5] * 3)] * 2
    made = pa.table(values, names=names)
    path = tmp_path / "preds.parquet"
    pq.write_table(made.replace_schema_metadata({b"gytbench": json.dumps(HEADER).encode()}), path)
    assert reading_faults(path) == ["column 'score': stands 2 times"]


def test_faults_of_rows_are_all_told(table: Table) -> None:
    found = reading_faults(
        table(
            columns(
                4,
                video=["a", None, "c", "d"],
                start=[0, 0, -1, float("nan")],
                points=[[[1.0, 2.0, 3.0], None], None, [[1.0]], [[1.0, None]]],
                instance=[-1, 0, 1, 2],
                meta=["{", "[]", "{}", None],
            )
        )
    )
    assert found == [
        "row 0: $.points[0]: expected array of length 2",
        "row 0: $.instance: expected integer >= 0",
        "row 0: $.meta: expected object or null, got string",
        "row 1: $.meta: expected object or null, got array",
        "row 1: $: the key `video` is missing",
        "row 2: $.start: expected number >= 0.0",
        "row 2: $.points[0]: expected array of length 2",
        "row 3: $.start: expected number, got null (a number that is not finite counts as null)",
        "row 3: $.points[0][1]: expected number, got null (a number that is not finite counts "
        "as null)",
    ]


def test_no_more_faults_are_listed_than_the_limit(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "MAX_FAULTS", 3)
    assert len(reading_faults(table(columns(3, start=[-1] * 3)))) == 3
    found = reading_faults(table(columns(9, start=[-1] * 9)))
    assert [fault.partition(":")[0] for fault in found[:3]] == ["row 0", "row 1", "row 2"]
    assert found[3:] == ["more faults follow: only 3 are listed"]


def test_text_that_is_not_utf8(table: Table) -> None:
    label = pa.array([b"\xff"] * 3, pa.binary()).view(pa.string())
    (fault,) = reading_faults(table(columns(label=label)))
    assert fault.startswith("not a readable Parquet file (")


def test_too_many_tubes_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_TUBES", 10)
    path = tmp_path / "preds.parquet"
    for count, expected in ((10, None), (11, "more than 10 tubes; split the file")):
        with PredictionWriter(path, task="st") as writer:
            writer.write([tube()] * count)
        if expected is None:
            assert len(load_predictions(path).tubes) == count
        else:
            assert reading_faults(path) == [expected]


def test_a_few_bytes_that_unpack_to_billions_of_values(table: Table) -> None:
    # Nulls share one run-length code: 400,000 values in a file of some kilobytes.
    many = pa.array([[None] * 2_000] * 200).cast(pa.list_(pa.list_(pa.float64())))
    path = table(columns(200, points=many))
    assert path.stat().st_size < 20_000
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "MAX_BYTES", 8 * 400_000)
        (fault,) = reading_faults(path)
    assert fault.endswith("split the file")


def test_without_pyarrow(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from gytbench.predictions import load_predictions\n"
        "from gytbench.errors import InputError\n"
        "try: load_predictions('preds.parquet')\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout == (
        "reading or writing .parquet needs pyarrow: pip install 'gytbench[parquet]'\n"
    )


COST = """
import re, sys
from gytbench.errors import InputError
from gytbench.predictions import load_predictions
try:
    load_predictions(sys.argv[1])
except InputError as error:
    print(error)
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 2**10)
"""


def repeated(value: Any, count: int) -> pa.DictionaryArray:
    """One value many times, as a dictionary of one."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([value]))


def heatmaps(count: int, text: str) -> pa.ListArray:
    """For each row a heatmap whose bytes are that text, which is there once."""
    one = [repeated("uint8", count), repeated(text, count)]
    shapes = pa.array([[1, 1]] * count, pa.list_(pa.int32()))
    made = pa.StructArray.from_arrays([shapes, *one], ["shape", "dtype", "data"])
    return pa.ListArray.from_arrays(pa.array(range(count + 1), pa.int32()), made)


def without_arrow_types(path: Path) -> None:
    """Write the file anew so that its texts are read as plain ones."""
    stored = pq.read_table(path)
    with pq.ParquetWriter(path, stored.schema, compression="zstd", store_schema=False) as writer:
        writer.write_table(stored)
        writer.add_key_value_metadata(stored.schema.metadata)


@pytest.mark.parametrize("field", ["label", "heatmaps"])
@pytest.mark.parametrize("plain", [True, False])
def test_a_text_that_stands_for_gigabytes(table: Table, field: str, plain: bool) -> None:
    count, text = 4000, "x" * 2**20
    written = repeated(text, count) if field == "label" else heatmaps(count, text)
    path = table(columns(count, **{field: written}), compression="zstd")
    if plain:
        without_arrow_types(path)
    assert path.stat().st_size < 20_000
    # In a process of its own, whose memory is measured.
    done = subprocess.run(
        [sys.executable, "-c", COST, str(path)], capture_output=True, text=True, check=True
    )
    told, memory = done.stdout.splitlines()
    assert told == f"{path}: holds more than 2 GiB; split the file"
    assert float(memory) < 300


def test_numbers_that_stand_in_many_rows(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_VALUES", 1000)
    path = table(columns(300))
    with pytest.raises(InputError, match="more than 1,000 values; split the file"):
        load_predictions(path)
    assert len(load_predictions(table(columns(20))).tubes) == 20
