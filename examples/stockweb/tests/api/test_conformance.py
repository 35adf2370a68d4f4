"""Requests made up from the schema, sensible and senseless: whatever comes, the answer is one that the schema has."""

from collections.abc import Mapping
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from parts.models import AttributeDefinition, Part, PartType
from people.models import Token
from people.roles import Role, give
from stock.models import Box, Movement

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 4

pytestmark = pytest.mark.usefixtures("seeded", "db")


@pytest.fixture
def schema(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings.API_LIMITS = dict.fromkeys(settings.API_LIMITS, 0)
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    # A request would close the connection that the test's transaction lives on; Django's own test client sees to that.
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.yaml", get_wsgi_application())


@pytest.mark.parametrize("who", ["anonymous", "keeper", "admin by token"])
def test_answers_are_as_described(schema: Any, who: str) -> None:
    headers = {"anonymous": dict, "keeper": in_a_browser, "admin by token": by_token}[who]()
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        one(operation, headers)
        tried += 1
    assert tried > 35


def one(operation: Any, headers: Mapping[str, str]) -> None:
    """Try one operation, half of the time on something that is there."""
    there = {"path_parameters": present(operation.path)} if "{" in operation.path else {}
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    cases = st.one_of(operation.as_strategy(mode, **parameters) for mode in modes for parameters in ({}, there))

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def try_out(case: Any) -> None:
        case.validate_response(case.call(headers=dict(headers)), checks=CHECKS)

    try_out()


def present(path: str) -> dict[str, Any]:
    """Return path parameters of something that is there."""
    if path.startswith("/api/v1/boxes/"):
        return {"code": Box.objects.values_list("code", flat=True)[0]}
    rows = {"parts": Part, "types": PartType, "attributes": AttributeDefinition, "movements": Movement, "people": User}
    model = rows.get(path.split("/")[3])
    return {"id": (model.objects.values_list("pk", flat=True).first() if model else None) or 1}


def in_a_browser() -> dict[str, str]:
    """Log a keeper in; return what their browser sends."""
    user = User.objects.create_user("keeper")
    give(user, Role.KEEPER)
    client = Client()
    client.force_login(user)
    token = client.get("/api/v1/me").json()["csrf_token"]
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    return {"Cookie": cookies, "X-CSRFToken": token}


def by_token() -> dict[str, str]:
    """Return what a program of an admin's sends."""
    user = User.objects.create_superuser("admin")
    return {"Authorization": f"Bearer {Token.make(user.pk, 'tests', Token.Scope.WRITE, None)[1]}"}
