"""Parts that suit a requirement, and those that could: one query for each of the two.

A part *suits* when every clause holds. It *could suit* when no clause fails but the part says nothing of an attribute.
Conditions are EXISTS on typed values, so a part is found once however many clauses there are. The best is first: in
stock, then the least unknown, then the tightest (a 25 V capacitor before a 50 V one where 16 V are needed), then the
one of which there is most.

The queries are written in SQL for two things that the ORM cannot say: that what fails is sorted out before anything is
looked up part by part (MATERIALIZED), and that a part's stock is added up once for all that needs it (LATERAL).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection
from psycopg.sql import SQL, Composed, Literal

from parts.models import AttributeDefinition
from parts.requirement import Clause, Requirement
from stockweb.store import on_mongodb


class Found(NamedTuple):
    """A part: enough for a line of a list, the ids of those definitions that it speaks of, and how many were found."""

    pk: int
    name: str
    mpn: str
    manufacturer: str
    package: str
    min_qty: int
    known: list[int]
    hits: int


_SUITS = SQL("""
SELECT part.id, part.name, part.mpn, part.manufacturer, part.package, part.min_qty,
    {asked}::bigint[] AS known, count(*) OVER () AS hits
FROM parts_part AS part, LATERAL ({stock}) AS stock
WHERE {conditions}
ORDER BY stock.quantity > 0 DESC, {looseness}, stock.quantity DESC, part.name, part.id
LIMIT {size} OFFSET {start}
""")

# Of what fails nowhere only ids are kept, which an index alone tells; the rest is looked up for what remains.
_POSSIBLE = SQL("""
WITH part AS MATERIALIZED (SELECT part.id FROM parts_part AS part WHERE {conditions})
SELECT it.id, it.name, it.mpn, it.manufacturer, it.package, it.min_qty, said.known, count(*) OVER () AS hits
FROM part, LATERAL (SELECT * FROM parts_part WHERE parts_part.id = part.id LIMIT 1) AS it,
    LATERAL ({stock}) AS stock, LATERAL ({said}) AS said
WHERE {in_stock} AND ({silent})
ORDER BY stock.quantity > 0 DESC, {unknown}, {looseness}, stock.quantity DESC, it.name, it.id
LIMIT {size}
""")

STOCK = SQL("SELECT coalesce(sum(lot.qty), 0) AS quantity FROM stock_lot AS lot WHERE lot.part_id = part.id")
_IN_STOCK = SQL("EXISTS (SELECT FROM stock_lot AS lot WHERE lot.part_id = part.id AND lot.qty > 0)")

_SAID = SQL("""
SELECT coalesce(array_agg(value.definition_id), '{{}}') AS known FROM parts_attributevalue AS value
WHERE value.part_id = part.id AND value.definition_id = ANY({asked}::bigint[])
    AND (value.num_lo IS NOT NULL OR value.text_value <> '')
