"""The form of a type of parts: a field for each attribute, made anew from what was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from parts.asking import PREFIX
from parts.models import AttributeDefinition
from parts.quantity import QuantityError
from parts.reading import choices_of
from parts.requirement import clause
from parts.units import UNITS

_KIND, _MATCH = AttributeDefinition.Kind, AttributeDefinition.Match
_SAYS = {_MATCH.EXACT: "", _MATCH.HIGHER: "at least ", _MATCH.LOWER: "at most ", _MATCH.COVERS: "works at "}


@dataclass(frozen=True)
class Field:
    """One attribute: boxes to tick where there are ``choices`` (each with whether it is), else a text."""

    name: str
    label: str
    hint: str
    value: str
    error: str
    choices: Sequence[tuple[str, bool]]


def fields(definitions: Sequence[AttributeDefinition], query: QueryDict, wrong: Mapping[str, str]) -> Sequence[Field]:
    """Return the fields of a type's attributes as they were filled in, and what is wrong with them."""
    return [_field(each, query.getlist(f"{PREFIX}{each.key}"), wrong.get(each.key, "")) for each in definitions]


def _field(definition: AttributeDefinition, texts: Sequence[str], error: str) -> Field:
    text = " | ".join(filter(None, texts))
    choices = {_KIND.CHOICE: choices_of(definition), _KIND.BOOLEAN: ["yes", "no"]}.get(_KIND(definition.kind), [])
    ticked: Sequence[str] = ()
    if choices and text:
        try:
            ticked = clause(definition, text).words
        except QuantityError:
            ticked = texts
    return Field(
        name=f"{PREFIX}{definition.key}",
        label=definition.label,
        hint=_hint(definition),
        value=text,
        error=error,
        choices=[(choice, choice in ticked) for choice in choices],
    )


def _hint(definition: AttributeDefinition) -> str:
    if definition.kind in (_KIND.QUANTITY, _KIND.RANGE):
        return f"{_SAYS[_MATCH(definition.match)]}{UNITS[definition.unit].example}"
    return ""
