"""Predictions that lie elsewhere: fetched by https from public hosts alone, never longer than said.

Whoever names the address decides what this machine connects to. So every address that the
host resolves to must be public, the connection goes to the very address that was checked
(a second look-up could answer otherwise), a redirect is held to the same, and a deadline ends
what a server draws out. Neither proxies nor credentials of the environment are used.
"""

import contextlib
import hashlib
import http.client
import ipaddress
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urljoin, urlsplit

from gytbench import __version__
from gytbench.errors import InputError
from gytbench.leaderboard.board import Board
from gytbench.leaderboard.submission import PredictionsOf
from gytbench.leaderboard.texts import address_faults, host_of

MAX_FETCHED_BYTES = 500 << 20
MAX_REDIRECTS = 5
WAIT_SECONDS = 30
"""For a connection, and for the next bytes."""
DEADLINE_SECONDS = 900
"""For a whole file, redirects included: 500 MiB at 0.6 MB a second."""

_HTTPS_PORT = 443
_CHUNK = 1 << 16
_SHA256 = re.compile("[0-9a-f]{64}")
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_BROKEN = (OSError, http.client.HTTPException, ValueError)
"""What a connection may raise; ValueError, where another thread has closed it."""
_SUFFIXES = {b"PAR1": ".parquet", b"\x1f\x8b\x08": ".json.gz"}
"""The form of a file by its first bytes: an address need not end in a file's name."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # the host of a virtual machine, at Azure
            "192.0.0.0/24",  # likewise, at Oracle
            "192.88.99.0/24",  # 6to4, and below: IPv6 that carries any IPv4
            "2002::/16",
            "2001::/32",
            "3fff::/20",  # for documents
            "fec0::/10",  # private once
        ),
    )
)
"""Ranges that `is_global` lets pass, but nobody publishes in."""

_IP = ipaddress.IPv4Address | ipaddress.IPv6Address


def fetched(predictions: PredictionsOf, board: Board) -> Path:
    """The file of predictions that are given by address, in the board's cache.

    What is in the cache, and has the right SHA-256, is not fetched again. Raises `InputError`
    where the address is not https or leads to a host that is not public, where the server
    refuses, and where what it sends has another size or SHA-256; nothing is kept then.
    """
    # It becomes part of a path.
    if not _SHA256.fullmatch(predictions.sha256):
        raise InputError("has no SHA-256 of 64 digits", where=predictions.url)
    if predictions.size > MAX_FETCHED_BYTES:
        most = MAX_FETCHED_BYTES >> 20
        reason = f"says {predictions.size:,} bytes, and no more than {most} MiB are fetched"
        raise InputError(reason, where=predictions.url)
    found = cached(predictions, board)
    return found if found is not None else _fetch(predictions, board)


def cached(predictions: PredictionsOf, board: Board) -> Path | None:
    """The file in the board's cache, where it is there and still the right one."""
    for suffix in _SUFFIXES.values():
        path = board.cache / f"{predictions.sha256}{suffix}"
        if path.is_symlink() or not path.is_file() or path.stat().st_size != predictions.size:
            continue
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == predictions.sha256:
                return path
    return None


@contextmanager
def keeping(board: Board, sha256: str) -> Iterator[IO[bytes]]:
    """A file to write to that takes its place in the cache, named by its SHA-256 and form.

    Raises `InputError` where it cannot be written, or is neither Parquet nor gzip.
    """
    part = board.cache / f".{sha256}.{os.getpid()}.part"
    try:
        board.cache.mkdir(exist_ok=True)
        part.unlink(missing_ok=True)
        with part.open("xb") as file:
            yield file
        part.replace(board.cache / f"{sha256}{_suffix_of(part)}")
    except OSError as error:
        reason = f"cannot be written: {error.strerror or error}"
        raise InputError(reason, where=str(board.cache)) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _suffix_of(path: Path) -> str:
    with path.open("rb") as file:
        begin = file.read(4)
    for magic, suffix in _SUFFIXES.items():
        if begin.startswith(magic):
            return suffix
    raise InputError("what it sends is neither Parquet nor gzip: give .parquet or .json.gz")


def _fetch(predictions: PredictionsOf, board: Board) -> Path:
    url = predictions.url
    watch = _Watch(time.monotonic() + DEADLINE_SECONDS)
    try:
        with watch, contextlib.closing(_reply(url, watch)) as reply:
            _check_length(reply, predictions)
            with keeping(board, predictions.sha256) as file:
                _receive(reply, predictions, file, watch)
    except InputError as error:
        raise InputError([f._replace(where=f.where or url) for f in error.faults]) from None
    except _BROKEN as error:
        raise InputError(_said(error, watch), where=url) from None
    path = cached(predictions, board)
    assert path is not None
    return path


def _said(error: Exception, watch: "_Watch") -> str:
    """What went wrong, without the server's own words: they are not to be repeated."""
    if watch.over:
        reason = f"took more than {DEADLINE_SECONDS} seconds"
    elif isinstance(error, ssl.SSLCertVerificationError):
        reason = f"its certificate is not valid ({error.verify_message})"
    elif isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
    else:
        reason = f"the server does not speak HTTP ({type(error).__name__})"
    return f"cannot be fetched: {reason}"


