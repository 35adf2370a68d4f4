"""What the load balancer's tests share: targets that really answer, clients that really ask, and open-loop load."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from seatrial.emulator.addresses import Addresses, lease_block
from seatrial.emulator.loadbalancing.builtin import Builtin
from seatrial.emulator.loadbalancing.envoy import Envoy
from seatrial.emulator.loadbalancing.model import Backend, Forward, Listener, Pool, ProxyModel, Rule

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from seatrial.emulator.loadbalancing.model import Action, Condition
    from seatrial.emulator.loadbalancing.proxy import Proxy

KINDS = ("envoy", "builtin")
DEADLINE = 60.0
LEASE = lease_block()
ADDRESSES = Addresses(LEASE.block)


def make_proxy(kind: str, directory: Path, died: Callable[[int], None] = lambda _status: None) -> Proxy:
    return Envoy(directory, died) if kind == "envoy" else Builtin(directory, died)


# Models


def rule(action: Action, *conditions: Condition, arn: str = "rule") -> Rule:
    return Rule(arn, conditions, action)


def to(*pools: Pool) -> Forward:
    return Forward(tuple((pool.arn, 1) for pool in pools))


def pool(name: str, *targets: Target | Backend) -> Pool:
    return Pool(
        f"targetgroup/{name}", "HTTP", tuple(each if isinstance(each, Backend) else each.backend for each in targets)
    )


def listener(address: str, *rules: Rule, name: str = "web", **more: Any) -> Listener:
    values: dict[str, Any] = {
        "arn": f"listener/{name}",
        "protocol": "HTTP",
        "address": address,
        "port": 80,
        "bound_port": 18080,
        "idle_timeout": 60,
    }
    return Listener(**(values | more), rules=rules)


def simple(address: str, *targets: Target | Backend, **more: Any) -> ProxyModel:
    """One listener that forwards everything to one group."""
    group = pool("web", *targets)
    return ProxyModel((listener(address, rule(to(group)), **more),), (group,))


# Targets


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Target:
    """A server on an address of its own. What it does with a request is told by the path:

    ``/hold`` answers once ``release`` is set; ``/break`` closes without an answer; ``/chunked/N`` answers N bytes in
    chunks; ``/bytes/N`` with a length; ``/ws`` becomes an echo; everything else is told back as text.
    """

    name: str
    status: int = 200
    tls: ssl.SSLContext | None = None
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    closed: int = 0
    holding: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, ADDRESSES.task(), 0, backlog=1024, ssl=self.tls)
        self.backend = Backend(*self._server.sockets[0].getsockname())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def end(self) -> None:
        """Stop to listen and close every connection, also those that were accepted in this very moment."""
        self._server.close()
        for _ in range(5):  # accepting takes asyncio a few turns of its loop
            await asyncio.sleep(0)
        self.release.set()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._serving)
        await asyncio.sleep(0)  # in which the aborted transports are let go

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        assert task
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._one(reader, writer):
                pass
        self.closed += 1
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line, headers = await read_head(reader)
        method, path, _ = line.split(" ")
        request = Received(method, path, headers)
        self.received.append(request)
        if path.startswith("/break"):
            return False
        if path.startswith("/ws"):
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            return False
        request.body = await read_body(reader, headers)
        if path.startswith("/hold"):
            self.holding.set()
            await self.release.wait()
        await self._answer(request, writer)
        return headers.get("connection", "").lower() != "close"

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> None:
        kind, _, size = request.path.removeprefix("/").partition("/")
        body = b"x" * int(size) if kind in ("bytes", "chunked") else f"{self.name} {request.path}".encode()
        start = f"HTTP/1.1 {self.status} Fine\r\nContent-Type: text/plain\r\nX-Name: {self.name}\r\n".encode()
        if kind == "chunked":
            writer.write(start + b"Transfer-Encoding: chunked\r\n\r\n")
            for begin in range(0, len(body), 10_000):
                piece = body[begin : begin + 10_000]
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
        else:
            writer.write(start + f"Content-Length: {len(body)}\r\n\r\n".encode())
            writer.write(body if request.method != "HEAD" else b"")
        await writer.drain()


async def read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    raw = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = raw[:-4].split("\r\n")
    return first, {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def read_body(reader: asyncio.StreamReader, headers: Mapping[str, str], *, to_end: bool = False) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        pieces = []
        while size := int(await reader.readline(), 16):
            pieces.append((await reader.readexactly(size + 2))[:-2])
        await reader.readline()
        return b"".join(pieces)
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read() if to_end else b""


# Clients


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def name(self) -> str | None:
        """Which target answered."""
        return self.headers.get("x-name")


class Client:
    """One connection. ``where`` is a listener or an (address, port)."""

    def __init__(
        self, where: Listener | tuple[str, int], tls: ssl.SSLContext | None = None, sni: str | None = None
    ) -> None:
        self._where = (where.address, where.bound_port) if isinstance(where, Listener) else where
        self._tls = tls
        self._sni = sni

    async def __aenter__(self) -> Self:
        name = self._sni or self._where[0] if self._tls else None
        self.reader, self.writer = await asyncio.open_connection(
            *self._where, ssl=self._tls, server_hostname=name, limit=2**20
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._tls:
            self.writer.transport.abort()  # a polite end of TLS would wait for the other side
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def ask(
        self, path: str = "/", *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send one request and read its answer. Raises where the connection breaks off."""
        fields = {"Host": "example.com"} | dict(headers or {})
        if body:
            fields.setdefault("Content-Length", str(len(body)))
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.writer.write(head.encode() + b"\r\n" + body)
        return await self.response(method)

    async def response(self, method: str = "GET") -> Response:
        line, headers = await read_head(self.reader)
        status = int(line.split(" ")[1])
        bare = method == "HEAD" or status in (101, 204, 304)
        body = b"" if bare else await read_body(self.reader, headers, to_end=True)
        return Response(status, headers, body)


