"""Sixteen threads at once, each on a connection of its own."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from stock import ledger
from stock.audit import discrepancies
from stock.models import Lot, Movement
from tests.factories import shelf

THREADS = 16

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work: Callable[[int], str]) -> Counter[str]:
    """Run ``work`` in every thread from the same moment on, and count what it returned."""
    start = threading.Barrier(THREADS)

    def run(number: int) -> str:
        try:
            connection.ensure_connection()
            start.wait(30)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(pool.map(run, range(THREADS)))


def attempt(change: Callable[[], object]) -> str:
    """Try a change once and say how it ended."""
    try:
        change()
    except ledger.Short:
        return "short"
    return "granted"


def test_exactly_as_many_are_granted_as_there_are() -> None:
    world = shelf(100)
    outcomes: Counter[str] = Counter()
    lock = threading.Lock()

    def work(_number: int) -> str:
        mine = Counter(attempt(lambda: ledger.take(world.part.pk, world.first.pk, 1)) for _ in range(10))
        with lock:
            outcomes.update(mine)
        return "done"

    at_once(work)
    assert outcomes == {"granted": 100, "short": 60}
    assert world.qty(world.first) == 0
    assert sorted(Movement.objects.values_list("balance", flat=True)) == list(range(101))
    assert discrepancies() == []


def test_one_key_sent_by_all_is_one_change() -> None:
    world, key = shelf(100), uuid.uuid4()
    ended = at_once(lambda _n: str(ledger.take(world.part.pk, world.first.pk, 60, key=key).replayed))
    assert ended == {"False": 1, "True": THREADS - 1}
    assert world.qty(world.first) == 40


def test_adding_to_a_box_that_has_none_makes_one_lot() -> None:
    world = shelf(0)
    at_once(lambda n: str(ledger.add(world.part.pk, world.first.pk, n + 1)))
    assert Lot.objects.get().qty == sum(range(1, THREADS + 1))
    assert discrepancies() == []


def test_moves_both_ways_at_once_neither_deadlock_nor_lose() -> None:
    world = shelf(50)
    ledger.add(world.part.pk, world.second.pk, 50)

    def work(number: int) -> str:
        ways = (world.first.pk, world.second.pk) if number % 2 else (world.second.pk, world.first.pk)
        for _ in range(5):
            attempt(lambda: ledger.move(world.part.pk, *ways, 3))
        return "done"

    assert at_once(work) == {"done": THREADS}
    assert world.qty(world.first) + world.qty(world.second) == 100
    assert discrepancies() == []


def test_undone_by_all_is_undone_once() -> None:
    world = shelf(10)
    taken = ledger.take(world.part.pk, world.first.pk, 4)
    ended = at_once(lambda _n: str(ledger.undo(taken.movement)[0].replayed))
    assert ended == {"False": 1, "True": THREADS - 1}
    assert world.qty(world.first) == 10
