"""Parts that suit a requirement, weighed in Python: all parts of the types asked for are read, with what they say.

That is right for a collection of some thousands of parts. For more of them there is PostgreSQL.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from parts.models import AttributeValue, Part
from parts.requirement import Requirement
from stock.models import Lot
from stock.mongo.fitting import Said, distance, fits
from stock.suiting import Bucket, Found

_COLUMNS = ("pk", "name", "mpn", "manufacturer", "package", "min_qty")


@dataclass(frozen=True)
class Weighed:
    """A part against a requirement: the ids of definitions that it speaks of, and what orders it among others."""

    part: Any
    known: tuple[int, ...]
    stock: int
    looseness: float
    unknown: int
    suits: bool


@dataclass(frozen=True)
class World:
    """What has to be known of parts in order to weigh them: rows by type, what they say, how many there are."""

    parts: Mapping[int, list[Any]]
    said: Mapping[tuple[int, int], Said]
    stock: Mapping[int, int]

    def weighed(self, requirement: Requirement) -> Iterator[Weighed]:
        """Yield the parts that suit or could suit."""
        for part in (each for type_id in requirement.types for each in self.parts.get(type_id, ())):
            stock = self.stock.get(part.pk, 0)
            if requirement.in_stock and stock <= 0:
                continue
            said = {each.definition.pk: self.said.get((part.pk, each.definition.pk)) for each in requirement.clauses}
            pairs = [(each, it) for each in requirement.clauses if (it := said[each.definition.pk]) is not None]
            other_package = requirement.package and part.package.upper() != requirement.package.upper()
            if (other_package and part.package) or not all(fits(*pair) for pair in pairs):
                continue
            unknown = len(requirement.clauses) - len(pairs) + bool(other_package)
            known = tuple(each.definition.pk for each, _ in pairs)
            yield Weighed(part, known, stock, sum(distance(*pair) for pair in pairs), unknown, not unknown)


def world(requirements: Iterable[Requirement]) -> World:
    """Read what these requirements need to know. Three queries."""
    asked = list(requirements)
    types = {type_id for each in asked for type_id in each.types}
    definitions = {clause.definition.pk for each in asked for clause in each.clauses}
    parts: dict[int, list[Any]] = defaultdict(list)
    for part in Part.objects.filter(type__in=types).order_by().values_list("type_id", *_COLUMNS, named=True):
        parts[part.type_id].append(part)
    said = {
        (part, definition): Said(low, high, word)
        for part, definition, low, high, word in AttributeValue.objects.filter(definition__in=definitions)
        .order_by()
        .values_list("part_id", "definition_id", "num_lo", "num_hi", "text_value")
        if low is not None or word
    }
    stock: dict[int, int] = defaultdict(int)
    for part, quantity in Lot.objects.filter(qty__gt=0).values_list("part_id", "qty"):
        stock[part] += quantity
    return World(parts, said, stock)


def suiting(requirement: Requirement, start: int, size: int) -> Bucket:
    """Return ``size`` of the parts that suit; see :func:`stock.suiting.suiting`."""
    return _bucket((each for each in world([requirement]).weighed(requirement) if each.suits), start, size)


def possible(requirement: Requirement, size: int) -> Bucket:
    """Return ``size`` of the parts that could suit; see :func:`stock.suiting.possible`."""
    if not (requirement.clauses or requirement.package):
        return Bucket()
    return _bucket((each for each in world([requirement]).weighed(requirement) if not each.suits), 0, size)


def _bucket(weighed: Iterable[Weighed], start: int, size: int) -> Bucket:
    found = sorted(weighed, key=_order)
    rows = [
        Found(*(getattr(each.part, name) for name in _COLUMNS), list(each.known), len(found))
        for each in found[start : start + size]
    ]
    return Bucket(rows, len(found) if rows else 0)


def _order(each: Weighed) -> tuple[Any, ...]:
    """Return what sorts the best first, as PostgreSQL does."""
    return each.stock <= 0, each.unknown, each.looseness, -each.stock, each.part.name, each.part.pk
