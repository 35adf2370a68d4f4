"""Time, injected. Engines never call :mod:`time` themselves, so that tests own the clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What an engine may know of time."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        ...

    def now(self) -> datetime:
        """Return the wall-clock time with its zone (UTC)."""
        ...

    def scaled(self, seconds: float, *, at_least: float = 0.0) -> float:
        """Return how long a wait of AWS takes here: ``seconds`` times the time scale, but ``at_least`` that many."""
        ...


class SystemClock:
    """The machine's clock, with one time scale for the whole emulator."""

    def __init__(self, time_scale: float = 1.0) -> None:
        self.time_scale = time_scale

    def monotonic(self) -> float:
        """See :meth:`Clock.monotonic`."""
        return time.monotonic()

    def now(self) -> datetime:
        """See :meth:`Clock.now`."""
        return datetime.now(UTC)

    def scaled(self, seconds: float, *, at_least: float = 0.0) -> float:
        """See :meth:`Clock.scaled`."""
        return max(seconds * self.time_scale, min(at_least, seconds))
