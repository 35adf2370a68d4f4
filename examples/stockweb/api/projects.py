"""``/projects``: what is built. The bill of material is :mod:`api.bom`'s, building it :mod:`api.builds`'s."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Count, ProtectedError
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Resource, asked, described, given
from api.errors import Problem
from api.paging import PageQuery, page, page_of
from projects.models import Project
from projects.report import MOST_BOARDS


class ProjectInput(serializers.Serializer):
    """A project as it is written."""

    name = serializers.CharField(max_length=120)
    boards = serializers.IntegerField(min_value=1, max_value=MOST_BOARDS, default=1, help_text="to be built next")
    notes = serializers.CharField(max_length=10_000, allow_blank=True, default="")


class ProjectBody(ProjectInput):
    """A project."""

    id = serializers.IntegerField()
    lines = serializers.IntegerField(help_text="of its bill of material")
    created = serializers.DateTimeField()
    updated = serializers.DateTimeField()


class Projects(Resource):
    """All projects."""

    needs = {"POST": "projects.add_project"}

    @described("listProjects", page_of(ProjectBody), query=PageQuery)
    def get(self, request: Request) -> Response:
        """List projects, by name."""
        rows = _rows().values(*_COLUMNS, "line_count")
        return Response(page(rows, ("name", "id"), asked(PageQuery, request), lambda found: [_body(e) for e in found]))

    @described("createProject", ProjectBody, status=201, body=ProjectInput, refuses=[409])
    def post(self, request: Request) -> Response:
        """Make a project."""
        return Response(_written(Project(), given(ProjectInput, request)), status=201)


class OneProject(Resource):
    """A project."""

    needs = {"PATCH": "projects.change_project", "DELETE": "projects.delete_project"}

    @described("getProject", ProjectBody)
    def get(self, _request: Request, pk: int) -> Response:
        """Show a project."""
        return Response(_told(one_project(pk).pk))

    @described("updateProject", ProjectBody, body=ProjectInput, refuses=[409])
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named."""
        return Response(_written(one_project(pk), given(ProjectInput, request, partial=True)))

    @described("deleteProject", status=204, refuses=[409])
    def delete(self, _request: Request, pk: int) -> Response:
        """Delete a project that was never built."""
        try:
            one_project(pk).delete()
        except ProtectedError:
            raise Problem(409, "has-history", "it was built, and that is kept") from None
        return Response(status=204)


_COLUMNS = ("id", "name", "boards", "notes", "created", "updated")


def _rows() -> models.QuerySet[Any]:
    return Project.objects.annotate(line_count=Count("lines"))


def one_project(pk: int) -> Project:
    """Return a project. Raises a problem where it is not there."""
    project = Project.objects.filter(pk=pk).first()
    if project is None:
        raise Http404(f"there is no project {pk}")
    return project


def _told(pk: int) -> dict[str, Any]:
    return _body(_rows().values(*_COLUMNS, "line_count").get(pk=pk))


def _body(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _COLUMNS} | {"lines": row["line_count"]}


def _written(project: Project, values: dict[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        setattr(project, name, value)
    if Project.objects.filter(name=project.name).exclude(pk=project.pk).exists():
        raise Problem(409, "name-taken", f"there is a project {project.name}")
    project.save()
    return _told(project.pk)
