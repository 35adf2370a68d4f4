"""A copy of the project that is broken on purpose, so that the rollback is seen before it is needed.

The WSGI or ASGI module that the web service's command names raises when it is imported. The migration gate does not
import it and passes, as it would with most real mistakes; the new tasks never become healthy, and ECS has to notice.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from seatrial.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from seatrial.config.models import Settings

MESSAGE = "broken on purpose by seatrial rehearse"
_MODULE = re.compile(r"^([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?::\w+)?$")


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
    """Copy ``files`` (relative to ``root``) to ``target`` and break the entry module there; return ``target``."""
    entry = entry_module(settings, root)
    for file in files:
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / file, copy, follow_symlinks=False)
    with (target / entry).open("a", encoding="utf-8") as module:
        module.write(f'\n\nraise RuntimeError("{MESSAGE}")\n')
    return target
