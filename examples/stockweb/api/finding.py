"""``/find``: parts by what they must be able to do; ``/requirements``: keeping what one looks for now and then.

``GET /api/v1/find?line=10u, 25V, X7R, in stock``
``GET /api/v1/find?type=4&attr:capacitance=>=10u&attr:dielectric=X7R&package=0805&stock=1&page=2``

What could suit mostly takes longer to find than what suits, so the halves may be asked for apart, side by side:
``bucket=suits`` and ``bucket=could``.
"""

from collections.abc import Sequence
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.auth import LOGGED_IN
from api.base import Resource, asked, described, given
from api.errors import bad_parameters, invalid
from api.paging import PageQuery, page, page_of
from api.parts import AttributeBody, HoldingBody, attribute_body, holding_body
from parts import asking
from parts.attributes import attributes
from parts.models import SavedRequirement
from parts.requirement import Requirement, RequirementError, vocabulary
from stock.holdings import holdings
from stock.suiting import Bucket, possible, suiting, unknown

PAGE_SIZE = 25
#: Counting further tells nobody anything; then ``more`` is true.
MAX_COUNT = 1000
_LAST_PAGE = MAX_COUNT // PAGE_SIZE
#: The halves of what is found, as ``bucket`` asks for them.
_SUITS, _COULD = "suits", "could"


class RequirementBody(serializers.Serializer):
    """What a requirement was understood as."""

    type_id = serializers.IntegerField()
    type = serializers.CharField()
    wanted = serializers.DictField(child=serializers.CharField(), help_text="texts by the key of an attribute")
    package = serializers.CharField()
    in_stock = serializers.BooleanField()


class SuitingBody(serializers.Serializer):
    """A part that suits."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    mpn = serializers.CharField()
    manufacturer = serializers.CharField()
    package = serializers.CharField()
    attributes = AttributeBody(many=True)
    stock = HoldingBody(many=True)
    total = serializers.IntegerField()


class PossibleBody(SuitingBody):
    """A part that could suit: not everything is known of it."""

    unknown = serializers.ListField(child=serializers.CharField(), help_text="keys of attributes, or `package`")


class SuitsBody(serializers.Serializer):
    """A page of the parts that suit, the best first."""

    count = serializers.IntegerField()
    more = serializers.BooleanField(help_text="there are more than `count`")
    parts = SuitingBody(many=True)


class CouldSuitBody(serializers.Serializer):
    """The first of the parts that could suit."""

    count = serializers.IntegerField()
    more = serializers.BooleanField()
    parts = PossibleBody(many=True)


class FoundBody(serializers.Serializer):
    """What was found; a half that was not asked for is left out."""

    requirement = RequirementBody()
    suits = SuitsBody(required=False)
    could_suit = CouldSuitBody(required=False)


class SavedBody(RequirementBody):
    """A requirement that somebody saved."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    user = serializers.CharField(help_text="whose it is")
    query = serializers.CharField(help_text="the query string by which /find finds it")


class SavedInput(serializers.Serializer):
    """A requirement to save."""

    name = serializers.CharField(max_length=80)
    type_id = serializers.IntegerField()
    wanted = serializers.DictField(child=serializers.CharField(max_length=400), default=dict)
    package = serializers.CharField(max_length=40, allow_blank=True, default="")
    in_stock = serializers.BooleanField(default=False)


class SavedQuery(PageQuery):
    """Which to list."""

    mine = serializers.BooleanField(required=False, default=False)


_PARAMETERS = [
    OpenApiParameter("line", str, description="in words: `capacitor, ≥ 10 µF, 25 V, X7R, 0805, in stock`"),
    OpenApiParameter("type", int, description="the id of a type"),
    OpenApiParameter(
        "attributes",
        {"type": "object", "additionalProperties": {"type": "string"}, "propertyNames": {"pattern": "^attr:"}},
        style="form",
        explode=True,
        description="`attr:capacitance=>=10u`, one for each attribute; again for other words that would do",
    ),
    OpenApiParameter("package", str),
    OpenApiParameter("stock", {"type": "string", "enum": ["0", "1"]}, description="1: only what is in stock"),
    OpenApiParameter("page", {"type": "integer", "minimum": 1, "maximum": _LAST_PAGE}),
    OpenApiParameter(
        "bucket",
        {"type": "string", "enum": [_SUITS, _COULD]},
        description="one half of what is found; without it, both",
    ),
]


