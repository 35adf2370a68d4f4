"""A command in a process tree on a pseudo-terminal: what a person has who asks ECS Exec for a shell."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import termios
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.emulator.runtime.supervised import Supervised

#: Seconds between two looks whether a command that says nothing has ended.
_LOOK = 0.1
_MOST = 65536


class ProcessTerminal:
    """See :class:`seatrial.emulator.runtime.Terminal`."""

    def __init__(self, tree: Supervised, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self._tree = tree
        self._lock = threading.Lock()
        self._closed = False
        # Both ends stay open: what the command wrote last can be read after it has ended.
        self._ours, self._theirs = os.openpty()
        self._run = tree.begin(argv, environment, os.ttyname(self._theirs))

    def read(self) -> bytes:
        """See :meth:`seatrial.emulator.runtime.Terminal.read`."""
        while not self._closed:
            ended = self._run.done.is_set()
            ready, _, _ = select.select([self._ours], [], [], 0 if ended else _LOOK)
            if ready:
                return os.read(self._ours, _MOST)
            if ended:
                break
        return b""

    def write(self, data: bytes) -> None:
        """See :meth:`seatrial.emulator.runtime.Terminal.write`."""
        while data and not self._run.done.is_set():
            _, ready, _ = select.select([], [self._ours], [], _LOOK)
            if ready:
                data = data[os.write(self._ours, data) :]

    def resize(self, rows: int, columns: int) -> None:
        """See :meth:`seatrial.emulator.runtime.Terminal.resize`."""
        with self._lock:
            if not self._closed:
                fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        """See :meth:`seatrial.emulator.runtime.Terminal.close`."""
        if not self._run.done.is_set():
            self._tree.drop(self._run)
            self._run.done.wait()
        with self._lock, contextlib.suppress(OSError):
            if not self._closed:
                self._closed = True
                os.close(self._theirs)
                os.close(self._ours)
