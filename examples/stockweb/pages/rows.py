"""A page of the part list as plain rows, from a number of queries that does not depend on how many parts there are."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from parts.attributes import Attribute, attributes
from parts.models import Part, PartType
from parts.search import found
from stock.holdings import Holding, holdings
from stockweb.tree import Tree

PAGE_SIZE = 25
#: Counting further costs time and tells nobody anything: "1000+".
COUNT_LIMIT = 1001


@dataclass(frozen=True)
class PartRow:
    """One line of the list, ready to be shown: templates are slow at working things out."""

    id: int
    name: str
    origin: str
    specs: str
    total: int
    minimum: int
    low: bool
    holdings: Sequence[Holding]
    filled: Sequence[Holding]
    key: uuid.UUID


@dataclass(frozen=True)
class PartPage:
    """The rows of one page, and whether there are others."""

    rows: Sequence[PartRow]
    number: int
    count: int

    @property
    def count_text(self) -> str:
        """``14 parts``, or ``1000+ parts``."""
        if self.count >= COUNT_LIMIT:
            return f"{COUNT_LIMIT - 1}+ parts"
        return f"{self.count} part{'' if self.count == 1 else 's'}"

    @property
    def previous(self) -> int | None:
        """Number of the page before."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """Number of the page after; none beyond what was counted."""
        return self.number + 1 if self.number * PAGE_SIZE < self.count else None


def part_page(types: Tree[PartType], text: str, type_id: int | None, number: int) -> PartPage:
    """Return a page of the parts that match ``text`` and are of the type or one below it. Four queries."""
    parts = Part.objects.all()
    if type_id is not None:
        parts = parts.filter(type__in=types.within(type_id))
    parts = found(parts, text)
    count = _capped_count(parts)
    last = max(1, -(-min(count, COUNT_LIMIT - 1) // PAGE_SIZE))
    number = min(max(number, 1), last)
    start = (number - 1) * PAGE_SIZE
    columns = ("pk", "name", "mpn", "manufacturer", "package", "min_qty")
    chosen = list(parts.values_list(*columns, named=True)[start : start + PAGE_SIZE])
    return PartPage(part_rows(chosen), number, count)


def part_rows(parts: Sequence[Any]) -> list[PartRow]:
    """Return a line for each part, which has the columns that :func:`part_page` chooses. Two queries."""
    ids = [part.pk for part in parts]
    held, specified = holdings(ids), attributes(ids)
    return [_row(part, held.get(part.pk, ()), specified.get(part.pk, ())) for part in parts]


def _row(part: Any, held: Sequence[Holding], specified: Sequence[Attribute]) -> PartRow:
    total = sum(holding.qty for holding in held)
    return PartRow(
        id=part.pk,
        name=part.name,
        origin=" · ".join(filter(None, (part.mpn, part.manufacturer))),
        specs=" · ".join(filter(None, (*(attribute.brief for attribute in specified), part.package))),
        total=total,
        minimum=part.min_qty,
        low=total < part.min_qty,
        holdings=held,
        filled=[holding for holding in held if holding.qty],
        key=uuid.uuid4(),
    )


def _capped_count(parts: QuerySet[Part]) -> int:
    return parts.order_by().values("pk")[:COUNT_LIMIT].count()
