"""The only place that changes a quantity: add, take, move between boxes, undo.

Each change is one SQL statement that moves the balance under a condition and writes the movement with the balance that
came of it. So two people never take the same part, an update is never lost, a quantity is never negative, and the
movements of a lot always add up to it. The row is locked for that one statement only, unlike a lock held between a read
and a write, which costs a round trip for everybody who waits.

Every change has a key. Asking for it again with the same key (a phone on bad Wi-Fi, a reloaded form) changes nothing
and is answered with the first result.
"""

import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction

from stock.models import Lot, Movement

#: Largest quantity of one change; balances are 64 bits wide, so no sum of these can overflow.
MAX_QUANTITY = 1_000_000_000

_ADD = """
WITH changed AS (
    INSERT INTO stock_lot AS lot (part_id, box_id, qty)
    SELECT %(part)s, %(box)s, %(quantity)s
    WHERE NOT EXISTS (SELECT FROM stock_movement WHERE key = %(key)s)
    ON CONFLICT (part_id, box_id) DO UPDATE SET qty = lot.qty + EXCLUDED.qty
    RETURNING id, qty
)
INSERT INTO stock_movement (lot_id, delta, balance, reason, move_id, user_id, at, key, reverses_id)
SELECT id, %(quantity)s, qty, %(reason)s, %(move)s, %(user)s, clock_timestamp(), %(key)s, %(reverses)s FROM changed
RETURNING id, lot_id, delta, balance
"""

_TAKE = """
WITH changed AS (
    UPDATE stock_lot SET qty = qty - %(quantity)s
    WHERE part_id = %(part)s AND box_id = %(box)s AND qty >= %(quantity)s
        AND NOT EXISTS (SELECT FROM stock_movement WHERE key = %(key)s)
    RETURNING id, qty
)
INSERT INTO stock_movement (lot_id, delta, balance, reason, move_id, user_id, at, key, reverses_id)
SELECT id, -%(quantity)s, qty, %(reason)s, %(move)s, %(user)s, clock_timestamp(), %(key)s, %(reverses)s FROM changed
RETURNING id, lot_id, delta, balance
"""


class LedgerError(Exception):
    """The ledger refuses; nothing was changed."""


class Short(LedgerError):
    """There is less in the box than was asked for. ``balance`` is what there is."""

    def __init__(self, balance: int, wanted: int) -> None:
        super().__init__(f"only {balance} left, {wanted} wanted")
        self.balance = balance
        self.wanted = wanted


class KeyReused(LedgerError):
    """The key belongs to another change."""


class NotUndoable(LedgerError):
    """An undo cannot be undone."""


class NoMove(LedgerError):
    """A move needs two boxes."""


@dataclass(frozen=True)
class Entry:
    """A movement that was written, or (``replayed``) had been written before under the same key."""

    movement: int
    lot: int
    delta: int
    balance: int
    replayed: bool = False


@dataclass(frozen=True)
class _Cause:
    reason: str
    key: uuid.UUID
    user: int | None
    move: uuid.UUID | None = None
    reverses: int | None = None


def add(part: int, box: int, quantity: int, *, user: int | None = None, key: uuid.UUID | None = None) -> Entry:
    """Put parts into a box. Raises :class:`KeyReused`, and ``ValueError`` for a quantity that is none."""
    return _add(part, box, quantity, _Cause(Movement.Reason.BUY, key or uuid.uuid4(), user))


def take(part: int, box: int, quantity: int, *, user: int | None = None, key: uuid.UUID | None = None) -> Entry:
    """Take parts out of a box. Raises :class:`Short`, :class:`KeyReused`, and ``ValueError`` as :func:`add` does."""
    return _take(part, box, quantity, _Cause(Movement.Reason.USE, key or uuid.uuid4(), user))


def move(
    part: int, source: int, target: int, quantity: int, *, user: int | None = None, key: uuid.UUID | None = None
) -> tuple[Entry, Entry]:
    """Carry parts from one box to another, wholly or not at all; the key is that of the half that takes.

    Raises :class:`Short`, :class:`KeyReused`, :class:`NoMove`, and ``ValueError`` as :func:`add` does.
    """
    if source == target:
        raise NoMove("both boxes are the same")
    taking = _Cause(Movement.Reason.MOVE, key or uuid.uuid4(), user, move=uuid.uuid4())
    with transaction.atomic():
        # A new lot is made before any lock is taken, and locks are taken in the order of ids: no deadlock.
        Lot.objects.bulk_create([Lot(part_id=part, box_id=target)], ignore_conflicts=True)
        _lock(Lot.objects.filter(part_id=part, box_id__in=(source, target)))
        out = _take(part, source, quantity, taking)
        if out.replayed:
            return out, _other_half(out, target)
        return out, _add(part, target, quantity, _Cause(Movement.Reason.MOVE, uuid.uuid4(), user, move=taking.move))


