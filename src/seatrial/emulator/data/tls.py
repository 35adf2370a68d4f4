"""TLS in front of a server that speaks none: accepts TLS on one address, passes plain bytes on to another."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from seatrial.emulator.loadbalancing.model import Certificate

_T = TypeVar("_T")

_CHUNK = 1 << 16
_CONNECTION_GONE = (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError)


class TlsRelay:
    """One listening address. Runs an event loop in a thread of its own from :meth:`start` to :meth:`stop`."""

    def __init__(self, certificate: Certificate, listen: tuple[str, int], upstream: tuple[str, int]) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.load_cert_chain(certificate.certificate, certificate.key)
        self._listen = listen
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"tls-{listen[0]}", daemon=True)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to accept. Raises ``OSError`` where the address is taken."""
        self._thread.start()
        try:
            self._server = self._run(asyncio.start_server(self._serve, *self._listen, ssl=self._context))
        except OSError:
            self._end_loop()
            raise

    def stop(self) -> None:
        """Close every connection. Safe to call twice."""
        if self._loop.is_closed():
            return
        self._run(self._close())
        self._end_loop()

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        open_now = list(self._open)
        for each in open_now:
            each.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            there = await asyncio.open_connection(*self._upstream)
            await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        except _CONNECTION_GONE:
            pass  # either side hung up: the other is closed below
        except asyncio.CancelledError:
            pass  # stop(): nothing waits for this connection
        finally:
            self._open.discard(task)
            writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(_CHUNK):
            writer.write(piece)
            await writer.drain()
    finally:
        with contextlib.suppress(*_CONNECTION_GONE):
            writer.close()
