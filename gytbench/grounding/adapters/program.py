"""A program of any environment, kept running and asked in lines, for Linux and macOS.

Its three pipes are served from one thread, each as soon as it is ready: a program that
writes before it has read all, or fills standard error, blocks nobody. It has a process
group of its own, and whatever ends it ends that group, so its own children too.
"""

import json
import os
import selectors
import signal
import subprocess
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic
from typing import IO

from gytbench.errors import InputError

READY = "gytbench-exec/1"
"""The protocol; a program names it in the line that says that it is ready."""

MAX_LINE = 16 << 20
"""Bytes of one line."""

MAX_OUTPUT = 1 << 30
"""Bytes of standard output for one request."""

MAX_FAILED_STARTS = 3
"""In a row; then the program is not started again."""

GRACE = 10.0
"""Seconds that a program has to end by itself when it is no longer needed."""

_PIECE = 1 << 16
_LOG = 4096
"""Bytes of the log that are kept for messages."""
_LOOK = 0.2
"""Seconds between looks at whether a silent program still runs."""
_PIECES_AFTER = 16
"""How often a program's pipes are read after its end, for the last of its log."""
_SETTLE = 1.0
"""Seconds between the end of a program's output and its own, where it ends."""


class ProgramError(Exception):
    """What the program did that ends it, in words that follow "the program"."""


class ProgramLostError(InputError):
    """The program does not start any more: no further video can be answered."""


class Program:
    """A command that runs until it is closed, and is started anew where it had to be ended.

    It takes one request at a time, from one thread.
    """

    def __init__(self, command: Sequence[str], start_limit: float) -> None:
        """Starts it, and waits at most `start_limit` seconds for its ready line.

        Raises `InputError` where it cannot be started or is not ready in time.
        """
        if os.name != "posix":
            raise InputError("programs are run on Linux and macOS only")
        self._command = tuple(command)
        self._start_limit = start_limit
        self._failed_starts = 0
        self._running: _Running | None = None
        self._at_exit: weakref.finalize[..., Program] | None = None
        try:
            self._start()
        except ProgramError as error:
            raise InputError(f"the program {error}", where=self._command[0]) from None

    @contextmanager
    def asked(self, request: bytes, limit: float, where: str) -> Iterator[Iterator[bytes]]:
        """Sends a line, and gives those that answer it for at most `limit` seconds.

        Only lines that begin with a brace are given; the block is left when the last of
        the answer has come. Raises `InputError`, with `where`, if the program ends or is
        late, writes too much, or if the block raises `ProgramError`; it is
        `ProgramLostError` if it has not started for the third time in a row. After any
        exception the program is ended, and the next request starts it anew.
        """
        try:
            running = self._ready()
            running.send(request)
            yield running.lines(limit, "the end of its answer")
        except ProgramError as error:
            self._end(0)
            kind = ProgramLostError if self._failed_starts >= MAX_FAILED_STARTS else InputError
            raise kind(f"the program {error}", where=where) from None
        except BaseException:
            self._end(0)
            raise

    def close(self) -> None:
        """Closes its standard input, and ends it if it has not ended after `GRACE` seconds."""
        self._end(GRACE)

    def _ready(self) -> "_Running":
        if self._running is None or not self._running.alive:
            self._end(0)
            if self._failed_starts >= MAX_FAILED_STARTS:
                raise ProgramError(f"did not start {MAX_FAILED_STARTS} times in a row")
            self._start()
        assert self._running is not None
        return self._running

    def _start(self) -> None:
        # It counts as failed until it is ready.
        self._failed_starts += 1
        try:
            self._running = running = _Running(self._command)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            hint = "name the executable, by its path or as found on PATH, as the command's first"
            raise ProgramError(f"cannot be started: {reason}; {hint}") from None
        # The finalizer must not know this object, or it would keep it alive.
        self._at_exit = weakref.finalize(self, running.end, GRACE)
        try:
            _check_ready(next(running.lines(self._start_limit, "its ready line")))
        except BaseException:
            self._end(0)
            raise
        self._failed_starts = 0

    def _end(self, grace: float) -> None:
        if self._at_exit is not None:
            self._at_exit.detach()
        running, self._running = self._running, None
        if running is not None:
            running.end(grace)


def _check_ready(line: bytes) -> None:
    expected = {"ready": READY}
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        said = None
    if said != expected:
        reason = f"must say {json.dumps(expected)} first, but wrote: {shown(line)}"
        raise ProgramError(reason)


