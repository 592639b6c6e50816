"""Write prediction files a video at a time, whole or not at all."""

import gzip
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import msgspec

from gytbench.errors import InputError
from gytbench.predictions.encoding import decode_heatmap, decode_runs
from gytbench.predictions.faults import NOT_WRITABLE, value_faults
from gytbench.predictions.reading import suffix_of
from gytbench.predictions.schema import FORMAT, FrameSize, Header, Predictions, Task, Tube

_T = TypeVar("_T", bound=msgspec.Struct)


class _Sink(Protocol):
    def add(self, tubes: list[Tube]) -> None: ...
    def close(self, complete: bool) -> None: ...


_CHUNK = 1024
"""Tubes checked and written together."""


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
        self._header = _checked(header | {"frame_size": frame_size}, Header, f"{self.path}: $")
        self._part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        self._sink: _Sink | None = None
        self._written = 0

    def __enter__(self) -> Self:
        with self._disk_faults():
            check_target(self.path)
            try:
                self._sink = self._open()
            except BaseException:
                self._remove_part()
                raise
        return self

    def _open(self) -> _Sink:
        if self._suffix == ".parquet":
            from gytbench.predictions.parquet import ParquetSink

            return ParquetSink(self._part, self._header)
        return _TextSink(self._part, self._header, self._suffix)

    def write(self, tubes: Iterable[Tube | Mapping[str, Any]]) -> None:
        """Append tubes (`Tube` or plain dictionaries of the same keys), such as a video's.

        Arrays of numpy may stand for lists. Raises InputError that names the tube
        where one does not fit the format, or where the disk takes no more.
        """
        if self._sink is None:
            raise RuntimeError("PredictionWriter is used as a context manager: with ... as writer")
        waiting = iter(tubes)
        while chunk := [self._tube(tube) for tube in islice(waiting, _CHUNK)]:
            with self._disk_faults():
                self._sink.add(chunk)

    def _tube(self, tube: Tube | Mapping[str, Any]) -> Tube:
        where = f"{self.path}: $.tubes[{self._written}]"
        checked = _checked(tube, Tube, where)
        _check_decodes(where, "heatmaps", checked.heatmaps, decode_heatmap)
        _check_decodes(where, "masks", checked.masks, decode_runs)
        self._written += 1
        return checked

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._sink is not None
        sink, self._sink = self._sink, None
        try:
            if kind is not None:
                # What went wrong first is what the caller needs to know.
                with suppress(OSError):
                    sink.close(complete=False)
                return
            with self._disk_faults():
                sink.close(complete=True)
                self._part.replace(self.path)
        finally:
            self._remove_part()

    @contextmanager
    def _disk_faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(f"cannot be written: {reason}", where=str(self.path)) from None

    def _remove_part(self) -> None:
        with suppress(OSError):
            self._part.unlink(missing_ok=True)


def check_target(path: Path) -> None:
    """Raise `InputError` for a name that no prediction file can have: a folder's, or its form."""
    if path.is_dir():
        raise InputError("this is a folder; name the file to write", where=str(path))
    suffix_of(path)


def save_predictions(predictions: Predictions, path: str | Path) -> None:
    """Write predictions that are in memory."""
    with PredictionWriter(
        path,
        task=predictions.task,
        model=predictions.model,
        frame_size=predictions.frame_size,
    ) as writer:
        writer.write(predictions.tubes)


def _checked(value: Any, kind: type[_T], where: str) -> _T:
    """The value as the type, held to what a reader of the file will accept."""
    plain: Any = value
    try:
        plain = msgspec.to_builtins(
            value if isinstance(value, msgspec.Struct) else dict(value),
            builtin_types=(bytes,),
            enc_hook=_plain,
        )
        _spell_counts(plain)
        checked = msgspec.convert(plain, kind)
        text = msgspec.json.encode(checked)
        # A number that is not finite is written as null, where most fields cannot have one.
        return msgspec.json.decode(text, type=kind) if b"null" in text else checked
    except NOT_WRITABLE as error:
        raise InputError(value_faults(where, plain, kind, error)) from None


def _check_decodes(
    where: str, name: str, values: list[Any] | None, decode: Callable[[Any], object]
) -> None:
    for at, value in enumerate(values or ()):
        try:
            _ = None if value is None else decode(value)
        except ValueError as error:
            raise InputError(str(error), where=f"{where}.{name}[{at}]") from None


def _plain(value: Any) -> Any:
    """Lists and numbers for arrays and scalars of numpy or torch."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _spell_counts(tube: dict[str, Any]) -> None:
    """Text for the bytes that pycocotools gives as a mask's counts."""
    masks = tube.get("masks")
    for mask in masks if isinstance(masks, list) else ():
        if isinstance(mask, dict) and isinstance(mask.get("counts"), bytes):
            mask["counts"] = mask["counts"].decode("latin-1")


class _TextSink:
    """JSON in one object, or one line a tube; compressed where the suffix ends in .gz."""

    def __init__(self, part: Path, header: Header, suffix: str) -> None:
        self._lines = ".jsonl" in suffix
        self._first = True
        self._raw = part.open("wb")
        # No name and no time in the gzip header: the same tubes give the same bytes.
        self._file = (
            gzip.GzipFile("", "wb", 6, self._raw, mtime=0) if suffix.endswith(".gz") else self._raw
        )
        text = msgspec.json.encode(header)
        self._file.write(text + b"\n" if self._lines else text[:-1] + b',"tubes":[')

    def add(self, tubes: list[Tube]) -> None:
        for tube in tubes:
            text = msgspec.json.encode(tube)
            if self._lines:
                self._file.write(text + b"\n")
            else:
                self._file.write((b"\n" if self._first else b",\n") + text)
            self._first = False

    def close(self, complete: bool) -> None:
        with self._raw:
            with nullcontext() if self._file is self._raw else self._file:
                if complete and not self._lines:
                    self._file.write(b"\n]}\n")
            if complete:
                self._raw.flush()
                os.fsync(self._raw.fileno())
