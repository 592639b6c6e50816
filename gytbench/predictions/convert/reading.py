"""Read a prediction file a tube at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from gytbench.errors import InputError
from gytbench.inputs import open_input
from gytbench.predictions import limits
from gytbench.predictions.convert.contract import Placed
from gytbench.predictions.convert.json_pieces import JsonPieces
from gytbench.predictions.convert.text import byte_lines
from gytbench.predictions.reading import load_predictions, suffix_of
from gytbench.predictions.schema import Header, Predictions, Tube
from gytbench.predictions.syntax import NOT_DECODED

_UNIT = (1.0, 1.0)


class PredictionPieces:
    """A prediction file: its header, and its tubes one after the other.

    Raises `InputError`, with every fault, where the file is none. Of the forms, .parquet
    is the one that is read whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._suffix = suffix_of(path)
        self._whole: Predictions | None = None
        try:
            self.header = self._read_header()
        except NOT_DECODED as error:
            self._refuse(error)

    def _read_header(self) -> Header:
        if self._suffix == ".parquet":
            self._whole = whole = load_predictions(self.path)
            return Header(
                format="gytbench-predictions/1",
                task=whole.task,
                model=whole.model,
                frame_size=whole.frame_size,
            )
        with open_input(self.path) as file:
            if ".jsonl" in self._suffix:
                first = next(byte_lines(file, str(self.path)), (1, b""))[1]
                return msgspec.json.decode(first, type=Header)
            fields: dict[str, Any] = {}
            pieces = JsonPieces(file, str(self.path))
            for key in pieces.members():
                if key == "tubes":
                    pieces.skip()
                else:
                    fields[key] = msgspec.Raw(pieces.raw())
            pieces.end()
            return msgspec.json.decode(msgspec.json.encode(fields), type=Header)

    def _refuse(self, error: Exception) -> None:
        """Raise `InputError` with all that is wrong with the file."""
        load_predictions(self.path)
        raise InputError(str(error), where=str(self.path)) from None

    def tubes(self) -> Iterator[Placed]:
        """Every tube, its own frame filled in, with its place."""
        frame = self.header.frame_size or _UNIT
        try:
            for number, (where, tube) in enumerate(self._found(), start=1):
                limits.check_number(number, self.path)
                tube.frame_size = tube.frame_size or frame
                yield Placed(where, tube)
        except NOT_DECODED as error:
            self._refuse(error)

    def _found(self) -> Iterator[tuple[str, Tube]]:
        source = str(self.path)
        if self._suffix == ".parquet":
            assert self._whole is not None
            whole = self._whole
            yield from ((f"{source}: {whole.place(i)}", t) for i, t in enumerate(whole.tubes))
            return
        decode = msgspec.json.Decoder(Tube).decode
        with open_input(self.path) as file:
            if ".jsonl" in self._suffix:
                lines = byte_lines(file, source)
                next(lines)
                for number, line in lines:
                    yield f"{source}: line {number}: $", decode(line)
                return
            pieces = JsonPieces(file, source)
            for key in pieces.members():
                if key != "tubes":
                    pieces.skip()
                    continue
                for index in pieces.elements():
                    yield f"{source}: $.tubes[{index}]", decode(pieces.raw())
