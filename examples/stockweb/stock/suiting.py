"""Parts that suit a requirement, and those that could: one query for each of the two.

A part *suits* when every clause holds. It *could suit* when no clause fails but the part says nothing of an attribute.
Conditions are EXISTS on typed values, so a part is found once however many clauses there are. The best is first: in
stock, then the least unknown, then the tightest (a 25 V capacitor before a 50 V one where 16 V are needed), then the
one of which there is most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add, or_
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Abs, Coalesce, NullIf

from parts.models import AttributeDefinition, AttributeValue, Part
from parts.requirement import Clause, Requirement
from stock.models import Lot

#: What the rows have: enough for a line of a list, and ``known``, the ids of the definitions that the part speaks of.
COLUMNS = ("pk", "name", "mpn", "manufacturer", "package", "min_qty", "known", "hits")


@dataclass(frozen=True)
class Bucket:
    """Some of the parts that were found, the best first, and how many there are."""

    parts: Sequence[Any] = ()
    count: int = 0


def suiting(requirement: Requirement, start: int, size: int) -> Bucket:
    """Return ``size`` of the parts that suit, from the one with the number ``start`` (the first is 0)."""
    parts = _of_the_type(requirement)
    for clause in requirement.clauses:
        parts = parts.filter(Exists(_values(requirement, clause).filter(_holds(clause))))
    if requirement.package:
        parts = parts.filter(package__iexact=requirement.package)
    return _bucket(requirement, parts, (), slice(start, start + size))


def possible(requirement: Requirement, size: int) -> Bucket:
    """Return ``size`` of the parts that could suit."""
    if not (requirement.clauses or requirement.package):
        return Bucket()
    parts = _of_the_type(requirement)
    for clause in requirement.clauses:
        parts = parts.filter(~Exists(_values(requirement, clause).filter(_fails(clause))))
    silent = reduce(or_, (~Q(Exists(_values(requirement, each))) for each in requirement.clauses), Q())
    said = _count(_said(requirement))
    if requirement.package:
        parts = parts.filter(Q(package__iexact=requirement.package) | Q(package=""))
        silent |= Q(package="")
        said += Case(When(package="", then=0), default=1)
    parts = parts.annotate(said=said).filter(silent)
    return _bucket(requirement, parts, ("-said",), slice(size))


def unknown(requirement: Requirement, part: Any) -> list[tuple[str, str]]:
    """Return keys and labels of what is asked for and a part, as in a bucket, says nothing of."""
    missing = [each.definition for each in requirement.clauses if each.definition.pk not in part.known]
    found = [(each.key, each.label) for each in missing]
    return [*found, ("package", "Package")] if requirement.package and not part.package else found


def _of_the_type(requirement: Requirement) -> QuerySet[Part]:
    parts = Part.objects.filter(type__in=requirement.types)
    return parts.filter(_in_stock()) if requirement.in_stock else parts


def _bucket(requirement: Requirement, parts: QuerySet[Part], order: Sequence[str], window: slice) -> Bucket:
    quantity = Lot.objects.filter(part=OuterRef("pk")).order_by().values("part").annotate(sum=Sum("qty")).values("sum")
    parts = parts.annotate(
        has=Value(True) if requirement.in_stock else _in_stock(),
        looseness=reduce(add, (_looseness(each) for each in requirement.clauses), Value(0.0)),
        quantity=Coalesce(Subquery(quantity), 0),
        known=ArraySubquery(_said(requirement).values("definition_id")),
        hits=Window(Count("pk")),
    ).order_by("-has", *order, "looseness", "-quantity", "name", "pk")
    rows = list(parts.values_list(*COLUMNS, named=True)[window])
    return Bucket(rows, rows[0].hits if rows else 0)


def _in_stock() -> Exists:
    return Exists(Lot.objects.filter(part=OuterRef("pk"), qty__gt=0))


def _values(requirement: Requirement, clause: Clause) -> QuerySet[AttributeValue]:
    """Return the value of the clause's attribute; naming the types as well is what makes the indexes selective."""
    return AttributeValue.objects.order_by().filter(
        _known(clause), part=OuterRef("pk"), type__in=requirement.types, definition=clause.definition
    )


def _said(requirement: Requirement) -> QuerySet[AttributeValue]:
    """Return the values that say something of the attributes that are asked for."""
    said = reduce(or_, (_known(each) & Q(definition=each.definition) for each in requirement.clauses), Q(pk__in=()))
    return AttributeValue.objects.order_by().filter(said, part=OuterRef("pk"))


def _count(values: QuerySet[AttributeValue]) -> Coalesce:
    return Coalesce(Subquery(values.values("part").annotate(count=Count("pk")).values("count")), 0)


def _known(clause: Clause) -> Q:
    """Say as the partial indexes do that the value is known."""
    return ~Q(text_value="") if clause.words else Q(num_lo__isnull=False)


def _holds(clause: Clause) -> Q:
    low, high = clause.low, clause.high
    match clause.comparison:
        case "one of":
            return Q(text_value__in=clause.words)
        case "covers":
            return Q(num_lo__lte=low, num_hi__gte=high)
        case "within":
            return Q(num_lo__range=(low, high), num_hi__lte=high)
        case comparison:
            lookup = {">=": "gte", ">": "gt", "<=": "lte", "<": "lt"}[comparison]
            return Q(**{f"{_end(clause)}__{lookup}": low})


def _fails(clause: Clause) -> Q:
    low, high = clause.low, clause.high
    match clause.comparison:
        case "one of":
            return ~Q(text_value__in=clause.words)
        case "covers":
            return Q(num_lo__gt=low) | Q(num_hi__lt=high)
        case "within":
            return Q(num_lo__lt=low) | Q(num_hi__gt=high)
        case comparison:
            lookup = {">=": "lt", ">": "lte", "<=": "gt", "<": "gte"}[comparison]
            return Q(**{f"{_end(clause)}__{lookup}": low})


def _end(clause: Clause) -> str:
    """Return which end of a value is bounded: a range reaches 12 V if its upper end does; a number has but one."""
    upward = clause.definition.kind == AttributeDefinition.Kind.RANGE and clause.comparison in (">=", ">")
    return "num_hi" if upward else "num_lo"


def _looseness(clause: Clause) -> Combinable:
    """Return how far a value is from what is asked for: 0 if it is just that, less than 1; 0 where it is unknown."""
    low, high = Value(clause.low, FloatField()), Value(clause.high, FloatField())
    match clause.comparison:
        case "one of":
            return Value(0.0)
        case "covers":
            off, size = low - F("num_lo") + F("num_hi") - high, F("num_hi") - F("num_lo") + Abs(low) + Abs(high)
        case "within":
            middle = Value((clause.low + clause.high) / 2, FloatField())
            off, size = Abs(F("num_lo") - middle), Abs("num_lo") + Abs(middle)
        case _:
            off, size = Abs(F(_end(clause)) - low), Abs(_end(clause)) + Abs(low)
    # By part and definition alone, for which there is a unique index: any other would be read for each part anew.
    one = AttributeValue.objects.order_by().filter(part=OuterRef("pk"), definition=clause.definition)
    distance = one.values(distance=off / NullIf(size, Value(0.0)))
    return Coalesce(Subquery(distance), Value(0.0))
