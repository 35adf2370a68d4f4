"""What somebody needs: ``≥ 10 µF, ≥ 25 V, X7R``, as clauses over the attributes of a type of parts.

A clause suits a part or not, or is unknown where the part says nothing of its attribute. What a mere value asks for is
a matter of the attribute's rule (25 V is a rating, so more is fine; 4k7 is not); ``≥``, ``≤``, ``=``, a tolerance or a
range say it themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parts.models import AttributeDefinition, PartType, type_tree
from parts.quantity import MAX_LENGTH, Quantity, QuantityError, Wish, wish
from parts.reading import word
from stockweb.tree import Tree

#: Between words of which each would do.
OR = "|"
#: Bounds that are computed may be off in the last digit; a part that lies on one is meant to suit.
_ROUNDING = 1e-9
_MAX_PACKAGE = 40
_NUMERIC = (AttributeDefinition.Kind.QUANTITY, AttributeDefinition.Kind.RANGE)


class RequirementError(Exception):
    """What is asked for cannot be understood; ``wrong`` has the reason by the key of an attribute or of a field."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {reason}" for key, reason in wrong.items()))
        self.wrong = wrong


@dataclass(frozen=True)
class Clause:
    """What one attribute must be.

    ``comparison`` is ``>=``, ``<=``, ``>`` or ``<`` with ``low`` (which ``high`` equals), ``within`` or ``covers`` with
    ``low`` and ``high``, or ``one of`` with ``words``. ``text`` is as it was written, ``united`` whether a unit was.
    """

    definition: AttributeDefinition
    text: str
    comparison: str
    low: float = 0
    high: float = 0
    words: tuple[str, ...] = ()
    united: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Requirement:
    """Clauses on parts of a type and of those below it (``types`` are their ids), perhaps of a package, or in stock."""

    type: PartType
    types: Sequence[int]
    clauses: tuple[Clause, ...] = ()
    package: str = ""
    in_stock: bool = False


@dataclass(frozen=True)
class Vocabulary:
    """All types with their attributes."""

    types: Tree[PartType]
    own: Mapping[int, Sequence[AttributeDefinition]]

    def definitions(self, type_id: int) -> list[AttributeDefinition]:
        """Return the attributes of a type: those of the types above it first; of one key, the nearest."""
        by_key: dict[str, AttributeDefinition] = {}
        for each in self.types.path(type_id):
            by_key |= {definition.key: definition for definition in self.own.get(each.pk, ())}
        return list(by_key.values())

    def requirement(
        self, type_id: int, wanted: Mapping[str, str], *, package: str = "", in_stock: bool = False
    ) -> Requirement:
        """Return what is asked for by the texts of ``wanted``, by attribute key; empty ones ask for nothing.

        Raises :class:`RequirementError` with all that is wrong.
        """
        definitions = {each.key: each for each in self.definitions(type_id)}
        clauses, wrong = [], {}
        for key, text in wanted.items():
            if not text.strip():
                continue
            if key not in definitions:
                there = ", ".join(definitions) or "none"
                wrong[key] = f"{self.types.rows[type_id]} has no such attribute; it has {there}"
                continue
            try:
                clauses.append(clause(definitions[key], text))
            except QuantityError as error:
                wrong[key] = f"{error}"
        if len(package) > _MAX_PACKAGE:
            wrong["package"] = f"the name of a package has at most {_MAX_PACKAGE} characters"
        if wrong:
            raise RequirementError(wrong)
        order = list(definitions)
        clauses.sort(key=lambda each: order.index(each.definition.key))
        return Requirement(
            self.types.rows[type_id], self.types.within(type_id), tuple(clauses), " ".join(package.split()), in_stock
        )


def vocabulary() -> Vocabulary:
    """Return all types with their attributes. Two queries."""
    own: dict[int, list[AttributeDefinition]] = {}
    for definition in AttributeDefinition.objects.all():
        own.setdefault(definition.part_type_id, []).append(definition)
    return Vocabulary(type_tree(), own)


def clause(definition: AttributeDefinition, text: str) -> Clause:
    """Read what is asked of one attribute. Raises :class:`QuantityError`."""
    text = " ".join(text.split())
    if definition.kind in _NUMERIC:
        wanted = wish(text, definition.unit)
        low, high, comparison = _bounds(definition, wanted)
        return Clause(definition, text, comparison, low, high, united=wanted.quantity.united)
    words = tuple(dict.fromkeys(word(definition, each) for each in text.split(OR) if each.strip()))
    if not words or len(text) > MAX_LENGTH:
        raise QuantityError(f"write one or more words with {OR} between them, at most {MAX_LENGTH} characters")
    return Clause(definition, text, "one of", words=words)


def _bounds(definition: AttributeDefinition, wanted: Wish) -> tuple[float, float, str]:
    quantity, comparison = wanted.quantity, wanted.comparison
    if comparison in (">=", "<=", ">", "<"):
        if quantity.tolerance is not None:
            raise QuantityError("a bound has no tolerance")
        return quantity.low, quantity.high, comparison
    part = None if quantity.tolerance is None else quantity.tolerance / 100
    if comparison == "" and definition.kind == AttributeDefinition.Kind.RANGE:
        return *_near(quantity, 0 if part is None else part - _ROUNDING), "covers"
    if quantity.low < quantity.high:
        return quantity.low, quantity.high, "within"
    if comparison == "" and part is None and definition.match != AttributeDefinition.Match.EXACT:
        return quantity.low, quantity.high, ">=" if definition.match == AttributeDefinition.Match.HIGHER else "<="
    return *_near(quantity, definition.rel_tol if part is None else part + _ROUNDING), "within"


def _near(quantity: Quantity, part: float) -> tuple[float, float]:
    """Widen a quantity by a part of it."""
    return quantity.low - abs(quantity.low) * part, quantity.high + abs(quantity.high) * part
