"""A proxy between seatrial and the emulator's API that throttles, fails, refuses credentials, or cuts the network.

What goes wrong begins right after a named call has been answered, and is over after so many calls, or never. The
errors are those of the call's own protocol.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Kind = Literal["throttled", "fails", "expired", "cut", "answers lost"]

#: Kind → (code in JSON, in the query protocol, in S3), HTTP status.
_ERRORS: dict[str, tuple[tuple[str, str, str], int]] = {
    "throttled": (("ThrottlingException", "Throttling", "SlowDown"), 400),
    "fails": (("InternalFailure", "InternalFailure", "InternalError"), 500),
    "expired": (("ExpiredTokenException", "ExpiredToken", "ExpiredToken"), 400),
}
_READS = ("Describe", "List", "Get", "Filter", "GET", "HEAD")


@dataclass
class Trouble:
    """What goes wrong after the first call that matches ``after``; ``calls`` are left, None for all that come."""

    kind: Kind
    after: str
    calls: int | None = None


class Proxy:
    """Runs while :func:`proxy`'s block does."""

    def __init__(self, upstream: str, port: int) -> None:
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname or "", parts.port or 80)
        self.endpoint = f"http://127.0.0.1:{port}"
        self._lock = threading.Lock()
        self._trouble: Trouble | None = None
        self._begun = False
        self._lost: set[str] = set()
        self._first: tuple[str, Callable[[], object]] | None = None

    def trouble(self, trouble: Trouble | None) -> None:
        """Arrange for what goes wrong next; None ends what goes on."""
        with self._lock:
            # A copy: what is left of its calls is counted down, and the table's is the next strategy's too.
            self._trouble, self._begun, self._first = trouble and replace(trouble), False, None
            self._lost.clear()

    def before(self, call: str, do: Callable[[], object]) -> None:
        """Do something before the next call that matches goes through."""
        with self._lock:
            self._first = (call, do)

    def comes(self, call: str) -> None:
        """Do what is to be done before a call goes through."""
        with self._lock:
            due = self._first if self._first is not None and re.fullmatch(self._first[0], call) else None
            if due is not None:
                self._first = None
        if due is not None:
            due[1]()

    @property
    def waits(self) -> bool:
        """Whether something is still to be done before a call."""
        return self._first is not None

    def meets(self, call: str) -> Kind | None:
        """Return what goes wrong with a call that comes now."""
        with self._lock:
            it = self._trouble
            if it is None:
                return None
            if it.kind == "answers lost":
                if call.startswith(_READS) or call in self._lost:
                    return None
                self._lost.add(call)
                return it.kind
            if not self._begun or it.calls == 0:
                return None
            if it.calls is not None:
                it.calls -= 1
            return it.kind

    def answered(self, call: str) -> None:
        """Take note of a call that was answered."""
        with self._lock:
            if self._trouble is not None and re.fullmatch(self._trouble.after, call):
                self._begun = True

    @property
    def lost(self) -> frozenset[str]:
        """The calls whose first answer was lost."""
        return frozenset(self._lost)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: Proxy

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that is gone: some of them are killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Pass a call on, or answer it in the way of what goes wrong."""
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = _call(self, body)
        proxy.comes(call)
        kind = proxy.meets(call)
        if kind == "cut":
            self.close_connection = True
        elif kind is not None and kind != "answers lost":
            self._send(*_refusal(self, kind))
        else:
            answer = self._forwarded(body)
            if kind == "answers lost":
                self.close_connection = True
            else:
                proxy.answered(call)
                self._send(*answer)

    def do_POST(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def _forwarded(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        host, port = self.server.proxy.upstream
        connection = http.client.HTTPConnection(host, port, timeout=60)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "expect")}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            kept = {k: v for k, v in answer.getheaders() if k.lower() not in ("connection", "transfer-encoding")}
            return answer.status, kept, answer.read()
        finally:
            connection.close()

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    """Start one on a free port of 127.0.0.1."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.proxy = Proxy(upstream, server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.proxy
        finally:
            server.shutdown()
            thread.join()


def _call(request: BaseHTTPRequestHandler, body: bytes) -> str:
    """Return the operation, for S3's the method or CopyObject."""
    if request.headers.get("X-Amz-Copy-Source"):
        return "CopyObject"
    target = str(request.headers.get("X-Amz-Target") or "").rpartition(".")[2]
    named = re.search(rb"(?:^|&)Action=(\w+)", body)
    return target or (named[1].decode() if named else str(request.command))


def _refusal(request: BaseHTTPRequestHandler, kind: str) -> tuple[int, dict[str, str], bytes]:
    (in_json, in_query, in_s3), status = _ERRORS[kind]
    message = {"throttled": "Rate exceeded", "fails": "", "expired": "The security token included in the request is "
               "expired"}[kind]  # fmt: skip
    if request.headers.get("X-Amz-Target"):
        body = json.dumps({"__type": in_json, "message": message})
        return status, {"Content-Type": "application/x-amz-json-1.1"}, body.encode()
    if str(request.headers.get("Content-Type") or "").startswith("application/x-www-form-urlencoded"):
        error = f"<Type>Sender</Type><Code>{in_query}</Code><Message>{message}</Message>"
        body = f"<ErrorResponse><Error>{error}</Error><RequestId>0</RequestId></ErrorResponse>"
    else:
        body = f"<Error><Code>{in_s3}</Code><Message>{message}</Message></Error>"
    return status, {"Content-Type": "text/xml"}, body.encode()
