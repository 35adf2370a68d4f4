"""How long something takes, told by many rounds of it."""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

WARM = 5
ROUNDS = 60
#: What takes long is done less often, but not less often than this.
FEWEST, SECONDS = 20, 10.0


@dataclass(frozen=True)
class Measured:
    """Something to be measured, and the milliseconds that 95 of 100 rounds may take at most, by how many parts."""

    name: str
    act: Callable[[], object]
    budget: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Times:
    """Milliseconds of each round, ascending, those of processors for a round, and how many queries one makes."""

    each: list[float]
    processor: float
    queries: int

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.each)

    @property
    def p95(self) -> float:
        """What 95 of 100 rounds took at most."""
        return self.each[int(len(self.each) * 0.95)]

    def __str__(self) -> str:
        return f"{self.median:.0f} / {self.p95:.0f}" if self.median >= 10 else f"{self.median:.1f} / {self.p95:.1f}"


def marked(text: str, value: float, budget: float | None) -> str:
    """Return a text that says whether a value is within its budget, if it has one."""
    if budget is None:
        return text
    return f"{text} (≤ {budget:g})" if value <= budget else f"**{text}** (not ≤ {budget:g})"


def timed(act: Callable[[], object]) -> Times:
    """Do something again and again in this thread."""
    for _ in range(WARM):
        act()
    with CaptureQueriesContext(connection) as captured:
        act()
    queries = len(captured)  # the next request forgets them
    times: list[float] = []
    before, until = _processor(), time.perf_counter() + SECONDS
    while len(times) < FEWEST or (len(times) < ROUNDS and time.perf_counter() < until):
        begun = time.perf_counter()
        act()
        times.append((time.perf_counter() - begun) * 1000)
    return Times(sorted(times), (_processor() - before) * 1000 / len(times), queries)


def _processor() -> float:
    """Return the seconds that processors worked for this process and for its session of PostgreSQL."""
    connection.ensure_connection()
    fields = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
