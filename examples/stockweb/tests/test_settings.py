"""What the settings make of the environment, tried in processes of their own, as they start in production."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from local.services import free_port
from stockweb.environment import METADATA_VARIABLE, flag, listed, one_of, origins, own_addresses, whole
from tests.conftest import PROJECT


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.django_db
def test_check_deploy_has_nothing_to_say_in_production(environment: dict[str, str]) -> None:
    environment |= {"DJANGO_HTTPS": "1", "DJANGO_SECRET_KEY": "".join(chr(33 + n % 90) for n in range(60))}
    done = run(environment, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout


def test_the_image_has_every_app() -> None:
    named = (PROJECT / ".dockerignore").read_text().splitlines()
    own = [app for app in settings.INSTALLED_APPS if (PROJECT / app).is_dir()]
    assert len(own) >= 5
    assert [app for app in own if f"!{app}/" not in named] == []


def test_the_readme_lists_every_variable_that_is_read() -> None:
    reads = re.compile(
        r"""\b(?:flag|whole|listed|origins|one_of|required|environ\.get)\(\s*["']([A-Z][A-Z0-9_]+)["']"""
    )
    image = [PROJECT / line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line[0] == "!"]
    files = [file for each in image for file in (each.rglob("*.py") if each.is_dir() else [each])]
    read = {name for file in files for name in reads.findall(file.read_text())}
    section = (PROJECT / "README.md").read_text().split("## The environment")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert len(read) > 30
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == read


@pytest.mark.django_db
def test_the_migrations_match_the_models() -> None:
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)  # exits with 1 where they do not


@pytest.mark.django_db(transaction=True)  # indexes are built concurrently, which no transaction can
def test_the_migrations_can_be_undone_and_done_again() -> None:
    try:
        for app in ("stock", "parts"):
            call_command("migrate", app, "zero", verbosity=0)
        assert "stock_movement" not in connection.introspection.table_names()
    finally:
        call_command("migrate", verbosity=0)
    assert "stock_movement" in connection.introspection.table_names()


def test_static_files_carry_the_hash_of_their_content(collected: Path) -> None:
    names = json.loads((collected / "staticfiles.json").read_text())["paths"]
    assert names["pages/stockweb.css"] != "pages/stockweb.css"
    assert (collected / (names["pages/stockweb.css"] + ".gz")).exists()


def test_a_web_process_without_its_secret_does_not_start() -> None:
    done = run({"DJANGO_SETTINGS_MODULE": "stockweb.settings"}, "-c", "import stockweb.wsgi")
    assert done.returncode != 0
    assert "ImproperlyConfigured: the SECRET_KEY setting must not be empty" in done.stderr
    assert "set the environment variable DJANGO_SECRET_KEY" in done.stderr


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("on", True), ("0", False), ("no", False), ("", True), (None, True)]
)
def test_a_flag_is_true_or_false_or_its_default(monkeypatch: pytest.MonkeyPatch, text: str | None, value: bool) -> None:
    monkeypatch.delenv("SWITCH", raising=False)
    if text is not None:
        monkeypatch.setenv("SWITCH", text)
    assert flag("SWITCH", default=True) is value


@pytest.mark.parametrize("read", [flag, lambda name: whole(name, 1)])
def test_nonsense_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, read: Any) -> None:
    monkeypatch.setenv("SWITCH", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="SWITCH='perhaps'"):
        read("SWITCH")


def test_a_list_is_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTS", "a.example, b.example,,")
    assert listed("HOSTS") == ["a.example", "b.example"]
    assert listed("NOT_SET_ANYWHERE") == []


def test_origins_are_known_from_what_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITES", "https://app.example/, http://127.0.0.1:5173")
    assert origins("SITES") == ["https://app.example", "http://127.0.0.1:5173"]
    for nonsense in ("app.example", "https://app.example/shop", "*", "ftp://app.example", "null"):
        monkeypatch.setenv("SITES", f"https://app.example,{nonsense}")
        with pytest.raises(ImproperlyConfigured, match=r"SITES: .* is no origin"):
            origins("SITES")


def test_a_choice_is_one_of_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert one_of("NOT_SET_ANYWHERE", "Lax", "None") == "Lax"
    monkeypatch.setenv("SAMESITE", "lax")
    with pytest.raises(ImproperlyConfigured, match="SAMESITE='lax': expected Lax or None"):
        one_of("SAMESITE", "Lax", "None")


def test_the_front_end_may_call_and_is_believed() -> None:
    environment = {"SITE_URL": "https://app.example", "DJANGO_CORS_ORIGINS": "http://127.0.0.1:5173"}
    names = "s.CORS_ALLOWED_ORIGINS, s.CSRF_TRUSTED_ORIGINS, *s.HEADLESS_FRONTEND_URLS.values()"
    done = run(environment, "-c", f"from stockweb import settings as s; print({names})")
    both = ["http://127.0.0.1:5173", "https://app.example"]
    assert done.stdout.strip() == f"{both} {both} https://app.example/set-password/{{key}}", done.stderr


def test_outside_of_ecs_there_is_no_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(METADATA_VARIABLE, raising=False)
    assert own_addresses() == []


def test_the_address_of_the_task_is_an_allowed_host() -> None:
    answer = {"DockerId": "x", "Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": ["10.0.2.106"]}]}
    with metadata(json.dumps(answer)) as address:
        done = run(
            {METADATA_VARIABLE: address, "DJANGO_ALLOWED_HOSTS": "shop.example"},
            "-c",
            "from stockweb import settings; print(settings.ALLOWED_HOSTS)",
        )
    assert done.stdout.strip() == "['shop.example', '10.0.2.106']", done.stderr


def test_metadata_that_do_not_answer_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(METADATA_VARIABLE, f"http://127.0.0.1:{free_port()}/v4/x")
    with pytest.raises(ImproperlyConfigured, match=METADATA_VARIABLE):
        own_addresses()


def test_metadata_that_make_no_sense_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with metadata("not json") as address:
        monkeypatch.setenv(METADATA_VARIABLE, address)
        with pytest.raises(ImproperlyConfigured, match=METADATA_VARIABLE):
            own_addresses()


@contextmanager
def metadata(answer: str) -> Iterator[str]:
    """Answer as the ECS task metadata endpoint does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v4/x"
        finally:
            server.shutdown()
            thread.join()
