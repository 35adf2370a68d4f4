"""One change of one lot as one transaction of MongoDB: the balance under a condition, the movement, and its event.

Movements get their ids within the transaction, so those and the positions of events ascend in the order in which they
can be seen; of two changes that are made at once, one meets a conflict and is done again. What foreign keys hold in
PostgreSQL is looked at here: a lot is made of a part and in a box that are there, and both are locked while it is.
"""

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from documents import ids
from documents.errors import Conflict, Duplicate
from parts.models import Part
from stock.models import Box, Event, Lot, Movement
from stock.posting import Cause, Entry, recorded


def post(part: int, box: int, delta: int, cause: Cause) -> Entry | None:
    """Change a lot; see :func:`stock.posting.post`."""
    with transaction.atomic():
        if (before := recorded(part, box, delta, cause)) is not None:
            return before
        lots = Lot.objects.filter(part_id=part, box_id=box)
        if not lots.filter(qty__gte=-delta).update(qty=F("qty") + delta):
            if delta < 0:
                return None
            _make_lot(part, box, delta)
        lot = lots.get()
        movement = _written(lot, delta, cause)
        return Entry(movement.pk, lot.pk, delta, lot.qty)


def _make_lot(part: int, box: int, quantity: int) -> None:
    for model, pk in ((Part, part), (Box, box)):
        if not model.objects.select_for_update().filter(pk=pk).values_list("pk", flat=True):
            raise IntegrityError(f"there is no {model.__name__.lower()} {pk}")
    try:
        Lot.objects.create(part_id=part, box_id=box, qty=quantity)
    except Duplicate as error:
        raise Conflict("somebody else put the first of a part into this box") from error


def _written(lot: Lot, delta: int, cause: Cause) -> Movement:
    (number,) = ids.draw(connection, "stock_movement", in_transaction=True)
    try:
        movement = Movement.objects.create(
            pk=number,
            lot=lot,
            delta=delta,
            balance=lot.qty,
            approx=lot.approx,
            reason=cause.reason,
            move_id=cause.move,
            user_id=cause.user,
            at=timezone.now(),
            key=cause.key,
            reverses_id=cause.reverses,
            unit_cost=cause.unit_cost,
            currency=cause.currency,
        )
    except Duplicate as error:
        raise Conflict("somebody else used this key, or undid this movement") from error
    Event.objects.create(pk=number, movement=movement)
    return movement
