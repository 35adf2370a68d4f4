"""The rules of the stock, which hold on either store."""

import uuid
from collections.abc import Callable

import pytest
from django.db import Error, IntegrityError

from live import events
from parts.models import Part
from stock import ledger
from stock.audit import Discrepancy, discrepancies
from stock.boxes import Loop, move_box
from stock.ledger import Cost, KeyReused, Pick, Short
from stock.models import Box, Event, Lot, Movement
from tests.factories import Shelf, part
from tests.store.conftest import at_once

# Committed for real: a change that the database refuses takes back the transaction around it, here as in MongoDB.
pytestmark = pytest.mark.django_db(transaction=True)


def outcome(change: Callable[[], object]) -> str:
    """Try a change and say how it ended."""
    try:
        change()
    except ledger.LedgerError as error:
        return type(error).__name__
    return "done"


def written() -> list[tuple[int, int, str]]:
    """Return delta, balance and reason of every movement in their order."""
    return list(Movement.objects.order_by("pk").values_list("delta", "balance", "reason"))


def test_what_is_added_and_taken_is_a_movement_with_its_balance(world: Shelf) -> None:
    ledger.add(world.part.pk, world.first.pk, 5, cost=Cost(unit_cost=3, currency="EUR"))
    taken = ledger.take(world.part.pk, world.first.pk, 12)
    assert (taken.delta, taken.balance, world.qty(world.first)) == (-12, 3, 3)
    assert written() == [(10, 10, "buy"), (5, 15, "buy"), (-12, 3, "use")]
    assert discrepancies() == []


def test_no_more_is_taken_than_there_is(world: Shelf) -> None:
    with pytest.raises(Short) as short:
        ledger.take(world.part.pk, world.first.pk, 11)
    assert (short.value.balance, short.value.wanted) == (10, 11)
    with pytest.raises(Short):
        ledger.take(world.part.pk, world.second.pk, 1)
    assert written() == [(10, 10, "buy")]


def test_the_database_itself_refuses_a_negative_quantity(world: Shelf) -> None:
    with pytest.raises(IntegrityError):
        Lot.objects.update(qty=-1)
    with pytest.raises(IntegrityError):
        Lot.objects.create(part=world.part, box=world.second, qty=-1)
    assert world.qty(world.first) == 10


def test_the_database_itself_refuses_a_movement_of_nothing_and_a_cost_in_no_currency(world: Shelf) -> None:
    lot = Lot.objects.get()
    for values in ({"delta": 0}, {"delta": 1, "unit_cost": 2}, {"delta": 1, "unit_cost": -2, "currency": "EUR"}):
        with pytest.raises(IntegrityError):
            Movement.objects.create(lot=lot, balance=10, reason="use", **values)
    assert len(written()) == 1


def test_movements_are_neither_changed_nor_deleted(world: Shelf) -> None:
    movement = Movement.objects.get()
    movement.delta = 11
    for change in (movement.save, Movement.objects.all().delete, lambda: Movement.objects.update(balance=11)):
        with pytest.raises(Error):
            change()
    assert written() == [(10, 10, "buy")]


def test_a_lot_is_of_a_part_and_in_a_box_that_are_there(world: Shelf) -> None:
    for where in ((world.part.pk + 1, world.first.pk), (world.part.pk, world.second.pk + 1)):
        with pytest.raises(IntegrityError):
            ledger.add(*where, 1)
    assert (Lot.objects.count(), len(written())) == (1, 1)


def test_the_same_key_changes_once(world: Shelf) -> None:
    key = uuid.uuid4()
    first = ledger.take(world.part.pk, world.first.pk, 4, key=key)
    again = ledger.take(world.part.pk, world.first.pk, 4, key=key)
    assert (again.movement, again.balance, again.replayed) == (first.movement, 6, True)
    with pytest.raises(KeyReused):
        ledger.take(world.part.pk, world.first.pk, 3, key=key)
    assert world.qty(world.first) == 6


def test_the_same_key_at_once_changes_once(world: Shelf) -> None:
    key = uuid.uuid4()
    entries = at_once(lambda _: ledger.take(world.part.pk, world.first.pk, 4, key=key), 8)
    assert len({entry.movement for entry in entries}) == 1
    assert sorted(entry.replayed for entry in entries) == [False] + 7 * [True]
    assert world.qty(world.first) == 6


def test_sixteen_threads_on_one_lot_get_exactly_what_is_there(world: Shelf) -> None:
    def work(_: int) -> list[str]:
        return [outcome(lambda: ledger.take(world.part.pk, world.first.pk, 1)) for _ in range(2)]

    outcomes = [each for some in at_once(work, 16) for each in some]
    assert (outcomes.count("done"), outcomes.count("Short")) == (10, 22)
    assert world.qty(world.first) == 0
    assert [balance for _, balance, _ in written()] == [10, *range(9, -1, -1)]
    assert discrepancies() == []


def test_the_first_of_a_part_put_into_a_box_by_many_at_once_are_one_lot(world: Shelf) -> None:
    at_once(lambda number: ledger.add(world.part.pk, world.second.pk, number + 1), 8)
    assert world.qty(world.second) == 36
    assert discrepancies() == []


