"""The only place that changes a quantity: add, take, move between boxes, count, take for a build, undo.

Two people never take the same part, an update is never lost, a quantity is never negative, and the movements of a lot
always add up to it. What changes one lot is one statement, see :mod:`stock.posting`; what changes several is one
transaction, which locks them in the order of their ids.

Every change has a key. Asking for it again with the same key (a phone on bad Wi-Fi, a reloaded form) changes nothing
and is answered with the first result.

A lot may be *approximate*: somebody put a handful there. Its quantity is a guess, so it never refuses a take; whoever
takes more than was guessed has shown that there was more, and a movement says so. A count makes it exact.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from stock.models import Lot, Movement
from stock.posting import Cause, Entry, KeyReused, LedgerError, NoMove, NotUndoable, Short, balance, entry, post
from stockweb.store import retried

__all__ = [
    "MAX_QUANTITY",
    "Cost",
    "Entry",
    "KeyReused",
    "LedgerError",
    "NoMove",
    "NotUndoable",
    "Pick",
    "Short",
    "add",
    "count",
    "move",
    "take",
    "take_together",
    "undo",
]

#: Largest quantity of one change; balances are 64 bits wide, so no sum of these can overflow.
MAX_QUANTITY = 1_000_000_000

_REASON = Movement.Reason


@dataclass(frozen=True)
class Cost:
    """What one piece cost, in a currency by its three letters."""

    unit_cost: Decimal
    currency: str


@dataclass(frozen=True)
class Pick:
    """So many of a part, out of a box."""

    part: int
    box: int
    quantity: int


@retried
def add(
    part: int,
    box: int,
    quantity: int,
    *,
    cost: Cost | None = None,
    user: int | None = None,
    key: uuid.UUID | None = None,
) -> Entry:
    """Put parts into a box. Raises :class:`KeyReused`, and ``ValueError`` for a quantity that is none."""
    cause = Cause(_REASON.BUY, key or uuid.uuid4(), user, **(vars(cost) if cost else {}))
    return _add(part, box, _checked(quantity), cause)


@retried
def take(part: int, box: int, quantity: int, *, user: int | None = None, key: uuid.UUID | None = None) -> Entry:
    """Take parts out of a box. Raises :class:`Short`, :class:`KeyReused`, and ``ValueError`` as :func:`add` does."""
    return _take(part, box, _checked(quantity), Cause(_REASON.USE, key or uuid.uuid4(), user))


@retried
def move(
    part: int, source: int, target: int, quantity: int, *, user: int | None = None, key: uuid.UUID | None = None
) -> tuple[Entry, Entry]:
    """Carry parts from one box to another, wholly or not at all; the key is that of the half that takes.

    Raises :class:`Short`, :class:`KeyReused`, :class:`NoMove`, and ``ValueError`` as :func:`add` does.
    """
    if source == target:
        raise NoMove("both boxes are the same")
    taking = Cause(_REASON.MOVE, key or uuid.uuid4(), user, move=uuid.uuid4())
    with transaction.atomic():
        _lock(Lot.objects.filter(part_id=part, box_id__in=(source, target)))
        out = _take(part, source, _checked(quantity), taking)
        if out.replayed:
            return out, _other_half(out, target)
        return out, _add(part, target, quantity, Cause(_REASON.MOVE, uuid.uuid4(), user, move=taking.move))


@retried
def count(
    part: int,
    box: int,
    counted: int,
    *,
    roughly: bool = False,
    user: int | None = None,
    key: uuid.UUID | None = None,
) -> Entry:
    """Say how many there are. What the books had too many or too few becomes a movement, also where that is none.

    ``roughly``: nobody counted, it is a handful. Raises :class:`KeyReused`, and ``ValueError`` as :func:`add` does.
    """
    cause = Cause(_REASON.COUNT, key or uuid.uuid4(), user)
    with transaction.atomic():
        Lot.objects.get_or_create(part_id=part, box_id=box)
        lot = Lot.objects.select_for_update().get(part_id=part, box_id=box)
        before = Movement.objects.filter(key=cause.key).first()
        if before is not None:
            if (before.lot_id, before.reason, before.balance) != (lot.pk, _REASON.COUNT, counted):
                raise KeyReused
            return entry(before)
        Lot.objects.filter(pk=lot.pk).update(approx=roughly, counted_at=lot.counted_at if roughly else timezone.now())
        written = post(part, box, _checked(counted, least=0) - lot.qty, cause)
        assert written is not None, "the lot is locked, so there is as much as was read"
        return written


@retried
def take_together(picks: Collection[Pick], together: uuid.UUID, *, user: int | None = None) -> tuple[Entry, ...]:
    """Take several parts for a build, all or none. ``together`` is the key of them all, and what undoes them at once.

    Raises :class:`Short`, :class:`KeyReused`, and ``ValueError`` as :func:`add` does.
    """
    with transaction.atomic():
        parts, boxes = {pick.part for pick in picks}, {pick.box for pick in picks}
        _lock(Lot.objects.filter(part_id__in=parts, box_id__in=boxes))
        before = Movement.objects.filter(move_id=together).select_related("lot").order_by("pk")
        if before:
            if {Pick(each.lot.part_id, each.lot.box_id, -each.delta) for each in before} != set(picks):
                raise KeyReused
            return tuple(entry(each) for each in before)
        return tuple(
            _take(
                pick.part,
                pick.box,
                _checked(pick.quantity),
                Cause(_REASON.BUILD, uuid.uuid5(together, f"{pick.part}/{pick.box}"), user, move=together),
            )
            for pick in picks
        )


@retried
def undo(movement: int, *, user: int | None = None) -> tuple[Entry, ...]:
    """Reverse a movement by another (both halves of a move, a whole build). What was undone is not undone again.

    Raises :class:`NotUndoable`, :class:`Short` when what was added has been taken since, and ``Movement.DoesNotExist``.
    """
    with transaction.atomic():
        first = Movement.objects.get(pk=movement)
        if first.reason == _REASON.UNDO:
            raise NotUndoable("an undo cannot be undone")
        together = (
            Movement.objects.filter(move_id=first.move_id) if first.move_id else Movement.objects.filter(pk=first.pk)
        )
        # Take first, so that nothing is added when it is short.
        together = together.select_related("lot").order_by("-delta", "pk")
        _lock(Lot.objects.filter(movements__in=together.order_by()))
        done = Movement.objects.filter(reverses__in=together.order_by())
        if done:
            return tuple(entry(each) for each in done)
        back = uuid.uuid4() if first.move_id else None
        return tuple(_reverse(each, user, back) for each in together)


def _reverse(movement: Movement, user: int | None, together: uuid.UUID | None) -> Entry:
    lot = movement.lot
    if movement.reason == _REASON.COUNT:
        _forget(movement)
    cause = Cause(_REASON.UNDO, uuid.uuid4(), user, move=together, reverses=movement.pk)
    written = post(lot.part_id, lot.box_id, -movement.delta, cause)
    if written is None:
        raise Short(balance(lot.part_id, lot.box_id), movement.delta)
    return written


def _forget(count: Movement) -> None:
    """Let a lot be as approximate as it was before a count, and be counted when it was before."""
    of_lot = Movement.objects.filter(lot=count.lot_id)
    approx = of_lot.filter(pk__lt=count.pk).order_by("-pk").values_list("approx", flat=True).first()
    others = of_lot.filter(reason=_REASON.COUNT, approx=False, reversed_by=None).exclude(pk=count.pk)
    at = others.order_by("-pk").values_list("at", flat=True).first()
    Lot.objects.filter(pk=count.lot_id).update(approx=bool(approx), counted_at=at)


def _checked(quantity: int, least: int = 1) -> int:
    if not least <= quantity <= MAX_QUANTITY:
        raise ValueError(f"a quantity is from {least} to {MAX_QUANTITY}, not {quantity}")
    return quantity


def _add(part: int, box: int, quantity: int, cause: Cause) -> Entry:
    written = post(part, box, quantity, cause)
    assert written is not None, "an addition has no condition but its key, and a key that exists has a movement"
    return written


def _take(part: int, box: int, quantity: int, cause: Cause) -> Entry:
    written = post(part, box, -quantity, cause) or _take_of_a_handful(part, box, quantity, cause)
    if written is None:
        raise Short(balance(part, box), quantity)
    return written


def _take_of_a_handful(part: int, box: int, quantity: int, cause: Cause) -> Entry | None:
    """Take more than an approximate lot is said to hold: first a movement says that there were as many."""
    with transaction.atomic():
        lot = Lot.objects.select_for_update().filter(part_id=part, box_id=box, approx=True).first()
        if lot is None:
            return None
        written = post(part, box, -quantity, cause)  # somebody may have added meanwhile, or used this key
        if written is None:
            post(part, box, quantity - lot.qty, Cause(_REASON.COUNT, uuid.uuid4(), cause.user))
            written = post(part, box, -quantity, cause)
        return written


def _other_half(out: Entry, target: int) -> Entry:
    """Return the half of an earlier move that added, which must have gone to the same box."""
    pair = Movement.objects.get(pk=out.movement).move_id
    other = Movement.objects.filter(move_id=pair, lot__box_id=target).exclude(pk=out.movement).first() if pair else None
    if other is None:
        raise KeyReused
    return entry(other)


def _lock(lots: Any) -> Sequence[int]:
    """Lock lots in the order of their ids, as everybody who needs more than one does."""
    return list(lots.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
