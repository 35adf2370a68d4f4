"""``/movements``: what was done, by whom, and undoing it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F, QuerySet
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Resource, asked, described
from api.money import Money, money
from api.paging import PageQuery, page, page_of
from stock import ledger
from stock.models import Movement

#: As many are told with a part.
LATEST = 20
_COLUMNS = {
    "part": F("lot__part_id"),
    "part_name": F("lot__part__name"),
    "box": F("lot__box__code"),
    "who": F("user__username"),
    "undone_by": F("reversed_by__pk"),
}


class MovementBody(serializers.Serializer):
    """One change of the stock of a part in a box. A move is two of them with the same ``move``, a build is several."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    part = serializers.IntegerField()
    part_name = serializers.CharField()
    box = serializers.CharField()
    delta = serializers.IntegerField()
    balance = serializers.IntegerField(help_text="how many there were in the box afterwards")
    reason = serializers.ChoiceField(Movement.Reason.choices)
    user = serializers.CharField(allow_null=True, help_text="the name of whoever did it; null where nobody was told")
    approximate = serializers.BooleanField(help_text="whether the balance was a guess")
    unit_cost = Money(allow_null=True)
    currency = serializers.CharField(help_text="of the cost; empty where none is known")
    move = serializers.UUIDField(
        allow_null=True, help_text="what was done together has the same, and is undone together"
    )
    reverses = serializers.IntegerField(allow_null=True, help_text="the movement that this one undid")
    undone_by = serializers.IntegerField(allow_null=True)
    undoable = serializers.BooleanField()


class MovementQuery(PageQuery):
    """Which movements to list."""

    part = serializers.IntegerField(required=False)
    box = serializers.CharField(required=False, allow_blank=True, max_length=20, help_text="a box's code")
    user = serializers.CharField(required=False, allow_blank=True, max_length=150, help_text="who did it, by name")
    reason = serializers.ChoiceField(Movement.Reason.choices, required=False)


class Movements(Resource):
    """All movements."""

    @described("listMovements", page_of(MovementBody), query=MovementQuery)
    def get(self, request: Request) -> Response:
        """List what was done, the newest first."""
        query = asked(MovementQuery, request)
        fields = {"part": "lot__part", "box": "lot__box__code", "user": "user__username", "reason": "reason"}
        chosen = {field: query[name] for name, field in fields.items() if query.get(name) not in (None, "")}
        return Response(page(_rows().filter(**chosen), ("-id",), query, _bodies))


class Undo(Resource):
    """Undoing a movement."""

    needs = {"POST": "stock.add_movement"}

    @described("undoMovement", MovementBody(many=True), status=201, refuses=[409])
    def post(self, request: Request, pk: int) -> Response:
        """Reverse a movement, both halves of a move, all of a build. Done again, it is answered the same."""
        try:
            entries = ledger.undo(pk, user=request.user.pk)
        except Movement.DoesNotExist:
            raise Http404(f"there is no movement {pk}") from None
        rows = _rows().filter(pk__in=[entry.movement for entry in entries]).order_by("pk")
        return Response(_bodies(list(rows)), status=201)


def latest(part: int, count: int) -> list[dict[str, Any]]:
    """Return what was done to a part last. One query."""
    return _bodies(list(_rows().filter(lot__part=part).order_by("-pk")[:count]))


def _rows() -> QuerySet[Any]:
    columns = ("id", "at", "delta", "balance", "reason", "approx", "unit_cost", "currency", "move_id", "reverses_id")
    return Movement.objects.values(*columns, **_COLUMNS)


def _bodies(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "id": row["id"],
            "at": row["at"],
            "part": row["part"],
            "part_name": row["part_name"],
            "box": row["box"],
            "delta": row["delta"],
            "balance": row["balance"],
            "reason": row["reason"],
            "user": row["who"],
            "approximate": row["approx"],
            "unit_cost": None if row["unit_cost"] is None else money(row["unit_cost"]),
            "currency": row["currency"],
            "move": row["move_id"],
            "reverses": row["reverses_id"],
            "undone_by": row["undone_by"],
            "undoable": row["reason"] != Movement.Reason.UNDO and row["undone_by"] is None,
        }
        for row in rows
    ]
