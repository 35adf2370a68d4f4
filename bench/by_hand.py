"""The floor of a start: the example application brought up by hand, with nothing of seatrial between.

The same packages from the same cache, the same PostgreSQL and Valkey with the same options, the same commands, one
after the other, until gunicorn itself answers. No emulator, image, load balancer or second task; no worker, no beat.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from bench.first_answer import FirstAnswer
from bench.stage import ROOT, settings_of
from seatrial.emulator.children import Children
from seatrial.emulator.data.account import database_account, reachable_directory
from seatrial.emulator.data.postgres import PostgresServer, find_binaries
from seatrial.emulator.data.valkey import ValkeyOptions, ValkeyServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOST = "127.0.0.1"


def first_answer(project: Path, place: Path) -> dict[str, float]:
    """Return the seconds of each part up to the first 200.

    The Python environment in ``place`` and the static files in ``project`` stay for the next call, as the emulator
    keeps them for its next start.
    """
    parts: dict[str, float] = {}
    with ExitStack() as running:
        with _timed(parts, "environment"):
            python = _environment(project, place)
        with _timed(parts, "databases"):
            variables = _databases(place, running)
        with _timed(parts, "static files"):
            _collect_static(python, project, variables)
        with _timed(parts, "migrate"):
            _manage(python, project, variables, "migrate", "--noinput", "--verbosity", "0")
        with _timed(parts, "web"):
            _serve(python, project, variables, running)
    return parts


def _environment(project: Path, place: Path) -> Path:
    """Return the Python of an environment with the project's requirements, made as the emulator makes it."""
    home = place / "environment"
    python = home / "bin" / "python"
    if not (place / "environment.whole").exists():
        uv = str(ROOT / ".venv" / "bin" / "uv")
        install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)], check=True)
        subprocess.run([*install, "--requirement", str(project / "requirements.txt")], check=True)
        (place / "environment.whole").touch()
    return python


def _collect_static(python: Path, project: Path, variables: dict[str, str]) -> None:
    if not (project / "staticfiles").exists():
        _manage(python, project, variables, "collectstatic", "--noinput", "--verbosity", "0")


def _databases(place: Path, running: ExitStack) -> dict[str, str]:
    """Start both and return the variables that point the application to them."""
    children, account, password = Children(), database_account(), secrets.token_hex(16)
    directory = reachable_directory(place / "postgres", account) / "server"
    binaries = find_binaries(None, account, children)
    port = _free_port()
    postgres = PostgresServer(
        binaries, directory, _HOST, port, children=children, account=account, log=place / "postgres.log"
    )
    running.callback(postgres.remove)
    postgres.start()
    postgres.set_master("stockweb", password, "stockweb")
    valkey_port = _free_port()
    valkey = ValkeyServer(
        place / "valkey", _HOST, valkey_port, children=children, log=place / "valkey.log", options=ValkeyOptions()
    )
    running.callback(valkey.stop)
    valkey.start()
    return {
        "PGHOST": _HOST,
        "PGPORT": str(port),
        "PGDATABASE": "stockweb",
        "PGUSER": "stockweb",
        "PGPASSWORD": password,
        "REDIS_URL": f"redis://{_HOST}:{valkey_port}/0",
        "DJANGO_SECRET_KEY": secrets.token_hex(25),
        "DJANGO_ALLOWED_HOSTS": "*",
        "DJANGO_SETTINGS_MODULE": "stockweb.settings",
    }


def _serve(python: Path, project: Path, variables: dict[str, str], running: ExitStack) -> None:
    """Start the web process and wait for its first 200."""
    port = _free_port()
    command = [*settings_of(project).services["web"].command[:-1], f"{_HOST}:{port}"]
    command[0] = str(python.with_name(command[0]))
    process = subprocess.Popen(
        command, cwd=project, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    running.callback(process.wait)
    running.callback(process.terminate)
    with FirstAnswer(f"http://{_HOST}:{port}") as answer:
        answer.wait()


def _manage(python: Path, project: Path, variables: dict[str, str], *arguments: str) -> None:
    command = [str(python), "manage.py", *arguments]
    subprocess.run(command, cwd=project, env={**os.environ, **variables}, check=True, stdout=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _timed(parts: dict[str, float], name: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    parts[name] = time.perf_counter() - begun
