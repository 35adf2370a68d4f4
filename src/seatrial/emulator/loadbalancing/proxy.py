"""The seam between what load balancers must do and the program that does it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.children import Child
    from seatrial.emulator.loadbalancing.model import Backend, ProxyModel


class ProxyError(Exception):
    """The proxy did not start, did not take a model up, or has died. The text says which and quotes its log."""


class Proxy(Protocol):
    """Carries traffic for one emulator's load balancers, in a process of its own that dies with the emulator.

    The first :meth:`apply` starts it, and so does the first one after its death.
    """

    def apply(self, model: ProxyModel) -> None:
        """Make ``model`` live on every listener, without dropping a request, and return when it is.

        A request that arrives after the return is handled by ``model``. Raises :class:`ProxyError`.
        """
        ...

    def sever(self, backend: Backend) -> None:
        """Cut every connection to a target, those that carry a request or a WebSocket too.

        A request that has no answer yet is answered with 502. Raises :class:`ProxyError`.
        """
        ...

    def stop(self) -> None:
        """End the process. Safe to call twice."""
        ...

    def rss(self) -> int:
        """Return the resident memory of the proxy in bytes, 0 when it does not run."""
        ...


class Watched:
    """The process that a proxy is. ``died`` is told the exit status of one that ended without being asked to."""

    def __init__(self, died: Callable[[int], None]) -> None:
        self._died = died
        self.process: Child | None = None

    @property
    def running(self) -> bool:
        """Whether there is one and it has not ended."""
        return self.process is not None and self.process.poll() is None

    def begin(self, process: Child) -> None:
        """Watch a process that was just started."""
        self.process = process
        process.when_ended(lambda status: self._died(status) if self.process is process else None)

    def stop(self, timeout: float) -> None:
        """End the process. Safe to call twice."""
        process, self.process = self.process, None
        if process is not None:
            process.stop(timeout)

    def last_lines(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.process.last_lines()) if self.process else ""


def resident(process: Child | None) -> int:
    """Return the resident memory of a process in bytes, 0 when there is none."""
    if process is None or process.poll() is not None:
        return 0
    pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
