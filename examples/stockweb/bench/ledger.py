"""Taking from and adding to one lot, by as many threads as there are, each on a connection of its own."""

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

from django.db import connection

from parts.models import Part
from stock import ledger
from stock.audit import discrepancies
from stock.models import Box, Lot, Movement

THREADS = 16
EACH = 100


@dataclass(frozen=True)
class Pace:
    """How many changes a second, the milliseconds that one took, ascending, and how many went wrong."""

    rate: float
    times: list[float]
    wrong: int

    def __str__(self) -> str:
        p95 = self.times[int(len(self.times) * 0.95)]
        middle = statistics.median(self.times)
        return f"{self.rate:.0f} a second, median {middle:.1f} ms, p95 {p95:.1f} ms, {self.wrong} wrong"


def one_lot() -> Iterator[tuple[str, Pace]]:
    """Yield names and paces."""
    for threads in (THREADS, 1):
        yield f"{threads} thread{'s take and add' if threads > 1 else ' takes and adds'} on one lot", _pace(threads)


def _pace(threads: int) -> Pace:
    part = Part.objects.filter(tags="bench").earliest("pk").pk
    box = Box.objects.create(code=f"PACE-{threads}").pk
    ledger.add(part, box, threads * EACH)
    start = Barrier(threads + 1)

    def work(_thread: int) -> list[float]:
        connection.ensure_connection()
        start.wait()
        found = []
        for number in range(EACH):
            begun = time.perf_counter()
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
    written = Movement.objects.filter(lot__part=part, lot__box=box).count() - 1
    there = Lot.objects.get(part=part, box=box)
    wrong = abs(written - threads * EACH) + abs(there.qty - threads * EACH)
    return Pace(rate, times, wrong + sum(each.lot == there.pk for each in discrepancies()))