class Find(Resource):
    """Finding by requirement."""

    @described("findParts", FoundBody, parameters=_PARAMETERS)
    def get(self, request: Request) -> Response:
        """Find the parts that suit, best first, and (on the first page) those that could, if more were known of them.

        Which rule an attribute goes by is a matter of its definition; `≥`, `≤`, `=`, `±10%` and `10–20 V` say it
        themselves. Six queries, five for one half, and one for each word that may be a package.
        """
        requirement = asking.asked(request.query_params, vocabulary())
        if requirement is None:
            raise RequirementError({"type": "name a type of part, or write a line"})
        number, halves = _page(request.query_params.get("page", "1")), _halves(request.query_params.get("bucket"))
        suits = suiting(requirement, (number - 1) * PAGE_SIZE, PAGE_SIZE) if _SUITS in halves else Bucket()
        could = possible(requirement, PAGE_SIZE) if _COULD in halves and number == 1 else Bucket()
        details = _details([part.pk for part in (*suits.parts, *could.parts)])
        body: dict[str, Any] = {"requirement": _requirement(requirement)}
        if _SUITS in halves:
            body["suits"] = _bucket(suits, details)
        if _COULD in halves:
            body["could_suit"] = _bucket(could, details, requirement)
        return Response(body)


class Requirements(Resource):
    """Saved requirements."""

    needs = {"POST": LOGGED_IN}

    @described("listRequirements", page_of(SavedBody), query=SavedQuery)
    def get(self, request: Request) -> Response:
        """List what people look for, by name."""
        query = asked(SavedQuery, request)
        rows = SavedRequirement.objects.select_related("part_type", "user")
        if query["mine"]:
            rows = rows.filter(user_id=request.user.pk)
        return Response(page(rows, ("name", "pk"), query, lambda found: [_saved(each) for each in found]))

    @described("saveRequirement", SavedBody, status=201, body=SavedInput)
    def post(self, request: Request) -> Response:
        """Save a requirement; what one had under the name before is replaced."""
        values = given(SavedInput, request)
        known = vocabulary()
        if values["type_id"] not in known.types.rows:
            raise invalid({"type_id": f"there is no type {values['type_id']}"})
        try:
            requirement = known.requirement(
                values["type_id"], values["wanted"], package=values["package"], in_stock=values["in_stock"]
            )
        except RequirementError as error:
            raise invalid(error.wrong, where="/wanted") from None
        kept = {
            "part_type": requirement.type,
            "wanted": {clause.definition.key: clause.text for clause in requirement.clauses},
            "package": requirement.package,
            "in_stock": requirement.in_stock,
        }
        row, _ = SavedRequirement.objects.update_or_create(user=request.user, name=values["name"], defaults=kept)
        return Response(_saved(row), status=201)


class OneRequirement(Resource):
    """A saved requirement."""

    needs = {"DELETE": LOGGED_IN}

    @described("getRequirement", SavedBody)
    def get(self, _request: Request, pk: int) -> Response:
        """Show a saved requirement."""
        row = SavedRequirement.objects.select_related("part_type", "user").filter(pk=pk).first()
        if row is None:
            raise Http404(f"there is no requirement {pk}")
        return Response(_saved(row))

    @described("deleteRequirement", status=204)
    def delete(self, request: Request, pk: int) -> Response:
        """Forget a requirement of one's own."""
        if not SavedRequirement.objects.filter(pk=pk, user_id=request.user.pk).delete()[0]:
            raise Http404(f"you have no requirement {pk}")
        return Response(status=204)


def _requirement(requirement: Requirement) -> dict[str, Any]:
    return {
        "type_id": requirement.type.pk,
        "type": requirement.type.name,
        "wanted": {clause.definition.key: clause.text for clause in requirement.clauses},
        "package": requirement.package,
        "in_stock": requirement.in_stock,
    }


def _saved(row: SavedRequirement) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "user": row.user.get_username(),
        "type_id": row.part_type_id,
        "type": row.part_type.name,
        "wanted": row.wanted,
        "package": row.package,
        "in_stock": row.in_stock,
        "query": asking.query_string(row.part_type_id, row.wanted, package=row.package, in_stock=row.in_stock),
    }


def _bucket(
    bucket: Bucket, details: dict[int, dict[str, Any]], requirement: Requirement | None = None
) -> dict[str, Any]:
    parts = []
    for part in bucket.parts:
        row = {"id": part.pk, "name": part.name, "mpn": part.mpn, "manufacturer": part.manufacturer}
        row |= {"package": part.package, **details[part.pk]}
        if requirement is not None:
            row["unknown"] = [key for key, _ in unknown(requirement, part)]
        parts.append(row)
    return {"count": min(bucket.count, MAX_COUNT), "more": bucket.count > MAX_COUNT, "parts": parts}


def _details(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    held, specified = holdings(ids), attributes(ids)
    return {
        pk: {
            "attributes": [attribute_body(each) for each in specified.get(pk, ())],
            "stock": [holding_body(each) for each in held.get(pk, ())],
            "total": sum(holding.qty for holding in held.get(pk, ())),
        }
        for pk in ids
    }


def _page(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= len(text) < 4 and 1 <= int(text) <= _LAST_PAGE):
        raise bad_parameters({"page": f"a page is a number from 1 to {_LAST_PAGE}"})
    return int(text)


def _halves(bucket: str | None) -> Sequence[str]:
    both = (_SUITS, _COULD)
    if bucket not in (None, *both):
        raise bad_parameters({"bucket": f"the halves of what is found are {_SUITS} and {_COULD}"})
    return both if bucket is None else (bucket,)
