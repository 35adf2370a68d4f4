"""A function's archive, unpacked once for each content."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Code:
    """Directories of unpacked archives under one root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()

    def directory(self, archive: bytes) -> Path:
        """Return the directory an archive is unpacked in. Raises ``zipfile.BadZipFile`` for what is no archive."""
        directory = self._root / hashlib.sha256(archive).hexdigest()[:32]
        with self._lock:
            if not directory.is_dir():
                half = directory.with_suffix(".half")
                with zipfile.ZipFile(io.BytesIO(archive)) as content:
                    content.extractall(half)
                half.rename(directory)
        return directory
