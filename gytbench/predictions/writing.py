"""Write prediction files a video at a time, whole or not at all."""

import gzip
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import msgspec

from gytbench.errors import InputError
from gytbench.predictions.reading import Predictions, suffix_of
from gytbench.predictions.schema import FORMAT, FrameSize, Header, Task, Tube

_T = TypeVar("_T", bound=msgspec.Struct)


class _Sink(Protocol):
    def add(self, tubes: list[Tube]) -> None: ...
    def close(self, complete: bool) -> None: ...


class PredictionWriter:
    """Writes a prediction file; the name's suffix chooses the form.

    >>> with PredictionWriter("preds.json", task="st", model={"name": "m"}) as writer:
    ...     writer.write([{"video": "a", "label": "stir", "start": 0, "end": 2}])

    Tubes go to a temporary file beside the target, which takes the target's
    place when the block ends without an error, and is removed otherwise: a file
    under the target's name is always whole.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        task: Task,
        model: Mapping[str, Any] | None = None,
        frame_size: FrameSize | None = None,
    ) -> None:
        self.path = Path(path)
        self._suffix = suffix_of(self.path)
        header = {"format": FORMAT, "task": task, "model": dict(model or {})}
        self._header = _convert(header | {"frame_size": frame_size}, Header, self.path)
        self._part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        self._sink: _Sink | None = None

    def __enter__(self) -> Self:
        try:
            self._sink = self._open()
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", str(self.path)) from None
        return self

    def _open(self) -> _Sink:
        if self._suffix == ".parquet":
            from gytbench.predictions.parquet import ParquetSink

            return ParquetSink(self._part, self._header)
        return _TextSink(self._part, self._header, self._suffix)

    def write(self, tubes: Iterable[Tube | Mapping[str, Any]]) -> None:
        """Append tubes (`Tube` or plain dictionaries of the same keys), such as a video's."""
        if self._sink is None:
            raise RuntimeError("PredictionWriter is used as a context manager: with ... as writer")
        self._sink.add([_convert(tube, Tube, self.path) for tube in tubes])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._sink is not None
        try:
            self._sink.close(complete=kind is None)
            if kind is None:
                self._part.replace(self.path)
        finally:
            self._part.unlink(missing_ok=True)


def save_predictions(predictions: Predictions, path: str | Path) -> None:
    """Write predictions that are in memory."""
    with PredictionWriter(
        path,
        task=predictions.task,
        model=predictions.model,
        frame_size=predictions.frame_size,
    ) as writer:
        writer.write(predictions.tubes)


def _convert(value: Any, kind: type[_T], path: Path) -> _T:
    """Check a value's types before it is written; a struct too, since its fields are not."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.to_builtins(value)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise InputError(
            f"not written: {error} in {kind.__name__.lower()} {value!r:.200}", str(path)
        ) from None


class _TextSink:
    """JSON in one object, or one line a tube; compressed where the suffix ends in .gz."""

    def __init__(self, part: Path, header: Header, suffix: str) -> None:
        self._lines = ".jsonl" in suffix
        self._raw = part.open("wb")
        # No name and no time in the gzip header: the same tubes give the same bytes.
        self._file = (
            gzip.GzipFile("", "wb", 6, self._raw, mtime=0) if suffix.endswith(".gz") else self._raw
        )
        text = msgspec.json.encode(header)
        self._file.write(text + b"\n" if self._lines else text[:-1] + b',"tubes":[')
        self._first = True

    def add(self, tubes: list[Tube]) -> None:
        for tube in tubes:
            text = msgspec.json.encode(tube)
            if self._lines:
                self._file.write(text + b"\n")
            else:
                self._file.write((b"\n" if self._first else b",\n") + text)
            self._first = False

    def close(self, complete: bool) -> None:
        if complete and not self._lines:
            self._file.write(b"\n]}\n")
        if self._file is not self._raw:
            self._file.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
