"""Asking a page again and again until it answers 200."""

from __future__ import annotations

import http.client
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

#: Seconds between two requests: the error of what is measured.
_PAUSE = 0.05
_AT_MOST = 300.0


class FirstAnswer:
    """Asks for ``/`` in a thread of its own for as long as the ``with`` block lasts, at most five minutes."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None  # an absolute URL
        self._host, self._port = parts.hostname, parts.port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="first answer")
        self._at: float | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def at(self) -> float:
        """When the first 200 came (``time.perf_counter``). Raises ``RuntimeError`` when none has."""
        if self._at is None:
            raise RuntimeError("the page never answered 200")
        return self._at

    def wait(self) -> float:
        """Wait for the first 200 and return :attr:`at`."""
        self._thread.join()
        return self.at

    def _ask(self) -> None:
        until = time.perf_counter() + _AT_MOST
        while not self._over.is_set() and time.perf_counter() < until:
            if self._status() == 200:
                self._at = time.perf_counter()
                return
            self._over.wait(_PAUSE)

    def _status(self) -> int | None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=30.0)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None  # nobody listens yet
        finally:
            connection.close()
