"""From and to a foreign format: reads piece by piece, writes whole or not at all."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from gytbench.errors import InputError
from gytbench.predictions import limits
from gytbench.predictions.convert.contract import Options, Placed, Report
from gytbench.predictions.convert.reading import PredictionPieces
from gytbench.predictions.convert.registry import format_module
from gytbench.predictions.packing import MAX_COVERED_SECONDS
from gytbench.predictions.schema import Tube
from gytbench.predictions.writing import PredictionWriter
from gytbench.writing import open_whole

_TOGETHER = 16


def convert_from(name: str, source: Path, out: Path, options: Options, report: Report) -> None:
    """Write the results in `source`, of the format `name`, as predictions.

    Raises `InputError` for what cannot be read; nothing is written then. What the prediction
    format cannot hold, and answers that cannot be read, are counted in the report.
    """
    module = format_module(name)
    _keep(source, out)
    model = module.model(source) if hasattr(module, "model") else {}
    frame_size = options.frame_size if module.PIXELS else None

    def counted() -> Iterator[Tube]:
        budget = _Budget(out)
        for tube in module.read(source, options, report):
            report.tubes = budget.spend(tube)
            yield tube

    with PredictionWriter(out, task=options.task, model=model, frame_size=frame_size) as writer:
        tubes = counted()
        # The writer gathers what it is given at once: a few tubes, since each may be long.
        while some := list(islice(tubes, _TOGETHER)):
            writer.write(some)
        report.check()


def convert_to(name: str, source: Path, out: Path, options: Options, report: Report) -> None:
    """Write predictions in the format `name`.

    Raises `InputError` for what cannot be read or has no form there; nothing is written then.
    What the format cannot carry is counted in the report.
    """
    module = format_module(name, write=True)
    _keep(source, out)
    pieces = PredictionPieces(source)

    def counted() -> Iterator[Placed]:
        budget = _Budget(source)
        for placed in pieces.tubes():
            report.tubes = budget.spend(placed.tube)
            yield placed

    with open_whole(out) as file:
        kept = module.write(counted(), file, options, report, pieces.header.model)
        if not kept and pieces.header.model:
            report.lose("the description of the model")
        report.check()


class _Budget:
    """Holds a file to the tubes and covered seconds that a prediction file may have."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tubes = 0
        self._seconds = 0.0

    def spend(self, tube: Tube) -> int:
        """The number of tubes so far; raises `InputError` beyond the limits."""
        self._tubes += 1
        self._seconds += max(tube.end - tube.start, 0)
        limits.check_number(self._tubes, self._path)
        if self._seconds > MAX_COVERED_SECONDS:
            reason = f"tubes of more than {MAX_COVERED_SECONDS:,} seconds; split the file"
            raise InputError(reason, where=str(self._path))
        return self._tubes


def _keep(source: Path, out: Path) -> None:
    if source.resolve() == out.resolve():
        raise InputError("is read, and would be overwritten", where=str(out))