class _Watch:
    """Shuts the connection that is open when the deadline has come.

    A time limit on each read does not do: a server that sends a byte now and then is in time.
    """

    def __init__(self, deadline: float) -> None:
        self.over = False
        self._deadline = deadline
        self._open: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(deadline - time.monotonic(), 0), self._end)
        self._timer.daemon = True

    def __enter__(self) -> "_Watch":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self.let_go()

    def hold(self, opened: socket.socket) -> None:
        """Watch this connection; raises `TimeoutError` where it is too late already."""
        with self._lock:
            self._open = opened
            if self.over:
                raise TimeoutError

    def let_go(self) -> None:
        """Close the connection."""
        with self._lock:
            opened, self._open = self._open, None
        if opened is not None:
            opened.close()

    def _end(self) -> None:
        with self._lock:
            self.over = True
            if self._open is not None:
                with contextlib.suppress(OSError):
                    self._open.shutdown(socket.SHUT_RDWR)


def _reply(url: str, watch: _Watch) -> http.client.HTTPResponse:
    """The reply that holds the file, after redirects; the connection stays open."""
    for _ in range(MAX_REDIRECTS + 1):
        reply = _asked(url, watch)
        if reply.status == http.HTTPStatus.OK:
            return reply
        target = reply.headers.get("Location", "")
        reply.close()
        watch.let_go()
        if reply.status not in _REDIRECTS or not target:
            raise InputError(f"cannot be fetched: the server answers HTTP {reply.status}")
        url = urljoin(url, target)
    raise InputError(f"cannot be fetched: it redirects more than {MAX_REDIRECTS} times")


def _asked(url: str, watch: _Watch) -> http.client.HTTPResponse:
    """The reply to a request for the address, which is checked first."""
    for reason in address_faults(url):
        raise InputError(f"the address {url[:200]!r} {reason}")
    parts = urlsplit(url)
    host = host_of(parts)
    connection = http.client.HTTPConnection(host, _HTTPS_PORT)
    connection.sock = _opened(host, public_addresses(host), watch)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Accept-Encoding": "identity", "User-Agent": f"gytbench/{__version__}"}
    headers |= {"Host": host, "Connection": "close"}
    connection.request("GET", target, headers=headers)
    return connection.getresponse()


def _opened(host: str, addresses: list[str], watch: _Watch) -> socket.socket:
    """A connection to the first of the addresses that takes one."""
    last: OSError | None = None
    for address in addresses:
        if watch.over:
            raise TimeoutError
        try:
            plain = connect(address)
        except OSError as error:
            last = error
            continue
        watch.hold(plain)
        secured = secure(plain, host)
        watch.hold(secured)
        if isinstance(secured, ssl.SSLSocket):
            secured.do_handshake()
        return secured
    raise last or OSError("no address")


def resolve(host: str) -> list[str]:
    """Every address that a host's name stands for."""
    try:
        found = socket.getaddrinfo(host, _HTTPS_PORT, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise InputError(f"cannot be fetched: the host {host} is not known") from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def connect(address: str) -> socket.socket:
    """A connection to an address, which is a number and so is not looked up."""
    return socket.create_connection((address, _HTTPS_PORT), timeout=WAIT_SECONDS)


def secure(plain: socket.socket, host: str) -> socket.socket:
    """The connection under TLS, with the host's certificate checked; before the handshake."""
    context = ssl.create_default_context()
    return context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)


def public_addresses(host: str) -> list[str]:
    """The addresses of a host; raises `InputError` unless all of them are public."""
    addresses = resolve(host)
    if not addresses:
        raise InputError(f"cannot be fetched: the host {host} has no address")
    for address in addresses:
        if not is_public(address):
            reason = f"the host {host} leads to {address}, which is no public address"
            raise InputError(f"cannot be fetched: {reason}")
    return addresses


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, seen through the forms that wrap another.

    >>> is_public("8.8.8.8"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    try:
        ip: _IP = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return False
        if ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = ip.ipv4_mapped or ip if isinstance(ip, ipaddress.IPv6Address) else ip
    special = ip.is_multicast or ip.is_reserved or ip.is_link_local or ip.is_private
    return ip.is_global and not special and not any(ip in each for each in _NOT_PUBLIC)


def _check_length(reply: http.client.HTTPResponse, predictions: PredictionsOf) -> None:
    """Refuse, unread, what announces another length."""
    if reply.length is not None and reply.length != predictions.size:
        reason = f"has {reply.length:,} bytes, but submission.yaml says {predictions.size:,}"
        raise InputError(reason)


def _receive(
    reply: http.client.HTTPResponse, predictions: PredictionsOf, file: IO[bytes], watch: _Watch
) -> None:
    """Write the reply to a file, at most one byte more than is said, and check it."""
    digest, size = hashlib.sha256(), 0
    while size <= predictions.size:
        try:
            piece = reply.read(min(_CHUNK, predictions.size + 1 - size))
        except _BROKEN as error:
            # Not to be taken for what goes wrong with the file.
            raise InputError(_said(error, watch)) from None
        if not piece:
            break
        file.write(piece)
        digest.update(piece)
        size += len(piece)
    if watch.over:
        raise InputError(_said(TimeoutError(), watch))
    if size != predictions.size:
        more = "more than" if size > predictions.size else f"{size:,} and not"
        raise InputError(f"sends {more} the {predictions.size:,} bytes of submission.yaml")
    if digest.hexdigest() != predictions.sha256:
        raise InputError("sends a file with another SHA-256 than submission.yaml says")
