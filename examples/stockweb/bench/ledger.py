"""Taking from and adding to one lot, by as many threads as there are, each on a connection of its own."""

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

from django.db import connection
from django.db.models import Count, Sum

from parts.models import Part
from stock import ledger
from stock.models import Box, Lot

THREADS = 16
EACH = 100
#: Changes a second at least, the 95th percentile of milliseconds at most.
RATE, P95 = 300, 25


@dataclass(frozen=True)
class Pace:
    """How many changes a second, the milliseconds that one took, ascending, and how many went wrong."""

    rate: float
    times: list[float]
    wrong: int

    @property
    def p95(self) -> float:
        """What 95 of 100 changes took at most."""
        return self.times[int(len(self.times) * 0.95)]

    def __str__(self) -> str:
        return f"{self.rate:.0f}/s, {statistics.median(self.times):.1f} / {self.p95:.1f}, {self.wrong} wrong"


def one_lot() -> Iterator[tuple[str, str]]:
    """Yield names and paces."""
    fast, budget = _pace(THREADS), f"≥ {RATE}/s, none wrong"
    kept = fast.rate >= RATE and not fast.wrong
    yield f"{THREADS} threads take and add on one lot as fast as they can", _marked(fast, budget, kept=kept)
    even, budget = _pace(THREADS, RATE), f"≤ {P95}, none wrong"
    kept = even.p95 <= P95 and not even.wrong
    yield f"{THREADS} threads take and add on one lot, {RATE} a second", _marked(even, budget, kept=kept)
    yield "1 thread takes and adds on one lot as fast as it can", f"{_pace(1)}"


def _marked(pace: Pace, budget: str, *, kept: bool) -> str:
    return f"{pace} ({budget})" if kept else f"**{pace}** (not {budget})"


def _pace(threads: int, a_second: float | None = None) -> Pace:
    """Measure so many threads, as fast as they can or so many changes a second by all of them."""
    part = Part.objects.filter(tags="bench").latest("pk").pk
    box = Box.objects.get_or_create(code=f"PACE-{threads}")[0].pk
    ledger.add(part, box, threads * EACH)
    lot = Lot.objects.get(part=part, box=box)
    before = lot.movements.latest("pk").pk
    start = Barrier(threads + 1)

    def work(of: int) -> list[float]:
        connection.ensure_connection()
        start.wait()
        found, started = [], time.perf_counter()
        for number in range(EACH):
            begun = time.perf_counter()
            if a_second is not None:
                due = started + (number * threads + of) / a_second
                time.sleep(max(0.0, due - begun))
                begun = due  # a change that begins late has waited
            (ledger.add if number % 2 else ledger.take)(part, box, 1)
            found.append((time.perf_counter() - begun) * 1000)
        connection.close()
        return found

    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(work, number) for number in range(threads)]
        start.wait()
        begun = time.perf_counter()
        times = sorted(each for one in running for each in one.result())
        rate = len(times) / (time.perf_counter() - begun)
    written = lot.movements.filter(pk__gt=before).aggregate(count=Count("pk"), balance=Sum("delta", default=0))
    left = Lot.objects.get(pk=lot.pk).qty
    return Pace(rate, times, abs(written["count"] - threads * EACH) + abs(left - lot.qty - written["balance"]))
