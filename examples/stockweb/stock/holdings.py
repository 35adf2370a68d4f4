"""What is where, read for showing: one query for all parts of a page."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models.expressions import RawSQL

from stock.models import Lot
from stockweb.store import on_mongodb

_WITHIN = """
WITH RECURSIVE within AS (
    SELECT id FROM stock_box WHERE code = %s
    UNION SELECT box.id FROM stock_box AS box JOIN within ON box.parent_id = within.id
)
SELECT id FROM within
"""


@dataclass(frozen=True)
class Holding:
    """So many of a part in a box."""

    box_id: int
    box: str
    qty: int
    approx: bool = False
    counted_at: datetime | None = None


def holdings(parts: Iterable[int]) -> dict[int, list[Holding]]:
    """Return what every box holds (or held) of each part, by the boxes' codes; parts in no box are absent."""
    found: dict[int, list[Holding]] = defaultdict(list)
    lots = Lot.objects.filter(part_id__in=list(parts)).order_by("box__code")
    for part, *rest in lots.values_list("part_id", "box_id", "box__code", "qty", "approx", "counted_at"):
        found[part].append(Holding(*rest))
    return found


@on_mongodb("stock.mongo.holdings")
def within(code: str) -> RawSQL | list[int]:
    """Return, for a condition, the ids of the box with a code and of those inside it; none where there is no such."""
    return RawSQL(_WITHIN, (code,))  # noqa: S611 - the code is a parameter
