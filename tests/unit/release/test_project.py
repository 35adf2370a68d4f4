"""What is known of a project by its files: a table of commands, and what is refused."""

from __future__ import annotations

import pytest

from seatrial import project
from seatrial.errors import ConfigError
from seatrial.project.commands import Started, started
from tests.unit.release.support import TOML, settings_of

FILES = frozenset(
    {"manage.py", "shop/__init__.py", "shop/settings.py", "shop/wsgi.py", "shop/asgi.py", "shop/celery.py"}
)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("gunicorn shop.wsgi", Started("shop.wsgi")),
        ("gunicorn --bind 0.0.0.0:8000 --workers 2 shop.wsgi:application", Started("shop.wsgi")),
        ("gunicorn -k uvicorn.workers.UvicornWorker shop.asgi:application", Started("shop.asgi")),
        ("gunicorn -c gunicorn.conf.py shop.wsgi", Started("shop.wsgi")),
        ("/venv/bin/uvicorn shop.asgi:application --host 0.0.0.0", Started("shop.asgi")),
        ("daphne -b 0.0.0.0 -p 9000 shop.asgi:application", Started("shop.asgi")),
        ("celery -A shop worker", Started("shop")),
        ("celery --app=shop.celery:app beat", Started("shop.celery")),
        ("python manage.py migrate --noinput", Started(script="manage.py")),
        ("python3.12 -u backend/manage.py check", Started(script="backend/manage.py")),
        ("python -m gunicorn shop.wsgi", Started("shop.wsgi")),
        ("python -X dev -m shop.tool", Started("shop.tool")),
        ("opentelemetry-instrument gunicorn shop.wsgi", Started("shop.wsgi")),
        ("env A=1 celery -A shop worker", Started("shop")),
        ("python", Started()),
        ("celery worker", Started()),
        ("sh -c something", Started()),
    ],
)
def test_what_a_command_starts(command: str, expected: Started) -> None:
    assert started(command.split()) == expected


def test_a_whole_project() -> None:
    found = project.verify(settings_of(), FILES)
    assert found.settings_file == "shop/settings.py"
    assert found.modules == ("shop.wsgi", "shop.asgi", "shop")


@pytest.mark.parametrize(
    ("change", "key", "hint"),
    [
        (('settings = "shop.settings"', 'settings = "shop.setings"'), "app.settings", "did you mean shop.settings?"),
        (('"shop.wsgi"', '"shop.wsgy"'), "services.web.command", "did you mean shop.wsgi?"),
        (('"shop.wsgi"', '"shoop.wsgi"'), "services.web.command", "did you mean shop.wsgi?"),
        (('"shop.asgi:application"', '"shop.nothing.like:it"'), "services.events.command", "ignored by git"),
        (('"manage.py", "seed"', '"bin/manage.py", "seed"'), "tasks.seed.command", "working directory"),
    ],
)
def test_what_is_not_there_is_named_with_file_and_key(change: tuple[str, str], key: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        project.verify(settings_of(TOML.replace(*change)), FILES)
    assert caught.value.key == key
    assert str(caught.value).startswith("seatrial.toml: ")
    assert hint in (caught.value.hint or "")


def test_modules_may_come_from_packages_and_from_other_roots() -> None:
    other = settings_of(TOML.replace('"shop.wsgi"', '"whitenoise.server"'))
    assert "whitenoise.server" not in project.verify(other, FILES).modules
    moved = frozenset(f"backend/{path}" for path in FILES)
    settings = settings_of(TOML.replace('"manage.py"', '"backend/manage.py"'))
    assert project.verify(settings, moved).settings_file == "backend/shop/settings.py"
    packages = FILES - {"shop/settings.py"} | {"shop/settings/__init__.py"}
    assert project.verify(settings_of(), packages).settings_file == "shop/settings/__init__.py"
