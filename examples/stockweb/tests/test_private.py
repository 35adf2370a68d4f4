"""An installation that only people who are logged in may look at."""

import json
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client

from live.visitors import may_follow
from tests.factories import Shelf

pytestmark = pytest.mark.django_db

PAGES = ["/", "/parts/", "/parts/{part}/", "/boxes/", "/find/", "/types/"]
READS = ["parts", "parts/{part}", "lots", "movements", "types", "boxes", "find?line=resistor", "events/position"]


@pytest.fixture(autouse=True)
def _private(settings: Any) -> None:
    settings.PRIVATE = True


@pytest.mark.parametrize("path", PAGES)
def test_visitors_are_sent_to_the_login(client: Client, stocked: Shelf, path: str) -> None:
    where = path.format(part=stocked.part.pk)
    answer = client.get(where)
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={where}")


@pytest.mark.parametrize("path", READS)
def test_programs_need_a_token(client: Client, stocked: Shelf, path: str) -> None:
    answer = client.get(f"/api/v1/{path.format(part=stocked.part.pk)}")
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    client.force_login(User.objects.create_user("viewer"))
    assert client.get(f"/api/v1/{path.format(part=stocked.part.pk)}").status_code == 200


def test_what_is_needed_to_log_in_is_open(client: Client) -> None:
    for path in ("/livez", "/health/ready", "/accounts/login/", "/api/v1/me"):
        assert client.get(path).status_code == 200, path
    assert client.get("/_allauth/browser/v1/auth/session").status_code == 401
    body = json.dumps({"username": "x", "password": "y"})
    answer = client.post("/_allauth/browser/v1/auth/login", body, content_type="application/json")
    assert answer.status_code == 400


def test_the_admin_has_its_own_login(client: Client) -> None:
    assert client.get("/admin/").status_code == 302


def test_strangers_do_not_follow(client: Client, settings: Any) -> None:
    client.force_login(User.objects.create_user("viewer"))
    session = client.cookies[configured.SESSION_COOKIE_NAME].value.encode()
    cookie, host = (b"cookie", b"other=1; sessionid=" + session), (b"host", b"stockweb.example")
    settings.ORIGINS = ["https://app.stockweb.example"]
    for headers, may in [
        ([], False),
        ([(b"cookie", b"sessionid=made-up")], False),
        ([(b"cookie", b"\xff=\xfe;;=")], False),
        ([host, cookie], True),
        ([host, cookie, (b"origin", b"https://stockweb.example")], True),
        ([host, cookie, (b"origin", b"https://app.stockweb.example")], True),
        ([host, cookie, (b"origin", b"https://elsewhere.example")], False),
    ]:
        assert may_follow(headers) is may, headers
    settings.PRIVATE = False
    assert may_follow([])
