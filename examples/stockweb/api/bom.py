"""``/projects/3/bom``: what a board needs, and ``/projects/3/report``: whether that is there.

A bill of material is sent as the file that KiCad wrote; it makes lines, and neither parts nor stock.
"""

from collections.abc import Mapping
from typing import Any

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Resource, asked, described, given
from api.errors import Problem, invalid, problem_of
from api.projects import one_project
from parts.models import Part
from projects.choosing import choose
from projects.importing import read_lines, replace_lines
from projects.kicad import BomError
from projects.models import BomLine
from projects.report import MOST_BOARDS, LineReport, Status, report

#: Of a file, in bytes.
LARGEST = 2 * 2**20


class BomLineBody(serializers.Serializer):
    """What a board needs, and the requirement that was read from that."""

    id = serializers.IntegerField(allow_null=True, help_text="null in a dry run")
    position = serializers.IntegerField(help_text="its line in the file")
    refs = serializers.ListField(child=serializers.CharField())
    quantity = serializers.IntegerField(help_text="for a board")
    value = serializers.CharField()
    footprint = serializers.CharField()
    mpn = serializers.CharField()
    sku = serializers.CharField()
    dnp = serializers.BooleanField(help_text="not placed: it needs nothing")
    part_type = serializers.IntegerField(allow_null=True)
    wanted = serializers.DictField(child=serializers.CharField(), help_text="text by the key of an attribute")
    package = serializers.CharField()
    unclear = serializers.CharField(help_text="why no requirement could be read")
    chosen = serializers.IntegerField(allow_null=True, help_text="the part that somebody chose")


class BomBody(serializers.Serializer):
    """The lines of a bill of material."""

    items = BomLineBody(many=True)


class BomQuery(serializers.Serializer):
    """Whether to keep it."""

    dry_run = serializers.BooleanField(default=False, help_text="only tell what would come of it")


class ChoiceInput(serializers.Serializer):
    """Which part a line means."""

    chosen = serializers.IntegerField(allow_null=True, help_text="the id of a part; null takes the choice back")
    remember = serializers.BooleanField(default=False, help_text="for every line of this value and footprint to come")


class ShortPartBody(serializers.Serializer):
    """A part, in short."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    mpn = serializers.CharField()
    package = serializers.CharField()
    total = serializers.IntegerField(help_text="how many there are")


class LineReportBody(serializers.Serializer):
    """A line compared with the stock."""

    line = BomLineBody()
    status = serializers.ChoiceField([(each.value, each.value) for each in Status])
    by = serializers.CharField(
        help_text="how the part was found: chosen, number, order number, remembered, requirement"
    )
    part = ShortPartBody(allow_null=True)
    needed = serializers.IntegerField()
    got = serializers.IntegerField(help_text="lines that mean the same part share what there is")
    short = serializers.IntegerField()
    candidates = ShortPartBody(many=True, help_text="parts that suit the requirement, the best first")


class ReportBody(serializers.Serializer):
    """A project compared with the stock, for so many boards."""

    project = serializers.IntegerField()
    boards = serializers.IntegerField()
    buildable = serializers.IntegerField(help_text="so many boards could be built now")
    whole = serializers.BooleanField(help_text="whether these can be built")
    lines = LineReportBody(many=True)


class ReportQuery(serializers.Serializer):
    """For how many boards."""

    boards = serializers.IntegerField(required=False, min_value=1, max_value=MOST_BOARDS)


class AnyFile(BaseParser):
    """Takes the body as it is, whatever it is called."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> bytes:  # noqa: ARG002
        """Return the bytes, a few more than are taken at most."""
        return bytes(stream.read(LARGEST + 1))


class Bom(Resource):
    """The bill of material of a project."""

    parser_classes = (AnyFile,)
    needs = {"PUT": "projects.change_project"}

    @described("listBomLines", BomBody)
    def get(self, _request: Request, pk: int) -> Response:
        """List its lines, and what was understood of them."""
        return Response({"items": [_line(each) for each in one_project(pk).lines.all()]})

    @described("importBom", BomBody, body={"text/csv": OpenApiTypes.BINARY}, query=BomQuery, refuses=[413])
    def put(self, request: Request, pk: int) -> Response:
        """Read the file that KiCad wrote, of the board or of the schematic, and replace all lines by it.

        What was chosen for references of the same value is kept. Makes neither parts nor stock.
        """
        project, dry_run = one_project(pk), asked(BomQuery, request)["dry_run"]
        content = request.data
        if len(content) > LARGEST:
            raise Problem(413, "too-large", f"a file has at most {LARGEST // 2**20} MiB")
        lines = read_lines(content if isinstance(content, bytes) else b"")
        if not dry_run:
            replace_lines(project, lines)
        return Response({"items": [_line(each) for each in lines]})


class OneLine(Resource):
    """A line of a bill of material."""

    needs = {"PATCH": "projects.change_project"}

    @described("chooseForBomLine", BomLineBody, body=ChoiceInput)
    def patch(self, request: Request, pk: int) -> Response:
        """Say which part it means."""
        wanted = given(ChoiceInput, request)
        line = BomLine.objects.filter(pk=pk).first()
        if line is None:
            raise Http404(f"there is no line {pk}")
        part = None if wanted["chosen"] is None else Part.objects.filter(pk=wanted["chosen"]).first()
        if part is None and wanted["chosen"] is not None:
            raise invalid({"chosen": f"there is no part {wanted['chosen']}"})
        choose(line, part, remember=wanted["remember"])
        return Response(_line(line))


class ProjectReport(Resource):
    """A project compared with the stock."""

    @described("getProjectReport", ReportBody, query=ReportQuery)
    def get(self, request: Request, pk: int) -> Response:
        """Tell of each line whether there is what it needs, and how many boards could be built."""
        found = report(one_project(pk), asked(ReportQuery, request).get("boards"))
        return Response(
            {
                "project": pk,
                "boards": found.boards,
                "buildable": found.buildable,
                "whole": found.whole,
                "lines": [_report(each, found.stock) for each in found.lines],
            }
        )


@problem_of.register
def _(error: BomError) -> Problem:
    wrong = [{"detail": f"line {line}: {text}" if line else text, "pointer": "#"} for line, text in error.wrong.items()]
    return Problem(400, "bad-bom", f"{error}"[:2000], errors=wrong[:100])


def _line(line: BomLine) -> dict[str, Any]:
    columns = (
        "position",
        "refs",
        "quantity",
        "value",
        "footprint",
        "mpn",
        "sku",
        "dnp",
        "wanted",
        "package",
        "unclear",
    )
    return {
        "id": line.pk,
        **{name: getattr(line, name) for name in columns},
        "part_type": line.part_type_id,
        "chosen": line.chosen_id,
    }


def _report(found: LineReport, stock: Mapping[int, int]) -> dict[str, Any]:
    share = found.share
    return {
        "line": _line(found.line),
        "status": found.status.value,
        "by": found.by,
        "part": None if found.part is None else _part(found.part, stock),
        "needed": share.needed if share else 0,
        "got": share.got if share else 0,
        "short": found.short,
        "candidates": [_part(each, stock) for each in found.candidates],
    }


def _part(part: Part, stock: Mapping[int, int]) -> dict[str, Any]:
    columns = ("id", "name", "mpn", "package")
    return {name: getattr(part, name) for name in columns} | {"total": stock.get(part.pk, 0)}