""")

# Naming the types as well is what makes the indexes selective; they have only what is known.
_VALUE = SQL("""
EXISTS (
    SELECT FROM parts_attributevalue AS value
    WHERE value.part_id = part.id AND value.type_id = ANY({types}::bigint[]) AND value.definition_id = {definition}
        AND {known} AND {condition}
)
""")

# By part and definition alone, for which there is a unique index: any other would be read for each part anew.
_DISTANCE = SQL("""
coalesce((
    SELECT ({off}) / nullif({size}, 0) FROM parts_attributevalue AS value
    WHERE value.part_id = part.id AND value.definition_id = {definition}
), 0)
""")


@dataclass(frozen=True)
class Bucket:
    """Some of the parts that were found, the best first, and how many there are."""

    parts: Sequence[Found] = ()
    count: int = 0


@on_mongodb("stock.mongo.suiting")
def suiting(requirement: Requirement, start: int, size: int) -> Bucket:
    """Return ``size`` of the parts that suit, from the one with the number ``start`` (the first is 0)."""
    return _bucket(
        _SUITS.format(
            asked=Literal(_asked(requirement)),
            stock=STOCK,
            conditions=conditions(requirement),
            looseness=looseness(requirement),
            size=Literal(size),
            start=Literal(start),
        )
    )


@on_mongodb("stock.mongo.suiting")
def possible(requirement: Requirement, size: int) -> Bucket:
    """Return ``size`` of the parts that could suit."""
    if not (requirement.clauses or requirement.package):
        return Bucket()
    fails = [SQL("NOT {}").format(_value(requirement, each, _fails(each))) for each in requirement.clauses]
    fine = [_of_the_type(requirement), *fails]
    silent = [SQL("NOT {}").format(_value(requirement, each, SQL("TRUE"))) for each in requirement.clauses]
    unknown = SQL("{} - cardinality(said.known)").format(Literal(len(requirement.clauses)))
    if requirement.package:
        fine.append(SQL("({} OR part.package = '')").format(_package(requirement)))
        silent.append(SQL("it.package = ''"))
        unknown = SQL("{} + (it.package = '')::int").format(unknown)
    return _bucket(
        _POSSIBLE.format(
            conditions=SQL(" AND ").join(fine),
            stock=STOCK,
            said=_SAID.format(asked=Literal(_asked(requirement))),
            in_stock=SQL("stock.quantity > 0") if requirement.in_stock else SQL("TRUE"),
            silent=SQL(" OR ").join(silent),
            unknown=unknown,
            looseness=looseness(requirement),
            size=Literal(size),
        )
    )


def unknown(requirement: Requirement, part: Found) -> list[tuple[str, str]]:
    """Return keys and labels of what is asked for and a part, as in a bucket, says nothing of."""
    missing = [each.definition for each in requirement.clauses if each.definition.pk not in part.known]
    found = [(each.key, each.label) for each in missing]
    return [*found, ("package", "Package")] if requirement.package and not part.package else found


def conditions(requirement: Requirement) -> Composed:
    """Return what a row of ``parts_part AS part`` has to be to suit."""
    found = [_of_the_type(requirement), *(_value(requirement, each, _holds(each)) for each in requirement.clauses)]
    if requirement.in_stock:
        found.append(_IN_STOCK)
    if requirement.package:
        found.append(_package(requirement))
    return SQL(" AND ").join(found)


def looseness(requirement: Requirement) -> Composed:
    """Return how far a part is from what is asked for: 0 if it is just that, and less than 1 for each clause."""
    return SQL(" + ").join([SQL("0::float8"), *_distances(requirement)])


def _bucket(query: Composed) -> Bucket:
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows = [Found(*row) for row in cursor.fetchall()]
    return Bucket(rows, rows[0].hits if rows else 0)


def _of_the_type(requirement: Requirement) -> Composed:
    return SQL("part.type_id = ANY({}::bigint[])").format(Literal(list(requirement.types)))


def _package(requirement: Requirement) -> Composed:
    return SQL("upper(part.package) = upper({})").format(Literal(requirement.package))


def _asked(requirement: Requirement) -> list[int]:
    return [each.definition.pk for each in requirement.clauses]


def _value(requirement: Requirement, clause: Clause, condition: SQL | Composed) -> Composed:
    return _VALUE.format(
        types=Literal(list(requirement.types)),
        definition=Literal(clause.definition.pk),
        # As the partial indexes say it.
        known=SQL("NOT value.text_value = ''" if clause.words else "value.num_lo IS NOT NULL"),
        condition=condition,
    )


def _holds(clause: Clause) -> Composed:
    low, high = Literal(clause.low), Literal(clause.high)
    match clause.comparison:
        case "one of":
            return SQL("value.text_value = ANY({}::text[])").format(Literal(list(clause.words)))
        case "covers":
            return SQL("value.num_lo <= {} AND value.num_hi >= {}").format(low, high)
        case "within":
            return SQL("value.num_lo BETWEEN {} AND {} AND value.num_hi <= {}").format(low, high, high)
        case comparison:
            return SQL("{} {} {}").format(_end(clause), SQL(_OPERATORS[comparison][0]), low)


def _fails(clause: Clause) -> Composed:
    low, high = Literal(clause.low), Literal(clause.high)
    match clause.comparison:
        case "one of":
            return SQL("value.text_value <> ALL({}::text[])").format(Literal(list(clause.words)))
        case "covers":
            return SQL("(value.num_lo > {} OR value.num_hi < {})").format(low, high)
        case "within":
            return SQL("(value.num_lo < {} OR value.num_hi > {})").format(low, high)
        case comparison:
            return SQL("{} {} {}").format(_end(clause), SQL(_OPERATORS[comparison][1]), low)


#: A comparison and its contrary.
_OPERATORS = {">=": (">=", "<"), ">": (">", "<="), "<=": ("<=", ">"), "<": ("<", ">=")}


def _end(clause: Clause) -> SQL:
    """Return which end of a value is bounded: a range reaches 12 V if its upper end does; a number has but one."""
    upward = clause.definition.kind == AttributeDefinition.Kind.RANGE and clause.comparison in (">=", ">")
    return SQL("value.num_hi" if upward else "value.num_lo")


def _distances(requirement: Requirement) -> Iterator[Composed]:
    for clause in requirement.clauses:
        low, high = Literal(clause.low), Literal(clause.high)
        match clause.comparison:
            case "one of":
                continue
            case "covers":
                off = SQL("{} - value.num_lo + value.num_hi - {}").format(low, high)
                size = SQL("value.num_hi - value.num_lo + abs({}) + abs({})").format(low, high)
            case "within":
                middle = Literal((clause.low + clause.high) / 2)
                off = SQL("abs(value.num_lo - {})").format(middle)
                size = SQL("abs(value.num_lo) + abs({})").format(middle)
            case _:
                off = SQL("abs({} - {})").format(_end(clause), low)
                size = SQL("abs({}) + abs({})").format(_end(clause), low)
        yield _DISTANCE.format(off=off, size=size, definition=Literal(clause.definition.pk))
