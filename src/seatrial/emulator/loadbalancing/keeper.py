"""Starting a proxy again that died by itself: killed for want of memory, or by a fault of its own."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from seatrial.emulator.loadbalancing.proxy import ProxyError

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds before the second start in a row, twice as long each time after that, and at most.
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
#: Seconds a proxy must have lived for its death to count as a first one.
SETTLED = 60.0

_log = logging.getLogger(__name__)


def delay(deaths: int) -> float:
    """Return the seconds to wait before a start after so many deaths in a row: the first start is at once."""
    return 0.0 if deaths <= 1 else min(FIRST_DELAY * 2.0 ** min(deaths - 2, 10), LONGEST_DELAY)


class Keeper:
    """Calls ``revive`` after each death, on a thread of its own; it raises :class:`ProxyError` where it fails."""

    def __init__(self, revive: Callable[[], None]) -> None:
        self._revive = revive
        self._dead = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="proxy keeper", daemon=True)

    def start(self) -> None:
        """Begin to keep."""
        self._thread.start()

    def stop(self) -> None:
        """Keep no longer. Safe to call twice, and before :meth:`start`."""
        self._closing.set()
        self._dead.set()
        if self._thread.is_alive():
            self._thread.join()

    def died(self, status: int) -> None:
        """Take note of a death; ``status`` is the exit status (negative: the signal). Returns at once."""
        if not self._closing.is_set():
            _log.error("the proxy ended with status %d", status)
        self._dead.set()

    def _keep(self) -> None:
        deaths, revived = 0, float("-inf")
        while True:
            self._dead.wait()
            self._dead.clear()
            deaths = 1 if time.monotonic() - revived > SETTLED else deaths + 1
            pause = delay(deaths)
            if self._closing.wait(pause):
                return
            _log.warning("starting the proxy again, %g s after its end", pause)
            try:
                self._revive()
            except ProxyError:
                _log.exception("the proxy could not be started again")
                self._dead.set()
            revived = time.monotonic()