def undo(movement: int, *, user: int | None = None) -> tuple[Entry, ...]:
    """Reverse a movement by another (both halves of a move). What was undone before is not undone again.

    Raises :class:`NotUndoable`, :class:`Short` when what was added has been taken since, and ``Movement.DoesNotExist``.
    """
    with transaction.atomic():
        first = Movement.objects.get(pk=movement)
        if first.reason == Movement.Reason.UNDO:
            raise NotUndoable("an undo cannot be undone")
        halves = (
            Movement.objects.filter(move_id=first.move_id) if first.move_id else Movement.objects.filter(pk=first.pk)
        )
        halves = halves.select_related("lot").order_by(
            "-delta"
        )  # take first, so that nothing is added when it is short
        _lock(Lot.objects.filter(movements__in=halves.order_by()))
        done = Movement.objects.filter(reverses__in=halves.order_by())
        if done:
            return tuple(_entry(each, replayed=True) for each in done)
        pair = uuid.uuid4() if first.move_id else None
        return tuple(_reverse(half, user, pair) for half in halves)


def _reverse(movement: Movement, user: int | None, pair: uuid.UUID | None) -> Entry:
    cause = _Cause(Movement.Reason.UNDO, uuid.uuid4(), user, move=pair, reverses=movement.pk)
    change = _take if movement.delta > 0 else _add
    return change(movement.lot.part_id, movement.lot.box_id, abs(movement.delta), cause)


def _add(part: int, box: int, quantity: int, cause: _Cause) -> Entry:
    entry = _execute(_ADD, part, box, quantity, cause)
    assert entry is not None, "an addition has no condition but its key, and a key that exists has a movement"
    return entry


def _take(part: int, box: int, quantity: int, cause: _Cause) -> Entry:
    entry = _execute(_TAKE, part, box, quantity, cause)
    if entry is None:
        balance = Lot.objects.filter(part_id=part, box_id=box).values_list("qty", flat=True).first()
        raise Short(balance or 0, quantity)
    return entry


def _execute(statement: str, part: int, box: int, quantity: int, cause: _Cause) -> Entry | None:
    """Run the statement; when it changed nothing, return what its key recorded before, if anything."""
    if not 1 <= quantity <= MAX_QUANTITY:
        raise ValueError(f"a quantity is from 1 to {MAX_QUANTITY}, not {quantity}")
    signed = -quantity if statement is _TAKE else quantity
    parameters: dict[str, Any] = {"part": part, "box": box, "quantity": quantity, **vars(cause)}
    parameters["reason"] = str(cause.reason)  # psycopg writes an enum by its name
    try:
        with _savepoint(), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            row = cursor.fetchone()
    except IntegrityError:
        # Both asked at once with one key: the other was first, and PostgreSQL took this statement back whole.
        recorded = _recorded(cause, part, box, signed)
        if recorded is None:
            raise
        return recorded
    return Entry(*row) if row else _recorded(cause, part, box, signed)


def _recorded(cause: _Cause, part: int, box: int, delta: int) -> Entry | None:
    movement = Movement.objects.select_related("lot").filter(key=cause.key).first()
    if movement is None:
        return None
    before = (movement.lot.part_id, movement.lot.box_id, movement.delta, movement.reason)
    if before != (part, box, delta, cause.reason):
        raise KeyReused("the key belongs to another change")
    return _entry(movement, replayed=True)


def _other_half(out: Entry, target: int) -> Entry:
    """Return the half of an earlier move that added, which must have gone to the same box."""
    pair = Movement.objects.get(pk=out.movement).move_id
    other = Movement.objects.filter(move_id=pair, lot__box_id=target).exclude(pk=out.movement).first() if pair else None
    if other is None:
        raise KeyReused("the key belongs to another change")
    return _entry(other, replayed=True)


def _entry(movement: Movement, *, replayed: bool) -> Entry:
    return Entry(movement.pk, movement.lot_id, movement.delta, movement.balance, replayed=replayed)


def _lock(lots: Any) -> Sequence[int]:
    """Lock lots in the order of their ids, as everybody who needs more than one does."""
    return list(lots.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))


def _savepoint() -> AbstractContextManager[None]:
    """Let a refused statement not spoil the transaction around it; alone, a statement is its own transaction."""
    return transaction.atomic() if connection.in_atomic_block else nullcontext()
