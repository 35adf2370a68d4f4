"""Projects on Django 4.2, 5.2 and 6.x, each with an interpreter of its own, and a PostgreSQL to try them on."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv import find_uv_bin

from seatrial.config.load import loads
from seatrial.emulator.addresses import lease_block
from seatrial.emulator.children import Children
from seatrial.emulator.data.account import database_account, reachable_directory, shared_directory
from seatrial.emulator.data.postgres import PostgresServer, find_binaries
from seatrial.project.migrations.ask import Answer, ask_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.functional.migrations.cases import Case

Version = tuple[int, int]

#: The versions of Django that are tried, and the oldest Python that each runs on.
DJANGO: dict[Version, Version] = {(4, 2): (3, 8), (5, 2): (3, 10), (6, 1): (3, 12)}

TOML = """
[app]
name = "cases"
settings = "settings"
[services.web]
command = ["gunicorn", "cases.wsgi"]
port = 8000
routes = ["/*"]
[database]
"""
SETTINGS = """
import os

SECRET_KEY = "x"
DATABASES = {{
    alias: {{
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "USER": os.environ["PGUSER"],
        "PASSWORD": os.environ["PGPASSWORD"],
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
    }}
    for alias in ("default", "other")
}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
GADGET_MODEL = "elsewhere.Gadget"
INSTALLED_APPS = {apps}
"""
MIGRATE = """
import os
import sys

from django.core.management import execute_from_command_line

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
execute_from_command_line(["manage.py", "migrate", "--verbosity", "0", *sys.argv[1:]])
"""


@dataclass(frozen=True)
class Project:
    """A project of one Django version in a directory, and what its containers would have in their environment."""

    django: Version
    python: Path
    directory: Path
    database: Mapping[str, str]

    def ask(self, **question: Any) -> Answer:
        settings = loads(TOML, "local").model_copy(update={"environment": dict(self.database)})
        return ask_here(settings, self.directory, self.python, {"ask": False, "list": True, **question})

    def run(self, script: Path, words: Sequence[str] = (), standard_input: str = "") -> str:
        environment = {"PATH": os.environ["PATH"], **self.database}
        done = subprocess.run(
            [self.python, script, *words],
            cwd=self.directory,
            env=environment,
            input=standard_input,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def project(
    directory: Path, django: Version, cases: Sequence[Case], server: PostgresServer, name: str = "cases"
) -> Project:
    """Write the project of the cases, and make a database for it."""
    name = f"{name}_{django[0]}_{django[1]}"
    server.sql(f"CREATE DATABASE {name} OWNER cases;")
    for case in cases:
        for path, content in case.files(django).items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(content)
    (directory / "settings.py").write_text(SETTINGS.format(apps=[case.name for case in cases]))
    (directory / "migrate.py").write_text(MIGRATE)
    database = {
        "PGHOST": server.address,
        "PGPORT": str(server.port),
        "PGDATABASE": name,
        "PGUSER": "cases",
        "PGPASSWORD": "correct-horse",
    }
    return Project(django, interpreter(django), directory, database)


@contextlib.contextmanager
def postgres(directory: Path) -> Iterator[PostgresServer]:
    """A server of its own, with the master user ``cases``."""
    lease, children, account = lease_block(), Children(), database_account()
    server = PostgresServer(
        find_binaries(None, account, children),
        reachable_directory(directory, account) / "server",
        f"127.{lease.block}.250.1",
        5432,
        children=children,
        account=account,
        log=directory / "postgres.log",
    )
    try:
        server.start()
        server.set_master("cases", "correct-horse", None)
        yield server
    finally:
        server.remove()
        lease.release()


def interpreter(django: Version) -> Path:
    """Return a Python that has this version of Django, made once and kept."""
    base = _base(DJANGO[django])
    asked = [str(base), "-c", "import sys; print(*sys.version_info[:3], sep='.')"]
    version = subprocess.run(asked, capture_output=True, text=True, check=True)
    name = f"django-{django[0]}.{django[1]}-python-{version.stdout.strip()}"
    home = shared_directory(None) / "tests" / name
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "ready").exists():
            _uv("venv", "--quiet", "--clear", "--python", str(base), str(home))
            wanted = [f"django=={django[0]}.{django[1]}.*", "psycopg[binary]>=3.1.8,<4"]
            _uv("pip", "install", "--quiet", "--python", str(home / "bin" / "python"), *wanted)
            (home / "ready").touch()
    return home / "bin" / "python"


def _base(oldest: Version) -> Path:
    """Return a Python that is new enough: ours, else one that is installed here, else one that uv can get."""
    ours = Path(getattr(sys, "_base_executable", sys.executable))
    if sys.version_info >= oldest:
        return ours
    for candidate in sorted(Path.home().glob(".pyenv/versions/3.*/bin/python"), reverse=True):
        if _is_new_enough(candidate, oldest):
            return candidate
    return Path(_uv("python", "find", ">={}.{}".format(*oldest)).strip())


def _is_new_enough(python: Path, oldest: Version) -> bool:
    check = f"import sys; sys.exit(not ({oldest} <= sys.version_info[:2] < (3, 14)))"
    return subprocess.run([python, "-c", check], check=False).returncode == 0


def _uv(*words: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run([find_uv_bin(), *words], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(project_: Project, cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Return what each case did on PostgreSQL, by name."""
    asked = {
        case.name: {"writes": case.writes, "reads": case.reads, "rows": case.rows, "new": case.new} for case in cases
    }
    found: dict[str, dict[str, Any]] = json.loads(
        project_.run(Path(__file__).with_name("driver.py"), standard_input=json.dumps(asked))
    )
    return found
