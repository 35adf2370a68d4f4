"""``/boxes``: the places that parts lie in, and the tree they stand in."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, ProtectedError, Sum
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Resource, described, given
from api.errors import Problem, invalid
from api.stock import box_of
from stock.models import Box, Lot, box_tree

_CODE = OpenApiParameter("code", OpenApiTypes.STR, OpenApiParameter.PATH, pattern="^[A-Z0-9-]{1,20}$")


class BoxBody(serializers.Serializer):
    """A box, and how much is in it (not in the boxes inside it)."""

    code = serializers.CharField(help_text="what is written on it")
    name = serializers.CharField()
    kind = serializers.ChoiceField(Box.Kind.choices)
    parent = serializers.CharField(allow_null=True, help_text="the code of the box that it stands in")
    path = serializers.ListField(child=serializers.CharField(), help_text="codes from the outermost box to this one")
    parts = serializers.IntegerField()
    pieces = serializers.IntegerField()


class BoxInput(serializers.Serializer):
    """A box as it is written."""

    code = serializers.CharField(max_length=20)
    name = serializers.CharField(max_length=80, allow_blank=True, default="")
    kind = serializers.ChoiceField(Box.Kind.choices, default=Box.Kind.BOX)
    parent = serializers.CharField(max_length=20, allow_null=True, default=None)


class BoxesBody(serializers.Serializer):
    """All boxes, each after the one that it stands in."""

    items = BoxBody(many=True)


_EXAMPLE = OpenApiExample(
    "a drawer", {"code": "B2", "name": "Resistors", "kind": "drawer", "parent": "RACK-3"}, request_only=True
)


class Boxes(Resource):
    """All boxes."""

    needs = {"POST": "stock.add_box"}

    @described("listBoxes", BoxesBody)
    def get(self, _request: Request) -> Response:
        """List all boxes as a tree, parents before what stands in them. There are some hundreds at most."""
        return Response({"items": _bodies()})

    @described("createBox", BoxBody, status=201, body=BoxInput, refuses=[409], examples=[_EXAMPLE])
    def post(self, request: Request) -> Response:
        """Make a box."""
        return Response(_written(Box(), given(BoxInput, request)), status=201)


class OneBox(Resource):
    """A box."""

    needs = {"PATCH": "stock.change_box", "DELETE": "stock.delete_box"}

    @described("getBox", BoxBody, parameters=[_CODE])
    def get(self, _request: Request, code: str) -> Response:
        """Show a box. What is in it: `/lots?box=`, or `/parts?box=`, which counts the boxes inside it."""
        return Response(_body(_box(code)))

    @described("updateBox", BoxBody, body=BoxInput, parameters=[_CODE], refuses=[409])
    def patch(self, request: Request, code: str) -> Response:
        """Change what is named; a new parent carries it, with all that is in it, to another place."""
        return Response(_written(_box(code), given(BoxInput, request, partial=True)))

    @described("deleteBox", status=204, parameters=[_CODE], refuses=[409])
    def delete(self, _request: Request, code: str) -> Response:
        """Delete a box that nothing was ever in."""
        try:
            _box(code).delete()
        except ProtectedError:
            raise Problem(409, "has-history", "parts or boxes are in it or were, and that is kept") from None
        return Response(status=204)


def _box(code: str) -> Box:
    box = Box.objects.filter(code=code).first()
    if box is None:
        raise Http404(f"there is no box {code}")
    return box


def _body(box: Box) -> dict[str, Any]:
    return next(body for body in _bodies() if body["code"] == box.code)


def _bodies() -> list[dict[str, Any]]:
    """Return all boxes. Two queries."""
    held = Lot.objects.filter(qty__gt=0).values("box_id").annotate(parts=Count("pk"), pieces=Sum("qty"))
    contents = {row["box_id"]: row for row in held}
    boxes, bodies, paths = box_tree(), [], {None: []}
    for _, box in boxes.walk():
        paths[box.pk] = [*paths[box.parent_id], box.code]
        inside = contents.get(box.pk, {"parts": 0, "pieces": 0})
        bodies.append(
            {
                "code": box.code,
                "name": box.name,
                "kind": box.kind,
                "parent": boxes.rows[box.parent_id].code if box.parent_id else None,
                "path": paths[box.pk],
                "parts": inside["parts"],
                "pieces": inside["pieces"],
            }
        )
    return bodies


def _written(box: Box, values: dict[str, Any]) -> dict[str, Any]:
    if "parent" in values:
        values["parent"] = None if values["parent"] is None else box_of(values["parent"], "parent")
    for name, value in values.items():
        setattr(box, name, value)
    if Box.objects.filter(code=box.code).exclude(pk=box.pk).exists():
        raise Problem(409, "code-taken", f"there is a box {box.code}")
    try:
        box.full_clean()
    except ValidationError as error:
        raise invalid({name: " ".join(reasons) for name, reasons in error.message_dict.items()}) from None
    box.save()
    return _body(box)