class _Running:
    """A process with its pipes; raises `ProgramError` for what it does."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._input, self._output, self._errors = (_present(pipe) for pipe in pipes)
        os.set_blocking(self._input.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._output, selectors.EVENT_READ, self._read_output)
        self._selector.register(self._errors, selectors.EVENT_READ, self._read_errors)
        self._unsent = bytearray()
        self._line = bytearray()
        self._lines: deque[bytes] = deque()
        self._log = b""
        self._received = 0
        self._lines_of_log = 0
        self._broken = False
        self._ended = False

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return not self._broken and self._process.poll() is None

    def send(self, line: bytes) -> None:
        """Has a line sent, while `lines` waits for the answer."""
        self._received = self._lines_of_log = 0
        if not self._unsent:
            self._selector.register(self._input, selectors.EVENT_WRITE, self._write)
        self._unsent += line + b"\n"

    def lines(self, limit: float, awaited: str) -> Iterator[bytes]:
        """Its lines that begin with a brace, for at most `limit` seconds, without an end."""
        deadline = monotonic() + limit
        while True:
            while self._lines:
                yield self._lines.popleft()
            if self._broken:
                raise ProgramError(f"{self._how_it_ended()} before {awaited}{self.said}")
            left = deadline - monotonic()
            if left <= 0:
                raise ProgramError(
                    f"was out of time after {limit:g} s, before {awaited}{self.said}"
                )
            if not self._serve(min(left, _LOOK)) and self._process.poll() is not None:
                # A child of it may hold the pipes open.
                self._broken = True

    @property
    def said(self) -> str:
        """The end of its log, in words to put after a reason."""
        text = self._log.decode("utf-8", "replace").replace("\r", "\n")
        last = [shown(line) for line in text.split("\n") if line.strip()][-5:]
        count = f"{self._lines_of_log} of its lines were no answers" if self._lines_of_log else ""
        end = f"its log ends: {' / '.join(last)}" if last else ""
        return "".join(f"; {part}" for part in (count, end) if part)

    def end(self, grace: float) -> None:
        """Closes its input, and after `grace` seconds ends its group; at most once."""
        if self._ended:
            return
        self._ended = True
        if self._unsent:
            self._stop_writing()
        self._input.close()
        with suppress(ProgramError):
            self._settle(grace)
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self._selector.close()
        self._output.close()
        self._errors.close()

    def _how_it_ended(self) -> str:
        self._settle(_SETTLE)
        for _ in range(_PIECES_AFTER):
            self._serve(0)
        code = self._process.returncode
        if code is None:
            return "closed its standard input or output"
        if code >= 0:
            return f"exited with code {code}"
        return f"was ended by signal {-code} ({signal.strsignal(-code)})"

    def _settle(self, seconds: float) -> None:
        """Serves the pipes until it has ended, or for so many seconds."""
        deadline = monotonic() + seconds
        while self._process.poll() is None and monotonic() < deadline:
            self._serve(0.02)
            self._lines.clear()

    def _serve(self, seconds: float) -> bool:
        """Serves the pipes that are ready within so many seconds; whether any was."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            serve: Callable[[], None] = key.data
            serve()
        return bool(ready)

    def _write(self) -> None:
        try:
            del self._unsent[: os.write(self._input.fileno(), self._unsent[:_PIECE])]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._broken = True
            self._stop_writing()
            return
        if not self._unsent:
            self._stop_writing()

    def _stop_writing(self) -> None:
        self._unsent.clear()
        self._selector.unregister(self._input)

    def _read_errors(self) -> None:
        piece = os.read(self._errors.fileno(), _PIECE)
        if not piece:
            self._selector.unregister(self._errors)
        self._log = (self._log + piece)[-_LOG:]

    def _read_output(self) -> None:
        piece = os.read(self._output.fileno(), _PIECE)
        if not piece:
            self._selector.unregister(self._output)
            self._broken = True
            return
        self._received += len(piece)
        if self._received > MAX_OUTPUT:
            raise ProgramError(f"wrote more than {MAX_OUTPUT / 2**20:g} MiB{self.said}")
        *ends, rest = piece.split(b"\n")
        for end in ends:
            self._take_line(bytes(self._line + end))
            self._line.clear()
        self._line += rest
        if len(self._line) > MAX_LINE:
            reason = f"wrote a line longer than {MAX_LINE / 2**20:g} MiB"
            raise ProgramError(f"{reason}: {shown(bytes(self._line[:1000]))}")

    def _take_line(self, line: bytes) -> None:
        line = line.strip()
        if line.startswith(b"{"):
            self._lines.append(line)
        elif line:
            self._lines_of_log += 1
            self._log = (self._log + line[-_LOG:] + b"\n")[-_LOG:]


def _present(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def shown(line: bytes | str) -> str:
    """A line as a message quotes it: printable, and cut where it is long."""
    text = line if isinstance(line, str) else line[:1000].decode("utf-8", "replace")
    text = "".join(each if each.isprintable() else " " for each in text[:1000]).strip()
    return text if len(text) <= 200 else f"{text[:200]}..."
