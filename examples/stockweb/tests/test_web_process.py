"""gunicorn, started as seatrial.toml starts it."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.services import free_port
from tests.conftest import PROJECT
from tests.factories import shelf

PATIENCE = 60


@contextmanager
def web(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run gunicorn on a free port, and yield when it listens."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "stockweb.wsgi", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and not listens(port):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process, port
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.django_db(transaction=True)
def test_it_serves_says_its_version_and_stops_when_told(environment: dict[str, str]) -> None:
    world = shelf()
    with web({**environment, "METRICS_TOKEN": "for-prometheus"}) as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        for _ in range(40):  # over both workers and their threads, on one connection kept alive and on new ones
            connection.request("GET", "/health/ready")
            answer = connection.getresponse()
            assert (answer.status, answer.headers["X-Stockweb-Version"]) == (200, "v7")
            answer.read()
            other = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            other.request("GET", f"/api/parts/{world.part.pk}")
            assert json.load(other.getresponse())["total"] == 10
            other.close()
        connection.request("GET", "/parts/")
        page = connection.getresponse().read().decode()
        style = re.search(r'href="(/static/pages/stockweb\.\w+\.css)"', page)
        assert style is not None
        connection.request("GET", style[1])
        answer = connection.getresponse()
        assert "immutable" in answer.headers["Cache-Control"]
        assert b"--accent" in answer.read()
        connection.request("GET", "/metrics", headers={"Authorization": "Bearer for-prometheus"})
        told = connection.getresponse().read().decode()  # by one process, of both
        assert 'stockweb_requests_total{method="GET",route="health/ready",status="200"} 40.0' in told
        connection.close()
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, output
    lines = [json.loads(line) for line in output.splitlines()]
    assert {line["version"] for line in lines} == {"v7"}
    assert any("Listening at" in line["message"] for line in lines)


def test_it_ends_when_its_secret_is_missing() -> None:
    with web({"DJANGO_SETTINGS_MODULE": "stockweb.settings"}) as (process, _):
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "set the environment variable DJANGO_SECRET_KEY" in output
