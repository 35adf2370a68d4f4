"""Where clients of sessions connect to: ``ws://127.0.0.1:PORT/v1/data-channel/SESSION?role=publish_subscribe``.

The first message of a client is JSON with the token that the call which made the session answered. It opens one
channel, once; a channel that was cut off cannot be resumed.
"""

from __future__ import annotations

import json
import logging
import secrets
import string
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, serve

from seatrial.emulator.sessions.channel import Channel
from seatrial.emulator.sessions.messages import MessageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.sync.server import ServerConnection

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.runtime import Terminal

_LETTERS = string.ascii_lowercase + string.digits
#: Seconds for a client's first message.
_PATIENCE = 30.0
_POLICY_VIOLATION = 1008

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Session:
    """What ExecuteCommand answers as ``session``."""

    id: str
    stream_url: str
    token: str


@dataclass(frozen=True)
class _Offer:
    session: str
    command: str
    start: Callable[[], Terminal]


class Sessions:
    """Makes sessions and serves them. It listens from the first one on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._offers: dict[str, _Offer] = {}
        self._open: set[ServerConnection] = set()
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def offer(self, command: str, start: Callable[[], Terminal]) -> Session:
        """Make a session; ``start`` is called when a client has come for it."""
        token = secrets.token_urlsafe(64)
        identity = "ecs-execute-command-" + "".join(secrets.choice(_LETTERS) for _ in range(25))
        with self._lock:
            if self._server is None:
                self._server = serve(self._serve, "127.0.0.1", 0, compression=None)
                self._thread = threading.Thread(target=self._server.serve_forever, name="sessions", daemon=True)
                self._thread.start()
            port = self._server.socket.getsockname()[1]
            self._offers[token] = _Offer(identity, command, start)
        url = f"ws://127.0.0.1:{port}/v1/data-channel/{identity}?role=publish_subscribe"
        return Session(identity, url, token)

    def stop(self) -> None:
        """End every session. Safe to call twice."""
        with self._lock:
            server, self._server = self._server, None
            connections = list(self._open)
        if server is None or self._thread is None:
            return
        server.shutdown()
        for connection in connections:
            connection.close()
        self._thread.join()

    def _serve(self, connection: ServerConnection) -> None:
        with self._lock:
            self._open.add(connection)
        try:
            offer = self._claimed(connection)
            if offer is None:
                connection.close(_POLICY_VIOLATION, "no such session, or it has begun")
                return
            Channel(connection, offer.session, offer.command, offer.start, self._clock).serve()
        except ConnectionClosed:
            return
        except (MessageError, KeyError, TypeError, ValueError) as error:
            _log.warning("a session ended: %s", error)
            connection.close(_POLICY_VIOLATION, "not a message of a data channel")
        finally:
            with self._lock:
                self._open.discard(connection)

    def _claimed(self, connection: ServerConnection) -> _Offer | None:
        """Return what the client has the token of. Raises ``ValueError`` where it says something else."""
        try:
            first = json.loads(connection.recv(_PATIENCE))
        except TimeoutError:
            return None
        with self._lock:
            offer = self._offers.pop(str(first.get("TokenValue")), None)
        path = connection.request.path if connection.request else ""
        return offer if offer and f"/{offer.session}?" in path else None
