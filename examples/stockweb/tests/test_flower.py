"""Flower, started as seatrial.toml starts it: nothing of it is open to whoever has no login."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from local.services import free_port
from tests.conftest import PROJECT

PATIENCE = 60
PASSWORD = "p" * 32


def started(port: int, environment: Mapping[str, str], cwd: Path = PROJECT) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "celery", "-A", "stockweb", "flower", "--conf=./flowerconfig.py", f"--port={port}"]
    there = {"PYTHONPATH": str(PROJECT), **environment}
    return subprocess.Popen(command, cwd=cwd, env=there, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def flower(servers: Mapping[str, str]) -> Iterator[str]:
    port = free_port()
    process = started(port, {"REDIS_URL": servers["REDIS_URL"], "FLOWER_PASSWORD": PASSWORD})
    url = f"http://127.0.0.1:{port}/flower"
    deadline = time.monotonic() + PATIENCE
    while status(f"{url}/healthcheck") != 200:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield url
    process.terminate()
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert PASSWORD not in output


def status(url: str, login: str | None = None) -> int | None:
    """Return how a URL answers, and nothing when nobody listens there."""
    headers = {} if login is None else {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except urllib.error.URLError:
        return None


@pytest.mark.parametrize("path", ["/", "/workers", "/tasks", "/broker", "/api/workers", "/api/tasks"])
def test_a_page_needs_the_login(flower: str, path: str) -> None:
    assert status(flower + path) == 401
    assert status(flower + path, "flower:wrong") == 401
    assert status(flower + path, "flower:") == 401
    assert status(flower + path, f"flower:{PASSWORD}") == 200


def test_health_needs_none_and_metrics_are_not_there(flower: str) -> None:
    assert status(f"{flower}/healthcheck") == 200
    assert status(f"{flower}/metrics") == 404
    assert status(flower.removesuffix("/flower") + "/metrics") == 404


@pytest.mark.parametrize("environment", [{}, {"FLOWER_PASSWORD": ""}, {"FLOWER_PASSWORD": " "}])
def test_it_does_not_start_without_a_password(environment: Mapping[str, str]) -> None:
    process = started(free_port(), environment)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "set the environment variable FLOWER_PASSWORD" in output


def test_it_does_not_start_without_its_configuration(tmp_path: Path) -> None:
    process = started(free_port(), {"FLOWER_PASSWORD": PASSWORD}, tmp_path)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "flowerconfig.py" in output
