"""Python modules among a project's paths. Pure."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class Modules:
    """The modules that the project's own files make.

    ``paths`` are relative to the image's context, with ``/``. Modules are looked for from the context, from ``src``
    and from each directory with a ``manage.py``: where Python is started, or is told to look.
    """

    def __init__(self, paths: Collection[str]) -> None:
        self._paths = frozenset(paths)
        homes = {path.removesuffix("manage.py") for path in paths if path == "manage.py" or path.endswith("/manage.py")}
        self._roots = tuple(sorted({"", "src/", *homes}))

    def file(self, module: str) -> str | None:
        """Return the file of ``package.module``; a directory counts as a package even without ``__init__.py``."""
        path = module.replace(".", "/")
        for root in self._roots:
            for candidate in (f"{root}{path}.py", f"{root}{path}/__init__.py"):
                if candidate in self._paths:
                    return candidate
            if any(each.startswith(f"{root}{path}/") and each.endswith(".py") for each in self._paths):
                return f"{root}{path}/"
        return None

    def owns(self, module: str) -> bool:
        """Whether the module's first name is the project's own; others may come from installed packages."""
        return self.file(module.partition(".")[0]) is not None

    def nearest(self, module: str) -> str | None:
        """Return the module of the project that ``module`` may be a misspelling of."""
        matches = difflib.get_close_matches(module, sorted(self._all()), n=1, cutoff=0.7)
        return matches[0] if matches else None

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return path.removeprefix("./") in self._paths

    def _all(self) -> set[str]:
        found = set()
        for path in self._paths:
            if path.endswith(".py"):
                for root in self._roots:
                    if path.startswith(root):
                        found.add(
                            path.removeprefix(root).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                        )
        return found