async def ask(where: Listener | tuple[str, int], path: str = "/", **more: Any) -> Response:
    """One request on a connection of its own."""
    tls, sni = more.pop("tls", None), more.pop("sni", None)
    async with Client(where, tls, sni) as client:
        return await client.ask(path, **more)


@dataclass
class Load:
    """What came of requests that were sent at a fixed rate, whether earlier ones had been answered or not."""

    outcomes: Counter[str] = field(default_factory=Counter)
    sent: int = 0

    @property
    def failed(self) -> dict[str, int]:
        return {outcome: count for outcome, count in self.outcomes.items() if outcome != "200"}

    async def more(self, count: int) -> None:
        """Wait until that many more requests have been sent."""
        wanted = self.sent + count
        await until(lambda: self.sent >= wanted, "more load")


@contextlib.asynccontextmanager
async def load(where: Listener, *, rate: float = 100, keep_alive: bool) -> AsyncIterator[Load]:
    """Send requests while the block runs; all answers are in when it has ended."""
    result, going, idle = Load(), asyncio.Event(), []  # type: Load, asyncio.Event, list[Client]
    tasks: set[asyncio.Task[None]] = set()

    async def one() -> None:
        try:
            client = idle.pop() if idle else await Client(where).__aenter__()
            try:
                answer = await asyncio.wait_for(client.ask("/load"), DEADLINE)
            except BaseException:
                client.writer.close()
                raise
            result.outcomes[str(answer.status)] += 1
            if keep_alive and answer.headers.get("connection", "").lower() != "close":
                idle.append(client)
            else:
                client.writer.close()
        except (OSError, asyncio.IncompleteReadError) as error:
            result.outcomes[repr(error)] += 1

    async def send() -> None:
        due = time.monotonic()
        while not going.is_set():
            result.sent += 1
            task = asyncio.create_task(one())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    sender = asyncio.create_task(send())
    try:
        yield result
    finally:
        going.set()
        await sender
        await asyncio.gather(*tasks)
        for client in idle:
            client.writer.close()


async def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for a condition with a deadline; return its first true value."""
    end = time.monotonic() + DEADLINE
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not come within {DEADLINE} s"
        await asyncio.sleep(0.005)
    return value
