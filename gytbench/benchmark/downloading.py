"""One file over HTTP, resumed where an earlier try stopped, and never longer than announced."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from gytbench.benchmark.releases import ReleasedFile, check
from gytbench.errors import Fault, InputError

CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = 30

Advance = Callable[[int], object]
"""Told how many bytes have come."""


class OfflineError(Exception):
    """The publisher cannot be reached at all: asking for the next file is no use."""


class _Reply(Protocol):
    status: int

    def read(self, amount: int, /) -> bytes: ...


def download(file: ReleasedFile, part: Path, advance: Advance) -> None:
    """Complete `part`, which may hold the beginning of the file already.

    A part that turns out wrong is fetched again from the start. Raises
    `InputError` where the server refuses, sends something else, or stops early
    (what has come stays in `part` then), and `OfflineError` where there is none.
    """
    if part.is_file():
        _resume(file, part, advance)
        if check(part, file) == "ok":
            return
    with _asking(file, 0) as reply:
        _receive(reply, file, part, 0, advance)
    state = check(part, file)
    if state != "ok":
        part.unlink()
        raise _fault(file, state, f"what {file.url} sends has the {state}; nothing of it is kept")


def unreachable(file: ReleasedFile, reason: object) -> InputError:
    """What to say when a file cannot be downloaded."""
    hint = "Try again, or clone the repository and run `gytbench data fetch --from CLONE`"
    return _fault(file, "unreachable", f"{file.url}: {reason}. {hint}")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say of which file it was that an operating system error came."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from None


def _resume(file: ReleasedFile, part: Path, advance: Advance) -> None:
    """Append what `part` lacks; a server that ignores the range sends all of it anew."""
    have = part.stat().st_size
    if have >= file.size:
        return
    try:
        with _asking(file, have) as reply:
            start = have if reply.status == 206 else 0
            _receive(reply, file, part, start, advance)
    except _RangeError:
        return


class _RangeError(Exception):
    """The server has nothing from that byte on."""


@contextmanager
def _asking(file: ReleasedFile, start: int) -> Iterator[_Reply]:
    """The server's reply to a request for the file from byte `start` on."""
    import http.client
    import urllib.error
    import urllib.request

    headers = {"Range": f"bytes={start}-"} if start else {}
    request = urllib.request.Request(file.url, headers=headers)
    try:
        reply = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise _RangeError from None
        raise unreachable(file, f"HTTP {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise OfflineError(getattr(error, "reason", error)) from None
    with reply:
        yield reply


def _receive(reply: _Reply, file: ReleasedFile, part: Path, start: int, advance: Advance) -> None:
    """Write the reply into `part` from byte `start` on, at most one byte more than announced."""
    size = start
    advance(start)
    with writing(part), part.open("ab" if start else "wb") as opened:
        while size <= file.size:
            chunk = _read(reply, min(CHUNK_BYTES, file.size + 1 - size))
            if not chunk:
                break
            opened.write(chunk)
            size += len(chunk)
            advance(len(chunk))
    if size < file.size:
        reason = f"the connection ended after {size} of {file.size} bytes; run it again to go on"
        raise _fault(file, "interrupted", reason)


def _read(reply: _Reply, amount: int) -> bytes:
    """What comes next; nothing at the end, also where the connection breaks."""
    import http.client

    try:
        return reply.read(amount)
    except (OSError, http.client.HTTPException):
        return b""


def _fault(file: ReleasedFile, kind: str, reason: str) -> InputError:
    return InputError([Fault(file.path, reason, kind)])
