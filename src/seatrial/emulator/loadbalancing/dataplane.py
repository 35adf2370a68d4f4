"""The built-in proxy's process: an HTTP/1.1 load balancer on asyncio, apart so that the API never holds it up.

Run as ``python -m seatrial.emulator.loadbalancing.dataplane <file descriptor>``. The descriptor is one end of a private
socket on which models come and are answered, with None once they are live or with what went wrong. Instead of a model a
target may come, to which every connection is cut. The socket's end is the emulator's end, and this process's.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from functools import partial
from multiprocessing.connection import Connection as Channel
from typing import TYPE_CHECKING

from seatrial.emulator.loadbalancing import wire
from seatrial.emulator.loadbalancing.exchange import Exchange
from seatrial.emulator.loadbalancing.model import Backend, ProxyModel
from seatrial.emulator.loadbalancing.routing import Pools, Table
from seatrial.emulator.loadbalancing.upstreams import IDLE, Upstreams

if TYPE_CHECKING:
    from seatrial.emulator.loadbalancing.model import Certificate, Listener

#: Connections that wait to be accepted, as many as the kernel's usual limit allows.
BACKLOG = 4096

_Socket = tuple[str, str, int, str]


class DataPlane:
    """Listens and forwards as the last model says."""

    def __init__(self) -> None:
        self.pools = Pools(())
        self.upstreams = Upstreams()
        self._tables: dict[_Socket, Table] = {}
        self._contexts: dict[_Socket, list[tuple[Certificate, ssl.SSLContext]]] = {}
        self._servers: dict[_Socket, asyncio.Server] = {}
        self._exchanges: dict[_Socket, set[Exchange]] = {}

    def __contains__(self, backend: object) -> bool:
        return backend in self.pools.backends

    async def apply(self, model: ProxyModel) -> None:
        """Make ``model`` live. Raises ``OSError`` where a listener cannot be had."""
        self.pools = Pools(model.pools)
        self.upstreams.close_idle(self)
        wanted = {_socket(listener): listener for listener in model.listeners}
        for key in self._servers.keys() - wanted.keys():
            self._close(key)
        for key, listener in wanted.items():
            self._tables[key] = Table(listener)
            self._contexts[key] = self._certify(key, listener)
            if key not in self._servers:
                await self._open(key, listener)

    async def tidy(self) -> None:
        """Close connections to targets that nobody has used for a while, for ever."""
        while True:
            await asyncio.sleep(IDLE / 4)
            self.upstreams.close_idle(self)

    async def _open(self, key: _Socket, listener: Listener) -> None:
        self._exchanges[key] = set()
        self._servers[key] = await asyncio.start_server(
            partial(self._serve, key),
            listener.address,
            listener.bound_port,
            backlog=BACKLOG,
            limit=wire.HEAD_LIMIT,
            ssl=self._choosing(key) if listener.certificates else None,
        )

    def _close(self, key: _Socket) -> None:
        """Stop to listen; exchanges under way come to their end, idle connections are closed."""
        self._servers.pop(key).close()
        del self._tables[key], self._contexts[key]
        for exchange in self._exchanges.pop(key):
            if exchange.idle:
                exchange.close()

    async def _serve(self, key: _Socket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchange = Exchange(reader, writer, partial(self._tables.get, key), self)
        mates = self._exchanges.get(key, set())
        mates.add(exchange)
        try:
            await exchange.serve()
        finally:
            mates.discard(exchange)
            exchange.close()

    def _certify(self, key: _Socket, listener: Listener) -> list[tuple[Certificate, ssl.SSLContext]]:
        known = dict(self._contexts.get(key, []))
        return [(each, known.get(each) or _context(each)) for each in listener.certificates]

    def _choosing(self, key: _Socket) -> ssl.SSLContext:
        """A context that takes the certificate for the name asked for, from those of the moment; else the default."""
        context = _context(self._contexts[key][0][0])

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            offered = self._contexts.get(key, [])
            good = [each for certificate, each in offered if name and _covers(certificate, name.lower())]
            if offered:
                connection.context = (good or [offered[0][1]])[0]

        context.sni_callback = choose
        return context


def _socket(listener: Listener) -> _Socket:
    return listener.arn, listener.address, listener.bound_port, listener.protocol


def _context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _covers(certificate: Certificate, name: str) -> bool:
    parent = "*." + name.partition(".")[2]
    return any(each.lower() in (name, parent) for each in certificate.names)


async def main(channel: Channel) -> None:
    """Take models from ``channel`` until it ends."""
    plane = DataPlane()
    ready = asyncio.Event()
    asyncio.get_running_loop().add_reader(channel.fileno(), ready.set)
    tidying = asyncio.create_task(plane.tidy())
    while True:
        await ready.wait()
        ready.clear()
        try:
            if channel.poll():  # the event may have been set twice for one message
                channel.send(await _applied(plane, channel.recv()))
        except (EOFError, ConnectionError):
            tidying.cancel()
            return


async def _applied(plane: DataPlane, told: ProxyModel | Backend) -> str | None:
    try:
        if isinstance(told, ProxyModel):
            await plane.apply(told)
        else:
            plane.upstreams.sever(told)
    except OSError as error:
        return str(error)
    return None


if __name__ == "__main__":
    asyncio.run(main(Channel(int(sys.argv[1]))))
