"""``/types``: the tree of part types, and what parts of each are described by."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Count, ProtectedError
from django.http import Http404
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Resource, described, given
from api.errors import Problem, invalid
from parts.models import AttributeDefinition, Part, PartType
from parts.reading import choices_of
from parts.requirement import vocabulary
from parts.units import UNITS
from people.log import ADDED, CHANGED, DELETED, note


class DefinitionBody(serializers.Serializer):
    """What parts of a type are described by: *Resistance*."""

    id = serializers.IntegerField()
    type_id = serializers.IntegerField(help_text="the type that defines it, this one or one above it")
    key = serializers.CharField()
    label = serializers.CharField()
    kind = serializers.ChoiceField(AttributeDefinition.Kind.choices)
    unit = serializers.ChoiceField(AttributeDefinition.Unit.choices, help_text="base unit; values carry a prefix")
    symbol = serializers.CharField(help_text="the unit as it is shown")
    example = serializers.CharField(help_text="a value as people write it; empty for words")
    match = serializers.ChoiceField(AttributeDefinition.Match.choices, help_text="what suits a mere value")
    rel_tol = serializers.FloatField(help_text="of an exact match: 0.01 is 1 %")
    choices = serializers.ListField(child=serializers.CharField())
    required = serializers.BooleanField()
    position = serializers.IntegerField()


class TypeBody(serializers.Serializer):
    """A type of parts."""

    id = serializers.IntegerField()
    parent_id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    path = serializers.ListField(child=serializers.CharField(), help_text="names from the topmost type to this one")
    designators = serializers.CharField(help_text="letters of its references in drawings: D LED")
    parts = serializers.IntegerField(help_text="how many there are of it and of those below it")
    attributes = DefinitionBody(many=True, help_text="those of the types above it first")


class TypesBody(serializers.Serializer):
    """All types, each after the one above it."""

    items = TypeBody(many=True)


class TypeInput(serializers.Serializer):
    """A type as it is written."""

    name = serializers.CharField(max_length=60)
    parent_id = serializers.IntegerField(allow_null=True, default=None)
    designators = serializers.CharField(
        max_length=40, allow_blank=True, default="", help_text="letters of its references in drawings: D LED"
    )


class DefinitionInput(serializers.Serializer):
    """An attribute as it is written. Changing kind, unit or choices reads all its values anew."""

    key = serializers.SlugField(max_length=40)
    label = serializers.CharField(max_length=60)
    kind = serializers.ChoiceField(AttributeDefinition.Kind.choices)
    unit = serializers.ChoiceField(AttributeDefinition.Unit.choices, default="")
    match = serializers.ChoiceField(AttributeDefinition.Match.choices, required=False)
    rel_tol = serializers.FloatField(min_value=0, max_value=1, default=1e-6)
    choices = serializers.ListField(child=serializers.CharField(max_length=80), max_length=200, default=list)
    required = serializers.BooleanField(default=False)
    position = serializers.IntegerField(min_value=0, max_value=32767, default=0)


_EXAMPLE = OpenApiExample(
    "a voltage",
    {"key": "voltage", "label": "Rated voltage", "kind": "quantity", "unit": "V", "match": "higher"},
    request_only=True,
)


class Types(Resource):
    """All types."""

    needs = {"POST": "parts.add_parttype"}

    @described("listTypes", TypesBody)
    def get(self, _request: Request) -> Response:
        """List all types as a tree, with their attributes. There are some hundreds at most."""
        return Response({"items": _bodies()})

    @described("createType", TypeBody, status=201, body=TypeInput)
    def post(self, request: Request) -> Response:
        """Make a type."""
        row = _checked(PartType(), given(TypeInput, request))
        note(request.user, row, ADDED)
        return Response(_body(row.pk), status=201)


class OneType(Resource):
    """A type."""

    needs = {"PATCH": "parts.change_parttype", "DELETE": "parts.delete_parttype"}

    @described("getType", TypeBody)
    def get(self, _request: Request, pk: int) -> Response:
        """Show a type with its attributes."""
        return Response(_body(_one(PartType, pk).pk))

    @described("updateType", TypeBody, body=TypeInput)
    def patch(self, request: Request, pk: int) -> Response:
        """Change its name, or what it is a kind of."""
        values = given(TypeInput, request, partial=True)
        row = _checked(_one(PartType, pk), values)
        note(request.user, row, CHANGED, values)
        return Response(_body(row.pk))

    @described("deleteType", status=204, refuses=[409])
    def delete(self, request: Request, pk: int) -> Response:
        """Delete a type that has no parts and no types below it."""
        return _deleted(request, _one(PartType, pk))


class Definitions(Resource):
    """The attributes of a type."""

    needs = {"POST": "parts.add_attributedefinition"}

    @described("createAttribute", DefinitionBody, status=201, body=DefinitionInput, examples=[_EXAMPLE])
    def post(self, request: Request, pk: int) -> Response:
        """Give a type an attribute."""
        of_type = _one(PartType, pk)
        row = _checked(AttributeDefinition(part_type=of_type), given(DefinitionInput, request))
        note(request.user, row, ADDED)
        return Response(_definition(row), status=201)


class OneDefinition(Resource):
    """An attribute of a type."""

    needs = {"PATCH": "parts.change_attributedefinition", "DELETE": "parts.delete_attributedefinition"}

    @described("updateAttribute", DefinitionBody, body=DefinitionInput)
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named."""
        values = given(DefinitionInput, request, partial=True)
        row = _checked(_one(AttributeDefinition, pk), values)
        note(request.user, row, CHANGED, values)
        return Response(_definition(row))

    @described("deleteAttribute", status=204, refuses=[409])
    def delete(self, request: Request, pk: int) -> Response:
        """Delete an attribute that no part has."""
        return _deleted(request, _one(AttributeDefinition, pk))


