"""Copies of the project: one that is broken on purpose, so that the rollback is seen before it is needed.

The WSGI or ASGI module that the web service's command names raises when it is imported. The migration gate does not
import it and passes, as it would with most real mistakes; the new tasks never become healthy, and ECS has to notice.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from seatrial.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from seatrial.config.models import Settings

MARKER = "rehearsed-over-itself.txt"
MESSAGE = "broken on purpose by seatrial rehearse"
_MODULE = re.compile(r"^([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?::\w+)?$")

#: Who and when of the copy's one commit: fixed, so that the same files give the same version every time.
_COMMIT = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "seatrial"), ("EMAIL", "seatrial@localhost"), ("DATE", "2000-01-01T00:00:00Z"))
}


def entry_module(settings: Settings, root: Path) -> Path:
    """Return the file of the module that the first web service serves, relative to ``root``.

    Raises :class:`~seatrial.errors.UsageError` when no argument of a web command is a module of the project.
    """
    for service in settings.services.values():
        if service.role != "web":
            continue
        for argument in service.command:
            match = _MODULE.match(argument)
            if match:
                file = (root / settings.image.context).joinpath(*match[1].split(".")).with_suffix(".py")
                if file.is_file():
                    return file.relative_to(root)
    raise UsageError(
        "no web service's command names a WSGI or ASGI module of the project, so there is nothing to break on purpose",
        hint="rehearse with --no-fault, or name the module in the command, as in: gunicorn shop.wsgi",
    )


def broken_copy(settings: Settings, root: Path, files: Iterable[Path], target: Path) -> Path:
    """Copy ``files`` (relative to ``root``) to ``target``, break the entry module there, commit; return ``target``."""
    entry = entry_module(settings, root)
    _copy(root, files, target)
    module = target / entry
    module.write_text(_raising(module.read_text(encoding="utf-8")), encoding="utf-8")
    return _committed(target, MESSAGE)


def marked_copy(root: Path, files: Iterable[Path], target: Path) -> Path:
    """Copy ``files`` to ``target`` with one file more, so that it is another version that does the same."""
    _copy(root, files, target)
    (target / MARKER).write_text("This copy differs by this file only, so that it can be released over itself.\n")
    return _committed(target, "a marked copy")


def _raising(source: str) -> str:
    """Return the module with a ``raise`` as its first statement, behind docstring and ``__future__``."""
    lines = source.splitlines(keepends=True)
    after = 0
    for statement in ast.parse(source).body:
        docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if not (docstring or future):
            break
        after = statement.end_lineno or 0
    return "".join([*lines[:after], f'\nraise RuntimeError("{MESSAGE}")\n', *lines[after:]])


def _copy(root: Path, files: Iterable[Path], target: Path) -> None:
    for file in files:
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / file, copy, follow_symlinks=False)


def _committed(tree: Path, message: str) -> Path:
    for command in (["init", "--quiet"], ["add", "--all", "--force"], ["commit", "--quiet", "--message", message]):
        subprocess.run(["git", "-C", str(tree), *command], check=True, env=os.environ | _COMMIT, capture_output=True)
    return tree
