"""Small worlds for tests."""

from dataclasses import dataclass

from parts.models import AttributeDefinition, Part, PartType
from stock import ledger
from stock.models import Box, Lot


@dataclass(frozen=True)
class Shelf:
    """A part, and the two boxes it may lie in."""

    part: Part
    first: Box
    second: Box

    def qty(self, box: Box) -> int:
        """How many are in a box."""
        return Lot.objects.filter(part=self.part, box=box).values_list("qty", flat=True).first() or 0


def shelf(quantity: int = 10) -> Shelf:
    """Make one, with so many of the part in the first box."""
    made = Shelf(part(), Box.objects.create(code="A1", name="Small parts"), Box.objects.create(code="A2"))
    if quantity:
        ledger.add(made.part.pk, made.first.pk, quantity)
    return made


def part(name: str = "Resistor 4k7", **values: object) -> Part:
    """Make a part; its type is made where there is none."""
    of_type, _ = PartType.objects.get_or_create(parent=None, name="Resistor")
    return Part.objects.create(**{"type": of_type, "name": name, **values})


def define(key: str, **values: object) -> AttributeDefinition:
    """Define an attribute of resistors, or of ``part_type``: a quantity, unless ``kind`` says otherwise."""
    kind = AttributeDefinition.Kind(values.pop("kind", "quantity"))
    of_type = values.pop("part_type", None) or PartType.objects.get_or_create(parent=None, name="Resistor")[0]
    defaults = {"label": key.capitalize(), "kind": kind, "match": AttributeDefinition.MATCHES[kind][0]}
    return AttributeDefinition.objects.create(part_type=of_type, key=key, **{**defaults, **values})
