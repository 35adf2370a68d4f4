"""Parts that suit a requirement, and those that could: one query for each of the two.

A part *suits* when every clause holds. It *could suit* when no clause fails but the part says nothing of an attribute.
A part has one value of an attribute at most, so it is found once however many clauses there are. The best is first: in
stock, then the least unknown, then the tightest (a 25 V capacitor before a 50 V one where 16 V are needed), then the
one of which there is most.

The queries are written in SQL for two things that the ORM cannot say: that what fails is sorted out before anything is
looked up part by part (MATERIALIZED), and that a part's stock is added up once for all that needs it (LATERAL).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

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


# What a page shows of a part is looked up for those that may be on it; those that tie are, for their names decide.
_SUITS = SQL("""
WITH best AS MATERIALIZED (
    SELECT part.id, part.looseness, stock.quantity, count(*) OVER () AS hits
    FROM ({parts}) AS part, LATERAL ({stock}) AS stock
    WHERE {in_stock}
    ORDER BY stock.quantity > 0 DESC, part.looseness, stock.quantity DESC
    FETCH FIRST {end} ROWS WITH TIES
)
SELECT part.id, part.name, part.mpn, part.manufacturer, part.package, part.min_qty,
    {asked}::bigint[] AS known, best.hits
FROM best JOIN parts_part AS part ON part.id = best.id
ORDER BY best.quantity > 0 DESC, best.looseness, best.quantity DESC, part.name, part.id
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

STOCK = SQL("SELECT coalesce(sum(lot.qty), 0)::bigint AS quantity FROM stock_lot AS lot WHERE lot.part_id = part.id")

_SAID = SQL("""
SELECT coalesce(array_agg(value.definition_id), '{{}}') AS known FROM parts_attributevalue AS value
WHERE value.part_id = part.id AND value.definition_id = ANY({asked}::bigint[])
    AND (value.num_lo IS NOT NULL OR value.text_value <> '')
""")

# What suits, from the values alone where they tell: of the parts' own table nothing is read that is not asked for.
_MATCHING = SQL("SELECT {id} AS id, {looseness} AS looseness FROM {tables} WHERE {conditions}")

# Naming the types as well is what makes the indexes selective; they have only what is known.
_OF = SQL("""
{value}.type_id = ANY({types}::bigint[]) AND {value}.definition_id = {definition} AND {known} AND {condition}
""")
_EXISTS = SQL("EXISTS (SELECT FROM parts_attributevalue AS {value} WHERE {value}.part_id = part.id AND {of})")

# By part and definition alone, for which there is a unique index: any other would be read for each part anew.
_LOOKED_UP = SQL("""
coalesce((
    SELECT {distance} FROM parts_attributevalue AS {value}
    WHERE {value}.part_id = part.id AND {value}.definition_id = {definition}
), 0)
""")
_VALUE = Identifier("value")


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
            parts=matching(requirement),
            stock=STOCK,
            in_stock=in_stock(requirement),
            end=Literal(start + size),
            asked=Literal(_asked(requirement)),
            size=Literal(size),
            start=Literal(start),
        )
    )


@on_mongodb("stock.mongo.suiting")
def possible(requirement: Requirement, size: int) -> Bucket:
    """Return ``size`` of the parts that could suit."""
    if not (requirement.clauses or requirement.package):
        return Bucket()
    fails = [SQL("NOT {}").format(_exists(requirement, each, _fails(each))) for each in requirement.clauses]
    fine = [_of_the_type(requirement), *fails]
    silent = [SQL("NOT {}").format(_exists(requirement, each, SQL("TRUE"))) for each in requirement.clauses]
    unknown = SQL("{} - cardinality(said.known)").format(Literal(len(requirement.clauses)))
    if requirement.package:
        fine.append(SQL("({} OR part.package = '')").format(_package(Literal(requirement.package))))
        silent.append(SQL("it.package = ''"))
        unknown = SQL("{} + (it.package = '')::int").format(unknown)
    return _bucket(
        _POSSIBLE.format(
            conditions=SQL(" AND ").join(fine),
            stock=STOCK,
            said=_SAID.format(asked=Literal(_asked(requirement))),
            in_stock=in_stock(requirement),
            silent=SQL(" OR ").join(silent),
            unknown=unknown,
            looseness=_sum(_looked_up(each) for each in requirement.clauses if not each.words),
            size=Literal(size),
        )
    )


def unknown(requirement: Requirement, part: Found) -> list[tuple[str, str]]:
    """Return keys and labels of what is asked for and a part, as in a bucket, says nothing of."""
    missing = [each.definition for each in requirement.clauses if each.definition.pk not in part.known]
    found = [(each.key, each.label) for each in missing]
    return [*found, ("package", "Package")] if requirement.package and not part.package else found


@dataclass(frozen=True)
class Asked:
    """How SQL names what one clause asks for: by the numbers and words themselves, or by columns that have them."""

    low: Composable
    high: Composable
    words: Composable


def literally(clause: Clause) -> Asked:
    """Write what a clause asks for into the statement: then PostgreSQL knows how many parts it leaves."""
    return Asked(Literal(clause.low), Literal(clause.high), SQL("{}::text[]").format(Literal(list(clause.words))))


