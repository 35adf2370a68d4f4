"""One client's connection to the data plane: its requests, one after another, until it ends or becomes a tunnel."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from seatrial.emulator.loadbalancing import wire
from seatrial.emulator.loadbalancing.answers import ERROR_TYPE, SERVER, error_page, reason
from seatrial.emulator.loadbalancing.model import FixedResponse, Forward
from seatrial.emulator.loadbalancing.passage import BrokenOffError, NoAnswerError, Passage
from seatrial.emulator.loadbalancing.redirects import location
from seatrial.emulator.loadbalancing.routing import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.loadbalancing.model import Backend, Listener, Pool, Redirect
    from seatrial.emulator.loadbalancing.routing import Pools, Table
    from seatrial.emulator.loadbalancing.upstreams import Upstreams

#: The most of a request body, in bytes, that is read and dropped to keep a connection that was answered without it.
_DISCARD = 1024 * 1024
_ABSOLUTE = re.compile(r"https?://([^/?]*)(/?.*)", re.IGNORECASE)


class Targets(Protocol):
    """The targets as they are now; contains those whose connections may be used again."""

    pools: Pools
    upstreams: Upstreams

    def __contains__(self, backend: object) -> bool: ...


class Exchange:
    """Serves one connection. ``table`` gives the listener's rules at any time, or None once it is gone."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        table: Callable[[], Table | None],
        targets: Targets,
    ) -> None:
        self._streams = reader, writer
        self._reader = reader
        self._writer = writer
        self._table = table
        self._targets = targets
        self._keep = True
        self._answered = False
        self.idle = True

    async def serve(self) -> None:
        """Answer requests until either side ends."""
        try:
            while self._keep and (table := self._table()) is not None:
                async with asyncio.timeout(table.listener.idle_timeout):
                    head = await wire.read_head(self._reader)
                table = self._table()
                if head is None or table is None:
                    return
                self.idle, self._answered = False, False
                await self._request(head, table)
                await self._writer.drain()
                self.idle = True
        except wire.WireError as error:
            if not self._answered:
                self._keep = False
                self._error(error.status)
        except (OSError, BrokenOffError):  # the client ended, or was silent for too long
            return

    def close(self) -> None:
        """Close the connection to the client."""
        with suppress(OSError):
            self._writer.close()

    async def _request(self, head: wire.Head, table: Table) -> None:
        request = self._parse(head)
        framing = wire.request_framing(head)
        self._keep = head.start[2] == "HTTP/1.1" and not head.has_token("connection", "close")
        action = table.action(request)
        if isinstance(action, Forward):
            chosen = self._targets.pools.choose(action)
            if chosen is None:
                await self._discard(head, framing)
                self._error(503)
                return
            await self._forward(Passage(request, framing, table.listener, *self._streams, keep=self._keep), *chosen)
            return
        await self._discard(head, framing)
        if isinstance(action, FixedResponse):
            self._answer(request, action.status, action.body, action.content_type)
        else:
            self._redirect(request, action, table.listener)

    async def _forward(self, passage: Passage, pool: Pool, backend: Backend) -> None:
        try:
            await passage.run(self._targets.upstreams, pool, backend, self._targets)
        except NoAnswerError as failure:
            self._keep = passage.keep
            self._error(failure.status)
        else:
            self._keep = passage.keep

    def _parse(self, head: wire.Head) -> Request:
        method, target, version = head.start
        if not version.startswith("HTTP/1."):
            raise wire.WireError("not HTTP/1")
        if absolute := _ABSOLUTE.fullmatch(target):
            target = absolute[2] if absolute[2].startswith("/") else "/" + absolute[2]
            head.fields = [("Host", absolute[1]), *head.without(["host"])]
        if len(head.all("host")) != 1 and version != "HTTP/1.0":
            raise wire.WireError("no Host header, or more than one")
        return Request(head, method, target, self._writer.get_extra_info("peername")[0])

    async def _discard(self, head: wire.Head, framing: wire.Framing) -> None:
        """Read the body that nobody wants, so that the next request is found; give the connection up for a long one."""
        if framing == 0:
            return
        if head.has_token("expect", "100-continue") or not isinstance(framing, int) or framing > _DISCARD:
            self._keep = False
            return
        async for _ in wire.payload(self._reader, framing):
            pass

    def _answer(self, request: Request, status: int, body: str, content_type: str, *more: tuple[str, str]) -> None:
        content = body.encode()
        fields = [("Server", SERVER), ("Content-Type", content_type), ("Content-Length", str(len(content))), *more]
        if not self._keep:
            fields.append(("Connection", "close"))
        self._answered = True
        self._writer.write(wire.encode_head(f"HTTP/1.1 {status} {reason(status)}", fields))
        if request.method != "HEAD":
            self._writer.write(content)

    def _error(self, status: int) -> None:
        nobody = Request(wire.Head(("GET", "/", ""), []), "GET", "/", "")
        self._answer(nobody, status, error_page(status), ERROR_TYPE)

    def _redirect(self, request: Request, action: Redirect, listener: Listener) -> None:
        to = location(
            action,
            protocol=listener.protocol.lower(),
            host=request.head.get("host") or "",
            port=listener.bound_port,
            target=request.target,
        )
        self._answer(request, action.status, error_page(action.status), ERROR_TYPE, ("Location", to))
