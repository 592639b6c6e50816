"""Prediction files as Parquet, one tube a row (needs the extra `gytbench[parquet]`)."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from gytbench.errors import Fault, InputError
from gytbench.predictions import faults
from gytbench.predictions.encoding import decode_heatmap, decode_runs, encode_heatmap
from gytbench.predictions.reading import MAX_BYTES, MAX_TUBES, Predictions
from gytbench.predictions.schema import EncodedHeatmap, Header, Heatmap, Tube

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    raise InputError(
        "reading or writing .parquet needs pyarrow: pip install 'gytbench[parquet]'"
    ) from None

KEY = b"gytbench"
_BATCH = 4096


def _arrow_schema() -> Any:
    numbers = pa.list_(pa.float64())
    heatmap = pa.struct({"shape": pa.list_(pa.int32()), "dtype": pa.string(), "data": pa.string()})
    mask = pa.struct({"size": pa.list_(pa.int32()), "counts": pa.list_(pa.int64())})
    return pa.schema(
        {
            "video": pa.string(),
            "label": pa.string(),
            "start": pa.float64(),
            "end": pa.float64(),
            "score": pa.float64(),
            "times": pa.list_(pa.int64()),
            "points": pa.list_(numbers),
            "boxes": pa.list_(numbers),
            "heatmaps": pa.list_(heatmap),
            "masks": pa.list_(mask),
            "scores": numbers,
            "frame_size": numbers,
            "instance": pa.int64(),
            "meta": pa.string(),
        }
    )


def read_parquet(path: Path) -> Predictions:
    """Read a Parquet prediction file; the header is in the schema's metadata."""
    try:
        with pq.ParquetFile(path) as file:
            header = _header(path, file)
            rows = _rows(path, file)
    except pa.ArrowException as error:
        raise InputError(f"not a readable Parquet file ({error})", where=str(path)) from None
    tubes: list[Tube] = []
    found: list[Fault] = []
    for index, row in enumerate(rows):
        try:
            tubes.append(msgspec.convert(row, Tube))
        except msgspec.ValidationError:
            found.extend(faults.struct_faults(f"{path}: row {index}: $", row, Tube))
    if found:
        raise InputError(found)
    return Predictions(
        header.task,
        tubes,
        header.model,
        header.frame_size,
        source=str(path),
        place="row {}: $".format,
    )


def _header(path: Path, file: Any) -> Header:
    text = (file.schema_arrow.metadata or {}).get(KEY)
    if text is None:
        raise InputError(
            "its schema metadata lacks the key `gytbench` with the header as JSON; "
            "write it with gytbench.PredictionWriter",
            where=str(path),
        )
    try:
        return msgspec.json.decode(text, type=Header)
    except msgspec.DecodeError as error:
        raise InputError(f"header: {error}", where=str(path)) from None


def _rows(path: Path, file: Any) -> list[dict[str, Any]]:
    """The rows as dictionaries, missing values left out; refused when they would not fit."""
    groups = range(file.metadata.num_row_groups)
    size = sum(file.metadata.row_group(group).total_byte_size for group in groups)
    if size > MAX_BYTES or file.metadata.num_rows > MAX_TUBES:
        raise InputError(
            f"more than {MAX_BYTES >> 30} GiB or {MAX_TUBES:,} tubes; split the file", str(path)
        )
    rows: list[dict[str, Any]] = []
    read = 0
    for batch in file.iter_batches(batch_size=_BATCH):
        read += batch.nbytes
        if read > MAX_BYTES:
            raise InputError(f"unpacks to more than {MAX_BYTES >> 30} GiB", where=str(path))
        rows.extend(_present(row) for row in batch.to_pylist())
    return rows


def _present(row: dict[str, Any]) -> dict[str, Any]:
    row = {name: value for name, value in row.items() if value is not None}
    if isinstance(row.get("meta"), str):
        # Text that is not JSON stays, and is reported as the wrong type.
        with suppress(msgspec.DecodeError):
            row["meta"] = msgspec.json.decode(row["meta"])
    return row


class ParquetSink:
    """Writes tubes in row groups, a batch at a time."""

    def __init__(self, part: Path, header: Header) -> None:
        schema = _arrow_schema().with_metadata({KEY: msgspec.json.encode(header)})
        self._schema = schema
        self._file = pq.ParquetWriter(part, schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def add(self, tubes: list[Tube]) -> None:
        self._rows.extend(_row(tube) for tube in tubes)
        if len(self._rows) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        self._file.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []

    def close(self, complete: bool) -> None:
        if complete:
            self._flush()
        self._file.close()


def _row(tube: Tube) -> dict[str, Any]:
    row = msgspec.structs.asdict(tube)
    if tube.meta is not None:
        row["meta"] = msgspec.json.encode(tube.meta).decode()
    if tube.heatmaps is not None:
        row["heatmaps"] = [None if m is None else _heatmap_row(m) for m in tube.heatmaps]
    if tube.masks is not None:
        row["masks"] = [
            None if m is None else {"size": list(m.size), "counts": decode_runs(m).tolist()}
            for m in tube.masks
        ]
    return row


def _heatmap_row(heatmap: Heatmap) -> dict[str, Any]:
    if not isinstance(heatmap, EncodedHeatmap):
        heatmap = encode_heatmap(decode_heatmap(heatmap), "float64")
    return msgspec.structs.asdict(heatmap)
