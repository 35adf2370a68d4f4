"""Asking the project: its own interpreter runs the collector, here or in a task, and answers in lines of text.

What a settings module reads from its environment is what ``seatrial.toml`` hands to containers. Where the project is
asked on this machine, secrets and addresses are stood in for by words that mean nothing: no connection is made.
"""

from __future__ import annotations

import ast
import base64
import json
import os
import subprocess
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from seatrial.errors import SeatrialError
from seatrial.project.migrations.collector import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.config.models import Settings

#: Seconds for starting the project and reading its migrations on this machine.
_PATIENCE = 120
_STAND_IN = "stands-in-for-a-secret-that-is-not-needed-to-read-migrations"


class NoAnswer(SeatrialError):
    """The project did not say what its migrations are."""

    exit_code = 2


@dataclass(frozen=True)
class Database:
    """What the database said: server version (``180001``), applied migrations, rows and bytes by table."""

    version: int
    applied: tuple[tuple[str, str], ...]
    sizes: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Answer:
    """What the collector said.

    ``migrations`` are the pending ones, raw, and None where they were not asked for. ``serving`` are the columns, by
    table, that the models know at the applied migrations or at those of the release that serves; None where nobody
    knows what is applied. ``problem`` says why
    the database could not be asked. ``known`` are all migrations of the code, where it was asked what is new ``since``.
    """

    django: str
    vendor: str
    database: Database | None
    problem: str | None
    migrations: list[Mapping[str, Any]] | None
    serving: Mapping[str, list[str]] | None
    leaves: Mapping[str, str]
    known: tuple[tuple[str, str], ...] = ()


def command(settings: Settings, question: Mapping[str, Any], python: tuple[str, ...]) -> list[str]:
    """Return the command that asks, in the project's directory; its text fits into the overrides of RunTask.

    ``question`` is what :mod:`seatrial.project.migrations.collector` takes, less the settings module.
    """
    asked = {"settings": settings.app.settings, **question}
    return [*python, "-c", _program(), json.dumps(asked, separators=(",", ":"))]


def interpreter(command_: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """Return the words that start Python in the image, and the directory of ``manage.py``, by a migrating command.

    ``("python",)`` and the working directory where the command says nothing of the kind.
    """
    words = tuple(command_)
    for index, word in enumerate(words):
        if PurePosixPath(word).name == "manage.py":
            starts = words[:index]
            parent = str(PurePosixPath(word).parent)
            return (starts or ("python",)), "" if parent == "." else parent
    return ("python",), ""


def ask_here(settings: Settings, directory: Path, python: Path, question: Mapping[str, Any]) -> Answer:
    """Ask the project whose files are in ``directory`` with an interpreter of this machine.

    Raises :class:`NoAnswer` with the project's own last words.
    """
    asked = command(settings, question, (str(python),))
    try:
        done = subprocess.run(
            asked,
            cwd=directory,
            env=environment(settings),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except OSError as error:
        raise NoAnswer(f"{python} does not start: {error.strerror}", hint="see migrations.python") from None
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"{python} did not read the migrations within {_PATIENCE} s") from None
    return answered(done.stdout.splitlines(), done.stderr.splitlines())


def answered(lines: Iterable[str], others: Iterable[str] = ()) -> Answer:
    """Return the answer in the lines of a task's log or a program's output.

    Raises :class:`NoAnswer` with the last of the ``others`` (or of the lines) where there is none, or not all of it.
    """
    lines = list(lines)
    parts: dict[int, str] = {}
    total = 0
    for line in lines:
        words = line.split(" ")
        if len(words) == 3 and words[0] == MARK:
            number, _, of = words[1].partition("/")
            parts[int(number)], total = words[2], int(of)
    if not total or len(parts) != total:
        said = [each for each in (*lines, *others) if each.strip() and not each.startswith(MARK)]
        last = said[-1].strip() if said else "it said nothing"
        raise NoAnswer(f"the project could not be asked about its migrations: {last}", details=tuple(said[-12:-1]))
    raw = json.loads(zlib.decompress(base64.b64decode("".join(parts[each] for each in sorted(parts)))))
    database = raw["database"]
    return Answer(
        django=raw["django"],
        vendor=raw["vendor"],
        database=Database(
            database["version"],
            tuple((app, name) for app, name in database["applied"]),
            {table: (rows, size) for table, (rows, size) in database["tables"].items()},
        )
        if database
        else None,
        problem=raw["problem"],
        migrations=raw.get("migrations"),
        serving=raw.get("serving"),
        leaves=raw.get("leaves", {}),
        known=tuple((app, name) for app, name in raw.get("known", ())),
    )


def local_python(settings: Settings, root: Path) -> Path | None:
    """Return the interpreter that has the project's packages: ``migrations.python``, or a virtual environment's.

    Those called ``.venv`` and ``venv`` beside seatrial.toml are looked for. None where there is none.
    """
    wanted = settings.migrations.python
    candidates = [wanted] if wanted else [".venv/bin/python", "venv/bin/python"]
    return next((root.absolute() / each for each in candidates if (root / each).exists()), None)


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables that a container has, with stand-ins for secrets and addresses."""
    own = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")}
    stand_ins = dict.fromkeys(settings.secrets, _STAND_IN)
    if settings.database is not None:
        stand_ins |= dict.fromkeys(("PGUSER", "PGPASSWORD"), _STAND_IN)
        stand_ins |= {"PGHOST": "127.0.0.1", "PGPORT": "5432", "PGDATABASE": settings.database.name}
    if settings.cache is not None:
        stand_ins["REDIS_URL"] = "redis://127.0.0.1:6379/0"
    if settings.media is not None:
        stand_ins["MEDIA_BUCKET"] = "stands-in-for-a-bucket"
    if settings.site is not None:
        stand_ins["SITE_URL"] = "https://stands-in-for-a-site.example"
    return own | stand_ins | settings.environment


@cache
def _program() -> str:
    """Return the collector as one line of Python that needs no quoting, without comments and docstrings."""
    tree = ast.parse(Path(__file__).with_name("collector.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    packed = base64.b85encode(zlib.compress(ast.unparse(tree).encode(), 9)).decode()
    return f"import base64,zlib;exec(zlib.decompress(base64.b85decode('{packed}')))"
