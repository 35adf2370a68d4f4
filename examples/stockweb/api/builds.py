"""``/projects/3/builds``: taking what boards need, all of it or nothing, and giving it back."""

from typing import Any

from django.db import models
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Resource, asked, described, given
from api.errors import Problem, problem_of
from api.paging import PageQuery, page, page_of
from api.projects import one_project
from api.stock import WITH_KEY, key_of
from projects import building
from projects.models import Build
from projects.report import MOST_BOARDS


class BuildInput(serializers.Serializer):
    """How many boards are built."""

    boards = serializers.IntegerField(min_value=1, max_value=MOST_BOARDS)


class BuildBody(serializers.Serializer):
    """Boards that were built. What they took are the movements whose ``move`` is its ``key``."""

    id = serializers.IntegerField()
    boards = serializers.IntegerField()
    key = serializers.UUIDField()
    at = serializers.DateTimeField()
    user = serializers.CharField(allow_null=True)
    undone = serializers.BooleanField(help_text="everything was given back")


class Builds(Resource):
    """What was built of a project."""

    needs = {"POST": "projects.add_build"}

    @described("listBuilds", page_of(BuildBody), query=PageQuery)
    def get(self, request: Request, pk: int) -> Response:
        """List what was built, the newest first."""
        rows = _builds().filter(project=one_project(pk))
        return Response(page(rows, ("-id",), asked(PageQuery, request), lambda found: [_build(each) for each in found]))

    @described(
        "buildProject",
        BuildBody,
        status=201,
        answers={200: BuildBody},
        body=BuildInput,
        parameters=[WITH_KEY],
        refuses=[409, 422],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take what so many boards need, all or nothing: of each part the smallest lots first, handfuls last."""
        project, key, wanted = one_project(pk), key_of(request), given(BuildInput, request)
        made = building.build(project, wanted["boards"], key=key, user=request.user.pk)
        return Response(_build(_builds().get(pk=made.build.pk)), status=200 if made.replayed else 201)


class UndoBuild(Resource):
    """Undoing a build."""

    needs = {"POST": "projects.add_build"}

    @described("undoBuild", BuildBody)
    def post(self, request: Request, pk: int) -> Response:
        """Give back what a build took, each part to its box. Done again, it changes nothing."""
        made = Build.objects.filter(pk=pk).first()
        if made is None:
            raise Http404(f"there is no build {pk}")
        building.undo(made, user=request.user.pk)
        return Response(_build(_builds().get(pk=pk)))


@problem_of.register
def _(error: building.NotBuildable) -> Problem:
    return Problem(409, "not-buildable", f"{error}", buildable=error.report.buildable)


def _builds() -> models.QuerySet[Build]:
    return Build.objects.select_related("user").annotate(undone=building.UNDONE)


def _build(made: Any) -> dict[str, Any]:
    columns = ("id", "boards", "key", "at", "undone")
    return {name: getattr(made, name) for name in columns} | {"user": made.user and made.user.get_username()}
