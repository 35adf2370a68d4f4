"""Attribute values, read for showing: one query for all parts of a page."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from parts.models import AttributeDefinition, AttributeValue


@dataclass(frozen=True)
class Attribute:
    """A value as it was typed, with the name and the base unit of what it says."""

    key: str
    label: str
    unit: str
    value: str


def attributes(parts: Iterable[int]) -> dict[int, list[Attribute]]:
    """Return the attributes of each part in the order of their type's definitions; parts without any are absent."""
    found: dict[int, list[Attribute]] = defaultdict(list)
    values = AttributeValue.objects.filter(part_id__in=list(parts)).order_by("definition__position", "pk")
    columns = ("part_id", "definition__key", "definition__label", "definition__unit", "raw")
    for part, key, label, unit, raw in values.values_list(*columns):
        found[part].append(Attribute(key, label, AttributeDefinition.Unit(unit).label if unit else "", raw))
    return found
