"""The rules of the ledger, one by one. Under load they are tried in test_ledger_concurrency.py."""

import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from stock import ledger
from stock.audit import discrepancies
from stock.models import Lot, Movement
from tests.factories import Shelf, part

pytestmark = pytest.mark.django_db


def test_add_makes_the_lot_and_writes_the_movement(stocked: Shelf) -> None:
    entry = ledger.add(stocked.part.pk, stocked.second.pk, 5)
    movement = Movement.objects.get(pk=entry.movement)
    assert (entry.delta, entry.balance, entry.replayed) == (5, 5, False)
    assert (movement.delta, movement.balance, movement.reason) == (5, 5, "buy")
    assert stocked.qty(stocked.second) == 5


def test_take_leaves_the_rest(stocked: Shelf) -> None:
    assert ledger.take(stocked.part.pk, stocked.first.pk, 3).balance == 7
    assert ledger.take(stocked.part.pk, stocked.first.pk, 7).balance == 0


def test_take_of_more_than_there_is_changes_nothing_and_says_what_there_is(stocked: Shelf) -> None:
    with pytest.raises(ledger.Short) as short:
        ledger.take(stocked.part.pk, stocked.first.pk, 11)
    assert (short.value.balance, short.value.wanted) == (10, 11)
    assert stocked.qty(stocked.first) == 10
    assert Movement.objects.count() == 1


def test_take_from_a_box_that_never_had_any_is_short(stocked: Shelf) -> None:
    with pytest.raises(ledger.Short) as short:
        ledger.take(stocked.part.pk, stocked.second.pk, 1)
    assert short.value.balance == 0


@pytest.mark.parametrize("quantity", [0, -1, ledger.MAX_QUANTITY + 1])
@pytest.mark.parametrize("change", [ledger.add, ledger.take])
def test_a_quantity_out_of_range_is_refused(stocked: Shelf, change: object, quantity: int) -> None:
    with pytest.raises(ValueError, match="a quantity is from 1"):
        change(stocked.part.pk, stocked.first.pk, quantity)


def test_the_same_key_changes_nothing_the_second_time(stocked: Shelf) -> None:
    key = uuid.uuid4()
    first = ledger.take(stocked.part.pk, stocked.first.pk, 10, key=key)
    second = ledger.take(stocked.part.pk, stocked.first.pk, 10, key=key)  # would be short, were it a new one
    assert (second.movement, second.balance, second.replayed) == (first.movement, 0, True)
    third = ledger.add(stocked.part.pk, stocked.first.pk, 4, key=(again := uuid.uuid4()))
    assert ledger.add(stocked.part.pk, stocked.first.pk, 4, key=again).movement == third.movement
    assert stocked.qty(stocked.first) == 4


def test_a_key_is_good_for_one_change_only(stocked: Shelf) -> None:
    key = uuid.uuid4()
    ledger.take(stocked.part.pk, stocked.first.pk, 2, key=key)
    others = [
        lambda: ledger.take(stocked.part.pk, stocked.first.pk, 3, key=key),
        lambda: ledger.add(stocked.part.pk, stocked.first.pk, 2, key=key),
        lambda: ledger.take(part("Another").pk, stocked.first.pk, 2, key=key),
        lambda: ledger.move(stocked.part.pk, stocked.first.pk, stocked.second.pk, 2, key=key),
    ]
    for other in others:
        with pytest.raises(ledger.KeyReused):
            other()
    assert stocked.qty(stocked.first) == 8


def test_move_carries_from_one_box_to_the_other(stocked: Shelf) -> None:
    out, into = ledger.move(stocked.part.pk, stocked.first.pk, stocked.second.pk, 4)
    assert (out.delta, out.balance, into.delta, into.balance) == (-4, 6, 4, 4)
    pair = Movement.objects.filter(pk__in=(out.movement, into.movement)).values_list("move_id", "reason")
    assert len(set(pair)) == 1
    assert pair[0][1] == "move"


def test_move_of_more_than_there_is_leaves_no_trace(stocked: Shelf) -> None:
    with pytest.raises(ledger.Short):
        ledger.move(stocked.part.pk, stocked.first.pk, stocked.second.pk, 11)
    assert Lot.objects.count() == 1
    assert Movement.objects.count() == 1


def test_move_needs_two_boxes(stocked: Shelf) -> None:
    with pytest.raises(ledger.NoMove):
        ledger.move(stocked.part.pk, stocked.first.pk, stocked.first.pk, 1)


