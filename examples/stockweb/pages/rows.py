"""A page of the part list as plain rows, from a number of queries that does not depend on how many parts there are."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from parts.attributes import attributes
from parts.models import Part, PartType
from parts.search import found
from stock.holdings import Holding, holdings
from stockweb.tree import Tree

PAGE_SIZE = 25
#: Counting further costs time and tells nobody anything: "1000+".
COUNT_LIMIT = 1001


@dataclass(frozen=True)
class PartRow:
    """One line of the list."""

    id: int
    name: str
    mpn: str
    manufacturer: str
    package: str
    type: str
    min_qty: int
    specs: Sequence[str]
    holdings: Sequence[Holding]
    key: uuid.UUID

    @property
    def total(self) -> int:
        """How many there are in all boxes."""
        return sum(holding.qty for holding in self.holdings)

    @property
    def low(self) -> bool:
        """Whether that is below the minimum."""
        return self.total < self.min_qty

    @property
    def filled(self) -> Sequence[Holding]:
        """The boxes that hold any."""
        return [holding for holding in self.holdings if holding.qty]


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
    columns = ("pk", "name", "mpn", "manufacturer", "package", "type_id", "min_qty")
    chosen = list(parts.values_list(*columns)[start : start + PAGE_SIZE])
    held, specified = holdings(row[0] for row in chosen), attributes(row[0] for row in chosen)
    rows = [
        PartRow(
            id=pk,
            name=name,
            mpn=mpn,
            manufacturer=manufacturer,
            package=package,
            type=types.rows[type_of].name,
            min_qty=min_qty,
            specs=[attribute.value for attribute in specified.get(pk, ())],
            holdings=held.get(pk, ()),
            key=uuid.uuid4(),
        )
        for pk, name, mpn, manufacturer, package, type_of, min_qty in chosen
    ]
    return PartPage(rows, number, count)


def _capped_count(parts: QuerySet[Part]) -> int:
    return parts.order_by().values("pk")[:COUNT_LIMIT].count()
