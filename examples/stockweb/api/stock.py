"""Changing the stock: ``/parts/7/take``, ``/add``, ``/move``; and ``/lots``, what lies where, and ``/low-stock``.

Each change carries ``Idempotency-Key``, a UUID of the client's choice. Sent again with the same key (a phone on bad
Wi-Fi) it changes nothing and is answered as the first time, by 200 instead of 201.
"""

import uuid
from collections.abc import Callable
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
from api.paging import PageQuery, page, page_of
from api.parts import COLUMNS, PartBody, no_part, part_bodies
from live.events import newest
from parts.models import Part
from stock import ledger
from stock.low_stock import low_parts
from stock.models import Box, Lot

KEY = "Idempotency-Key"
_KEY = OpenApiParameter(KEY, OpenApiTypes.UUID, OpenApiParameter.HEADER, required=True, description="of your choice")


class Quantity(serializers.IntegerField):
    """So many: a whole number, and not one in quotes."""

    def __init__(self) -> None:
        super().__init__(min_value=1, max_value=ledger.MAX_QUANTITY)

    def to_internal_value(self, data: Any) -> int:
        """Refuse what JSON does not call a whole number."""
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class ChangeInput(serializers.Serializer):
    """So many into a box, or out of it."""

    box = serializers.CharField(max_length=20, help_text="its code")
    quantity = Quantity()


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


class LotQuery(PageQuery):
    """Which lots to list."""

    part = serializers.IntegerField(required=False)
    box = serializers.CharField(required=False, max_length=20, help_text="a box's code")
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
        body=ChangeInput,
        parameters=[_KEY],
        refuses=[422],
        examples=[_THREE],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Put parts into a box."""
        return _changed(request, pk, ledger.add)


class Take(Resource):
    """Taking from the stock."""

    needs = {"POST": "stock.add_movement"}

    @described(
        "takeStock",
        EntryBody,
        status=201,
        answers={200: EntryBody},
        body=ChangeInput,
        parameters=[_KEY],
        refuses=[409, 422],
        examples=[_THREE],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take parts out of a box. 409 with the present `balance` where there are fewer."""
        return _changed(request, pk, ledger.take)


class Move(Resource):
    """Moving between boxes."""

    needs = {"POST": "stock.add_movement"}

    @described(
        "moveStock",
        EntryBody(many=True),
        status=201,
        answers={200: EntryBody(many=True)},
        body=MoveInput,
        parameters=[_KEY],
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
        lots = lots.filter(**{field: query[name] for name, field in fields.items() if name in query})
        rows = lots.values("id", "part_id", "qty", part_name=F("part__name"), code=F("box__code"))
        order = ("part_name", "id") if "box" in query else ("id",)
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


def _changed(request: Request, pk: int, act: Callable[..., ledger.Entry]) -> Response:
    _known(pk)
    key, wanted = key_of(request), given(ChangeInput, request)
    box = box_of(wanted["box"], "box")
    entry = act(pk, box.pk, wanted["quantity"], user=request.user.pk, key=key)
    return Response(_entry(entry, pk, box), status=200 if entry.replayed else 201)


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
