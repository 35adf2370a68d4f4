"""Remembering which parts' present dip was told."""

from collections.abc import Sequence

from documents.errors import Conflict, Duplicate
from stock.models import LowStockAlert


def told_now(parts: Sequence[int]) -> set[int]:
    """Note the dips that were not told before; see :func:`stock.low_stock.told_now`."""
    before = set(LowStockAlert.objects.filter(part__in=parts).values_list("part_id", flat=True))
    new = [part for part in parts if part not in before]
    try:
        LowStockAlert.objects.bulk_create([LowStockAlert(part_id=part) for part in new])
    except Duplicate as error:
        raise Conflict("another digest tells the same dip") from error
    return set(new)
