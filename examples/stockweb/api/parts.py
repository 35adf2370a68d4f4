"""``/parts``: what parts there are, and keeping them.

A page of the list comes from plain rows, without models or serializers, by at most six queries however long it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, ProtectedError, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import Http404
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Resource, asked, described, given
from api.errors import Problem, bad_parameters, invalid
from api.movements import LATEST, MovementBody, latest
from api.paging import PageQuery, page, page_of
from parts.attributes import Attribute, attributes
from parts.models import Part, type_tree
from parts.requirement import vocabulary
from parts.search import found
from parts.writing import WrongValues, set_values
from stock.holdings import Holding, holdings, within
from stock.models import Lot

COLUMNS = ("pk", "type_id", "type__name", "name", "mpn", "manufacturer", "description", "package", "tags", "min_qty")


class AttributeBody(serializers.Serializer):
    """An attribute of a part: as it was typed, and what that was understood as, in base units."""

    key = serializers.CharField()
    label = serializers.CharField()
    unit = serializers.CharField(help_text="the base unit as it is shown; empty where there is none")
    kind = serializers.CharField()
    value = serializers.CharField(help_text="as it was typed: 4k7")
    understood = serializers.CharField(help_text="4.7 kΩ ±1 %; empty where the value could not be read")
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    tolerance = serializers.FloatField(allow_null=True, help_text="percent")
    word = serializers.CharField(help_text="of a choice, a text or a yes and no; else empty")


class HoldingBody(serializers.Serializer):
    """So many in a box."""

    box = serializers.CharField()
    quantity = serializers.IntegerField()
    approximate = serializers.BooleanField(help_text="a handful, of which taking is never refused")
    counted_at = serializers.DateTimeField(allow_null=True)


class PartBody(serializers.Serializer):
    """A part."""

    id = serializers.IntegerField()
    type_id = serializers.IntegerField()
    type = serializers.CharField()
    name = serializers.CharField()
    mpn = serializers.CharField(help_text="the manufacturer's part number")
    manufacturer = serializers.CharField()
    description = serializers.CharField()
    package = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    min_qty = serializers.IntegerField(help_text="fewer than that are low; 0: any stock is enough")
    attributes = AttributeBody(many=True)
    stock = HoldingBody(many=True)
    total = serializers.IntegerField()
    low = serializers.BooleanField()


class PartDetailBody(PartBody):
    """A part with what was done to it last, the newest first."""

    created = serializers.DateTimeField()
    updated = serializers.DateTimeField()
    movements = MovementBody(many=True)


class PartInput(serializers.Serializer):
    """A part as it is written. Attributes are texts by key; an empty one removes it, those not named stay."""

    type_id = serializers.IntegerField()
    name = serializers.CharField(max_length=120)
    mpn = serializers.CharField(max_length=80, allow_blank=True, default="")
    manufacturer = serializers.CharField(max_length=80, allow_blank=True, default="")
    description = serializers.CharField(max_length=10_000, allow_blank=True, default="")
    package = serializers.CharField(max_length=40, allow_blank=True, default="")
    tags = serializers.ListField(child=serializers.RegexField(r"^\S+$", max_length=60), max_length=30, default=list)
    min_qty = serializers.IntegerField(min_value=0, max_value=2_147_483_647, default=0)
    attributes = serializers.DictField(child=serializers.CharField(max_length=80, allow_blank=True), default=dict)

    def validate_tags(self, tags: list[str]) -> list[str]:
        """Refuse tags that are too long together."""
        if len(" ".join(tags)) > 200:
            raise serializers.ValidationError("all tags together have at most 200 characters")
        return tags


class PartQuery(PageQuery):
    """Which parts to list."""

    q = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="words, which may be misspelt or incomplete"
    )
    type = serializers.IntegerField(required=False, help_text="the id of a type; those below it count")
    tag = serializers.CharField(required=False, allow_blank=True, max_length=60)
    box = serializers.CharField(
        required=False, allow_blank=True, max_length=20, help_text="a box's code; boxes inside it count"
    )
    in_stock = serializers.BooleanField(required=False, allow_null=True, default=None)
    low = serializers.BooleanField(required=False, allow_null=True, default=None, help_text="below the minimum")


_EXAMPLE = OpenApiExample(
    "a resistor",
    {
        "type_id": 1,
        "name": "Resistor 4k7",
        "mpn": "CRCW08054K70FKEA",
        "manufacturer": "Vishay",
        "package": "0805",
        "tags": ["smd"],
        "min_qty": 50,
        "attributes": {"resistance": "4k7", "tolerance": "±1%"},
    },
    request_only=True,
)


class Parts(Resource):
    """All parts."""

    needs = {"POST": "parts.add_part"}

    @described("listParts", page_of(PartBody, counted=True), query=PartQuery)
    def get(self, request: Request) -> Response:
        """List parts: by name, or those that match words with the best match first."""
        query = asked(PartQuery, request)
        parts = chosen(query)
        ranks = ("is_it", "likeness") if "likeness" in parts.query.annotations else ()
        order = (*(f"-{rank}" for rank in ranks), "name", "pk")
        return Response(page(parts.values(*COLUMNS, *ranks), order, query, part_bodies, counted=True))

    @described("createPart", PartDetailBody, status=201, body=PartInput, refuses=[409], examples=[_EXAMPLE])
    def post(self, request: Request) -> Response:
        """Make a part. Says of each attribute what it was understood as, or why it was not."""
        values = given(PartInput, request)
        return Response(detail(_written(Part(), values)), status=201)


class OnePart(Resource):
    """A part."""

    needs = {"PATCH": "parts.change_part", "DELETE": "parts.delete_part"}

    @described("getPart", PartDetailBody)
    def get(self, _request: Request, pk: int) -> Response:
        """Show a part with its attributes, its stock and what was done to it last."""
        return Response(detail(pk))

    @described("updatePart", PartDetailBody, body=PartInput, refuses=[409])
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named."""
        values = given(PartInput, request, partial=True)
        part = Part.objects.filter(pk=pk).first()
        if part is None:
            raise no_part(pk)
        return Response(detail(_written(part, values)))

    @described("deletePart", status=204, refuses=[409])
    def delete(self, _request: Request, pk: int) -> Response:
        """Delete a part that was never in stock: what was done to one is kept for ever."""
        part = Part.objects.filter(pk=pk).first()
        if part is None:
            raise no_part(pk)
        total = Lot.objects.filter(part=part).aggregate(total=Coalesce(Sum("qty"), 0))["total"]
        if total:
            raise Problem(409, "in-stock", f"there are {total} of it", balance=total)
        try:
            part.delete()
        except ProtectedError:
            raise Problem(409, "has-history", "it has movements or is used, and those are kept") from None
        return Response(status=204)


