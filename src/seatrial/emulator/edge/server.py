"""The HTTP and HTTPS servers of one distribution, on its loopback address."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from seatrial.emulator.edge.model import Request
from seatrial.emulator.loadbalancing.places import SHIFT

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    from seatrial.emulator.edge.model import Answer

    Respond = Callable[[Request], Answer]
    Context = Callable[[], ssl.SSLContext]

log = logging.getLogger(__name__)

_IDLE = 60.0  # seconds that a connection may be silent
_LONGEST_BODY = 1_000_000  # of a request, which no bucket here takes; more closes the connection unread


class Server:
    """Serves ``respond`` on one port of an address. Begins at once.

    ``tls`` is asked for the context of each connection, whose aliases may have changed; None speaks plain HTTP.
    """

    def __init__(self, address: str, port: int, respond: Respond, tls: Context | None = None) -> None:
        self._server = _bound(address, (port, port + SHIFT, 0), respond, tls)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name=f"edge {address}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and end the thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, place: tuple[str, int], respond: Respond, tls: Context | None) -> None:
        self.respond = respond
        self.tls = tls
        super().__init__(place, _Handler)

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection; its handshake is left to its own thread."""
        accepted, peer = super().get_request()
        accepted.settimeout(_IDLE)
        if self.tls is not None:
            return self.tls().wrap_socket(accepted, server_side=True, do_handshake_on_connect=False), peer
        return accepted, peer

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - of the base class
        """Log what is a fault here; viewers hang up, or do not trust a certificate, at any time."""
        if not isinstance(sys.exc_info()[1], OSError):
            log.error("an edge failed to answer %s", client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, whatever their methods."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listening

    def handle_one_request(self) -> None:
        """Answer one request."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
        elif self.parse_request():
            self._respond()
            self.wfile.flush()

    def _respond(self) -> None:
        self._drop_body()
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        secure = self.server.tls is not None
        answer = self.server.respond(Request(self.command, path, query, headers, secure))
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _drop_body(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > _LONGEST_BODY:
            self.close_connection = True
        else:
            self.rfile.read(int(length))

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - of the base class
        """Say nothing: CloudFront's standard logs are not imitated."""


def _bound(address: str, ports: Iterable[int], respond: Respond, tls: Context | None) -> _Listening:
    """Listen on the first of the ports that this process may have; the last one, 0, is any."""
    for port in ports:
        with contextlib.suppress(OSError):
            return _Listening((address, port), respond, tls)
    raise OSError(f"no port of {address} can be had")