def _bodies() -> list[dict[str, Any]]:
    """Return all types. Three queries."""
    known = vocabulary()
    counts = dict(Part.objects.order_by().values_list("type_id").annotate(Count("pk")))
    return [
        {
            "id": row.pk,
            "parent_id": row.parent_id,
            "name": row.name,
            "path": [each.name for each in known.types.path(row.pk)],
            "designators": row.designators,
            "parts": sum(counts.get(each, 0) for each in known.types.within(row.pk)),
            "attributes": [_definition(each) for each in known.definitions(row.pk)],
        }
        for _, row in known.types.walk()
    ]


def _body(pk: int) -> dict[str, Any]:
    return next(body for body in _bodies() if body["id"] == pk)


def _definition(row: AttributeDefinition) -> dict[str, Any]:
    numeric = row.kind in (AttributeDefinition.Kind.QUANTITY, AttributeDefinition.Kind.RANGE)
    return {
        "id": row.pk,
        "type_id": row.part_type_id,
        "key": row.key,
        "label": row.label,
        "kind": row.kind,
        "unit": row.unit,
        "symbol": UNITS[row.unit].symbol,
        "example": UNITS[row.unit].example if numeric else "",
        "match": row.match,
        "rel_tol": row.rel_tol,
        "choices": choices_of(row),
        "required": row.required,
        "position": row.position,
    }


def _one(model: type[models.Model], pk: int) -> Any:
    row = model.objects.filter(pk=pk).first()
    if row is None:
        raise Http404(f"there is no {model._meta.verbose_name} {pk}")  # noqa: SLF001 - Django's own name for it
    return row


def _checked(row: Any, values: dict[str, Any]) -> Any:
    """Write a definition as Django's admin would. Raises a problem with what is wrong at which key."""
    values = dict(values)
    if "choices" in values:
        values["choices"] = "\n".join(" ".join(each.split()) for each in values["choices"])
    if "kind" in values:
        values.setdefault("match", AttributeDefinition.MATCHES[AttributeDefinition.Kind(values["kind"])][0])
    parent = values.get("parent_id")
    if parent is not None and not PartType.objects.filter(pk=parent).exists():
        raise invalid({"parent_id": f"there is no type {parent}"})
    for name, value in values.items():
        setattr(row, name, value)
    try:
        row.full_clean()
    except ValidationError as error:
        names = {"parent": "parent_id", "__all__": ""}
        raise invalid(
            {names.get(name, name): " ".join(reasons) for name, reasons in error.message_dict.items()}
        ) from None
    row.save()
    return row


def _deleted(request: Request, row: Any) -> Response:
    try:
        with transaction.atomic():
            note(request.user, row, DELETED)
            row.delete()
    except ProtectedError:
        raise Problem(409, "in-use", f"“{row}” is in use") from None
    return Response(status=204)