def test_move_with_the_same_key_moves_once(stocked: Shelf) -> None:
    key = uuid.uuid4()
    first = ledger.move(stocked.part.pk, stocked.first.pk, stocked.second.pk, 4, key=key)
    second = ledger.move(stocked.part.pk, stocked.first.pk, stocked.second.pk, 4, key=key)
    assert [entry.movement for entry in second] == [entry.movement for entry in first]
    assert all(entry.replayed for entry in second)
    assert stocked.qty(stocked.second) == 4


def test_move_with_the_same_key_to_another_box_is_refused(stocked: Shelf, box: object) -> None:
    key = uuid.uuid4()
    ledger.move(stocked.part.pk, stocked.first.pk, stocked.second.pk, 4, key=key)
    with pytest.raises(ledger.KeyReused):
        ledger.move(stocked.part.pk, stocked.first.pk, box.pk, 4, key=key)


def test_undo_reverses_by_another_movement(stocked: Shelf) -> None:
    taken = ledger.take(stocked.part.pk, stocked.first.pk, 3)
    (back,) = ledger.undo(taken.movement)
    assert (back.delta, back.balance) == (3, 10)
    assert Movement.objects.get(pk=back.movement).reverses_id == taken.movement


def test_undo_twice_undoes_once(stocked: Shelf) -> None:
    taken = ledger.take(stocked.part.pk, stocked.first.pk, 3)
    (first,) = ledger.undo(taken.movement)
    (second,) = ledger.undo(taken.movement)
    assert (second.movement, second.replayed) == (first.movement, True)
    assert stocked.qty(stocked.first) == 10


@pytest.mark.parametrize("half", [0, 1])
def test_undo_of_either_half_of_a_move_undoes_both(stocked: Shelf, half: int) -> None:
    moved = ledger.move(stocked.part.pk, stocked.first.pk, stocked.second.pk, 4)
    back = ledger.undo(moved[half].movement)
    assert sorted(entry.delta for entry in back) == [-4, 4]
    assert (stocked.qty(stocked.first), stocked.qty(stocked.second)) == (10, 0)


def test_undo_of_what_has_been_taken_since_is_short_and_changes_nothing(stocked: Shelf) -> None:
    moved = ledger.move(stocked.part.pk, stocked.first.pk, stocked.second.pk, 4)
    ledger.take(stocked.part.pk, stocked.second.pk, 1)
    with pytest.raises(ledger.Short):
        ledger.undo(moved[0].movement)
    assert (stocked.qty(stocked.first), stocked.qty(stocked.second)) == (6, 3)


def test_an_undo_is_not_undone(stocked: Shelf) -> None:
    (back,) = ledger.undo(ledger.take(stocked.part.pk, stocked.first.pk, 3).movement)
    with pytest.raises(ledger.NotUndoable):
        ledger.undo(back.movement)


def test_a_refused_change_does_not_spoil_the_transaction_around_it(stocked: Shelf) -> None:
    with transaction.atomic():
        with pytest.raises(ledger.Short):
            ledger.take(stocked.part.pk, stocked.first.pk, 99)
        ledger.take(stocked.part.pk, stocked.first.pk, 1)
    assert stocked.qty(stocked.first) == 9


def test_the_database_refuses_a_negative_quantity(stocked: Shelf) -> None:
    with pytest.raises(IntegrityError, match="lot_never_negative"):
        Lot.objects.update(qty=-1)


@pytest.mark.parametrize("statement", ["UPDATE stock_movement SET delta = 99", "DELETE FROM stock_movement"])
def test_the_database_refuses_to_rewrite_history(stocked: Shelf, statement: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_part_with_stock_cannot_be_deleted(stocked: Shelf) -> None:
    with pytest.raises(ProtectedError):
        stocked.part.delete()


def test_a_whole_history_adds_up(stocked: Shelf) -> None:
    ledger.move(stocked.part.pk, stocked.first.pk, stocked.second.pk, 4)
    ledger.undo(ledger.take(stocked.part.pk, stocked.first.pk, 3).movement)
    assert discrepancies() == []


def test_the_audit_finds_what_bypassed_the_ledger(stocked: Shelf) -> None:
    Lot.objects.update(qty=12)
    (found,) = discrepancies()
    assert (found.qty, found.movements_total) == (12, 10)


def test_the_audit_finds_a_balance_that_does_not_follow(stocked: Shelf) -> None:
    lot = Lot.objects.get()
    Movement.objects.create(lot=lot, delta=1, balance=99, reason="buy")
    Lot.objects.update(qty=11)
    (found,) = discrepancies()
    assert found.wrong_balances == 1
