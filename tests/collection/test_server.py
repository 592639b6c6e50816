"""The server: what the page asks for, and requests that mean no good."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gytbench.collection import AnswerLog, PointServer, Session, list_tasks
from gytbench.errors import InputError
from gytbench.videos import open_frames

from ..videos.making import write_image
from .making import logged


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])


class Client:
    """Sends requests as they are given; `log` is where the answers go."""

    def __init__(self, server: PointServer, log: Path) -> None:
        self.server, self.log = server, log
        self.port = server.server_port

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as line:
            line.request(method, path, body, headers)
            reply = line.getresponse()
            return Reply(reply.status, reply.read(), dict(reply.headers))

    def post(self, content: Any, **headers: str) -> Reply:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.send(
            "POST", "/answer", body, **({"Content_Type": "application/json"} | headers)
        )

    def tasks(self, name: str = "") -> Any:
        return json.loads(self.send("GET", f"/tasks?annotator={name}").body)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    folder = tmp_path / "video"
    folder.mkdir()
    for second in (1, 2, 3):
        write_image(folder / f"{second}.png", second)
    source = open_frames(folder)
    with (
        AnswerLog(tmp_path / "points.jsonl") as log,
        PointServer(Session(source, list_tasks(source).tasks, log)) as server,
    ):
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Client(server, tmp_path / "points.jsonl")
        server.shutdown()
        thread.join()


def point(**fields: Any) -> dict[str, Any]:
    right = {"second": 2, "step": None, "annotator": "ann", "answer": "point", "x": 1, "y": 2.5}
    return right | fields


def test_an_answer_is_logged(client: Client) -> None:
    assert client.post(point(annotator=" ann ")).status == 200
    (line,) = logged(client.log)
    assert line.pop("time").endswith("+00:00")
    expected = point(x=1.0) | {"video": "video", "width": 64, "height": 48}
    assert line == expected


def test_annotators_see_only_their_own(client: Client) -> None:
    client.post(point())
    client.post(point(second=3, annotator="bob", answer="none", x=None, y=None))
    answers = {name: [t["answer"] for t in client.tasks(name)["tasks"]] for name in ("ann", "bob")}
    assert answers == {
        "ann": [None, {"answer": "point", "x": 1.0, "y": 2.5}, None],
        "bob": [None, None, {"answer": "none", "x": None, "y": None}],
    }
    assert client.tasks()["annotators"] == ["ann", "bob"]
    assert b"video,2,,ann,1.0,2.5,64,48" in client.send("GET", "/export.csv").body


def test_frames(client: Client) -> None:
    reply = client.send("GET", "/frame/2?run=1")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "image/png")
    for second in ("0", "4", "", "-1", "x", "2/../1", "%C2%B2", "9" * 5000):
        assert client.send("GET", f"/frame/{second}").status == 404


def test_a_frame_that_broke_since(client: Client) -> None:
    (client.log.parent / "video" / "2.png").write_bytes(b"broken")
    reply = client.send("GET", "/frame/2")
    assert (reply.status, "2.png: cannot be decoded" in reply.error) == (400, True)


def test_the_page_may_load_nothing_from_elsewhere(client: Client) -> None:
    reply = client.send("GET", "/")
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert "unsafe" not in policy
    assert b"{{nonce}}" not in reply.body
    assert b"http://" not in reply.body
    assert b"https://" not in reply.body
    assert b"innerHTML" not in reply.body


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "evil.example:{}", "127.0.0.1:1"])
@pytest.mark.parametrize("path", ["/", "/tasks", "/frame/2", "/export.csv", "/answer"])
def test_a_foreign_host(client: Client, host: str, path: str) -> None:
    method = "POST" if path == "/answer" else "GET"
    reply = client.send(method, path, Host=host.format(client.port))
    assert reply.status == 403


def test_our_own_names(client: Client) -> None:
    for name in ("127.0.0.1", "localhost"):
        host = f"{name}:{client.port}"
        assert client.post(point(), Host=host, Origin=f"http://{host}").status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{}", ""])
def test_a_foreign_origin(client: Client, origin: str) -> None:
    assert client.post(point(), Origin=origin.format(client.port)).status == 403
    assert client.log.read_bytes() == b""


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_a_form_is_no_answer(client: Client, kind: str) -> None:
    assert client.post(point(), Content_Type=kind).status == 415
    assert client.post(point(), Content_Type="application/json; charset=utf-8").status == 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 60_000,
        json.dumps(point()).replace("2.5", "NaN").encode(),
        json.dumps(point()).replace("2.5", "1e999").encode(),
        point(extra=1),
        point(second=99),
        point(second=10**30),
        point(second=True),
        point(step="fry"),
        point(x=None),
        point(x=-0.01),
        point(x=64.01),
        point(y=48.01),
        point(x="1"),
        point(answer="none"),
        point(answer="maybe"),
        point(annotator=""),
        point(annotator=" \t "),
        point(annotator="a" * 81),
        point(annotator="a\x00b"),
        point(annotator="\ud800"),
        point(annotator=7),
    ],
)
def test_an_answer_that_is_none(client: Client, content: Any) -> None:
    reply = client.post(content)
    assert reply.status == 400
    assert reply.error
    assert b"Traceback" not in reply.body
    assert client.log.read_bytes() == b""


def test_an_answer_that_is_too_long(client: Client) -> None:
    assert client.post(b" " * 65_536 + b"{}").status == 413
    assert client.send("POST", "/answer", Content_Type="application/json").status in (400, 411)
    for length in ("-1", "x", "9" * 30):
        assert client.post(b"", Content_Length=length).status in (411, 413)


def test_other_requests(client: Client) -> None:
    assert client.send("GET", "/../page.html").status == 404
    assert client.send("POST", "/tasks").status == 404
    assert client.send("PUT", "/answer").status == 501


def test_a_browser_that_hangs_up(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", client.port)) as line:
            line.sendall(f"GET /frame/2 HTTP/1.0\r\nHost: 127.0.0.1:{client.port}\r\n\r\n".encode())
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert client.post(point()).status == 200
    assert capfd.readouterr().err == ""


def test_a_disk_that_is_full(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", fail)
        reply = client.post(point())
    assert (reply.status, "No space left" in reply.error) == (500, True)
    assert client.log.read_bytes() == b""


def test_many_at_once(client: Client) -> None:
    threads = [
        threading.Thread(target=client.post, args=(point(annotator=f"a{number}"),))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {line["annotator"] for line in logged(client.log)} == {f"a{n}" for n in range(20)}


def test_a_port_that_is_taken(client: Client) -> None:
    with pytest.raises(InputError, match=f"port {client.port} cannot be used.*--port"):
        PointServer(client.server.session, client.port)