def chosen(query: Mapping[str, Any]) -> QuerySet[Part]:
    """Return the parts that a query asks for. Raises a problem for a type that is none."""
    parts = Part.objects.all()
    if (type_id := query.get("type")) is not None:
        types = type_tree()
        if type_id not in types.rows:
            raise bad_parameters({"type": f"there is no type {type_id}"})
        parts = parts.filter(type__in=types.within(type_id))
    if query.get("box"):
        inside = Lot.objects.filter(part=OuterRef("pk"), box__in=within(query["box"]), qty__gt=0)
        parts = parts.filter(Exists(inside))
    if query.get("tag"):
        parts = parts.filter(tags__iregex=rf"(^|\s){_literal(query['tag'])}(\s|$)")
    if query.get("in_stock") is not None:
        there = Exists(Lot.objects.filter(part=OuterRef("pk"), qty__gt=0))
        parts = parts.filter(there if query["in_stock"] else ~there)
    if query.get("low") is not None:
        lots = Lot.objects.filter(part=OuterRef("pk")).order_by().values("part")
        total = Coalesce(lots.annotate(total=Sum("qty")).values("total"), 0)
        parts = parts.alias(held=total)
        parts = parts.filter(held__lt=F("min_qty")) if query["low"] else parts.filter(held__gte=F("min_qty"))
    return found(parts, query.get("q", ""))


def part_bodies(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return parts as they are told, from rows that have ``COLUMNS``. Two queries."""
    ids = [row["pk"] for row in rows]
    held, specified = holdings(ids), attributes(ids)
    return [_part_body(row, held.get(row["pk"], ()), specified.get(row["pk"], ())) for row in rows]


def detail(pk: int) -> dict[str, Any]:
    """Return one part with everything. Four queries. Raises a problem where it is not there."""
    row = Part.objects.filter(pk=pk).values(*COLUMNS, "created", "updated").first()
    if row is None:
        raise no_part(pk)
    (body,) = part_bodies([row])
    return body | {"created": row["created"], "updated": row["updated"], "movements": latest(pk, LATEST)}


def no_part(pk: int) -> Http404:
    """Return the error that says so."""
    return Http404(f"there is no part {pk}")


def attribute_body(attribute: Attribute) -> dict[str, Any]:
    """Return an attribute as it is told."""
    return {
        "key": attribute.key,
        "label": attribute.label,
        "unit": attribute.unit,
        "kind": attribute.kind,
        "value": attribute.value,
        "understood": attribute.understood,
        "low": attribute.low,
        "high": attribute.high,
        "tolerance": attribute.tolerance,
        "word": attribute.word,
    }


def holding_body(holding: Holding) -> dict[str, Any]:
    """Return what a box holds as it is told."""
    return {
        "box": holding.box,
        "quantity": holding.qty,
        "approximate": holding.approx,
        "counted_at": holding.counted_at,
    }


def _part_body(row: Mapping[str, Any], held: Sequence[Holding], specified: Sequence[Attribute]) -> dict[str, Any]:
    total = sum(holding.qty for holding in held)
    return {
        "id": row["pk"],
        "type_id": row["type_id"],
        "type": row["type__name"],
        "name": row["name"],
        "mpn": row["mpn"],
        "manufacturer": row["manufacturer"],
        "description": row["description"],
        "package": row["package"],
        "tags": row["tags"].split(),
        "min_qty": row["min_qty"],
        "attributes": [attribute_body(each) for each in specified],
        "stock": [holding_body(each) for each in held],
        "total": total,
        "low": total < row["min_qty"],
    }


def _written(part: Part, values: dict[str, Any]) -> int:
    """Write a part with its attributes, all of it or nothing; return its id."""
    raws = values.pop("attributes", {})
    if "tags" in values:
        values["tags"] = " ".join(values["tags"])
    for name, value in values.items():
        setattr(part, name, value)
    known = vocabulary()
    if part.type_id not in known.types.rows:
        raise invalid({"type_id": f"there is no type {part.type_id}"})
    twin = Part.objects.filter(mpn=part.mpn, manufacturer=part.manufacturer).exclude(pk=part.pk)
    if part.mpn and (other := twin.values_list("pk", flat=True).first()):
        raise Problem(409, "number-taken", f"part {other} has this number of this manufacturer", part=other)
    try:
        with transaction.atomic():
            # Of one that exists, what is named alone: somebody else may be changing the rest.
            part.save(update_fields={*values, "updated"} if part.pk else None)
            set_values(part, raws, known)
    except WrongValues as error:
        raise invalid(error.wrong, where="/attributes") from None
    return part.pk


def _literal(text: str) -> str:
    """Return a text as a regular expression of PostgreSQL that matches it alone."""
    return "".join(each if each.isalnum() else f"\\{each}" for each in text)
