"""The web server in front of moto: our own pages, the region's guard, and errors an AWS client can read.

``/_seatrial/...`` is ours, everything else is AWS. A call that moto does not know is answered 501 and counted, a bug
is answered 500 and its traceback goes to the log; neither becomes an HTML page.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.serving import BaseWSGIServer

    Denies = Callable[[WSGIEnvironment, str], str | None]

log = logging.getLogger(__name__)

PREFIX = "/_seatrial/"

#: Services whose engine is ours. It exists in one region; moto's mock of another would look alive and do nothing.
REGIONAL = frozenset({"ecs", "codedeploy", "cloudformation", "elasticloadbalancing", "rds", "elasticache", "scheduler"})

_NOT_IMPLEMENTED = re.compile(r"The (\w+) action has not been implemented")
_SCOPE = re.compile(r"Credential=[^/]+/\d+/([a-z0-9-]+)/([a-z0-9.-]+)/aws4_request")


@dataclass(frozen=True)
class Page:
    """An answer of our own: JSON and a status."""

    body: Any
    status: int = 200


class Front:
    """The WSGI application. AWS calls wait until :meth:`open` says that all engines are there."""

    def __init__(self, pages: Callable[[str], Page | None], region: str, *, patience: float = 60.0) -> None:
        self._pages = pages
        self._region = region
        self._patience = patience
        self._aws: WSGIApplication | None = None
        self._own: Mapping[str, WSGIApplication] = {}
        self._denies: Denies = lambda _environ, _service: None
        self._opened = threading.Event()
        self._unknown: Counter[str] = Counter()

    def open(
        self, aws: WSGIApplication, own: Mapping[str, WSGIApplication], denies: Denies = lambda _environ, _service: None
    ) -> None:
        """Let AWS calls in; ``aws`` answers them but for services in ``own`` (by the name they are signed for).

        ``denies`` says why a caller may not make a call, None where it may.
        """
        self._aws = aws
        self._own = own
        self._denies = denies
        self._opened.set()

    @property
    def unknown(self) -> dict[str, int]:
        """Calls that nothing here knows, ``service.Action`` → how often."""
        return dict(self._unknown)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if path.startswith(PREFIX):
            page = self._pages(path.removeprefix(PREFIX)) or Page({"error": f"no page {path}"}, 404)
            body = json.dumps(page.body, default=str).encode()
            return _send(start_response, page.status, "application/json", body)
        region, service = _scope(environ)
        if service in REGIONAL and region != self._region:
            return _refuse(
                environ,
                start_response,
                400,
                "SignatureDoesNotMatch",
                f"Credential should be scoped to a valid region, not '{region}': {service} of this emulator lives in "
                f"{self._region}. Start one with --region {region}, or ask for {self._region}.",
            )
        if not self._opened.wait(self._patience) or self._aws is None:
            return _refuse(environ, start_response, 503, "ServiceUnavailable", "The emulator is still starting.")
        return self._answer(self._aws, environ, start_response, service)

    def _answer(
        self, aws: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, service: str
    ) -> Iterable[bytes]:
        """Have a call answered, if the caller may make it."""
        try:
            if (denied := self._denies(environ, service)) is not None:
                code, status = (
                    ("AccessDeniedException", 400) if environ.get("HTTP_X_AMZ_TARGET") else ("AccessDenied", 403)
                )
                return _refuse(environ, start_response, status, code, denied)
            return self._own.get(service, aws)(environ, start_response)
        except NotImplementedError as error:
            name = _operation(environ, service, str(error))
            self._unknown[name] += 1
            log.warning("%s: %s", name, error)
            return _refuse(
                environ, start_response, 501, "NotImplemented", f"The emulator does not imitate this call: {error}"
            )
        except Exception as error:  # the edge of the process: whatever it was, the client must get an answer
            log.exception("%s failed", _operation(environ, service))
            return _refuse(
                environ,
                start_response,
                500,
                "InternalFailure",
                f"The emulator failed ({type(error).__name__}); its log says where.",
            )


def serve(front: Front, listener: socket.socket) -> BaseWSGIServer:
    """Return a threaded server on an already listening socket. The caller runs ``serve_forever``."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import make_server

    class Handler(MotoRequestHandler):  # type: ignore[misc]  # moto is not typed here
        def log_request(self, *arguments: Any) -> None:
            """Say nothing: a release makes thousands of calls."""

    host, port = listener.getsockname()[:2]
    server = make_server(host, port, front, threaded=True, request_handler=Handler, fd=listener.fileno())
    server.daemon_threads = True  # type: ignore[attr-defined]  # of the threaded server that make_server returns
    return server


def listen(port: int | None, *, first: int = 4566, attempts: int = 200) -> socket.socket:
    """Return a socket listening on 127.0.0.1: on ``port``, or on the first free one from ``first`` up.

    Raises ``OSError`` when ``port`` is taken or none is free.
    """
    candidates = [port] if port is not None else list(range(first, first + attempts))
    for number in candidates:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", number))
        except OSError:
            listener.close()
            continue
        listener.listen(256)
        return listener
    where = f"port {port}" if port is not None else f"every port from {first} to {first + attempts - 1}"
    raise OSError(f"{where} of 127.0.0.1 is taken by another program")


def _scope(environ: WSGIEnvironment) -> tuple[str, str]:
    """Return (region, service) of the request's credential scope (Signature Version 4), empty where unsigned."""
    match = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    return (match[1], match[2]) if match else ("", "")


def _operation(environ: WSGIEnvironment, service: str, error: str = "") -> str:
    """Name the call, ``service.Action``.

    The query protocol has the action in the body, which has been read by now, but moto names it in its error.
    """
    action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    named = _NOT_IMPLEMENTED.match(error)
    if not action and named:
        action = "".join(word.capitalize() for word in named[1].split("_"))
    return f"{service or '?'}.{action or environ.get('REQUEST_METHOD', '?') + ' ' + environ.get('PATH_INFO', '')}"


def _refuse(
    environ: WSGIEnvironment, start_response: StartResponse, status: int, code: str, message: str
) -> Iterable[bytes]:
    """Answer with an error in the protocol of the request: JSON, or XML as the query and S3 protocols have it."""
    if environ.get("HTTP_X_AMZ_TARGET"):
        body = json.dumps({"__type": code, "message": message}).encode()
        return _send(start_response, status, "application/x-amz-json-1.1", body)
    inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        inner = f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error><RequestId>0</RequestId></ErrorResponse>"
    else:
        inner = f"<Error>{inner}<RequestId>0</RequestId></Error>"
    return _send(start_response, status, "text/xml", inner.encode())


def _send(start_response: StartResponse, status: int, content_type: str, body: bytes) -> Iterable[bytes]:
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    start_response(f"{status} {'OK' if status < 400 else 'Error'}", headers)
    return [body]
