"""Attribute values, read for showing: one query for all parts of a page."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from parts.models import AttributeDefinition, AttributeValue
from parts.quantity import write
from parts.reading import affirms


@dataclass(frozen=True)
class Attribute:
    """A value as it was typed, with the name, the base unit and the kind of what it says, and what that is.

    ``low``, ``high`` are in base units, ``tolerance`` in percent; ``word`` is what else it says. All are empty where it
    could not be read.
    """

    key: str
    label: str
    unit: str
    value: str
    kind: str
    base: str = ""
    low: float | None = None
    high: float | None = None
    tolerance: float | None = None
    word: str = ""

    @property
    def brief(self) -> str:
        """The value where no label stands beside it: a mere *yes* would say nothing, and a *no* need not be said."""
        if self.kind == AttributeDefinition.Kind.BOOLEAN:
            return self.label if affirms(self.value) else ""
        return self.value

    @property
    def understood(self) -> str:
        """The value as it was understood: ``4.7 kΩ ±1 %``, ``-40 °C to 125 °C``; empty where it was not."""
        if self.low is None or self.high is None:
            return self.word
        text = write(self.low, self.base)
        if self.low < self.high:
            text += f" to {write(self.high, self.base)}"
        return text if self.tolerance is None else f"{text} ±{self.tolerance:g} %"


def attributes(parts: Iterable[int]) -> dict[int, list[Attribute]]:
    """Return the attributes of each part in the order of their type's definitions; parts without any are absent."""
    found: dict[int, list[Attribute]] = defaultdict(list)
    values = AttributeValue.objects.filter(part_id__in=list(parts)).order_by("definition__position", "pk")
    of_definition = ("definition__key", "definition__label", "definition__unit", "raw", "definition__kind")
    columns = ("part_id", *of_definition, "num_lo", "num_hi", "tol_pct", "text_value")
    for part, key, label, unit, raw, kind, *said in values.values_list(*columns):
        shown = AttributeDefinition.Unit(unit).label if unit else ""
        found[part].append(Attribute(key, label, shown, raw, kind, unit, *said))
    return found
