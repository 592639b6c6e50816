"""The page and what it talks to, on this machine only.

Any page of the web that is open in the same browser can send requests here. So
the Host must be ours (a foreign name that leads here is refused), and an answer
must be JSON from our own page, which a foreign page cannot send unasked.
"""

import json
import secrets
import sys
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from gytbench.collection.session import Session
from gytbench.errors import InputError

_LARGEST_BODY = 64 * 1024

_JSON = "application/json"

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}

_POLICY = (
    "default-src 'none'; script-src 'nonce-{0}'; style-src 'nonce-{0}'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class PointServer(ThreadingHTTPServer):
    """Serves one session on 127.0.0.1. Port 0 takes a free one; `url` says which."""

    daemon_threads = True

    def __init__(self, session: Session, port: int = 0) -> None:
        """Raises `InputError` where the port cannot be used."""
        self.session = session
        self.page = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
        # Sets the frames of this run apart in the browser's cache.
        self.run = secrets.token_hex(8)
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            reason = f"port {port} cannot be used: {error.strerror}; choose another with --port"
            raise InputError(reason) from None
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Passes over browsers that hang up; anything else is a defect, and shown here."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _RefusedError(Exception):
    """A request that is not served: the status and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: PointServer
    timeout = 30
    server_version = "gytbench"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the terminal for what matters."""

    def _answer(self, serve: Callable[[], None]) -> None:
        try:
            if self.headers.get("Host") not in self.server.hosts:
                raise _RefusedError(403, "open the page by the address that gytbench printed")
            serve()
        except _RefusedError as refused:
            self._send_json({"error": str(refused)}, refused.status)
        except InputError as error:
            self._send_json({"error": str(error)}, 400)
        except ConnectionError:
            raise
        except Exception as error:
            self._send_json({"error": f"the server failed: {error}"}, 500)
            # An OSError is the disk's; the page shows it. The rest are defects.
            if not isinstance(error, OSError):
                raise

    def _get(self) -> None:
        path, _, query = self.path.partition("?")
        session = self.server.session
        if path == "/":
            self._send_page()
        elif path == "/tasks":
            names = parse_qs(query).get("annotator", [""])
            self._send_json({"run": self.server.run, **session.overview(names[0])})
        elif path == "/export.csv":
            name = {"Content-Disposition": 'attachment; filename="points.csv"'}
            self._send(session.export(), "text/csv; charset=utf-8", headers=name)
        elif path.startswith("/frame/"):
            self._send_frame(path.removeprefix("/frame/"))
        else:
            raise _RefusedError(404, "no such page")

    def _post(self) -> None:
        if self.path != "/answer":
            raise _RefusedError(404, "no such page")
        origin = self.headers.get("Origin")
        if origin is not None and origin.removeprefix("http://") not in self.server.hosts:
            raise _RefusedError(403, "only this server's own page may send answers")
        if _media_type(self.headers) != _JSON:
            raise _RefusedError(415, f"an answer is sent as {_JSON}")
        self.server.session.accept(self.rfile.read(_length(self.headers)))
        self._send_json({"saved": True})

    def _send_page(self) -> None:
        nonce = secrets.token_urlsafe(16)
        headers = {"Content-Security-Policy": _POLICY.format(nonce)}
        page = self.server.page.replace("{{nonce}}", nonce)
        self._send(page.encode(), "text/html; charset=utf-8", headers=headers)

    def _send_frame(self, second: str) -> None:
        known = second.isascii() and second.isdigit() and len(second) <= 8
        image = self.server.session.image(int(second)) if known else None
        if image is None:
            raise _RefusedError(404, "no task is about this second")
        headers = {"Cache-Control": "private, max-age=86400, immutable"}
        self._send(image.data, image.content_type, headers=headers)

    def _send_json(self, value: Any, status: int = 200) -> None:
        self._send(json.dumps(value).encode(), _JSON, status)

    def _send(
        self,
        content: bytes,
        content_type: str,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        fixed = {"Content-Type": content_type, "Content-Length": str(len(content))}
        default = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store"}
        for name, value in (default | _HEADERS | fixed | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _media_type(headers: Message) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _length(headers: Message) -> int:
    """The length of the body that the request announces."""
    text = headers.get("Content-Length", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise _RefusedError(411, "the length of the body is missing")
    if int(text) > _LARGEST_BODY:
        raise _RefusedError(413, f"an answer has at most {_LARGEST_BODY} bytes")
    return int(text)
