"""Which module or script a command starts, for the programs that Django projects are served with. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Servers whose first positional argument is ``module`` or ``module:attribute``.
_SERVERS = ("gunicorn", "uvicorn", "daphne", "hypercorn", "granian", "waitress-serve")
#: Their options that are followed by a dotted name or a file that is no application.
_NOT_THE_APP = (
    "-k", "--worker-class", "-c", "--config", "--logger-class", "--log-config", "--loop", "--http", "--ws",
    "-b", "--bind", "--host", "-u", "-p", "--port", "--chdir", "-w", "--workers", "--timeout", "--access-logfile",
    "--error-logfile", "--interface", "--lifespan", "--app-dir", "--env-file",
)  # fmt: skip
_APP = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_][\w.]*(\(.*\))?)?$")


@dataclass(frozen=True)
class Started:
    """What a command starts: a ``module`` (dotted) or a ``script`` (path), or neither that we know of."""

    module: str | None = None
    script: str | None = None


def started(command: Sequence[str]) -> Started:
    """Return what the command starts.

    Reads ``gunicorn app.wsgi``, ``uvicorn app.asgi:application``, ``celery -A app worker``, ``python manage.py x``,
    ``python -m app``, and what stands behind ``env`` or ``opentelemetry-instrument``-like prefixes.
    """
    for index, word in enumerate(command):
        program, arguments = PurePosixPath(word).name, command[index + 1 :]
        if program in _SERVERS:
            return Started(module=_application(arguments))
        if program == "celery":
            return Started(module=_celery_app(arguments))
        if re.fullmatch(r"python(\d+(\.\d+)?)?", program):
            return _python(arguments)
    return Started()


def _application(arguments: Sequence[str]) -> str | None:
    for before, word in zip(("", *arguments), arguments, strict=False):
        if before not in _NOT_THE_APP and not word.startswith("-") and _APP.match(word):
            return word.partition(":")[0]
    return None


def _celery_app(arguments: Sequence[str]) -> str | None:
    for index, word in enumerate(arguments):
        if word in ("-A", "--app") and index + 1 < len(arguments):
            return arguments[index + 1].partition(":")[0]
        if word.startswith("--app="):
            return word.removeprefix("--app=").partition(":")[0]
    return None


def _python(arguments: Sequence[str]) -> Started:
    words = list(arguments)
    while words and words[0] in ("-u", "-B", "-E", "-I", "-O", "-X", "-W"):
        del words[: 2 if words[0] in ("-X", "-W") else 1]
    if not words:
        return Started()
    if words[0] == "-m":
        inner = started(words[1:])
        return inner if inner != Started() else Started(module=words[1] if len(words) > 1 else None)
    return Started(script=words[0]) if words[0].endswith(".py") else Started()
