"""A proxy between an AWS client and the emulator that counts the calls. It changes nothing and listens on loopback."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Headers that are about one connection and not about the message (RFC 9110, section 7.6.1).
_OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Calls:
    """The calls so far. ``url`` is what the client is told as its endpoint."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._counted: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, operation: str) -> None:
        """Count one."""
        with self._lock:
            self._counted[operation] += 1

    def taken(self) -> Counter[str]:
        """Return how often each operation was called, and begin at zero again."""
        with self._lock:
            counted, self._counted = self._counted, Counter()
        return counted


@contextmanager
def counted(endpoint: str) -> Iterator[Calls]:
    """Stand in front of ``endpoint`` for as long as it lasts."""
    target = urlsplit(endpoint)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            calls.add(_operation(self.command, self.path, self.headers.get("X-Amz-Target"), body))
            onward = http.client.HTTPConnection(target.hostname or "127.0.0.1", target.port)
            headers = {key: text for key, text in self.headers.items() if key.lower() not in _OF_THE_CONNECTION}
            try:
                onward.request(self.command, self.path, body, headers)
                answer = onward.getresponse()
                content = answer.read()
            finally:
                onward.close()
            self.send_response(answer.status)
            for key, text in answer.getheaders():
                if key.lower() not in _OF_THE_CONNECTION:
                    self.send_header(key, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - the names that http.server wants

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - as http.server calls it
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        calls = Calls(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield calls
        finally:
            server.shutdown()
            thread.join()


def _operation(method: str, path: str, target: str | None, body: bytes) -> str:
    """Return the operation's name: JSON services have it in a header, query services in the body, S3 in the method."""
    if target is not None:
        return target.rpartition(".")[2]
    action = parse_qs(body.decode(errors="replace")).get("Action")
    return action[0] if action else f"{method} {path.partition('?')[0]}"
