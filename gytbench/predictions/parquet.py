"""Prediction files as Parquet, one tube a row (needs the extra `gytbench[parquet]`)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from gytbench.errors import Fault, InputError
from gytbench.predictions import faults, limits
from gytbench.predictions.encoding import decode_heatmap, decode_runs, encode_heatmap
from gytbench.predictions.schema import EncodedHeatmap, Header, Heatmap, Predictions, Tube
from gytbench.predictions.syntax import NOT_DECODED, syntax_fault

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    raise InputError(
        "reading or writing .parquet needs pyarrow: pip install 'gytbench[parquet]'"
    ) from None

KEY = b"gytbench"
_BATCH = 4096
_POINTER = 8


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
    source = str(path)
    try:
        with pq.ParquetFile(path) as file:
            header = _header(source, file.schema_arrow)
            wrong = list(_column_faults(source, file.schema_arrow))
            if wrong:
                raise InputError(wrong)
            _check_size(path, file.metadata)
            texts = list(_texts(file.metadata.schema))
        # Texts come as they are stored: one that stands in many rows is there once.
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            tubes = _tubes(path, file)
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise InputError(f"not a readable Parquet file ({error})", where=source) from None
    return Predictions(
        header.task, tubes, header.model, header.frame_size, source, "row {}: $".format
    )


def _texts(schema: Any) -> Iterator[str]:
    """The columns that hold text, inside of lists too."""
    columns = (schema.column(number) for number in range(len(schema)))
    return (column.path for column in columns if column.physical_type == "BYTE_ARRAY")


def _header(source: str, schema: Any) -> Header:
    text = (schema.metadata or {}).get(KEY)
    if text is None:
        raise InputError(
            "its schema metadata lacks the key `gytbench` with the header as JSON; "
            "write it with gytbench.PredictionWriter",
            where=source,
        )
    try:
        return msgspec.json.decode(text, type=Header)
    except NOT_DECODED as error:
        where = f"{source}: header"
        broken = syntax_fault(where, text, one_line=True)
        found = [broken] if broken else list(faults.struct_faults(f"{where}: $", text, Header))
        raise InputError(found or str(error), where=where) from None


def _column_faults(source: str, schema: Any) -> Iterator[Fault]:
    """Columns that the format does not have, lacks, or has with other types."""
    wanted = _arrow_schema()
    for name, times in Counter(schema.names).items():
        where = f"{source}: column {faults.quoted(name)}"
        if name not in wanted.names:
            yield Fault(where, "unknown column; keep your own in `meta`, as JSON", "unknown key")
        elif times > 1:
            yield Fault(where, f"stands {times} times", "repeated key")
        elif not _fits(schema.field(name).type, wanted.field(name).type):
            reason = f"must be {wanted.field(name).type}, not {schema.field(name).type}"
            yield Fault(where, reason, "wrong type")
    for field in msgspec.structs.fields(Tube):
        if field.required and field.name not in schema.names:
            yield Fault(source, f"the column `{field.name}` is missing", "missing key")


def _fits(found: Any, wanted: Any) -> bool:
    """Whether values of an Arrow type can be read as those of another: any width will do."""
    types = pa.types
    if types.is_dictionary(found):
        found = found.value_type
    if types.is_null(found):
        fits = True
    elif types.is_list(wanted):
        listed = (
            types.is_list(found) or types.is_large_list(found) or types.is_fixed_size_list(found)
        )
        fits = listed and _fits(found.value_type, wanted.value_type)
    elif types.is_struct(wanted):
        fits = types.is_struct(found) and {field.name for field in found} == {
            field.name for field in wanted
        }
        fits = fits and all(_fits(found.field(f.name).type, f.type) for f in wanted)
    elif types.is_string(wanted):
        fits = types.is_string(found) or types.is_large_string(found)
    else:
        fits = types.is_integer(found) or (types.is_floating(wanted) and types.is_floating(found))
    return bool(fits)


def _check_size(path: Path, metadata: Any) -> None:
    """Refuse what would not fit in memory: a few bytes may stand for a billion values."""
    limits.check_number(metadata.num_rows, path)
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    values = sum(group.column(c).num_values for group in groups for c in range(group.num_columns))
    limits.check_size(max(8 * values, sum(group.total_byte_size for group in groups)), path)


def _tubes(path: Path, file: Any) -> list[Tube]:
    tubes: list[Tube] = []
    found: list[Fault] = []
    for number, row in enumerate(_rows(path, file)):
        try:
            tubes.append(msgspec.convert(row, Tube))
        except msgspec.ValidationError as error:
            found += faults.value_faults(f"{path}: row {number}: $", row, Tube, error)
            if len(found) > faults.MAX_FAULTS:
                break
    if found:
        raise InputError(faults.listed(found, str(path)))
    return tubes


def _rows(path: Path, file: Any) -> Iterator[dict[str, Any]]:
    """The rows' values that are not missing, `meta` decoded."""
    size = values = 0
    for batch in file.iter_batches(batch_size=_BATCH):
        weights = [weight(column) for column in batch.columns]
        size += sum(each.size for each in weights)
        values += sum(each.values for each in weights)
        limits.check_size(size, path)
        limits.check_values(values, path)
        for given in batch.to_pylist():
            row = {name: value for name, value in given.items() if value is not None}
            if "meta" in row:
                # Text that is not JSON stays, and is reported as the wrong type.
                with suppress(*NOT_DECODED):
                    row["meta"] = msgspec.json.decode(row["meta"])
            yield row


class Weight(NamedTuple):
    """What a column comes to when it is read out."""

    size: int
    """Bytes."""
    values: int
    """Numbers, names, and lists of them."""


def weight(column: Any) -> Weight:
    """The weight of an Arrow array, with all that lies inside of it.

    A text counts as often as it stands there, though a dictionary holds it once.
    """
    types, kind = pa.types, column.type
    if types.is_dictionary(kind):
        return Weight(_spelt_out(column), len(column))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        inside = [weight(column.flatten())]
    elif types.is_struct(kind):
        inside = [weight(each) for each in column.flatten()]
    else:
        return Weight(column.nbytes, len(column))
    number = len(column) + sum(each.values for each in inside)
    return Weight(_POINTER * number + sum(each.size for each in inside), number)


def _spelt_out(column: Any) -> int:
    """The bytes of a dictionary's column, every value written where it stands."""
    from pyarrow import compute

    kind = column.type.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return _POINTER * len(column)
    lengths = compute.take(compute.binary_length(column.dictionary), column.indices)
    total: int | None = compute.sum(compute.cast(lengths, pa.int64())).as_py()
    return _POINTER * len(column) + (total or 0)


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
    row["heatmaps"] = tube.heatmaps and [
        None if heatmap is None else _heatmap_row(heatmap) for heatmap in tube.heatmaps
    ]
    row["masks"] = tube.masks and [
        None if mask is None else {"size": list(mask.size), "counts": decode_runs(mask).tolist()}
        for mask in tube.masks
    ]
    return row


def _heatmap_row(heatmap: Heatmap) -> dict[str, Any]:
    if not isinstance(heatmap, EncodedHeatmap):
        heatmap = encode_heatmap(decode_heatmap(heatmap), "float64")
    return msgspec.structs.asdict(heatmap)
