"""``/imports`` and ``/export``: parts and stock as CSV files.

A file is handed in, its columns are said, a dry run follows, and then the file is imported, all of it or nothing. The
dry run and the import go on by themselves: ask for the import until it stands still, or follow ``/ws/imports/ID``.
"""

from typing import Any

from django.http import Http404, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.auth import LOGGED_IN
from api.base import Resource, asked, described, given
from api.errors import Problem, problem_of
from api.paging import PageQuery, page, page_of
from api.parts import PartQuery, chosen
from exchange import desk
from exchange.export import export
from exchange.models import Import, ImportLine
from exchange.table import TableError

_MAY = "exchange.add_import"


@problem_of.register(desk.Wrong)
@problem_of.register(TableError)
def _(error: Exception) -> Problem:
    return Problem(400, "invalid", f"{error}")


@problem_of.register
def _(error: desk.Refused) -> Problem:
    return Problem(409, "not-possible", f"{error}")


class VerdictsBody(serializers.Serializer):
    """How many rows do what."""

    create = serializers.IntegerField()
    update = serializers.IntegerField()
    same = serializers.IntegerField()
    error = serializers.IntegerField()


class ImportBody(serializers.Serializer):
    """A file on its way into the stock."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    encoding = serializers.CharField()
    delimiter = serializers.CharField()
    header = serializers.ListField(child=serializers.CharField(allow_blank=True))
    sample = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(allow_blank=True)), help_text="the first rows"
    )
    columns = serializers.ListField(
        child=serializers.CharField(allow_blank=True), help_text="what each column stands for; empty: nothing"
    )
    constants = serializers.DictField(child=serializers.CharField(), help_text="what is said of all rows")
    state = serializers.ChoiceField(Import.State.choices)
    rows = serializers.IntegerField()
    checked = serializers.IntegerField(help_text="rows that were looked at")
    error = serializers.CharField(allow_blank=True, help_text="why nothing was imported, where that failed")
    verdicts = VerdictsBody()
    created = serializers.DateTimeField()


class NoteBody(serializers.Serializer):
    """What a cell changes, or what is wrong with it."""

    column = serializers.CharField(allow_blank=True, help_text="what the column stands for; empty: the whole row")
    before = serializers.CharField(required=False)
    after = serializers.CharField(required=False)
    error = serializers.CharField(required=False)
    told = serializers.CharField(required=False)


class ImportLineBody(serializers.Serializer):
    """What one row would do, or did."""

    line = serializers.IntegerField(help_text="of the file, on which the row begins")
    verdict = serializers.ChoiceField(ImportLine.Verdict.choices)
    part = serializers.IntegerField(allow_null=True, help_text="which part it is about; null for a new one")
    notes = NoteBody(many=True)


class TargetBody(serializers.Serializer):
    """Something that a column can stand for."""

    target = serializers.CharField()
    label = serializers.CharField()


class ImportInput(serializers.Serializer):
    """A file."""

    file = serializers.FileField(allow_empty_file=True, help_text="CSV, by commas, semicolons or tabs")


class ColumnsInput(serializers.Serializer):
    """What the columns stand for, in their order."""

    columns = serializers.ListField(
        child=serializers.CharField(max_length=60, allow_blank=True), max_length=desk.MOST_COLUMNS
    )
    constants = serializers.DictField(child=serializers.CharField(max_length=200, allow_blank=True), default=dict)


class LineQuery(PageQuery):
    """Which lines to list."""

    verdict = serializers.ChoiceField(ImportLine.Verdict.choices, required=False)


class ExportQuery(PartQuery):
    """Which parts to export: as with ``/parts``, but all of them."""

    limit = None
    cursor = None


class Csv(JSONRenderer):
    """For those who ask for nothing but CSV: problems are JSON all the same."""

    media_type = "text/csv"
    format = "csv"


class Imports(Resource):
    """The imports of whoever asks."""

    needs = {"GET": LOGGED_IN, "POST": _MAY}
    parser_classes = (MultiPartParser,)

    @described("listImports", page_of(ImportBody), query=PageQuery)
    def get(self, request: Request) -> Response:
        """List your own imports, the newest first."""
        rows = Import.objects.filter(user_id=request.user.pk).defer("content")
        return Response(
            page(rows, ("-created", "id"), asked(PageQuery, request), lambda found: list(map(_body, found)))
        )

    @described("createImport", ImportBody, status=201, body=ImportInput)
    def post(self, request: Request) -> Response:
        """Hand a file in. What its columns stand for is proposed by their names, or as you said for such a file."""
        file = given(ImportInput, request)["file"]
        return Response(_body(desk.hand_in(request.user.pk, file.name, file.read(desk.LARGEST + 1))), status=201)


class Columns(Resource):
    """What columns can stand for."""

    @described("listImportColumns", TargetBody(many=True))
    def get(self, _request: Request) -> Response:
        """List everything that a column can stand for."""
        return Response([{"target": target, "label": label} for target, label in desk.targets()])


class OneImport(Resource):
    """An import."""

    needs = {"GET": LOGGED_IN}

    @described("getImport", ImportBody)
    def get(self, request: Request, pk: Any) -> Response:
        """Show how far an import is."""
        return Response(_body(_own(request, pk)))


class Lines(Resource):
    """What the rows of an import do."""

    needs = {"GET": LOGGED_IN}

    @described("listImportLines", page_of(ImportLineBody), query=LineQuery)
    def get(self, request: Request, pk: Any) -> Response:
        """List what each row would do, in the order of the file."""
        query, it = asked(LineQuery, request), _own(request, pk)
        lines = it.lines.filter(verdict=query["verdict"]) if "verdict" in query else it.lines.all()
        return Response(page(lines, ("position",), query, lambda found: [_line(each) for each in found]))


class Check(Resource):
    """The dry run."""

    needs = {"POST": _MAY}

    @described(
        "checkImport",
        ImportBody,
        status=202,
        body=ColumnsInput,
        refuses=[409],
        examples=[
            OpenApiExample(
                "resistors",
                {"columns": ["name", "mpn", "", "attr:resistance"], "constants": {"type": "Resistor"}},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, pk: Any) -> Response:
        """Begin a dry run with these columns; nothing is changed. They are proposed for your next such file."""
        it, wanted = _own(request, pk), given(ColumnsInput, request)
        return Response(_body(desk.check(it, wanted["columns"], wanted["constants"])), status=202)


class Commit(Resource):
    """Having it imported."""

    needs = {"POST": _MAY}

    @described("commitImport", ImportBody, status=202, refuses=[409])
    def post(self, request: Request, pk: Any) -> Response:
        """Import what was checked, all of it or nothing. Asking twice is asking once."""
        return Response(_body(desk.commit(_own(request, pk))), status=202)


class Export(Resource):
    """Parts as CSV."""

    renderer_classes = (JSONRenderer, Csv)

    @described("exportParts", OpenApiTypes.STR, query=ExportQuery, media_type="text/csv")
    def get(self, request: Request) -> StreamingHttpResponse:
        """Write parts, a row for each box that they lie in. An import of it changes nothing."""
        parts = chosen(asked(ExportQuery, request))
        answer = StreamingHttpResponse(export(parts), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="parts.csv"'
        return answer


def _own(request: Request, pk: Any) -> Import:
    """Return an import of whoever asks; somebody else's is not there."""
    it = Import.objects.filter(pk=pk, user_id=request.user.pk).defer("content").first()
    if it is None:
        raise Http404(f"there is no import {pk}")
    return it


def _body(it: Import) -> dict[str, Any]:
    columns = ("id", "name", "encoding", "delimiter", "header", "sample", "columns", "constants", "created")
    return {**{name: getattr(it, name) for name in columns}, **desk.told(it)}


def _line(it: ImportLine) -> dict[str, Any]:
    known, _, part = it.identity.partition("\x1f")
    return {
        "line": it.line,
        "verdict": it.verdict,
        "part": int(part) if known == "part" else None,
        "notes": it.notes,
    }
