"""Changing the stock: ``/parts/7/take``, ``/add``, ``/move``, ``/count``; ``/lots``, what lies where; ``/low-stock``.

Each change carries ``Idempotency-Key``, a UUID of the client's choice. Sent again with the same key (a phone on bad
Wi-Fi) it changes nothing and is answered as the first time, by 200 instead of 201.
"""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import F, FloatField
from django.db.models.functions import Cast
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Resource, asked, described, given
from api.errors import bad_parameters, invalid
from api.money import Currency, Money
from api.paging import PageQuery, page, page_of
from api.parts import COLUMNS, PartBody, no_part, part_bodies
from live.events import newest
from parts.models import Part
from stock import ledger
from stock.low_stock import low_parts
from stock.models import Box, Lot

KEY = "Idempotency-Key"
WITH_KEY = OpenApiParameter(
    KEY, OpenApiTypes.UUID, OpenApiParameter.HEADER, required=True, description="of your choice"
)


class Quantity(serializers.IntegerField):
    """So many: a whole number, and not one in quotes."""

    def __init__(self, least: int = 1, **more: Any) -> None:
        super().__init__(min_value=least, max_value=ledger.MAX_QUANTITY, **more)

    def to_internal_value(self, data: Any) -> int:
        """Refuse what JSON does not call a whole number."""
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class ChangeInput(serializers.Serializer):
    """So many into a box, or out of it."""

    box = serializers.CharField(max_length=20, help_text="its code")
    quantity = Quantity()


