"""Attribute values, read for showing: one query for all parts of a page."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from parts.models import AttributeDefinition, AttributeValue
from parts.reading import affirms


@dataclass(frozen=True)
class Attribute:
    """A value as it was typed, with the name, the base unit and the kind of what it says."""

    key: str
    label: str
    unit: str
    value: str
    kind: str

    @property
    def brief(self) -> str:
        """The value where no label stands beside it: a mere *yes* would say nothing, and a *no* need not be said."""
        if self.kind == AttributeDefinition.Kind.BOOLEAN:
            return self.label if affirms(self.value) else ""
        return self.value


def attributes(parts: Iterable[int]) -> dict[int, list[Attribute]]:
    """Return the attributes of each part in the order of their type's definitions; parts without any are absent."""
    found: dict[int, list[Attribute]] = defaultdict(list)
    values = AttributeValue.objects.filter(part_id__in=list(parts)).order_by("definition__position", "pk")
    columns = ("part_id", "definition__key", "definition__label", "definition__unit", "raw", "definition__kind")
    for part, key, label, unit, raw, kind in values.values_list(*columns):
        found[part].append(Attribute(key, label, AttributeDefinition.Unit(unit).label if unit else "", raw, kind))
    return found
