"""One request on its way to one target, and the answer on its way back. Nothing is ever sent twice."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from seatrial.emulator.loadbalancing import wire
from seatrial.emulator.loadbalancing.answers import SERVER, TARGET_HEADER

if TYPE_CHECKING:
    from collections.abc import Container

    from seatrial.emulator.loadbalancing.model import Backend, Listener, Pool
    from seatrial.emulator.loadbalancing.routing import Request
    from seatrial.emulator.loadbalancing.upstreams import Connection, Upstreams

_HOP_BY_HOP = frozenset(
    ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"]
)
_OURS = frozenset(["expect", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-port"])


class NoAnswerError(Exception):
    """The target gave no answer, so the load balancer answers with ``status``."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class BrokenOffError(Exception):
    """The exchange broke off where nothing can be answered any more: the client's connection must be closed."""


class Passage:
    """Carries one request. After :meth:`run`, ``keep`` tells whether the client's connection can serve another one."""

    def __init__(
        self,
        request: Request,
        framing: wire.Framing,
        listener: Listener,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        keep: bool,
    ) -> None:
        self.keep = keep
        self._request = request
        self._framing = framing
        self._listener = listener
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._upgrade = request.head.get("upgrade") if request.head.has_token("connection", "upgrade") else None
        self._sent = False
        self._answering = False
        self._reusable = False

    async def run(self, upstreams: Upstreams, pool: Pool, backend: Backend, kept: Container[Backend]) -> None:
        """Send the request and bring its answer. Raises :class:`NoAnswerError` and :class:`BrokenOffError`.

        A target that cannot be connected to or breaks off is 502, one that is silent for too long 504 (ALB user guide,
        troubleshooting). ``kept`` are the targets whose connections may be used again.
        """
        connection = await self._connect(upstreams, pool, backend)
        try:
            async with asyncio.timeout(self._listener.idle_timeout) as timer:
                await self._exchange(connection, timer)
        except TimeoutError as error:
            if self._answering:
                raise BrokenOffError from error
            self.keep = False
            raise NoAnswerError(504 if self._sent else 408) from error
        except NoAnswerError:
            self.keep = self.keep and self._sent
            raise
        finally:
            if self._reusable and backend in kept:
                upstreams.give_back(connection)
            else:
                connection.close()

    async def _connect(self, upstreams: Upstreams, pool: Pool, backend: Backend) -> Connection:
        try:
            return await upstreams.connect(pool, backend)
        except OSError as error:
            self.keep = self.keep and self._framing == 0
            raise NoAnswerError(504 if isinstance(error, TimeoutError) else 502) from error

    async def _exchange(self, connection: Connection, timer: asyncio.Timeout) -> None:
        sending = asyncio.create_task(self._send(connection, timer))
        reading = asyncio.create_task(self._response_head(connection))
        try:
            await asyncio.wait({sending, reading}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()  # raises what went wrong with the client
            head, framing = await reading
            self._touch(timer)
            if head.start[1] == "101":
                await self._tunnel(head, connection, timer)
            else:
                await self._bring(head, framing, connection, timer)
        finally:
            sending.cancel()
            reading.cancel()
            await asyncio.gather(sending, reading, return_exceptions=True)
        self.keep = self.keep and self._sent

    async def _send(self, connection: Connection, timer: asyncio.Timeout) -> None:
        """Send head and body. A target that does not read to the end may still answer, so that is no failure here."""
        head = self._request.head
        with suppress(OSError):
            connection.writer.write(wire.encode_head(self._start_line(), self._request_fields()))
            if head.has_token("expect", "100-continue"):
                self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = wire.payload(self._reader, self._framing)
            while (data := await self._next(body)) is not None:
                connection.writer.write(wire.encode(data, self._framing))
                await connection.writer.drain()
                self._touch(timer)
            connection.writer.write(wire.encode_end(self._framing))
            await connection.writer.drain()
            self._sent = True

    async def _next(self, body: wire.Body) -> bytes | None:
        try:
            return await anext(body, None)
        except (OSError, wire.WireError) as error:
            raise BrokenOffError from error

    def _start_line(self) -> str:
        return f"{self._request.method} {self._request.target} HTTP/1.1"

    def _request_fields(self) -> list[tuple[str, str]]:
        head = self._request.head
        forwarded = [*head.all("x-forwarded-for"), self._request.source]
        fields = head.without(_HOP_BY_HOP | _OURS)
        if head.get("host") is None:
            fields.append(("Host", self._listener.address))
        fields += [
            ("X-Forwarded-For", ", ".join(forwarded)),
            ("X-Forwarded-Proto", self._listener.protocol.lower()),
            ("X-Forwarded-Port", str(self._listener.port)),
        ]
        if self._framing == "chunked":
            fields.append(("Transfer-Encoding", "chunked"))
        if self._upgrade:
            fields += [("Connection", "Upgrade"), ("Upgrade", self._upgrade)]
        return fields

    async def _response_head(self, connection: Connection) -> tuple[wire.Head, wire.Framing]:
        """Return the final answer's head; earlier ones (1xx) are dropped."""
        try:
            while (head := await wire.read_head(connection.reader)) is not None:
                status = int(head.start[1])
                if status >= 200 or (status == 101 and self._upgrade):
                    return head, wire.response_framing(head, self._request.method)
        except (OSError, wire.WireError, ValueError) as error:
            raise NoAnswerError(502) from error
        raise NoAnswerError(502)

    async def _bring(
        self, head: wire.Head, framing: wire.Framing, connection: Connection, timer: asyncio.Timeout
    ) -> None:
        onward = framing
        if not isinstance(framing, int):  # the client's version decides how the end is told
            onward = "chunked" if self._request.head.start[2] == "HTTP/1.1" else "to-end"
        self.keep = self.keep and onward != "to-end"
        fields = self._response_fields(head, connection.backend)
        if onward == "chunked":
            fields.append(("Transfer-Encoding", "chunked"))
        if not self.keep:
            fields.append(("Connection", "close"))
        self._answering = True
        self._writer.write(self._status_line(head, fields))
        try:
            async for data in wire.payload(connection.reader, framing):
                self._writer.write(wire.encode(data, onward))
                await self._writer.drain()
                self._touch(timer)
            self._writer.write(wire.encode_end(onward))
            await self._writer.drain()
        except (OSError, wire.WireError) as error:
            raise BrokenOffError from error
        ends = framing == "to-end" or head.has_token("connection", "close") or head.start[0] != "HTTP/1.1"
        self._reusable = self._sent and not ends

    def _status_line(self, head: wire.Head, fields: list[tuple[str, str]]) -> bytes:
        return wire.encode_head(f"HTTP/1.1 {head.start[1]} {head.start[2]}", fields)

    def _response_fields(self, head: wire.Head, backend: Backend) -> list[tuple[str, str]]:
        fields = [*head.without(_HOP_BY_HOP | {TARGET_HEADER}), (TARGET_HEADER, str(backend))]
        if head.get("server") is None:
            fields.append(("Server", SERVER))
        return fields

    async def _tunnel(self, head: wire.Head, connection: Connection, timer: asyncio.Timeout) -> None:
        """Carry bytes both ways until both sides have ended, or nothing came for the idle timeout."""
        self.keep, self._answering = False, True
        fields = self._response_fields(head, connection.backend)
        fields += [("Connection", "Upgrade"), ("Upgrade", head.get("upgrade") or self._upgrade or "")]
        self._writer.write(self._status_line(head, fields))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(self._reader, connection.writer, timer))
                group.create_task(self._pump(connection.reader, self._writer, timer))
        except* OSError as broken:
            raise BrokenOffError from broken

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timer: asyncio.Timeout) -> None:
        while data := await reader.read(64 * 1024):
            writer.write(data)
            await writer.drain()
            self._touch(timer)
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()

    def _touch(self, timer: asyncio.Timeout) -> None:
        if not timer.expired():
            timer.reschedule(self._loop.time() + self._listener.idle_timeout)
