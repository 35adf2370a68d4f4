"""Connections of the data plane to targets, kept for the next request for a while."""

from __future__ import annotations

import asyncio
import select
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakSet

from seatrial.emulator.loadbalancing import wire

if TYPE_CHECKING:
    from collections.abc import Container

    from seatrial.emulator.loadbalancing.model import Backend, Pool

#: Seconds after which an unused connection is closed: before gunicorn's threaded worker does so, after two.
IDLE = 1.0
#: Seconds within which a target must accept a connection (ALB user guide, HTTP 504).
CONNECT_TIMEOUT = 10.0


@dataclass(eq=False)
class Connection:
    """An open connection to a target."""

    backend: Backend
    secured: bool
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since: float = field(default_factory=time.monotonic)

    def fresh(self) -> bool:
        """Whether a request may be sent on it: it is open, and nothing, above all no end, has come in meanwhile."""
        if self.writer.is_closing() or time.monotonic() - self.idle_since > IDLE:
            return False
        poll = select.poll()
        poll.register(self.writer.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close at once."""
        with suppress(OSError):
            self.writer.close()


class Upstreams:
    """Opens connections and takes back those that can be used again."""

    def __init__(self) -> None:
        self._idle: dict[tuple[Backend, bool], list[Connection]] = {}
        self._open: WeakSet[Connection] = WeakSet()
        self._context = ssl.create_default_context()
        self._context.check_hostname = False  # an ALB does not verify its targets' certificates
        self._context.verify_mode = ssl.CERT_NONE

    async def connect(self, pool: Pool, backend: Backend) -> Connection:
        """Return a connection that nobody uses. Raises ``TimeoutError`` or another ``OSError``."""
        secured = pool.protocol == "HTTPS"
        idle = self._idle.get((backend, secured), [])
        while idle:
            connection = idle.pop()
            if connection.fresh():
                return connection
            connection.close()
        async with asyncio.timeout(CONNECT_TIMEOUT):
            reader, writer = await asyncio.open_connection(
                backend.address, backend.port, ssl=self._context if secured else None, limit=wire.HEAD_LIMIT
            )
        connection = Connection(backend, secured, reader, writer)
        self._open.add(connection)
        return connection

    def sever(self, backend: Backend) -> None:
        """Cut every connection to a target, whatever it carries."""
        for connection in list(self._open):
            if connection.backend == backend:
                connection.writer.transport.abort()

    def give_back(self, connection: Connection) -> None:
        """Keep a connection whose exchange is complete."""
        connection.idle_since = time.monotonic()
        self._idle.setdefault((connection.backend, connection.secured), []).append(connection)

    def close_idle(self, kept: Container[Backend]) -> None:
        """Close what has been idle for too long, and all that leads to targets that are not ``kept``."""
        for key, idle in list(self._idle.items()):
            fresh = [each for each in idle if each.backend in kept and each.fresh()]
            for each in idle:
                if each not in fresh:
                    each.close()
            if fresh:
                self._idle[key] = fresh
            else:
                del self._idle[key]