def test_a_move_is_both_of_its_halves_or_none(world: Shelf) -> None:
    key = uuid.uuid4()
    out, into = ledger.move(world.part.pk, world.first.pk, world.second.pk, 3, key=key)
    assert (out.balance, into.balance) == (7, 3)
    assert len(set(Movement.objects.filter(reason="move").values_list("move_id", flat=True))) == 1
    again = ledger.move(world.part.pk, world.first.pk, world.second.pk, 3, key=key)
    assert [each.replayed for each in again] == [True, True]
    with pytest.raises(Short):
        ledger.move(world.part.pk, world.first.pk, world.second.pk, 8)
    with pytest.raises(IntegrityError):  # the half that takes is written first, and must not stay
        ledger.move(world.part.pk, world.first.pk, world.second.pk + 1, 1)
    assert (world.qty(world.first), world.qty(world.second), len(written())) == (7, 3, 3)


def test_moves_against_each_other_lose_nothing(world: Shelf) -> None:
    ledger.add(world.part.pk, world.second.pk, 10)
    boxes = (world.first.pk, world.second.pk)

    def work(number: int) -> None:
        there, back = boxes if number % 2 else boxes[::-1]
        ledger.move(world.part.pk, there, back, 1)

    at_once(work, 8)
    assert (world.qty(world.first), world.qty(world.second)) == (10, 10)
    assert discrepancies() == []


def test_a_count_says_what_there_is_and_a_handful_never_runs_short(world: Shelf) -> None:
    assert ledger.count(world.part.pk, world.first.pk, 8).delta == -2
    assert ledger.count(world.part.pk, world.first.pk, 8).delta == 0
    ledger.count(world.part.pk, world.first.pk, 5, roughly=True)
    assert ledger.take(world.part.pk, world.first.pk, 7).balance == 0
    assert [reason for *_, reason in written()] == ["buy", "count", "count", "count", "count", "use"]
    assert discrepancies() == []


def test_counting_while_others_take_loses_nothing(world: Shelf) -> None:
    def work(number: int) -> str:
        if number % 2:
            return outcome(lambda: ledger.count(world.part.pk, world.first.pk, 50))
        return outcome(lambda: ledger.take(world.part.pk, world.first.pk, 1))

    assert at_once(work, 8) == 8 * ["done"]
    assert discrepancies() == []


def test_a_build_takes_all_or_nothing(world: Shelf) -> None:
    other = part("Capacitor", type=world.part.type)
    ledger.add(other.pk, world.second.pk, 1)
    together = uuid.uuid4()
    with pytest.raises(Short):
        ledger.take_together((Pick(world.part.pk, world.first.pk, 2), Pick(other.pk, world.second.pk, 2)), together)
    assert (world.qty(world.first), len(written())) == (10, 2)
    picks = (Pick(world.part.pk, world.first.pk, 2), Pick(other.pk, world.second.pk, 1))
    ledger.take_together(picks, together)
    assert all(each.replayed for each in ledger.take_together(picks, together))
    assert world.qty(world.first) == 8
    ledger.undo(Movement.objects.filter(move_id=together).earliest("pk").pk)
    assert world.qty(world.first) == 10
    assert discrepancies() == []


def test_many_undo_the_same_movement_once(world: Shelf) -> None:
    taken = ledger.take(world.part.pk, world.first.pk, 4)
    at_once(lambda _: ledger.undo(taken.movement), 8)
    assert written() == [(10, 10, "buy"), (-4, 6, "use"), (4, 10, "undo")]
    with pytest.raises(ledger.NotUndoable):
        ledger.undo(Movement.objects.latest("pk").pk)


def test_events_ascend_in_the_order_in_which_they_can_be_seen(world: Shelf) -> None:
    position = events.newest()
    seen: list[int] = []

    def work(number: int) -> None:
        if number:
            ledger.add(world.part.pk, world.first.pk, number)
            return
        while len(seen) < 7:  # a reader that never looks back misses none
            seen.extend(each.position for each in events.after(seen[-1] if seen else position))

    at_once(work, 8)
    assert seen == sorted(seen)
    assert seen == list(Event.objects.filter(pk__gt=position).order_by("pk").values_list("pk", flat=True))
    assert Event.objects.count() == Movement.objects.count() == 8


def test_what_does_not_add_up_is_found(world: Shelf) -> None:
    Lot.objects.update(qty=12)
    assert discrepancies() == [Discrepancy(Lot.objects.get().pk, 12, 10, 0)]


def test_a_part_number_is_once_per_manufacturer_and_none_is_no_number(world: Shelf) -> None:
    part("No number")
    part("Nor this one")
    part("One", mpn="X1", manufacturer="Maker")
    with pytest.raises(IntegrityError):
        part("Another", mpn="X1", manufacturer="Maker")
    assert Part.objects.count() == 4


def test_boxes_are_a_tree_also_where_two_are_moved_at_once(world: Shelf) -> None:
    first, second = world.first, world.second
    move_box(second, first)
    with pytest.raises(Loop):
        move_box(first, second)
    move_box(second, None)

    def work(number: int) -> str:
        try:
            move_box(*((first, second) if number else (second, first)))
        except Loop:
            return "loop"
        return "moved"

    assert sorted(at_once(work, 2)) == ["loop", "moved"]
    assert Box.objects.filter(parent=None).count() == 1
