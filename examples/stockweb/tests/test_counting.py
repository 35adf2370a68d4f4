"""Counting, handfuls, builds and costs in the ledger."""

import uuid
from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.test import Client

from stock import ledger
from stock.audit import discrepancies
from stock.models import Lot, Movement
from tests.factories import Shelf, part
from tests.test_ledger_concurrency import THREADS, at_once, attempt

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("counted", "delta"), [(7, -3), (12, 2), (10, 0), (0, -10)])
def test_a_count_writes_the_difference(stocked: Shelf, counted: int, delta: int) -> None:
    entry = ledger.count(stocked.part.pk, stocked.first.pk, counted)
    assert (entry.delta, entry.balance, stocked.qty(stocked.first)) == (delta, counted, counted)
    assert Movement.objects.get(pk=entry.movement).reason == "count"
    assert Lot.objects.get().counted_at is not None
    assert discrepancies() == []


def test_a_count_of_what_was_never_there_makes_the_lot(stocked: Shelf) -> None:
    assert ledger.count(stocked.part.pk, stocked.second.pk, 4).delta == 4
    assert stocked.qty(stocked.second) == 4


def test_a_count_sent_twice_is_one_even_when_something_was_taken_between(stocked: Shelf) -> None:
    key = uuid.uuid4()
    first = ledger.count(stocked.part.pk, stocked.first.pk, 8, key=key)
    ledger.take(stocked.part.pk, stocked.first.pk, 3)
    second = ledger.count(stocked.part.pk, stocked.first.pk, 8, key=key)
    assert (second.movement, second.replayed, stocked.qty(stocked.first)) == (first.movement, True, 5)
    for box, counted in ((stocked.first, 9), (stocked.second, 8)):
        with pytest.raises(ledger.KeyReused):
            ledger.count(stocked.part.pk, box.pk, counted, key=key)
    assert not Lot.objects.filter(box=stocked.second).exists()


@pytest.mark.parametrize("counted", [-1, ledger.MAX_QUANTITY + 1])
def test_nobody_counts_that(stocked: Shelf, counted: int) -> None:
    with pytest.raises(ValueError, match="a quantity is from 0"):
        ledger.count(stocked.part.pk, stocked.first.pk, counted)


def test_undo_of_a_count_brings_back_the_number_and_when_it_was_counted(stocked: Shelf) -> None:
    ledger.count(stocked.part.pk, stocked.first.pk, 9)
    before = Lot.objects.get().counted_at
    second = ledger.count(stocked.part.pk, stocked.first.pk, 4)
    ledger.undo(second.movement)
    lot = Lot.objects.get()
    assert (lot.qty, lot.counted_at) == (9, Movement.objects.filter(reason="count").earliest("pk").at)
    assert before is not None


def test_a_handful_never_refuses_a_take_and_the_books_add_up(stocked: Shelf) -> None:
    ledger.count(stocked.part.pk, stocked.first.pk, 5, roughly=True)
    taken = ledger.take(stocked.part.pk, stocked.first.pk, 8)
    assert (taken.delta, taken.balance) == (-8, 0)
    assert ledger.take(stocked.part.pk, stocked.first.pk, 1).balance == 0
    assert discrepancies() == []
    history = Movement.objects.order_by("pk").values_list("reason", "delta", "approx")
    assert list(history)[1:] == [
        ("count", -5, True),
        ("count", 3, True),  # there were eight, then
        ("use", -8, True),
        ("count", 1, True),
        ("use", -1, True),
    ]


def test_a_handful_is_carried_and_put_back(stocked: Shelf) -> None:
    ledger.count(stocked.part.pk, stocked.first.pk, 2, roughly=True)
    out, _ = ledger.move(stocked.part.pk, stocked.first.pk, stocked.second.pk, 3)
    assert (stocked.qty(stocked.first), stocked.qty(stocked.second)) == (0, 3)
    ledger.undo(out.movement)
    assert (stocked.qty(stocked.first), stocked.qty(stocked.second)) == (3, 0)


