"""How often one may do something."""

import logging
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client, RequestFactory

from local.services import free_port
from people.models import Token
from stockweb import limits
from stockweb.limits import address, over


def test_a_limit_holds_for_a_minute_of_the_clock(db: None) -> None:
    name = f"{uuid.uuid4()}"
    assert [over(name, 2, clock=lambda: 600) for _ in range(3)] == [0, 0, 60]
    assert over(name, 2, clock=lambda: 645) == 15
    assert over(name, 2, clock=lambda: 660) == 0
    assert over(f"{name} another", 2, clock=lambda: 645) == 0
    assert [over(name, 0, clock=lambda: 645) for _ in range(9)] == [0] * 9


def test_without_the_cache_nobody_is_stopped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, db: None
) -> None:
    nobody = caches.create_connection("default").__class__(f"redis://127.0.0.1:{free_port()}/0", {})
    monkeypatch.setattr(limits, "cache", nobody)
    with caplog.at_level(logging.WARNING):
        assert over("anybody", 1) == 0
    assert "limits" in caplog.text


@pytest.mark.parametrize(
    ("proxies", "heard", "found"),
    [
        (0, "6.6.6.6", "10.0.0.9"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
        (1, "", "10.0.0.9"),
        (2, "1.2.3.4", "10.0.0.9"),
    ],
)
def test_the_address_is_what_our_own_proxies_heard(settings: Any, proxies: int, heard: str, found: str) -> None:
    settings.PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.9", headers={"X-Forwarded-For": heard})
    assert address(request) == found


@pytest.mark.django_db
def test_too_many_requests_are_429_with_the_seconds_to_wait(client: Client, settings: Any) -> None:
    settings.API_LIMITS = {"anonymous": 2, "user": 1, "token": 1}
    user = User.objects.create_user(f"{uuid.uuid4()}")
    program = Client(headers={"Authorization": f"Bearer {Token.make(user.pk, 'x', 'read', None)[1]}"})
    stranger = f"192.0.2.{uuid.uuid4()}"
    statuses = [client.get("/api/v1/me", REMOTE_ADDR=stranger).status_code for _ in range(2)]
    answer = client.get("/api/v1/me", REMOTE_ADDR=stranger)
    if answer.status_code == 200:  # a new minute has begun
        client.get("/api/v1/me", REMOTE_ADDR=stranger)
        answer = client.get("/api/v1/me", REMOTE_ADDR=stranger)
    assert (statuses, answer.status_code, answer.json()["code"]) == ([200, 200], 429, "throttled")
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert client.get("/parts/", REMOTE_ADDR=stranger).status_code == 200
    assert program.get("/api/v1/me", REMOTE_ADDR=stranger).status_code == 200
    client.force_login(user)
    assert client.get("/api/v1/me", REMOTE_ADDR=stranger).status_code == 200


@pytest.mark.django_db
def test_logging_in_is_tried_so_often_and_no_more(client: Client, settings: Any) -> None:
    settings.LOGIN_LIMITS = {"address": 0, "name": 2}
    name = f"{uuid.uuid4()}"
    User.objects.create_user(name, password="right")
    tries = [{"username": name.upper(), "password": "wrong"}] * 2 + [{"username": name, "password": "right"}] * 3
    answers = [client.post("/accounts/login/", each) for each in tries]
    late = next(each for each in answers if each.status_code == 429)
    assert "That was too often" in late.content.decode()
    assert int(late["Retry-After"]) > 0
