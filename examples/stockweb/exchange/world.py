"""What the database has of the things that some rows are about, read at once: a dozen queries however many rows."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from exchange.columns import OF_PART
from parts.models import AttributeDefinition, AttributeValue, Part, PartType
from parts.requirement import Vocabulary, vocabulary
from stock.models import Box, Lot, Movement
from stockweb.tree import Tree

#: Columns of a part that are fields of its own.
FIELDS = tuple(each for each in OF_PART if each not in ("id", "type"))
#: An id may be so far beyond those that were given already, for a file from another database.
_BEYOND = 1_000_000
_PATH = " > "
#: Before a quantity that nobody counted.
ROUGHLY = "~"


@dataclass(frozen=True)
class Amount:
    """So many are in a box, or about so many."""

    quantity: int = 0
    roughly: bool = False

    def __str__(self) -> str:
        return f"{ROUGHLY if self.roughly else ''}{self.quantity}"


@dataclass(frozen=True)
class Known:
    """A part as it is: its type, its own columns, and its values as they were typed by definition."""

    id: int
    type: int
    fields: Mapping[str, str | int]
    values: Mapping[int, str]


@dataclass(frozen=True)
class Words:
    """Types and boxes by what people call them, and the attributes of each type."""

    vocabulary: Vocabulary
    #: By path, by path however it is capitalised, by name alone: the first that knows a text is right.
    types: Sequence[Mapping[str, tuple[int, ...]]]
    boxes: Mapping[str, int]
    definitions: Mapping[int, AttributeDefinition]

    def called(self, text: str) -> tuple[int, ...]:
        """Return the types that may be meant."""
        return next((named[each] for named in self.types for each in (text, text.casefold()) if each in named), ())

    def attributes(self, type_id: int) -> dict[str, AttributeDefinition]:
        """Return the attributes of a type by their keys."""
        return {each.key: each for each in self.vocabulary.definitions(type_id)}


@dataclass(frozen=True)
class World:
    """The parts that rows may be about: by id, by number with manufacturer, and by type with name, without number."""

    parts: Mapping[int, Known]
    by_number: Mapping[tuple[str, str], int]
    by_name: Mapping[tuple[int, str], tuple[int, ...]]
    balances: Mapping[tuple[int, int], Amount]
    done: Collection[uuid.UUID]
    last_id: int


def type_path(types: Tree[PartType], pk: int) -> str:
    """Return how a type is written: ``Capacitor > Ceramic``. No two types are written alike."""
    escaped = (each.name.replace("\\", "\\\\").replace(">", "\\>") for each in types.path(pk))
    return _PATH.join(escaped)


def words() -> Words:
    """Read what types, attributes and boxes are called. Three queries."""
    known = vocabulary()
    types: tuple[dict[str, tuple[int, ...]], ...] = ({}, {}, {})
    for pk, each in known.types.rows.items():
        path = type_path(known.types, pk)
        for named, name in zip(types, (path, path.casefold(), each.name.casefold()), strict=True):
            named[name] = (*named.get(name, ()), pk)
    definitions = {each.pk: each for own in known.own.values() for each in own}
    return Words(known, types, dict(Box.objects.values_list("code", "pk")), definitions)


def world(
    ids: Collection[int],
    numbers: Collection[tuple[str, str]],
    names: Collection[tuple[int, str]],
    keys: Collection[uuid.UUID] = (),
) -> World:
    """Read what there is of the parts that are called so, and which of the ``keys`` have a movement already."""
    parts = Part.objects.order_by("pk")
    found = _parts(parts.filter(pk__in=ids))
    found |= _parts(parts.filter(mpn__in={number for number, _ in numbers}).exclude(mpn="")) if numbers else {}
    found |= _parts(parts.filter(mpn="", name__in={name for _, name in names})) if names else {}
    by_name: dict[tuple[int, str], tuple[int, ...]] = defaultdict(tuple)
    for each in found.values():
        if not each.fields["mpn"]:
            by_name[each.type, str(each.fields["name"])] += (each.id,)
    lots = Lot.objects.filter(part_id__in=found).values_list("part_id", "box_id", "qty", "approx")
    return World(
        parts=found,
        by_number={
            (str(each.fields["mpn"]), str(each.fields["manufacturer"])): each.id
            for each in found.values()
            if each.fields["mpn"]
        },
        by_name=by_name,
        balances={(part, box): Amount(*rest) for part, box, *rest in lots},
        done=set(Movement.objects.filter(key__in=keys).values_list("key", flat=True)) if keys else set(),
        last_id=_last_id(),
    )


def highest_id(known: World) -> int:
    """Return the highest id that a file may give to a new part."""
    return known.last_id + _BEYOND


def _parts(parts: Iterable[Part]) -> dict[int, Known]:
    rows = list(parts.values("pk", "type_id", *FIELDS))
    values: dict[int, dict[int, str]] = defaultdict(dict)
    of = AttributeValue.objects.filter(part_id__in=[row["pk"] for row in rows])
    for part, definition, raw in of.order_by().values_list("part_id", "definition_id", "raw"):
        values[part][definition] = raw
    return {
        row["pk"]: Known(row["pk"], row["type_id"], {name: row[name] for name in FIELDS}, values[row["pk"]])
        for row in rows
    }


def _last_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM parts_part_id_seq")
        return cursor.fetchone()[0]
