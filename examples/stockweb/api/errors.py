"""Errors as problems (RFC 9457), wherever they come from.

``{"type": "about:blank", "title": "Conflict", "status": 409, "code": "short", "detail": "only 2 left", "balance": 2}``

``code`` is for programs, ``detail`` for people. What is wrong with the parts of a request stands in ``errors``, each
with a JSON pointer into the body (``#/attributes/voltage``) or the name of a parameter.
"""

from collections.abc import Iterator, Mapping
from functools import singledispatch
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from psycopg.errors import ForeignKeyViolation, UniqueViolation
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import set_rollback

from parts.requirement import RequirementError
from people.roles import NoAdminLeft
from stock import ledger
from stockweb.store import NotOnThisStore, on_mongodb

MEDIA_TYPE = "application/problem+json"
PREFIX = "/api/"


class Problem(Exception):
    """A request that cannot be done; ``more`` are members of the answer beside the usual."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}
        self.body = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "code": code,
            "detail": detail,
            **more,
        }


class Wrong(serializers.Serializer):
    """What is wrong with one part of a request."""

    detail = serializers.CharField()
    pointer = serializers.CharField(required=False, help_text="into the body: #/attributes/voltage")
    parameter = serializers.CharField(required=False, help_text="in the address or a header")


class ProblemBody(serializers.Serializer):
    """A problem, by RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="for programs")
    detail = serializers.CharField(help_text="for people")
    errors = Wrong(many=True, required=False)
    balance = serializers.IntegerField(required=False, help_text="how many there are, where there are too few")


def invalid(wrong: Mapping[str, str], *, where: str = "") -> Problem:
    """Return the problem of a body that has something wrong at some keys (``where`` is a path before them)."""
    errors = [{"detail": reason, "pointer": f"#{where}/{_escaped(key)}"} for key, reason in wrong.items()]
    return Problem(400, "invalid", "; ".join(f"{key}: {reason}" for key, reason in wrong.items()), errors=errors)


def bad_parameters(wrong: Mapping[str, str]) -> Problem:
    """Return the problem of parameters that make no sense."""
    errors = [{"detail": reason, "parameter": name} for name, reason in wrong.items()]
    detail = "; ".join(f"{name}: {reason}" for name, reason in wrong.items())
    return Problem(400, "bad-parameters", detail, errors=errors)


def handle(error: Exception, _context: dict[str, Any]) -> Response | None:
    """Answer an error of a view; None where it is a mistake of this application's, which Django answers with 500."""
    problem = problem_of(error)
    if problem is None:
        return None
    set_rollback()
    return Response(problem.body, status=problem.status, headers=dict(problem.headers), content_type=MEDIA_TYPE)


@singledispatch
def problem_of(_error: Exception) -> Problem | None:
    """Return an error as a problem, None where it is not known. A module registers the errors of its own rules."""
    return None


@problem_of.register
def _(error: Problem) -> Problem:
    return error


@problem_of.register
def _(error: Http404) -> Problem:
    return Problem(404, "not-found", f"{error}" or "there is nothing at this address")


@problem_of.register
def _(_error: PermissionDenied) -> Problem:
    return Problem(403, "forbidden", "this is not allowed")


@problem_of.register
def _(error: exceptions.APIException) -> Problem:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = f"{error.wait:.0f}"
    code = str(error.default_code).replace("_", "-")
    return Problem(error.status_code, code, f"{error.detail}", headers=headers)


@problem_of.register
def _(error: exceptions.ValidationError) -> Problem:
    errors = [{"detail": reason, "pointer": f"#{path}"} for path, reason in _reasons(error.detail)]
    detail = "; ".join(f"{each['pointer'].removeprefix('#/')}: {each['detail']}".lstrip("#: ") for each in errors)
    return Problem(400, "invalid", detail, errors=errors)


@on_mongodb("documents.errors")
def crossed(error: Exception) -> bool:
    """Whether a change was refused for another one, most likely of the same moment."""
    return isinstance(error.__cause__, UniqueViolation | ForeignKeyViolation)


@problem_of.register(IntegrityError)
@problem_of.register(OperationalError)
def _(error: Exception) -> Problem | None:
    if crossed(error):
        return Problem(409, "conflict", "somebody else changed this at the same moment: look again")
    return None


@problem_of.register
def _(error: RequirementError) -> Problem:
    return bad_parameters(error.wrong)


@problem_of.register
def _(error: ledger.Short) -> Problem:
    return Problem(409, "short", f"{error}", balance=error.balance)


@problem_of.register
def _(error: ledger.KeyReused) -> Problem:
    return Problem(422, "key-reused", f"{error}")


@problem_of.register(ledger.NotUndoable)
@problem_of.register(NoAdminLeft)
def _(error: Exception) -> Problem:
    return Problem(409, "not-possible", f"{error}")


@problem_of.register
def _(error: NotOnThisStore) -> Problem:
    return Problem(501, "not-on-this-store", f"{error}")


@problem_of.register
def _(error: ledger.NoMove) -> Problem:
    return invalid({"target": f"{error}"})


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that is none (``handler404``)."""
    if not request.path.startswith(PREFIX):
        return defaults.page_not_found(request, exception)
    return _plain(Problem(404, "not-found", "there is nothing at this address"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a mistake of this application's (``handler500``); the log has what happened."""
    if not request.path.startswith(PREFIX):
        return defaults.server_error(request)
    return _plain(Problem(500, "server-error", "this is not your fault; it is in the log"))


def _plain(problem: Problem) -> HttpResponse:
    return JsonResponse(problem.body, status=problem.status, content_type=MEDIA_TYPE)


def _reasons(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every reason in what a serializer found, with the path to what it is about."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _reasons(inner, path if key == "non_field_errors" else f"{path}/{_escaped(str(key))}")
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            yield from _reasons(inner, f"{path}/{index}" if isinstance(inner, dict) and inner else path)
    else:
        yield path, f"{detail}"


def _escaped(key: str) -> str:
    """Return a key as it stands in a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
