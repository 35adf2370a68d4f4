"""A real PostgreSQL and a real Valkey: those of the environment (PGHOST, REDIS_URL), else own ones on loopback."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import caches
from django.db import connections, transaction
from django.test import Client

from attachments import bucket
from attachments import tasks as attaching
from local.services import mongodb, object_store, postgres, valkey
from parts.models import Part
from people.roles import Role, give
from seeds.plant import plant_parts
from stock.models import Box
from stockweb.celery import app
from tests.factories import Shelf, part, shelf
from tests.media import Queued

PROJECT = Path(__file__).resolve().parent.parent
_LIBPQ = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}


@pytest.fixture(scope="session")
def servers() -> Iterator[Mapping[str, str]]:
    """The variables by which the application finds its servers."""
    with tempfile.TemporaryDirectory(prefix="stockweb-tests-") as scratch, ExitStack() as stack:
        Path(scratch).chmod(0o711)  # PostgreSQL may have to run under another account
        found = {name: os.environ[name] for name in (*_LIBPQ, "MONGODB_URI", "REDIS_URL") if name in os.environ}
        if settings.STORE == "mongo" and "MONGODB_URI" not in found:
            found |= stack.enter_context(mongodb(Path(scratch) / "mongodb"))
        elif settings.STORE != "mongo" and "PGHOST" not in found:
            found |= stack.enter_context(postgres(Path(scratch) / "postgres", durable=False))
        if "REDIS_URL" not in found:
            found |= stack.enter_context(valkey(Path(scratch) / "valkey"))
        yield found


@pytest.fixture(scope="session")
def django_db_modify_db_settings(servers: Mapping[str, str]) -> None:
    """Point Django at the servers, before pytest-django makes the test database."""
    names = {"MONGODB_URI": "HOST"} if settings.STORE == "mongo" else _LIBPQ
    there = {key: servers[name] for name, key in names.items() if name in servers}
    connections["default"].settings_dict |= there
    connections.settings["default"] |= there
    caches.settings["default"]["LOCATION"] = servers["REDIS_URL"]
    app.conf.broker_url = servers["REDIS_URL"]


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static files as the image has them: made by the production settings, without a secret or a database."""
    target = tmp_path_factory.mktemp("static")
    command = [sys.executable, "-W", "error", "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(command, cwd=PROJECT, env={"DJANGO_STATIC_ROOT": str(target), "PGPORT": "1"}, check=True)
    return target


@pytest.fixture
def environment(servers: Mapping[str, str], collected: Path, db: None) -> dict[str, str]:
    """The environment of a production process on the test database."""
    return {
        "PATH": os.environ["PATH"],
        **servers,
        "STOCKWEB_STORE": settings.STORE,
        "MONGODB_DATABASE" if settings.STORE == "mongo" else "PGDATABASE": connections["default"].settings_dict["NAME"],
        "DJANGO_SECRET_KEY": "k" * 50,
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
        "DJANGO_SETTINGS_MODULE": "stockweb.settings",
        "DJANGO_STATIC_ROOT": str(collected),
        "SEATRIAL_VERSION": "v7",
    }


@pytest.fixture(autouse=True)
def _no_kept_pages() -> None:
    caches["pages"].clear()


@pytest.fixture
def stocked(db: None) -> Shelf:
    """Two boxes and a part of which there are ten in the first."""
    return shelf()


@pytest.fixture(scope="module")
def seeded(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The seeds, planted once for all tests of a module; each begins with them and changes what it likes."""
    with django_db_blocker.unblock(), transaction.atomic():
        plant_parts()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def keeper(db: None) -> User:
    """Somebody who may change stock."""
    user = User.objects.create_user("keeper", password="keeper")
    give(user, Role.KEEPER)
    return user


@pytest.fixture
def kept(client: Client, keeper: User) -> Client:
    """A browser in which the keeper is logged in."""
    client.force_login(keeper)
    return client


@pytest.fixture
def box(db: None) -> Box:
    """A box of its own."""
    return Box.objects.create(code="Z9", name="Spare")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """A stand-in for S3, by the variables that lead to it."""
    with object_store(tmp_path_factory.mktemp("store")) as found:
        yield found


@pytest.fixture
def media(store: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, settings: Any, db: None) -> Iterator[Part]:
    """A part, and a bucket for what is attached to it, empty before and after."""
    for name, value in store.items():
        monkeypatch.setenv(name, value)
    settings.MEDIA_BUCKET = store["MEDIA_BUCKET"]
    bucket.client.cache_clear()
    yield part()
    settings.MEDIA_BUCKET = store["MEDIA_BUCKET"]
    bucket.remove([each.key for each in bucket.stored()])
    bucket.client.cache_clear()


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Queued:
    """Work on attachments, done at once where a transaction would be over."""
    made = Queued(django_capture_on_commit_callbacks)
    for task in (attaching.draw, attaching.remove):
        monkeypatch.setattr(task, "delay", lambda *given, task=task: (made.calls.append(given), task(*given)))
    return made
