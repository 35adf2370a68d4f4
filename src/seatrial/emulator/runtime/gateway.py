"""The emulator's side of :mod:`seatrial.emulator.runtime.relay`: what containers may reach on this machine's loopback.

One Unix socket in a directory that is mounted into the containers which hold the tasks' networks. Only the addresses
that ``reachable`` answers are connected to.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.emulator.runtime.relay import join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from seatrial.emulator.runtime.relay import End

    Endpoint = tuple[str, int]

_SOCKET = "host"


class Gateway:
    """Serves from its own thread. ``reachable`` gives the host and port of every service that tasks may use."""

    def __init__(self, reachable: Callable[[], Iterable[Endpoint]]) -> None:
        self._reachable = reachable
        self._parent = Path(tempfile.mkdtemp(prefix="seatrial-"))  # 0700: on this machine it is the user's alone
        self.directory = self._parent / "socket"
        self.directory.mkdir(mode=0o755)
        self._relays: dict[asyncio.StreamWriter, set[Endpoint]] = {}
        self._ready: dict[str, threading.Event] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateway", daemon=True)
        self._thread.start()
        self._call(self._serve())

    def expect(self, task: str) -> threading.Event:
        """Return the event that is set when the relay of ``task`` listens on all that is reachable now."""
        return self._ready.setdefault(task, threading.Event())

    def refresh(self) -> None:
        """Tell every relay of services made since."""
        self._call(self._tell_all())

    def forget(self, task: str) -> None:
        """Drop the event of a task that has ended."""
        self._ready.pop(task, None)

    def close(self) -> None:
        """Close every connection, which ends the relays, and remove the socket."""
        if self._loop.is_closed():
            return
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._parent, ignore_errors=True)

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _serve(self) -> None:
        path = self.directory / _SOCKET
        self._server = await asyncio.start_unix_server(self._connected, path)
        path.chmod(0o666)  # the container's root may be another user here; the parent keeps others out

    async def _end(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            message = json.loads(line) if line else {}
            if "task" in message:
                await self._direct(message["task"], reader, writer)
            elif "reach" in message:
                host, port = message["reach"]
                await self._carry((host, port), (reader, writer))
        except (asyncio.CancelledError, ConnectionError):  # the end of the emulator, or of the task
            pass
        finally:
            writer.close()

    async def _direct(self, task: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._relays[writer] = set()
        try:
            await self._tell(writer)
            writer.write(b'{"ready": true}\n')
            while await reader.readline():
                self.expect(task).set()
        finally:
            del self._relays[writer]

    async def _tell_all(self) -> None:
        for writer in list(self._relays):
            await self._tell(writer)

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        for endpoint in sorted(set(self._reachable()) - self._relays[writer]):
            self._relays[writer].add(endpoint)
            writer.write(json.dumps({"listen": endpoint}).encode() + b"\n")

    async def _carry(self, endpoint: Endpoint, task: End) -> None:
        if endpoint not in set(self._reachable()):
            return
        try:
            service = await asyncio.open_connection(*endpoint)
        except OSError:  # the service is down: the task's connection is closed, as a refused one would be soon
            return
        await join(task, service)
