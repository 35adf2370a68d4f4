"""The seam between what load balancers must do and the program that does it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from seatrial.emulator.children import Child
    from seatrial.emulator.loadbalancing.model import ProxyModel


class ProxyError(Exception):
    """The proxy did not start, did not take a model up, or has died. The text says which and quotes its log."""


class Proxy(Protocol):
    """Carries traffic for one emulator's load balancers, in a process of its own that dies with the emulator."""

    def apply(self, model: ProxyModel) -> None:
        """Make ``model`` live on every listener, without dropping a request, and return when it is.

        A request that arrives after the return is handled by ``model``. Raises :class:`ProxyError`.
        """
        ...

    def stop(self) -> None:
        """End the process. Safe to call twice."""
        ...

    def rss(self) -> int:
        """Return the resident memory of the proxy in bytes, 0 when it does not run."""
        ...


def resident(process: Child | None) -> int:
    """Return the resident memory of a process in bytes, 0 when there is none."""
    if process is None or process.poll() is not None:
        return 0
    pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
