"""The proxy where no Envoy wheel fits: a process of our own, told what to do over a private socket."""

from __future__ import annotations

import socket
import sys
import threading
from multiprocessing.connection import Connection as Channel
from typing import TYPE_CHECKING

from seatrial.emulator.children import Children
from seatrial.emulator.loadbalancing.proxy import ProxyError, Watched, resident

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.emulator.loadbalancing.model import Backend, ProxyModel

#: Seconds within which the process must have taken a model up.
DEADLINE = 20.0
STOP = 5.0
_MODULE = "seatrial.emulator.loadbalancing.dataplane"


class Builtin:
    """See :class:`.proxy.Proxy`. ``directory`` is private to it and holds its log.

    ``died`` is told the exit status when the process ends without being asked to.
    """

    def __init__(self, directory: Path, died: Callable[[int], None]) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log = directory / "builtin.log"
        self._lock = threading.Lock()
        self._children = Children()
        self._watched = Watched(died)
        self._channel: Channel | None = None

    def apply(self, model: ProxyModel) -> None:
        """See :meth:`.proxy.Proxy.apply`."""
        with self._lock:
            if not self._watched.running:
                self._start()
            self._tell(model)

    def sever(self, backend: Backend) -> None:
        """See :meth:`.proxy.Proxy.sever`."""
        with self._lock:
            if self._watched.running:
                self._tell(backend)

    def stop(self) -> None:
        """See :meth:`.proxy.Proxy.stop`."""
        with self._lock:
            self._watched.stop(STOP)  # first, so that the end of the channel is not taken for its death
            if self._channel is not None:
                self._channel.close()
                self._channel = None

    def rss(self) -> int:
        """See :meth:`.proxy.Proxy.rss`."""
        return resident(self._watched.process)

    def _tell(self, what: ProxyModel | Backend) -> None:
        assert self._channel
        try:
            self._channel.send(what)
            problem = self._channel.recv() if self._channel.poll(DEADLINE) else f"no answer within {DEADLINE:g} s"
        except (EOFError, OSError) as error:
            problem = f"it has died ({error})"
        if problem is not None:
            tail = self._watched.last_lines()
            raise ProxyError(f"the built-in proxy did not take a model up: {problem}. The end of its log:\n{tail}")

    def _start(self) -> None:
        if self._channel is not None:
            self._channel.close()
        ours, theirs = socket.socketpair()
        with theirs:
            program = [sys.executable, "-m", _MODULE, str(theirs.fileno())]
            self._watched.begin(self._children.start(program, log=self._log, pass_fds=[theirs.fileno()]))
        self._channel = Channel(ours.detach())
