"""The best parts for many requirements, in one query: what the lines of a bill of material need."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from psycopg.sql import SQL, Literal

from parts.requirement import Requirement
from stock.suiting import STOCK, conditions, looseness
from stockweb.store import on_mongodb

# A branch for each: with the numbers in the text, PostgreSQL knows how many parts each clause leaves, and begins with
# the one that leaves the fewest.
_BEST = SQL("""
(
    SELECT {number} AS number, part.id, stock.quantity::bigint
    FROM parts_part AS part, LATERAL ({stock}) AS stock
    WHERE {conditions}
    ORDER BY stock.quantity >= {enough} DESC, stock.quantity > 0 DESC, {looseness}, stock.quantity DESC, part.id
    LIMIT {size}
)
""")


@dataclass(frozen=True)
class Wanted:
    """So many of a part that suits a requirement."""

    requirement: Requirement
    quantity: int


@dataclass(frozen=True)
class Candidate:
    """A part that suits, and how many there are."""

    part: int
    stock: int


@on_mongodb("stock.mongo.shortlist")
def shortlists(wanted: Sequence[Wanted], size: int) -> list[list[Candidate]]:
    """Return for each of the wanted the best parts: those first of which there are enough, then the tightest."""
    found: list[list[Candidate]] = [[] for _ in wanted]
    if not wanted:
        return found
    branches = [
        _BEST.format(
            number=Literal(number),
            stock=STOCK,
            conditions=conditions(each.requirement),
            enough=Literal(each.quantity),
            looseness=looseness(each.requirement),
            size=Literal(size),
        )
        for number, each in enumerate(wanted)
    ]
    with connection.cursor() as cursor:
        cursor.execute(SQL(" UNION ALL ").join(branches))
        for number, part, stock in cursor.fetchall():
            found[number].append(Candidate(part, stock))
    return found
