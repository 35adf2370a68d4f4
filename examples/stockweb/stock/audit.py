"""Proving that the ledger adds up."""

from dataclasses import dataclass

from django.db import connection

from stockweb.store import on_mongodb

#: A lot's quantity is the sum of its movements, and each movement's balance is the sum up to it.
_WRONG_LOTS = """
SELECT lot.id, lot.qty, COALESCE(ledger.total, 0), COALESCE(ledger.wrong_balances, 0)
FROM stock_lot AS lot
LEFT JOIN (
    SELECT lot_id, SUM(delta)::bigint AS total, COUNT(*) FILTER (WHERE balance <> running) AS wrong_balances
    FROM (
        SELECT lot_id, delta, balance, SUM(delta) OVER (PARTITION BY lot_id ORDER BY id) AS running FROM stock_movement
    ) AS movement
    GROUP BY lot_id
) AS ledger ON ledger.lot_id = lot.id
WHERE lot.qty <> COALESCE(ledger.total, 0) OR COALESCE(ledger.wrong_balances, 0) > 0
ORDER BY lot.id
"""


@dataclass(frozen=True)
class Discrepancy:
    """A lot whose movements do not explain its quantity, or whose balances do not follow from each other."""

    lot: int
    qty: int
    movements_total: int
    wrong_balances: int


@on_mongodb("stock.mongo.audit")
def discrepancies() -> list[Discrepancy]:
    """Return every lot that does not add up. One statement, so all of it is seen at one moment."""
    with connection.cursor() as cursor:
        cursor.execute(_WRONG_LOTS)
        return [Discrepancy(*row) for row in cursor.fetchall()]
