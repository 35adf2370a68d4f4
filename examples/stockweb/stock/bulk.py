"""Many counts and purchases in one statement, for imports: what :mod:`stock.ledger` does one at a time."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from stock.models import Lot, Movement
from stockweb.store import on_postgresql_alone

#: A lot is named once at most, so each has one movement, with the balance that came of it. A key that has a movement
#: already changes nothing.
_POST = """
WITH given AS (
    SELECT * FROM unnest(%(parts)s::bigint[], %(boxes)s::bigint[], %(amounts)s::bigint[], %(counted)s::boolean[],
        %(roughly)s::boolean[], %(keys)s::uuid[]) AS given(part_id, box_id, amount, counted, roughly, key)
    WHERE NOT EXISTS (SELECT FROM stock_movement WHERE stock_movement.key = given.key)
), before AS (
    SELECT lot.id, lot.qty, given.amount, given.counted, given.roughly, given.key
    FROM given JOIN stock_lot AS lot USING (part_id, box_id)
), changed AS (
    UPDATE stock_lot AS lot SET
        qty = CASE WHEN counted THEN amount ELSE lot.qty + amount END,
        approx = CASE WHEN counted THEN roughly ELSE lot.approx END,
        counted_at = CASE WHEN counted AND NOT roughly THEN now() ELSE lot.counted_at END
    FROM before WHERE before.id = lot.id
    RETURNING lot.id, lot.qty, lot.approx, lot.qty - before.qty AS delta, counted, key
)
INSERT INTO stock_movement (lot_id, delta, balance, approx, reason, user_id, at, key)
SELECT id, delta, qty, approx, CASE WHEN counted THEN %(count)s ELSE %(buy)s END, %(user)s, clock_timestamp(), key
FROM changed
"""


@dataclass(frozen=True)
class Posting:
    """So many of a part were ``counted`` in a box, perhaps ``roughly``, or else were bought and put there."""

    part: int
    box: int
    amount: int
    counted: bool
    roughly: bool
    key: uuid.UUID


@on_postgresql_alone("posting many changes at once")
def post(postings: Sequence[Posting], *, user: int | None) -> int:
    """Write the movements, none of which is of the same lot as another; return how many there are."""
    if not postings:
        return 0
    with transaction.atomic():
        # As everywhere, a lot is made before any lock is taken, and locks are taken in the order of ids: no deadlock.
        places = [Lot(part_id=each.part, box_id=each.box) for each in postings]
        Lot.objects.bulk_create(places, ignore_conflicts=True)
        boxes = {each.box for each in postings}
        parts = {each.part for each in postings}
        lots = Lot.objects.filter(part_id__in=parts, box_id__in=boxes).order_by("pk")
        list(lots.select_for_update(of=("self",)).values_list("pk"))
        columns = {
            "parts": [each.part for each in postings],
            "boxes": [each.box for each in postings],
            "amounts": [each.amount for each in postings],
            "counted": [each.counted for each in postings],
            "roughly": [each.roughly for each in postings],
            "keys": [each.key for each in postings],
        }
        with connection.cursor() as cursor:
            reasons = {"count": f"{Movement.Reason.COUNT}", "buy": f"{Movement.Reason.BUY}"}
            cursor.execute(_POST, {**columns, **reasons, "user": user})
            return cursor.rowcount
