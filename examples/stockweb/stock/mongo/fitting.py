"""How a value of a part and a clause of a requirement go together: what SQL says in :mod:`stock.suiting`, in Python."""

import operator
from typing import NamedTuple

from parts.models import AttributeDefinition
from parts.requirement import Clause

_BOUNDS = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}


class Said(NamedTuple):
    """What a part says of an attribute: a number, a range or a word."""

    low: float
    high: float
    word: str


def fits(clause: Clause, said: Said) -> bool:
    """Whether the clause holds for what is said."""
    match clause.comparison:
        case "one of":
            return said.word in clause.words
        case "covers":
            return said.low <= clause.low and said.high >= clause.high
        case "within":
            return clause.low <= said.low and said.high <= clause.high
        case comparison:
            return _BOUNDS[comparison](_end(clause, said), clause.low)


def distance(clause: Clause, said: Said) -> float:
    """Return how far what is said is from the clause: 0 if it is just that, and less than 1."""
    match clause.comparison:
        case "one of":
            return 0.0
        case "covers":
            off = clause.low - said.low + said.high - clause.high
            size = said.high - said.low + abs(clause.low) + abs(clause.high)
        case "within":
            middle = (clause.low + clause.high) / 2
            off, size = abs(said.low - middle), abs(said.low) + abs(middle)
        case _:
            end = _end(clause, said)
            off, size = abs(end - clause.low), abs(end) + abs(clause.low)
    return off / size if size else 0.0


def _end(clause: Clause, said: Said) -> float:
    upward = clause.definition.kind == AttributeDefinition.Kind.RANGE and clause.comparison in (">=", ">")
    return said.high if upward else said.low
