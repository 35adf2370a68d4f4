"""The best parts for many requirements, in one query: what the lines of a bill of material need.

Planning a search takes PostgreSQL as long as doing it. So lines that ask for the same attributes in the same way share
a branch of the query, which is planned once and run for each of them (LATERAL).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from psycopg.sql import SQL, Composed, Identifier, Literal

from parts.requirement import Clause, Requirement
from stock.suiting import STOCK, Asked, in_stock, matching
from stockweb.store import on_mongodb

_BEST = SQL("""
(
    SELECT line.number, best.id, best.quantity
    FROM (VALUES {lines}) AS line ({columns}), LATERAL (
        SELECT part.id, stock.quantity
        FROM ({parts}) AS part, LATERAL ({stock}) AS stock
        WHERE {in_stock}
        ORDER BY stock.quantity >= line.enough DESC, stock.quantity > 0 DESC, part.looseness, stock.quantity DESC,
            part.id
        LIMIT {size}
    ) AS best
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
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for number, each in enumerate(wanted):
        alike[_shape(each.requirement)].append(number)
    if not alike:
        return found
    branches = [_branch({number: wanted[number] for number in numbers}, size) for numbers in alike.values()]
    with connection.cursor() as cursor:
        cursor.execute(SQL(" UNION ALL ").join(branches))
        for number, part, stock in cursor.fetchall():
            found[number].append(Candidate(part, stock))
    return found


def _shape(requirement: Requirement) -> tuple[object, ...]:
    """Return what requirements must have in common to share a branch: all but numbers, words and names of packages."""
    clauses = tuple((each.definition.pk, each.comparison) for each in requirement.clauses)
    return tuple(requirement.types), clauses, bool(requirement.package), requirement.in_stock


def _branch(lines: dict[int, Wanted], size: int) -> Composed:
    """Return the part of the query for lines of one shape, by their numbers."""
    shape = next(iter(lines.values())).requirement
    columns = ["number", "enough", "package"]
    columns += [f"{name}{index}" for index in range(len(shape.clauses)) for name in ("low", "high", "words")]
    return _BEST.format(
        lines=SQL(", ").join(_row(number, each) for number, each in lines.items()),
        columns=SQL(", ").join(map(Identifier, columns)),
        parts=matching(shape, _named(shape.clauses), SQL("line.package")),
        stock=STOCK,
        in_stock=in_stock(shape),
        size=Literal(size),
    )


def _row(number: int, wanted: Wanted) -> Composed:
    requirement = wanted.requirement
    values = [SQL("{}::int, {}::bigint, {}::text").format(number, wanted.quantity, requirement.package)]
    asked = SQL("{}::float8, {}::float8, {}::text[]")
    values += [asked.format(each.low, each.high, list(each.words)) for each in requirement.clauses]
    return SQL("({})").format(SQL(", ").join(values))


def _named(clauses: Iterable[Clause]) -> Callable[[Clause], Asked]:
    """Return how a clause of a shape is named: by the columns of a line."""
    places = {each.definition.pk: index for index, each in enumerate(clauses)}

    def named(clause: Clause) -> Asked:
        index = places[clause.definition.pk]
        return Asked(*(SQL("line.") + Identifier(f"{name}{index}") for name in ("low", "high", "words")))

    return named
