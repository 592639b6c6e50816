"""Fetching, against a server on this machine that misbehaves as it is told, and from folders."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gytbench.benchmark import fetching
from gytbench.benchmark.fetching import fetch
from gytbench.benchmark.releases import ReleasedFile
from gytbench.errors import InputError

BODY = bytes(range(256)) * 1000
"""256,000 bytes: several chunks."""


class Publisher:
    """What a server answers, and the requests that it got."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.ranges = True
        self.stop_after: int | None = None
        """Send this many bytes, then close the connection."""
        self.address = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range")
        self.requests.append((request.path, asked))
        body = self.bodies.get(request.path)
        if body is None:
            request.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if not self.ranges:
            start = 0
        if start and start >= len(body):
            request.send_error(416)
            return
        request.send_response(206 if asked and self.ranges else 200)
        request.send_header("Content-Length", str(len(body) - start))
        request.end_headers()
        rest = body[start:]
        request.wfile.write(rest if self.stop_after is None else rest[: self.stop_after])

    def file(self, name: str, body: bytes = BODY, promised: bytes | None = None) -> ReleasedFile:
        """A file that the server has; its manifest line speaks of `promised` (else of `body`)."""
        promised = body if promised is None else promised
        self.bodies[f"/owner/name/commit/up/{name}"] = body
        return ReleasedFile(
            path=f"set/{name}",
            url=f"{self.address}/owner/name/commit/up/{name}",
            size=len(promised),
            sha256=hashlib.sha256(promised).hexdigest(),
            licence="none",
            needed_by=(),
        )


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    told = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.answer(self)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    told.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def part_of(folder: Path, name: str, data: bytes) -> Path:
    """What an earlier, interrupted try left behind."""
    part = folder / "set" / f"{name}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(data)
    return part


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_fetch_then_nothing_to_fetch(publisher: Publisher, tmp_path: Path) -> None:
    files = [publisher.file("a.json"), publisher.file("b.bin", b"x"), publisher.file("e.txt", b"")]
    assert fetch(tmp_path, files=files) == files
    assert names(tmp_path) == ["set/a.json", "set/b.bin", "set/e.txt"]
    assert (tmp_path / "set" / "a.json").read_bytes() == BODY
    assert len(publisher.requests) == 3
    assert fetch(tmp_path, files=files) == []
    assert len(publisher.requests) == 3


def test_a_wrong_file_is_replaced(publisher: Publisher, tmp_path: Path) -> None:
    file = publisher.file("a.json")
    fetch(tmp_path, files=[file])
    (tmp_path / "set" / "a.json").write_bytes(b"something else")
    assert fetch(tmp_path, files=[file]) == [file]
    assert (tmp_path / "set" / "a.json").read_bytes() == BODY


def test_resume(publisher: Publisher, tmp_path: Path) -> None:
    part_of(tmp_path, "a.json", BODY[:100_000])
    fetch(tmp_path, files=[publisher.file("a.json")])
    assert [asked for _, asked in publisher.requests] == ["bytes=100000-"]
    assert (tmp_path / "set" / "a.json").read_bytes() == BODY
    assert names(tmp_path) == ["set/a.json"]


def test_interrupted_and_resumed(publisher: Publisher, tmp_path: Path) -> None:
    file = publisher.file("a.json")
    publisher.stop_after = 150_000
    with pytest.raises(InputError, match="ended after 150000 of 256000 bytes; run it again"):
        fetch(tmp_path, files=[file])
    assert names(tmp_path) == ["set/a.json.part"]
    publisher.stop_after = None
    fetch(tmp_path, files=[file])
    assert [asked for _, asked in publisher.requests] == [None, "bytes=150000-"]
    assert names(tmp_path) == ["set/a.json"]
    assert (tmp_path / "set" / "a.json").read_bytes() == BODY


def test_a_server_without_ranges(publisher: Publisher, tmp_path: Path) -> None:
    publisher.ranges = False
    part_of(tmp_path, "a.json", BODY[:100_000])
    fetch(tmp_path, files=[publisher.file("a.json")])
    assert len(publisher.requests) == 1
    assert (tmp_path / "set" / "a.json").read_bytes() == BODY


@pytest.mark.parametrize("left", [b"\0" * 1000, b"\0" * len(BODY), BODY + b"\0"])
def test_a_bad_part_is_fetched_anew(publisher: Publisher, tmp_path: Path, left: bytes) -> None:
    part_of(tmp_path, "a.json", left)
    fetch(tmp_path, files=[publisher.file("a.json")])
    assert publisher.requests[-1][1] is None
    assert (tmp_path / "set" / "a.json").read_bytes() == BODY


def test_a_whole_part_needs_no_request(publisher: Publisher, tmp_path: Path) -> None:
    part_of(tmp_path, "a.json", BODY)
    fetch(tmp_path, files=[publisher.file("a.json")])
    assert publisher.requests == []
    assert names(tmp_path) == ["set/a.json"]


def test_a_server_that_has_less_than_the_part(publisher: Publisher, tmp_path: Path) -> None:
    # 416 for the range; then the whole of what it has, which ends early.
    part_of(tmp_path, "a.json", BODY[:100_000])
    with pytest.raises(InputError, match="ended after 9 of 256000 bytes"):
        fetch(tmp_path, files=[publisher.file("a.json", b"too short", promised=BODY)])
    assert [asked for _, asked in publisher.requests] == ["bytes=100000-", None]