def test_a_count_ends_a_handful_and_undoing_it_makes_it_one_again(stocked: Shelf) -> None:
    ledger.count(stocked.part.pk, stocked.first.pk, 5, roughly=True)
    counted = ledger.count(stocked.part.pk, stocked.first.pk, 5)
    assert (counted.delta, Lot.objects.get().approx) == (0, False)
    with pytest.raises(ledger.Short):
        ledger.take(stocked.part.pk, stocked.first.pk, 6)
    (back,) = ledger.undo(counted.movement)
    lot = Lot.objects.get()
    assert (back.delta, lot.approx, lot.counted_at) == (0, True, None)


def test_a_purchase_remembers_its_cost(stocked: Shelf) -> None:
    cost = ledger.Cost(Decimal("0.021500"), "EUR")
    entry = ledger.add(stocked.part.pk, stocked.first.pk, 50, cost=cost)
    movement = Movement.objects.get(pk=entry.movement)
    assert (movement.unit_cost, movement.currency) == (Decimal("0.0215"), "EUR")


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"reason": "buy", "delta": 0}, "movement_says_something"),
        ({"reason": "buy", "delta": 1, "unit_cost": 1}, "movement_cost_in_a_currency"),
        ({"reason": "buy", "delta": 1, "unit_cost": -1, "currency": "EUR"}, "movement_cost_in_a_currency"),
    ],
)
def test_the_database_refuses_movements_that_say_nothing(
    stocked: Shelf, values: dict[str, object], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        Movement.objects.create(lot=Lot.objects.get(), balance=10, **values)


def test_what_is_taken_together_is_taken_wholly_or_not_at_all(stocked: Shelf) -> None:
    other = part("Another")
    ledger.add(other.pk, stocked.second.pk, 3)
    pick = ledger.Pick(stocked.part.pk, stocked.first.pk, 10)
    with pytest.raises(ledger.Short):
        ledger.take_together([pick, ledger.Pick(other.pk, stocked.second.pk, 4)], uuid.uuid4())
    assert stocked.qty(stocked.first) == 10
    together = uuid.uuid4()
    picks = [pick, ledger.Pick(other.pk, stocked.second.pk, 3)]
    entries = ledger.take_together(picks, together)
    again = ledger.take_together(picks, together)
    assert [each.movement for each in again] == [each.movement for each in entries]
    assert all(each.replayed for each in again)
    with pytest.raises(ledger.KeyReused):
        ledger.take_together([pick], together)
    ledger.undo(entries[1].movement)
    assert sorted(Lot.objects.values_list("qty", flat=True)) == [3, 10]


def test_a_reason_that_a_newer_version_wrote_can_be_shown() -> None:
    assert Movement(delta=-1, reason="eaten").deed == "taken out of"


@pytest.mark.django_db(transaction=True)
def test_a_handful_and_a_count_by_all_at_once(stocked: Shelf) -> None:
    ledger.count(stocked.part.pk, stocked.first.pk, 5, roughly=True)
    key = uuid.uuid4()

    def work(number: int) -> str:
        if number % 4 == 0:
            return f"{ledger.take(stocked.part.pk, stocked.first.pk, 3, key=key).replayed}"
        if number % 4 == 1:
            return str(ledger.count(stocked.part.pk, stocked.first.pk, number, roughly=True).balance == number)
        return attempt(lambda: ledger.take(stocked.part.pk, stocked.first.pk, number))

    ended = at_once(work)
    assert ended["granted"] == THREADS // 2
    assert ended["False"] == 1
    assert discrepancies() == []


@pytest.mark.django_db(transaction=True)
def test_builds_that_want_the_same_in_another_order_do_not_deadlock(stocked: Shelf) -> None:
    other = part("Another")
    ledger.add(other.pk, stocked.second.pk, 10)
    picks = [ledger.Pick(stocked.part.pk, stocked.first.pk, 2), ledger.Pick(other.pk, stocked.second.pk, 2)]
    order = [picks, picks[::-1]]
    ended = at_once(lambda n: attempt(lambda: ledger.take_together(order[n % 2], uuid.uuid4())))
    assert ended == {"granted": 5, "short": THREADS - 5}
    assert list(Lot.objects.values_list("qty", flat=True)) == [0, 0]
    assert discrepancies() == []


def test_pages_say_that_a_handful_is_one(client: Client, stocked: Shelf) -> None:
    ledger.count(stocked.part.pk, stocked.first.pk, 7, roughly=True)
    for path in (f"/parts/{stocked.part.pk}/", f"/boxes/{stocked.first.code}/"):
        assert "about 7" in client.get(path).content.decode()
