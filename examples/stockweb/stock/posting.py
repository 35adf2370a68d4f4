"""One change of one lot as one SQL statement, and what the ledger answers. Used by :mod:`stock.ledger` alone.

A statement moves the balance under a condition and writes the movement with the balance that came of it. The row is
locked for that one statement only, unlike a lock held between a read and a write, which costs a round trip for
everybody who waits.
"""

import uuid
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction

from stock.models import Lot, Movement
from stockweb.store import on_mongodb

_WRITE = """
INSERT INTO stock_movement
    (lot_id, delta, balance, approx, reason, move_id, user_id, at, key, reverses_id, unit_cost, currency)
SELECT id, %(delta)s, qty, approx, %(reason)s, %(move)s, %(user)s, clock_timestamp(), %(key)s, %(reverses)s,
    %(unit_cost)s, %(currency)s
FROM changed RETURNING id, lot_id, delta, balance
"""

_ADD = f"""
WITH changed AS (
    INSERT INTO stock_lot AS lot (part_id, box_id, qty)
    SELECT %(part)s, %(box)s, %(delta)s
    WHERE NOT EXISTS (SELECT FROM stock_movement WHERE key = %(key)s)
    ON CONFLICT (part_id, box_id) DO UPDATE SET qty = lot.qty + EXCLUDED.qty
    RETURNING id, qty, approx
) {_WRITE}"""  # noqa: S608 - both halves are constants

_TAKE = f"""
WITH changed AS (
    UPDATE stock_lot SET qty = qty + %(delta)s
    WHERE part_id = %(part)s AND box_id = %(box)s AND qty + %(delta)s >= 0
        AND NOT EXISTS (SELECT FROM stock_movement WHERE key = %(key)s)
    RETURNING id, qty, approx
) {_WRITE}"""  # noqa: S608 - both halves are constants


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

    def __init__(self) -> None:
        super().__init__("the key belongs to another change")


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
class Cause:
    """Why a change is made, by whom, and what it belongs to: the columns of its movement."""

    reason: str
    key: uuid.UUID
    user: int | None
    move: uuid.UUID | None = None
    reverses: int | None = None
    unit_cost: Decimal | None = None
    currency: str = ""


@on_mongodb("stock.mongo.posting")
def post(part: int, box: int, delta: int, cause: Cause) -> Entry | None:
    """Change a lot; None, and nothing is changed, where there is less than is to be taken.

    What the key recorded before is returned as it was. Raises :class:`KeyReused`.
    """
    parameters: dict[str, Any] = {"part": part, "box": box, "delta": delta, **vars(cause)}
    parameters["reason"] = str(cause.reason)  # psycopg writes an enum by its name
    try:
        with _savepoint(), connection.cursor() as cursor:
            cursor.execute(_TAKE if delta < 0 else _ADD, parameters)
            row = cursor.fetchone()
    except IntegrityError:
        # Both asked at once with one key: the other was first, and PostgreSQL took this statement back whole.
        before = recorded(part, box, delta, cause)
        if before is None:
            raise
        return before
    return Entry(*row) if row else recorded(part, box, delta, cause)


def recorded(part: int, box: int, delta: int, cause: Cause) -> Entry | None:
    """Return what was written under the key before, if anything. Raises :class:`KeyReused`."""
    movement = Movement.objects.select_related("lot").filter(key=cause.key).first()
    if movement is None:
        return None
    if (movement.lot.part_id, movement.lot.box_id, movement.delta, movement.reason) != (part, box, delta, cause.reason):
        raise KeyReused
    return entry(movement)


def entry(movement: Movement) -> Entry:
    """Return a movement that was written before."""
    return Entry(movement.pk, movement.lot_id, movement.delta, movement.balance, replayed=True)


def balance(part: int, box: int) -> int:
    """Return how many there are now."""
    return Lot.objects.filter(part_id=part, box_id=box).values_list("qty", flat=True).first() or 0


def _savepoint() -> AbstractContextManager[None]:
    """Let a refused statement not spoil the transaction around it; alone, a statement is its own transaction."""
    return transaction.atomic() if connection.in_atomic_block else nullcontext()
