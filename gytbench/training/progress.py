"""What a run tells of itself: a table of its steps, TensorBoard, and what could not be read."""

import csv
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from gytbench.errors import InputError
from gytbench.writing import open_whole

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_TENSORBOARD = "tensorboard"


class Row(NamedTuple):
    """A step of a run; the losses are means over its batches."""

    step: int
    """From 1."""
    epoch: int
    """From 1."""
    loss: float
    local: float | None
    global_: float | None
    lr: float
    samples_per_second: float
    """Of all processes."""
    waiting: float
    """The share of the step's time that went by until its samples were there."""


_COLUMNS = tuple(field.rstrip("_") for field in Row._fields)


class Log:
    """`log.csv`, with a row for each step, and the same for TensorBoard where it is wanted."""

    def __init__(self, folder: Path, step: int, *, tensorboard: bool) -> None:
        """Goes on after a step; what was written of later ones is gone.

        Raises `InputError` where the file is another's or cannot be written to, and
        where TensorBoard is missing.
        """
        self._path = folder / "log.csv"
        self._events = _event_writer(folder / _TENSORBOARD, step) if tensorboard else None
        _cut(self._path, step)
        self._file = _appended(self._path)

    def add(self, row: Row) -> None:
        """Write a step; others who read the file see it at once."""
        with _writing(self._path):
            csv.writer(self._file, lineterminator="\n").writerow(
                "" if value is None else value for value in row
            )
            self._file.flush()
        if self._events is not None:
            for name, value in zip(_COLUMNS[1:], row[1:], strict=True):
                if value is not None:
                    self._events.add_scalar(name, value, row.step)

    def sync(self) -> None:
        """Have all that was added on the disk."""
        with _writing(self._path):
            os.fsync(self._file.fileno())
        if self._events is not None:
            self._events.flush()

    def close(self) -> None:
        """Close the files."""
        with _writing(self._path):
            self._file.close()
        if self._events is not None:
            self._events.close()


class Failures:
    """`failed.csv`: where samples could not be read, and why, each once."""

    def __init__(self, folder: Path) -> None:
        """Goes on with the file that is there; raises `InputError` where it cannot be read."""
        self._path = folder / "failed.csv"
        self._known: set[tuple[str, str]] = set()
        if self._path.exists():
            rows = csv.reader(_text(self._path).splitlines())
            self._known = {(row[0], row[1]) for row in rows if len(row) == 2} - {_FAILED}

    def __len__(self) -> int:
        return len(self._known)

    def add(self, failures: Iterable[str]) -> None:
        """Write those that are new: where it was, a colon, and why."""
        found = [(where, why) for where, _, why in (each.partition(": ") for each in failures)]
        fresh = sorted(set(found) - self._known)
        if not fresh:
            return
        with _writing(self._path), self._path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows(fresh if self._known else [_FAILED, *fresh])
        self._known |= set(fresh)


_FAILED = ("video", "reason")


def check_tensorboard() -> None:
    """Raise `InputError` where TensorBoard is missing."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError:
        raise InputError(
            "tensorboard: true needs TensorBoard: pip install 'gytbench[training]', or set "
            "tensorboard: false"
        ) from None


def _event_writer(folder: Path, step: int) -> "SummaryWriter":
    check_tensorboard()
    from torch.utils.tensorboard import SummaryWriter

    with _writing(folder):
        return SummaryWriter(str(folder), purge_step=step + 1)


def _cut(path: Path, step: int) -> None:
    """Leave the header and the rows up to a step."""
    header = ",".join(_COLUMNS)
    lines = _text(path).splitlines() if path.exists() else []
    if lines and lines[0] != header:
        raise InputError("is no log of a training run: move it away", where=str(path))
    kept = [line for line in lines[1:] if _step(line) <= step]
    with open_whole(path) as file:
        file.write("".join(f"{line}\n" for line in (header, *kept)).encode())


def _step(line: str) -> float:
    """The step of a row; one that was cut short is after all others."""
    cells = line.split(",")
    whole = len(cells) == len(_COLUMNS) and cells[0].isdecimal()
    return int(cells[0]) if whole else float("inf")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None


def _appended(path: Path) -> IO[str]:
    with _writing(path):
        return path.open("a", encoding="utf-8", newline="")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"cannot be written: {reason}; the same command goes on from the last checkpoint",
            where=str(path),
        ) from None
