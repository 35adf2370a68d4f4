"""Proving that the ledger adds up, as it was at one moment: within a transaction MongoDB shows the same all along."""

from collections import defaultdict

from django.db import transaction

from stock.audit import Discrepancy
from stock.models import Lot, Movement


def discrepancies() -> list[Discrepancy]:
    """Return every lot that does not add up; see :func:`stock.audit.discrepancies`."""
    totals: dict[int, int] = defaultdict(int)
    wrong: dict[int, int] = defaultdict(int)
    with transaction.atomic():
        lots = dict(Lot.objects.order_by("pk").values_list("pk", "qty"))
        for lot, delta, balance in Movement.objects.order_by("pk").values_list("lot_id", "delta", "balance"):
            totals[lot] += delta
            wrong[lot] += balance != totals[lot]
    return [Discrepancy(pk, qty, totals[pk], wrong[pk]) for pk, qty in lots.items() if qty != totals[pk] or wrong[pk]]
