"""The probes, in good and in bad times."""

from typing import Any

import pytest
from django.core.cache import caches
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from health import checks
from local.services import free_port


@pytest.fixture(autouse=True)
def _a_process_that_has_not_checked_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checks.CHECKS, "migrations", checks.Migrations())


@pytest.mark.django_db
def test_ready_when_everything_is_there(client: Client, settings: Any) -> None:
    settings.VERSION = "v7"
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    checked = {"database": "ok", "cache": "ok", "migrations": "ok"}
    assert answer.json() == {"status": "ready", "version": "v7", "checks": checked}
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_unapplied(client: Client) -> None:
    applied = MigrationRecorder.Migration.objects.filter(app="stock", name="0006_boxes_are_a_tree")
    applied.delete()
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == "1 unapplied: stock.0006_boxes_are_a_tree"
    MigrationRecorder.Migration.objects.create(app="stock", name="0006_boxes_are_a_tree")
    assert client.get("/health/ready").status_code == 200


@pytest.mark.django_db
def test_migrations_of_a_later_version_do_not_matter(client: Client) -> None:
    MigrationRecorder.Migration.objects.create(app="stock", name="0099_from_the_future")
    assert client.get("/health/ready").status_code == 200


@pytest.mark.django_db
def test_a_second_probe_asks_the_database_once(client: Client, django_assert_num_queries: Any) -> None:
    client.get("/health/ready")
    with django_assert_num_queries(1):
        client.get("/health/ready")


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_the_database(client: Client) -> None:
    there = dict(connections["default"].settings_dict)
    connections["default"].close()
    connections["default"].settings_dict |= {"HOST": "127.0.0.1", "PORT": free_port()}
    try:
        answer = client.get("/health/ready")
    finally:
        connections["default"].close()
        connections["default"].settings_dict |= there
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "no answer (OperationalError)"
    assert "127.0.0.1" not in answer.content.decode()
    assert client.get("/health/ready").status_code == 200


@pytest.mark.django_db
def test_not_ready_without_the_cache(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = caches.create_connection("default").__class__(f"redis://127.0.0.1:{free_port()}/0", {})
    monkeypatch.setattr(checks, "cache", nobody)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "cache": "no answer (ConnectionError)", "migrations": "ok"}


def test_alive_without_touching_anything(client: Client) -> None:
    # pytest-django refuses the database to a test that does not ask for it
    assert client.get("/livez").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez", "/health/ready"])
def test_probes_are_not_redirected_to_https(client: Client, settings: Any, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path).status_code == 200
    assert client.get("/parts/").status_code == 301


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez", "/parts/", "/nowhere", "/api/parts/1234", "/health/ready"])
def test_every_response_says_which_version_made_it(client: Client, settings: Any, path: str) -> None:
    settings.VERSION = "v7"
    answer = client.get(path)
    assert answer["X-Stockweb-Version"] == "v7"
    assert "default-src 'self'" in answer["Content-Security-Policy"]


@pytest.mark.django_db
def test_a_refused_host_says_its_version_too(client: Client, settings: Any) -> None:
    settings.VERSION = "v7"
    answer = client.get("/parts/", headers={"host": "elsewhere.example"})
    assert (answer.status_code, answer["X-Stockweb-Version"]) == (400, "v7")
