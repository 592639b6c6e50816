"""The log of answers: JSON Lines, one answer a line, only ever added to.

A later line of the same annotator, video, second and step replaces the earlier
one. An answer counts as given once its line is on the disk; a last line that
was cut off when the process was killed was never given, and is passed over.
"""

import math
import os
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Annotated, Literal, NamedTuple, Self

import msgspec

from gytbench.benchmark.decoding import Second
from gytbench.errors import InputError

Kind = Literal["point", "none", "skip"]
"""A centre was clicked, nothing of the step is visible, or no answer for now."""

_Pixels = Annotated[int, msgspec.Meta(ge=1, le=100_000)]

_LINE_START = b'{"video":'

_NAME_LENGTH = 80


class Key(NamedTuple):
    """What is asked of whom; there is one answer at a time."""

    annotator: str
    video: str
    second: int
    step: str | None


class Answer(msgspec.Struct, frozen=True):
    """One line of the log. Raises ValueError where the fields contradict each other."""

    video: str
    second: Second
    step: str | None
    annotator: str
    x: float | None
    """In pixels of the frame, 0 to `width`; None unless a point."""
    y: float | None
    """In pixels of the frame, 0 to `height`; None unless a point."""
    width: _Pixels
    height: _Pixels
    answer: Kind
    time: str
    """When it was given: ISO 8601, UTC."""

    def __post_init__(self) -> None:
        check_annotator(self.annotator)
        if self.answer != "point":
            if self.x is not None or self.y is not None:
                raise ValueError(f"{self.answer!r} goes without x and y")
        elif self.x is None or self.y is None:
            raise ValueError("a point needs x and y")
        elif not (_within(self.x, self.width) and _within(self.y, self.height)):
            size = f"{self.width}x{self.height}"
            raise ValueError(f"({self.x:g}, {self.y:g}) is outside the frame of {size}")

    @property
    def key(self) -> Key:
        """What it answers."""
        return Key(self.annotator, self.video, self.second, self.step)


def check_annotator(name: str) -> None:
    """Raises ValueError for a name that is no name: 1 to 80 printable characters."""
    if not (0 < len(name) <= _NAME_LENGTH and name.isprintable() and name == name.strip()):
        raise ValueError(f"the annotator's name needs 1 to {_NAME_LENGTH} printable characters")


def latest(answers: Iterable[Answer]) -> dict[Key, Answer]:
    """The answers that count, in the order of their first giving."""
    return {answer.key: answer for answer in answers}


def read_answers(path: Path) -> list[Answer]:
    """All lines of a log. Raises `InputError` that names the file and the first bad line."""
    try:
        return _parse(path.read_bytes(), path)[0]
    except FileNotFoundError:
        raise InputError("no such file; nothing was answered yet", where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None


class AnswerLog:
    """A log that is open for adding, by this process alone.

    Use as a context manager. `append` may be called from any thread.
    """

    def __init__(self, path: Path) -> None:
        """Raises `InputError` where the file is no log, cannot be written, or is in use."""
        self._path = path
        self._lock = Lock()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from None
        try:
            if not path.is_file():
                raise InputError("is no regular file", where=str(path))
            _lock_file(self._file, path)
            answers = self._recover()
        except BaseException:
            os.close(self._file)
            raise
        self._latest = latest(answers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def answers(self) -> list[Answer]:
        """The answers that count at this moment."""
        with self._lock:
            return list(self._latest.values())

    def append(self, answer: Answer) -> None:
        """Have an answer on the disk. Raises OSError where it is not; then nothing is kept."""
        line = msgspec.json.encode(answer) + b"\n"
        with self._lock:
            end = os.fstat(self._file).st_size
            try:
                # A single write, so that a kill leaves whole lines or the start of one.
                if os.write(self._file, line) < len(line):
                    raise OSError("the disk is full")
                os.fsync(self._file)
            except OSError:
                os.ftruncate(self._file, end)
                raise
            self._latest[answer.key] = answer

    def _recover(self) -> list[Answer]:
        """All answers; leaves the file at the start of a new line."""
        data = self._path.read_bytes()
        answers, whole = _parse(data, self._path)
        if whole < len(data):
            os.ftruncate(self._file, whole)
        elif data and not data.endswith(b"\n"):
            os.write(self._file, b"\n")
        return answers


def _within(value: float, size: int) -> bool:
    return math.isfinite(value) and 0 <= value <= size


def _lock_file(file: int, path: Path) -> None:
    """Take the file for this process; the system lets go of it when the process ends."""
    try:
        import fcntl
    except ImportError:
        raise InputError("annotating needs file locks, which this system lacks") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        hint = "stop it, or choose another file with -o"
        reason = f"another `gytbench annotate` is writing to it; {hint}"
        raise InputError(reason, where=str(path)) from None


def _parse(data: bytes, path: Path) -> tuple[list[Answer], int]:
    """The answers and how many bytes they take: all, or all before a cut off last line."""
    decoder = msgspec.json.Decoder(Answer)
    answers: list[Answer] = []
    whole = 0
    for number, line in enumerate(data.splitlines(keepends=True), start=1):
        try:
            answers.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if _is_cut_off(line):
                break
            raise InputError(f"is no answer: {error}", where=f"{path}: line {number}") from None
        whole += len(line)
    return answers, whole


def _is_cut_off(line: bytes) -> bool:
    """Whether it is the start of a line of ours; only the last line can lack its end."""
    shared = min(len(line), len(_LINE_START))
    return not line.endswith(b"\n") and line[:shared] == _LINE_START[:shared]
