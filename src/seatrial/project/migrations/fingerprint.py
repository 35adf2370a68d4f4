"""Whether two versions of a project can differ in their migrations at all, told from their files. Pure.

Django's migrations are decided by the migration modules, by the installed apps, and by the packages that bring some.
Where none of these changed, nothing needs to be asked.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Files that say which packages are installed, whatever the tool.
_PACKAGES = re.compile(
    r"(.*/)?(Dockerfile[^/]*|pyproject\.toml|setup\.(py|cfg)|Pipfile|[^/]*\.lock)|.*requirements.*\.(txt|in)"
)
#: Settings that say which migrations there are (Django settings reference).
_SETTINGS = re.compile(rb"INSTALLED_APPS|MIGRATION_MODULES")


def fingerprint(files: Mapping[str, bytes], environment: Mapping[str, str]) -> str:
    """Return a hash of everything in a project that decides about its migrations.

    ``files`` by path with ``/``; ``environment`` are the plain variables, on which the installed apps may depend.
    """
    digest = hashlib.sha256(repr(sorted(environment.items())).encode())
    for path, content in sorted(files.items()):
        if _decides(PurePosixPath(path), content):
            digest.update(f"{path}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:32]


def _decides(path: PurePosixPath, content: bytes) -> bool:
    if _PACKAGES.fullmatch(str(path)):
        return True
    return path.suffix == ".py" and ("migrations" in path.parts or _SETTINGS.search(content) is not None)
