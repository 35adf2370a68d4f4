"""A program: makes the emulator's services on this machine's loopback answer on a task's own loopback.

It runs in the container that holds a task's network (see :mod:`seatrial.emulator.runtime.docker`) and listens there on
the very addresses the services have outside, so ``127.0.0.1:5432`` means the same on both sides. Each connection is
carried over a Unix socket that the emulator serves (:mod:`seatrial.emulator.runtime.gateway`).

The first line on such a connection is JSON: ``{"task": id}`` asks for the addresses, which come as lines of
``{"listen": [host, port]}`` ending with ``{"ready": true}`` and go on coming as services are made; ``{"reach": [host,
port]}`` carries one connection. When the first kind closes the emulator is gone, and the program ends.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SOCKET = "/seatrial/socket/host"

End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def main(task: str) -> None:
    """Listen until the emulator is gone."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sys.exit, 0)
    reader, writer = await asyncio.open_unix_connection(SOCKET)
    await _say(writer, {"task": task})
    servers = []
    async for line in reader:
        message = json.loads(line)
        if "listen" in message:
            host, port = message["listen"]
            servers.append(await asyncio.start_server(_carrier(host, port), host, port))
        else:
            await _say(writer, {"ready": True})


def _carrier(host: str, port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def carry(inner: asyncio.StreamReader, outer: asyncio.StreamWriter) -> None:
        try:
            reader, writer = await asyncio.open_unix_connection(SOCKET)
        except OSError:
            outer.close()
            return
        await _say(writer, {"reach": [host, port]})
        await join((inner, outer), (reader, writer))

    return carry


async def join(one: End, other: End) -> None:
    """Carry bytes between two connections, each way to its own end, then close both."""
    await asyncio.gather(_pump(one[0], other[1]), _pump(other[0], one[1]))
    for _, writer in (one, other):
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except OSError:  # one side was reset: the other must not wait for the rest
        writer.transport.abort()


async def _say(writer: asyncio.StreamWriter, message: dict[str, object]) -> None:
    writer.write(json.dumps(message).encode() + b"\n")
    await writer.drain()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
