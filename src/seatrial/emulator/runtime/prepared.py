"""Prepared images, one for each digest, shared by emulators and runs like the Python environments.

Nobody runs in them: a runtime copies the one it needs, so that what tasks write is gone with the run. A file lock keeps
others out while one is made, a marker written last says that it is whole, and one that nobody asked for in two weeks
is removed.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MARKER = ".seatrial-ready"
_FORGOTTEN = 14 * 24 * 3600.0


class Prepared:
    """The cache. ``directory`` is made when it is first needed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def ready(self, digest: str, make: Callable[[Path], None]) -> Path:
        """Return the directory of an image; ``make`` fills it where it is not there yet and may raise."""
        home = self._directory / digest
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / f"{digest}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (home / _MARKER).exists():
                shutil.rmtree(home, ignore_errors=True)
                make(home)
            (home / _MARKER).touch()
        self._forget(time.time() - _FORGOTTEN)
        return home

    def _forget(self, before: float) -> None:
        for marker in self._directory.glob(f"*/{_MARKER}"):
            if marker.stat().st_mtime < before:
                shutil.rmtree(marker.parent, ignore_errors=True)
