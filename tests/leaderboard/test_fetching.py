"""Predictions by address: what a hostile address, resolver or server can try."""

import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gytbench.errors import InputError
from gytbench.leaderboard import fetching
from gytbench.leaderboard.board import Board
from gytbench.leaderboard.checking import check_entry
from gytbench.leaderboard.fetching import fetched, is_public
from gytbench.leaderboard.submission import PredictionsOf

from .entries import content, elsewhere, entry

PUBLIC = "93.184.215.14"
BODY = content()
URL = "https://data.example.org/st.json.gz"


def of(body: bytes = BODY, url: str = URL, **fields: int | str) -> PredictionsOf:
    """What submission.yaml says of a body at an address."""
    said = {"url": url, "sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
    return PredictionsOf(**(said | fields))


def reply(body: bytes = BODY, status: str = "200 OK", *headers: str, length: int = -1) -> bytes:
    """An HTTP reply as it goes over the line; a length of None says none."""
    size = len(body) if length < 0 else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Internet:
    """A resolver and a server on this machine that answer as they are told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hosts: dict[str, list[str]] = {"data.example.org": [PUBLIC]}
        self.looked_up: list[str] = []
        self.connected: list[str] = []
        self.secured: list[str] = []
        self.requests: list[str] = []
        self.replies: list[bytes | Callable[[socket.socket], None]] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        monkeypatch.setattr(fetching, "resolve", self._resolve)
        monkeypatch.setattr(fetching, "connect", self._connect)
        monkeypatch.setattr(fetching, "secure", self._secure)

    def _resolve(self, host: str) -> list[str]:
        self.looked_up.append(host)
        return self.hosts[host]

    def _connect(self, address: str) -> socket.socket:
        self.connected.append(address)
        return socket.create_connection(self._server.getsockname(), timeout=5)

    def _secure(self, plain: socket.socket, host: str) -> socket.socket:
        self.secured.append(host)
        return plain

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            with line:
                line.settimeout(5)
                asked = b""
                while b"\r\n\r\n" not in asked and (piece := line.recv(65536)):
                    asked += piece
                if not asked:
                    continue
                self.requests.append(asked.decode())
                answer = self.replies.pop(0)
                try:
                    answer(line) if callable(answer) else line.sendall(answer)
                except OSError:
                    continue

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Internet]:
    made = Internet(monkeypatch)
    yield made
    made.close()


def refused(board: Board, predictions: PredictionsOf) -> str:
    """Why predictions are not fetched; nothing of them is kept."""
    with pytest.raises(InputError) as caught:
        fetched(predictions, board)
    assert not board.cache.exists() or not list(board.cache.iterdir())
    (fault,) = caught.value.faults
    assert fault.where == predictions.url
    return fault.reason


def test_what_is_fetched_lies_in_the_cache_by_its_sha256(board: Board, internet: Internet) -> None:
    internet.replies = [reply()]
    path = fetched(of(), board)
    assert path == board.cache / f"{of().sha256}.json.gz"
    assert path.read_bytes() == BODY
    assert [each.name for each in board.cache.iterdir()] == [path.name]
    # The connection goes to the address that was checked, under the host's name.
    assert (internet.connected, internet.secured) == ([PUBLIC], ["data.example.org"])
    # A second time nobody is asked.
    assert fetched(of(), board) == path
    assert len(internet.requests) == 1


def test_the_request_says_no_more_than_it_must(
    board: Board, internet: Internet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine data.example.org login me password secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    internet.replies = [reply()]
    fetched(of(url="https://data.example.org/a%20b/st?download=1#part"), board)
    begin, *headers = internet.requests[0].strip().split("\r\n")
    assert begin == "GET /a%20b/st?download=1 HTTP/1.1"
    assert {each.partition(":")[0] for each in headers} == {
        "Host",
        "User-Agent",
        "Accept-Encoding",
        "Connection",
    }
    assert "Host: data.example.org" in headers


def test_an_entry_whose_predictions_lie_elsewhere(
    board: Board, data: Path, internet: Internet
) -> None:
    entry(board, predictions={"st": elsewhere(BODY)})
    (board.submissions / "mine" / "st.json.gz").unlink()
    with pytest.raises(InputError, match="is not in the cache, and is not fetched"):
        check_entry(board, "mine", data=data, fetch=False)
    assert internet.looked_up == []
    internet.replies = [reply()]
    path = check_entry(board, "mine", data=data).files["st"]
    assert path.parent == board.cache
    assert check_entry(board, "mine", data=data, fetch=False).files["st"] == path


def test_parquet_is_known_by_its_first_bytes(board: Board, internet: Internet) -> None:
    body = b"PAR1" + bytes(100)
    internet.replies = [reply(body)]
    assert fetched(of(body), board).suffix == ".parquet"


# Addresses that are not public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # metadata of virtual machines
        "100.100.100.200",  # likewise
        "192.0.0.192",  # likewise
        "168.63.129.16",  # likewise
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "100::1",
        "",
        "localhost",
        "0x7f.1",
        "2130706433",
    ],
)
def test_hosts_that_lead_to_no_public_address(
    board: Board, internet: Internet, address: str
) -> None:
    assert not is_public(address)
    # One that is public beside it does not help, wherever it stands.
    for addresses in ([address], [PUBLIC, address], [address, PUBLIC]):
        internet.hosts["data.example.org"] = addresses
        told = refused(board, of())
        assert told.endswith(f"leads to {address}, which is no public address")
    assert internet.connected == []


@pytest.mark.parametrize(
    "address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


def test_names_of_this_machine_are_resolved_and_refused() -> None:
    # The real resolver: however it is written, it is this machine.
    for host in ("127.0.0.1", "localhost"):
        for address in fetching.resolve(host):
            assert not is_public(address)
    with pytest.raises(InputError, match=r"is not known|no public address"):
        fetching.public_addresses("localhost")


def test_a_host_that_is_not_known(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert refused(board, of()) == "cannot be fetched: the host data.example.org is not known"


def test_a_resolver_that_answers_otherwise_the_second_time(
    board: Board, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
    monkeypatch.setattr(fetching, "resolve", lambda _: next(answers))
    internet.replies = [reply()]
    fetched(of(), board)
    assert internet.connected == [PUBLIC]


def test_the_connection_itself_looks_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    create = socket.create_connection

    def told(address: tuple[str, int], timeout: float) -> socket.socket:
        asked.append((address, timeout))
        with socket.create_server(("127.0.0.1", 0)) as server:
            return create(server.getsockname(), timeout=timeout)

    monkeypatch.setattr(socket, "create_connection", told)
    fetching.connect(PUBLIC).close()
    assert asked == [((PUBLIC, 443), fetching.WAIT_SECONDS)]


def test_the_next_address_where_one_takes_no_connection(
    board: Board, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach = fetching.connect

    def flaky(address: str) -> socket.socket:
        if address == "8.8.4.4":
            raise ConnectionRefusedError(111, "Connection refused")
        return reach(address)

    monkeypatch.setattr(fetching, "connect", flaky)
    internet.hosts["data.example.org"] = ["8.8.4.4"]
    assert refused(board, of()) == "cannot be fetched: Connection refused"
    internet.hosts["data.example.org"] = ["8.8.4.4", PUBLIC]
    internet.replies = [reply()]
    fetched(of(), board)
    assert internet.connected == [PUBLIC]


def test_addresses_without_an_end_that_take_no_connection(
    board: Board, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def slow(address: str) -> socket.socket:
        tried.append(address)
        time.sleep(0.1)
        raise TimeoutError(110, "timed out")

    monkeypatch.setattr(fetching, "connect", slow)
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.25)
    internet.hosts["data.example.org"] = [PUBLIC] * 1000
    assert refused(board, of()) == "cannot be fetched: took more than 0.25 seconds"
    assert len(tried) < 10


@pytest.mark.parametrize(
    "url",
    [
        "http://data.example.org/st",
        "ftp://data.example.org/st",
        "file:///etc/passwd",
        "https://user:secret@data.example.org/st",
        "https://data.example.org:22/st",
        "https://127.0.0.1/st",
        "https://[::1]/st",
        "https://data.example.org/st\r\nX: y",
        "https://data.example.org\\@127.0.0.1/",
    ],
)
def test_addresses_that_are_not_asked(board: Board, internet: Internet, url: str) -> None:
    # The check of submission.yaml refuses them first; fetching does not rely on it.
    refused(board, of(url=url))
    assert (internet.looked_up, internet.connected) == ([], [])
    # Nor may a redirect lead there.
    if "\r" not in url:
        internet.replies = [reply(b"", "302 Found", f"Location: {url}")]
        refused(board, of())
        assert len(internet.connected) == 1


def test_redirects_are_followed_and_each_is_checked(board: Board, internet: Internet) -> None:
    internet.hosts |= {"cdn.example.net": ["8.8.8.8"], "inner.example.net": ["10.0.0.1"]}
    internet.replies = [
        reply(b"moved", "302 Found", "Location: https://cdn.example.net/a"),
        reply(b"", "308 Permanent Redirect", "Location: b?c"),
        reply(),
    ]
    fetched(of(), board)
    assert internet.connected == [PUBLIC, "8.8.8.8", "8.8.8.8"]
    assert internet.secured[1] == "cdn.example.net"
    assert internet.requests[2].startswith("GET /b?c ")
    body = BODY + b"x"
    internet.replies = [reply(b"", "302 Found", "Location: https://inner.example.net/a")]
    with pytest.raises(InputError, match=r"inner\.example\.net leads to 10\.0\.0\.1, which is no"):
        fetched(of(body), board)
    assert "10.0.0.1" not in internet.connected


def test_redirects_without_an_end(board: Board, internet: Internet) -> None:
    internet.replies = [reply(b"", "302 Found", "Location: /again")] * 10
    assert refused(board, of()).endswith("it redirects more than 5 times")
    assert len(internet.requests) == 6


@pytest.mark.parametrize(
    "status", ["404 Not Found", "500 <b>x</b>", "206 Partial Content", "302 x"]
)
def test_other_answers(board: Board, internet: Internet, status: str) -> None:
    internet.replies = [reply(b"", status)]
    assert refused(board, of()) == f"cannot be fetched: the server answers HTTP {status[:3]}"


# What a server can send


def test_more_than_is_fetched_is_not_asked_for(board: Board, internet: Internet) -> None:
    assert fetching.MAX_FETCHED_BYTES == 500 * 2**20
    told = refused(board, of(size=500 * 2**20 + 1))
    assert told == "says 524,288,001 bytes, and no more than 500 MiB are fetched"
    assert internet.looked_up == []


def test_another_length_is_refused_unread(board: Board, internet: Internet) -> None:
    internet.replies = [reply(b"", length=10**12)]
    assert refused(board, of()).startswith("has 1,000,000,000,000 bytes, but submission.yaml says")


def test_a_body_that_does_not_end(board: Board, internet: Internet) -> None:
    sent = 0

    def endless(line: socket.socket) -> None:
        nonlocal sent
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 2**28:
            sent += line.send(bytes(65536))

    internet.replies = [endless]
    assert refused(board, of()).startswith("sends more than the ")
    # What fits into the buffers of both sides, and no more.
    assert sent < 2**25


def test_an_endless_chunked_body(board: Board, internet: Internet) -> None:
    def endless(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(10_000):
            line.sendall(b"1000\r\n" + bytes(4096) + b"\r\n")

    internet.replies = [endless]
    assert refused(board, of()).startswith("sends more than the ")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (reply(BODY[:-1] + b"x"), "sends a file with another SHA-256 than submission.yaml says"),
        (reply(BODY[:50], length=len(BODY)), "sends 50 and not the"),
        (reply(BODY[:-1]), "has "),
        (b"", "cannot be fetched: "),
        (b"SSH-2.0-OpenSSH_9\r\n", "cannot be fetched: the server does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200, "cannot be fetched: the server does not"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, "cannot be fetched: the server does not"),
        (reply(BODY, "200 OK", "Content-Length: x"), "has "),
    ],
)
def test_servers_that_send_something_else(
    board: Board, internet: Internet, answer: bytes, told: str
) -> None:
    internet.replies = [answer]
    if answer.endswith(BODY):
        fetched(of(), board)
        return
    assert refused(board, of()).startswith(told)


def test_what_is_neither_parquet_nor_gzip(board: Board, internet: Internet) -> None:
    body = b"<html>Sign in first</html>"
    internet.replies = [reply(body)]
    assert refused(board, of(body)).startswith("what it sends is neither Parquet nor gzip")


@pytest.mark.parametrize("part", ["headers", "body", "continue"])
def test_a_server_that_draws_it_out(
    board: Board, internet: Internet, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.5)
    stop = threading.Event()

    def slow(line: socket.socket) -> None:
        # Always in time for the next byte.
        if part == "body":
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not stop.wait(0.02):
            line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" if part == "continue" else b"x")

    internet.replies = [slow]
    begin = time.monotonic()
    told = refused(board, of(size=10**6))
    stop.set()
    assert told == "cannot be fetched: took more than 0.5 seconds"
    assert time.monotonic() - begin < 3


# The cache


def test_a_cache_that_somebody_filled(board: Board, internet: Internet, tmp_path: Path) -> None:
    board.cache.mkdir()
    poisoned = board.cache / f"{of().sha256}.json.gz"
    poisoned.write_bytes(BODY[:-1] + b"x")
    internet.replies = [reply()]
    assert fetched(of(), board).read_bytes() == BODY
    (tmp_path / "aside").write_bytes(BODY)
    poisoned.unlink()
    poisoned.symlink_to(tmp_path / "aside")
    internet.replies = [reply()]
    assert not fetched(of(), board).is_symlink()
    assert len(internet.requests) == 2


def test_what_a_killed_process_left_is_no_hindrance(board: Board, internet: Internet) -> None:
    board.cache.mkdir()
    (board.cache / f".{of().sha256}.{os.getpid()}.part").write_bytes(b"x")
    internet.replies = [reply()]
    path = fetched(of(), board)
    assert list(board.cache.iterdir()) == [path]


def test_a_cache_that_cannot_be_written(board: Board, internet: Internet) -> None:
    board.cache.write_text("a file where the folder should be")
    internet.replies = [reply()]
    with pytest.raises(InputError, match=r"\.cache: cannot be written"):
        fetched(of(), board)


def test_the_path_in_the_cache_is_of_digits_alone(board: Board, internet: Internet) -> None:
    with pytest.raises(InputError, match="no SHA-256"):
        fetched(of(sha256="../" * 21 + "a"), board)
    assert internet.looked_up == []


# Certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of data.example.org, with its key, that nobody has signed but itself."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=data.example.org "
        f"-addext subjectAltName=DNS:data.example.org -keyout {path} -out {path}.crt"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def serve_tls(line: socket.socket, certificate: Path) -> None:
    """One reply under TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    try:
        with context.wrap_socket(line, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(reply())
    except OSError:
        return


@pytest.mark.parametrize(
    ("trusted", "host", "told"),
    [
        (True, "data.example.org", None),
        (False, "data.example.org", "its certificate is not valid (self-signed certificate)"),
        (True, "other.example.org", "its certificate is not valid (Hostname mismatch"),
    ],
)
def test_the_certificate_is_checked(
    board: Board,
    monkeypatch: pytest.MonkeyPatch,
    certificate: Path,
    trusted: bool,
    host: str,
    told: str | None,
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    monkeypatch.setattr(fetching, "resolve", lambda _: [PUBLIC])
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve() -> None:
            line, _ = server.accept()
            serve_tls(line, certificate)
            line.close()

        thread = threading.Thread(target=serve)
        thread.start()
        monkeypatch.setattr(
            fetching,
            "connect",
            lambda _: socket.create_connection(server.getsockname(), timeout=5),
        )
        predictions = of(url=f"https://{host}/st.json.gz")
        if told is None:
            assert fetched(predictions, board).read_bytes() == BODY
        else:
            assert refused(board, predictions).startswith(f"cannot be fetched: {told}")
        thread.join()