def test_wrong_content(publisher: Publisher, tmp_path: Path) -> None:
    file = publisher.file("a.json", b"\0" * len(BODY), promised=BODY)
    with pytest.raises(InputError, match=r"set/a\.json: what http.* sends has the wrong checksum"):
        fetch(tmp_path, files=[file])
    assert names(tmp_path) == []


@pytest.mark.parametrize("size", [1000, 1 << 16])  # less than a chunk, and just a chunk
def test_more_than_promised_is_not_read(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    taken: list[int] = []
    monkeypatch.setattr(fetching, "_progress", lambda _: _Recorder(taken))
    file = publisher.file("a.json", BODY * 8, promised=BODY[:size])
    with pytest.raises(InputError, match="sends has the wrong size"):
        fetch(tmp_path, files=[file])
    assert names(tmp_path) == []
    assert sum(taken) == size + 1


class _Recorder:
    """In place of the progress bar."""

    def __init__(self, taken: list[int]) -> None:
        self.taken = taken

    def __enter__(self) -> Callable[[int], None]:
        return self.taken.append

    def __exit__(self, *details: object) -> None:
        pass


def test_one_missing_file_does_not_stop_the_others(publisher: Publisher, tmp_path: Path) -> None:
    gone, there = publisher.file("gone.json"), publisher.file("there.json")
    publisher.bodies.pop("/owner/name/commit/up/gone.json")
    with pytest.raises(InputError) as caught:
        fetch(tmp_path, files=[gone, there])
    assert "set/gone.json: http://127.0.0.1" in str(caught.value)
    assert "HTTP 404 Not Found. Try again, or clone the repository and run" in str(caught.value)
    assert "`gytbench data fetch --from" in str(caught.value)
    assert names(tmp_path) == ["set/there.json"]


def test_without_a_network_the_first_failure_is_the_last(
    publisher: Publisher, tmp_path: Path
) -> None:
    files = [
        publisher.file("a.json")._replace(url="http://127.0.0.1:1/a"),
        publisher.file("b.json"),
    ]
    with pytest.raises(
        InputError, match=r"set/a\.json: http://127\.0\.0\.1:1/a: .*refused.*--from"
    ):
        fetch(tmp_path, files=files)
    assert publisher.requests == []


def test_a_folder_that_cannot_be_written(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "set").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"set/a\.json: cannot be written"):
        fetch(tmp_path, files=[publisher.file("a.json")])


def test_progress_is_written_to_standard_error_only_on_a_terminal(
    publisher: Publisher, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fetch(tmp_path, files=[publisher.file("a.json")])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "where",
    ["set/a.json", "up/a.json", "some/where/else/a.json"],
    ids=["our path", "the publisher's path", "any path"],
)
def test_copies(publisher: Publisher, tmp_path: Path, where: str) -> None:
    source, folder = tmp_path / "clone", tmp_path / "data"
    (source / where).parent.mkdir(parents=True)
    (source / where).write_bytes(BODY)
    (source / "decoy").mkdir()
    (source / "decoy" / "a.json").write_bytes(b"\0" * len(BODY))
    file = publisher.file("a.json")
    assert fetch(folder, source, [file]) == [file]
    assert (folder / "set" / "a.json").read_bytes() == BODY
    assert publisher.requests == []
    assert names(folder) == ["set/a.json"]


@pytest.mark.parametrize("where", ["set/a.json", "up/a.json"])
def test_a_known_path_needs_no_walk(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    (tmp_path / where).parent.mkdir()
    (tmp_path / where).write_bytes(BODY)
    monkeypatch.setattr(Path, "rglob", None)
    assert len(fetch(tmp_path / "data", tmp_path, [publisher.file("a.json")])) == 1


def test_a_copy_under_its_publishers_name(publisher: Publisher, tmp_path: Path) -> None:
    source, folder = tmp_path / "clone", tmp_path / "data"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "theirs.json").write_bytes(BODY)
    file = publisher.file("theirs.json")._replace(path="set/ours.json")
    fetch(folder, source, [file])
    assert names(folder) == ["set/ours.json"]


def test_copies_what_is_there_and_names_the_rest(publisher: Publisher, tmp_path: Path) -> None:
    source, folder = tmp_path / "clone", tmp_path / "data"
    source.mkdir()
    (source / "b.json").write_bytes(BODY)
    (source / "c.json").write_bytes(BODY[:-1])
    files = [publisher.file(name) for name in ("a.json", "b.json", "c.json")]
    with pytest.raises(InputError) as caught:
        fetch(folder, source, files)
    assert [fault.where for fault in caught.value.faults] == ["set/a.json", "set/c.json"]
    assert names(folder) == ["set/b.json"]


def test_no_such_source(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="clone: no such folder to copy from"):
        fetch(tmp_path, tmp_path / "clone", [])


def test_copying_the_released_files(released: Path, tmp_path: Path) -> None:
    assert len(fetch(tmp_path, released)) == 28
    assert fetch(tmp_path, released) == []