def matching(
    requirement: Requirement, named: Callable[[Clause], Asked] = literally, package: Composable | None = None
) -> Composed:
    """Return how SQL finds the parts that suit but for their stock: the ``id`` of each, and its ``looseness``.

    ``looseness`` is how far a part is from what is asked for: 0 if it is just that, and less than 1 for each clause.
    ``named`` and ``package`` say how the numbers and words are named.
    """
    tables, ids, conditions, distances = [], [], [], []
    for each in requirement.clauses:
        value, asked = Identifier(f"value_{each.definition.pk}"), named(each)
        tables.append(SQL("parts_attributevalue AS {}").format(value))
        ids.append(SQL("{}.part_id").format(value))
        conditions.append(_of(requirement, each, value, _holds(each, asked, value)))
        if not each.words:
            distances.append(SQL("coalesce({}, 0)").format(_distance(each, asked, value)))
    if requirement.package or not ids:
        tables.append(SQL("parts_part AS part"))
        ids.append(SQL("part.id"))
        conditions.append(_of_the_type(requirement))
    if requirement.package:
        conditions.append(_package(package or Literal(requirement.package)))
    conditions += [SQL("{} = {}").format(other, ids[0]) for other in ids[1:]]
    return _MATCHING.format(
        id=ids[0],
        looseness=_sum(distances),
        tables=SQL(", ").join(tables),
        conditions=SQL(" AND ").join(conditions),
    )


def in_stock(requirement: Requirement) -> SQL:
    """Return the condition on :data:`STOCK` as ``stock``."""
    return SQL("stock.quantity > 0" if requirement.in_stock else "TRUE")


def _bucket(query: Composed) -> Bucket:
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows = [Found(*row) for row in cursor.fetchall()]
    return Bucket(rows, rows[0].hits if rows else 0)


def _of_the_type(requirement: Requirement) -> Composed:
    return SQL("part.type_id = ANY({}::bigint[])").format(Literal(list(requirement.types)))


def _package(package: Composable) -> Composed:
    return SQL("upper(part.package) = upper({})").format(package)


def _asked(requirement: Requirement) -> list[int]:
    return [each.definition.pk for each in requirement.clauses]


def _exists(requirement: Requirement, clause: Clause, condition: SQL | Composed) -> Composed:
    return _EXISTS.format(value=_VALUE, of=_of(requirement, clause, _VALUE, condition))


def _of(requirement: Requirement, clause: Clause, value: Identifier, condition: SQL | Composed) -> Composed:
    # As the partial indexes say it.
    known = "NOT {}.text_value = ''" if clause.words else "{}.num_lo IS NOT NULL"
    return _OF.format(
        value=value,
        types=Literal(list(requirement.types)),
        definition=Literal(clause.definition.pk),
        known=SQL(known).format(value),
        condition=condition,
    )


def _holds(clause: Clause, asked: Asked, value: Identifier) -> Composed:
    low, high = asked.low, asked.high
    match clause.comparison:
        case "one of":
            return SQL("{}.text_value = ANY({})").format(value, asked.words)
        case "covers":
            return SQL("{0}.num_lo <= {1} AND {0}.num_hi >= {2}").format(value, low, high)
        case "within":
            return SQL("{0}.num_lo BETWEEN {1} AND {2} AND {0}.num_hi <= {2}").format(value, low, high)
        case comparison:
            return SQL("{} {} {}").format(_end(clause, value), SQL(_OPERATORS[comparison][0]), low)


def _fails(clause: Clause) -> Composed:
    low, high, value = Literal(clause.low), Literal(clause.high), _VALUE
    match clause.comparison:
        case "one of":
            return SQL("{}.text_value <> ALL({}::text[])").format(value, Literal(list(clause.words)))
        case "covers":
            return SQL("({0}.num_lo > {1} OR {0}.num_hi < {2})").format(value, low, high)
        case "within":
            return SQL("({0}.num_lo < {1} OR {0}.num_hi > {2})").format(value, low, high)
        case comparison:
            return SQL("{} {} {}").format(_end(clause, value), SQL(_OPERATORS[comparison][1]), low)


#: A comparison and its contrary.
_OPERATORS = {">=": (">=", "<"), ">": (">", "<="), "<=": ("<=", ">"), "<": ("<", ">=")}


def _end(clause: Clause, value: Identifier) -> Composed:
    """Return which end of a value is bounded: a range reaches 12 V if its upper end does; a number has but one."""
    upward = clause.definition.kind == AttributeDefinition.Kind.RANGE and clause.comparison in (">=", ">")
    return SQL("{}.num_hi" if upward else "{}.num_lo").format(value)


def _sum(distances: Iterable[Composed]) -> Composed:
    return SQL(" + ").join([SQL("0::float8"), *distances])


def _looked_up(clause: Clause) -> Composed:
    """Return the distance of a part of which the value is not at hand; 0 where it has none."""
    distance = _distance(clause, literally(clause), _VALUE)
    return _LOOKED_UP.format(distance=distance, value=_VALUE, definition=Literal(clause.definition.pk))


def _distance(clause: Clause, asked: Asked, value: Identifier) -> Composed:
    """Return how far a value is from what is asked for, as a part of both; NULL where both are nothing."""
    low, high = asked.low, asked.high
    match clause.comparison:
        case "covers":
            off = SQL("{1} - {0}.num_lo + {0}.num_hi - {2}").format(value, low, high)
            size = SQL("{0}.num_hi - {0}.num_lo + abs({1}) + abs({2})").format(value, low, high)
        case "within":
            middle = SQL("({} + {}) / 2").format(low, high)
            off = SQL("abs({}.num_lo - {})").format(value, middle)
            size = SQL("abs({}.num_lo) + abs({})").format(value, middle)
        case _:
            off = SQL("abs({} - {})").format(_end(clause, value), low)
            size = SQL("abs({}) + abs({})").format(_end(clause, value), low)
    return SQL("({}) / nullif({}, 0)").format(off, size)