class AddInput(ChangeInput):
    """So many into a box, perhaps with what a piece cost."""

    unit_cost = Money(min_value=0, required=False)
    currency = Currency(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a cost in no currency, and a currency of nothing."""
        if ("unit_cost" in attrs) != ("currency" in attrs):
            raise serializers.ValidationError({"currency": "a cost and its currency come together"})
        return attrs


class CountInput(serializers.Serializer):
    """How many there are in a box."""

    box = serializers.CharField(max_length=20, help_text="its code")
    quantity = Quantity(least=0)
    roughly = serializers.BooleanField(default=False, help_text="nobody counted: it is a handful")


class MoveInput(serializers.Serializer):
    """So many from a box to another."""

    source = serializers.CharField(max_length=20, help_text="the code of the box to take from")
    target = serializers.CharField(max_length=20, help_text="the code of the box to put into")
    quantity = Quantity()


class EntryBody(serializers.Serializer):
    """What was done, and how many there are in the box now (or were then, when it is ``replayed``)."""

    movement = serializers.IntegerField()
    part = serializers.IntegerField()
    box = serializers.CharField()
    delta = serializers.IntegerField()
    balance = serializers.IntegerField()
    replayed = serializers.BooleanField(help_text="it had been done before under the same key")


class LotBody(serializers.Serializer):
    """How many of a part are in a box."""

    id = serializers.IntegerField()
    part = serializers.IntegerField()
    part_name = serializers.CharField()
    box = serializers.CharField()
    quantity = serializers.IntegerField()
    approximate = serializers.BooleanField(help_text="a handful, of which taking is never refused")
    counted_at = serializers.DateTimeField(allow_null=True)


class LotQuery(PageQuery):
    """Which lots to list."""

    part = serializers.IntegerField(required=False)
    box = serializers.CharField(required=False, allow_blank=True, max_length=20, help_text="a box's code")
    empty = serializers.BooleanField(required=False, default=False, help_text="those too that hold nothing now")


class PositionBody(serializers.Serializer):
    """Where the line of events ends."""

    position = serializers.IntegerField(help_text="for `/ws/movements?after=`")


_THREE = OpenApiExample("three", {"box": "B2", "quantity": 3}, request_only=True)


class Add(Resource):
    """Adding to the stock."""

    needs = {"POST": "stock.add_movement"}

    @described(
        "addStock",
        EntryBody,
        status=201,
        answers={200: EntryBody},
        body=AddInput,
        parameters=[WITH_KEY],
        refuses=[422],
        examples=[_THREE],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Put parts into a box."""
        return _changed(request, pk, AddInput, _bought)


class Take(Resource):
    """Taking from the stock."""

    needs = {"POST": "stock.add_movement"}

    @described(
        "takeStock",
        EntryBody,
        status=201,
        answers={200: EntryBody},
        body=ChangeInput,
        parameters=[WITH_KEY],
        refuses=[409, 422],
        examples=[_THREE],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take parts out of a box. 409 with the present `balance` where there are fewer."""
        return _changed(request, pk, ChangeInput, ledger.take)


class Count(Resource):
    """Counting what is in a box."""

    needs = {"POST": "stock.add_movement"}

    @described(
        "countStock",
        EntryBody,
        status=201,
        answers={200: EntryBody},
        body=CountInput,
        parameters=[WITH_KEY],
        refuses=[422],
        examples=[_THREE],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Say how many there are. What the books had too many or too few becomes a movement, also where it is none."""
        return _changed(request, pk, CountInput, ledger.count)


class Move(Resource):
    """Moving between boxes."""

    needs = {"POST": "stock.add_movement"}

    @described(
        "moveStock",
        EntryBody(many=True),
        status=201,
        answers={200: EntryBody(many=True)},
        body=MoveInput,
        parameters=[WITH_KEY],
        refuses=[409, 422],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Carry parts from one box to another, wholly or not at all. Tells both halves, the one that takes first."""
        _known(pk)
        key, wanted = key_of(request), given(MoveInput, request)
        source, target = box_of(wanted["source"], "source"), box_of(wanted["target"], "target")
        entries = ledger.move(pk, source.pk, target.pk, wanted["quantity"], user=request.user.pk, key=key)
        bodies = [_entry(entry, pk, box) for entry, box in zip(entries, (source, target), strict=True)]
        return Response(bodies, status=200 if entries[0].replayed else 201)


class Lots(Resource):
    """What lies where."""

    @described("listLots", page_of(LotBody), query=LotQuery)
    def get(self, request: Request) -> Response:
        """List what lies where."""
        query = asked(LotQuery, request)
        lots = Lot.objects.all() if query["empty"] else Lot.objects.filter(qty__gt=0)
        fields = {"part": "part", "box": "box__code"}
        lots = lots.filter(
            **{field: query[name] for name, field in fields.items() if query.get(name) not in (None, "")}
        )
        rows = lots.values(
            "id", "part_id", "qty", "approx", "counted_at", part_name=F("part__name"), code=F("box__code")
        )
        order = ("part_name", "id") if query.get("box") else ("id",)
        return Response(
            page(
                rows,
                order,
                query,
                lambda found: [
                    {
                        "id": row["id"],
                        "part": row["part_id"],
                        "part_name": row["part_name"],
                        "box": row["code"],
                        "quantity": row["qty"],
                        "approximate": row["approx"],
                        "counted_at": row["counted_at"],
                    }
                    for row in found
                ],
            )
        )


class LowStock(Resource):
    """What runs low."""

    @described("listLowStock", page_of(PartBody, counted=True), query=PageQuery)
    def get(self, request: Request) -> Response:
        """List the parts of which there are fewer than there should be, the emptiest first."""
        query = asked(PageQuery, request)
        left = Cast(F("total"), FloatField()) / Cast(F("min_qty"), FloatField())
        rows = low_parts().annotate(left=left).values(*COLUMNS, "left")
        return Response(page(rows, ("left", "name", "pk"), query, part_bodies, counted=True))


class Position(Resource):
    """Events."""

    @described("getEventPosition", PositionBody)
    def get(self, _request: Request) -> Response:
        """Tell where the line of events ends: read this first, then what you show, and follow from here."""
        return Response({"position": newest()})


def key_of(request: Request) -> uuid.UUID:
    """Return the key of a change. Raises a problem where there is none."""
    try:
        return uuid.UUID(request.headers.get(KEY, ""))
    except ValueError:
        raise bad_parameters({KEY: "this header must be a UUID of your choice"}) from None


def box_of(code: str, field: str) -> Box:
    """Return the box with a code that the body has at ``field``. Raises a problem where there is none."""
    box = Box.objects.filter(code=code).first()
    if box is None:
        raise invalid({field: f"there is no box “{code}”"})
    return box


def _changed(
    request: Request, pk: int, body: type[serializers.Serializer], act: Callable[..., ledger.Entry]
) -> Response:
    _known(pk)
    key, wanted = key_of(request), given(body, request)
    box = box_of(wanted.pop("box"), "box")
    entry = act(pk, box.pk, wanted.pop("quantity"), **wanted, user=request.user.pk, key=key)
    return Response(_entry(entry, pk, box), status=200 if entry.replayed else 201)


def _bought(
    part: int, box: int, quantity: int, *, unit_cost: Decimal | None = None, currency: str = "", **more: Any
) -> ledger.Entry:
    cost = None if unit_cost is None else ledger.Cost(unit_cost, currency)
    return ledger.add(part, box, quantity, cost=cost, **more)


def _known(pk: int) -> None:
    if not Part.objects.filter(pk=pk).exists():
        raise no_part(pk)


def _entry(entry: ledger.Entry, part: int, box: Box) -> dict[str, Any]:
    return {
        "movement": entry.movement,
        "part": part,
        "box": box.code,
        "delta": entry.delta,
        "balance": entry.balance,
        "replayed": entry.replayed,
    }
