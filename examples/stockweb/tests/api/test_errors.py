"""Errors are problems (RFC 9457), whoever finds them."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from tests.factories import Shelf, part

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("what", "body", "status", "code"),
    [
        ("GET /api/v1/nothing", "", 404, "not-found"),
        ("GET /api/v1/parts/999999", "", 404, "not-found"),
        ("GET /api/v1/parts/99999999999999999999999", "", 404, "not-found"),
        ("PUT /api/v1/parts", "{}", 405, "method-not-allowed"),
        ("POST /api/v1/boxes", "{", 400, "parse-error"),
        ("POST /api/v1/boxes", "[]", 400, "invalid"),
        ("POST /api/v1/boxes", "", 400, "invalid"),
    ],
)
def test_an_error_is_a_problem(kept: Client, what: str, body: str, status: int, code: str) -> None:
    answer = kept.generic(*what.split(), body, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["type"], problem["status"], problem["code"]) == ("about:blank", status, code)
    assert problem["title"]
    assert problem["detail"]


def test_a_body_of_another_type_is_415(kept: Client) -> None:
    answer = kept.post("/api/v1/boxes", {"code": "NEW"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


def test_405_says_what_is_allowed_to_whoever_asks(client: Client) -> None:
    answer = client.put("/api/v1/parts")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, POST, HEAD, OPTIONS")


def test_a_page_that_is_not_there_stays_a_page(client: Client) -> None:
    answer = client.get("/nothing")
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_mistake_of_ours_says_nothing_of_itself(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("the password is 1234")

    monkeypatch.setattr("api.stock.newest", broken)
    client.raise_request_exception = False
    answer = client.get("/api/v1/events/position")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert "1234" not in answer.content.decode()


def test_a_key_with_strange_characters_has_a_pointer_that_finds_it(kept: Client, stocked: Shelf) -> None:
    body = {"type_id": stocked.part.type_id, "name": "R", "attributes": {"a/b~c": "1"}}
    answer = kept.post("/api/v1/parts", json.dumps(body), content_type="application/json")
    assert answer.json()["errors"][0]["pointer"] == "#/attributes/a~1b~0c"


def test_two_who_write_the_same_at_once_are_told(kept: Client, stocked: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def just_before(*args: Any) -> None:
        part("The other", mpn="X1", manufacturer="Y")

    monkeypatch.setattr("api.parts.set_values", just_before)
    body = json.dumps({"type_id": stocked.part.type_id, "name": "R", "mpn": "X1", "manufacturer": "Y"})
    answer = kept.post("/api/v1/parts", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    with connection.cursor() as cursor:  # the transaction around is whole
        cursor.execute("SELECT 1")


def test_answers_are_not_kept_by_caches(client: Client) -> None:
    assert client.get("/api/v1/parts")["Cache-Control"] == "private, no-cache"
    assert client.get("/api/v1/me")["Cache-Control"] == "no-store"
