"""What Prometheus reads. That gunicorn's processes tell the sum is tried in test_web_process.py."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from local.services import free_port
from metrics.counting import exposition
from stock.tasks import audit_ledger
from stockweb.celery import app
from tests.factories import Shelf

TOKEN = {"Authorization": "Bearer for-prometheus"}


def samples() -> dict[str, float]:
    """Return all samples by their name and labels."""
    families = text_string_to_metric_families(exposition().decode())
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value for each in families for sample in each.samples
    }


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer Ü"}, TOKEN])
@pytest.mark.parametrize("token", ["", "for-prometheus"])
def test_only_who_has_the_token_reads_them(client: Client, settings: Any, headers: dict[str, str], token: str) -> None:
    settings.METRICS_TOKEN = token
    expected = 200 if token and headers == TOKEN else 404
    assert client.get("/metrics", headers=headers).status_code == expected


@pytest.mark.django_db
def test_requests_are_counted_by_the_template_of_their_address(client: Client, stocked: Shelf) -> None:
    before = samples()
    for path in (f"/api/v1/parts/{stocked.part.pk}", "/api/v1/parts/999999", "/nowhere/at/all"):
        client.get(path)
    client.generic("BREW", "/livez")
    after = samples()
    new = {name: value - before.get(name, 0) for name, value in after.items() if "requests_total" in name}
    told = [re.findall(r"'(?:method|route|status)', '([^']*)'", name) for name, value in new.items() if value]
    assert sorted(told) == [
        ["GET", "api/v1/parts/<int:pk>", "200"],
        ["GET", "api/v1/parts/<int:pk>", "404"],
        ["GET", "none", "404"],
        ["other", "livez", "405"],
    ]
    count = "stockweb_request_seconds_count[('method', 'GET'), ('route', 'api/v1/parts/<int:pk>')]"
    assert after[count] - before.get(count, 0) == 2


@pytest.mark.django_db
def test_errors_of_the_database_are_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    monkeypatch.setattr("api.stock.newest", broken)
    client.raise_request_exception = False
    labels = {"kind": "ProgrammingError"}
    before = REGISTRY.get_sample_value("stockweb_database_errors_total", labels) or 0
    answer = client.get("/api/v1/events/position")
    assert (answer.status_code, answer.json()["code"]) == (500, "server-error")
    assert REGISTRY.get_sample_value("stockweb_database_errors_total", labels) == before + 1


@pytest.mark.django_db
def test_tasks_that_wait_are_counted(settings: Any) -> None:
    settings.CELERY_BROKER_URL = app.conf.broker_url
    depth = "stockweb_queue_depth[('queue', 'stockweb')]"
    before = samples()[depth]
    audit_ledger.delay()
    assert samples()[depth] == before + 1
    app.control.purge()
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert depth not in samples()
