"""Images on disk, as a registry keeps them: blobs by digest, manifests and tags by repository.

::

    blobs/sha256/HEX                        layers, configs and manifests
    repositories/NAME/_manifests/HEX        media type of a manifest of this repository
    repositories/NAME/_tags/TAG             digest the tag stands for

Blobs are shared between repositories. Every file appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

#: ECR's own rule for names (CreateRepository) and the distribution specification's for tags and digests.
NAME = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index, byte for byte as it was pushed."""

    digest: str
    media_type: str
    content: bytes

    def parsed(self) -> dict[str, Any]:
        """Return the document."""
        document: dict[str, Any] = json.loads(self.content)
        return document


class ImageStore:
    """What has been pushed. Safe from any thread: every change is one rename."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.uploads = directory / "uploads"
        self._blobs = directory / "blobs" / "sha256"
        self._repositories = directory / "repositories"
        for folder in (self.uploads, self._blobs, self._repositories):
            folder.mkdir(parents=True, exist_ok=True)

    def blob(self, digest: str) -> Path | None:
        """Return the file of a blob, or None where it was never pushed."""
        if not DIGEST.fullmatch(digest):
            return None
        path = self._blobs / digest.removeprefix("sha256:")
        return path if path.is_file() else None

    def adopt_blob(self, upload: Path, digest: str) -> None:
        """Move a finished upload, whose digest the caller has checked, among the blobs."""
        upload.replace(self._blobs / digest.removeprefix("sha256:"))

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """Return a manifest by tag or by digest, or None."""
        if not NAME.fullmatch(repository):
            return None
        home = self._repositories / repository
        digest = reference
        if not DIGEST.fullmatch(reference):
            if not TAG.fullmatch(reference):
                return None
            digest = _read(home / "_tags" / reference) or ""
        media_type = _read(home / "_manifests" / digest.removeprefix("sha256:")) if digest else None
        blob = self.blob(digest)
        if media_type is None or blob is None:
            return None
        return Manifest(digest, media_type, blob.read_bytes())

    def put_manifest(self, repository: str, content: bytes, media_type: str, tag: str | None) -> Manifest:
        """Store a manifest, under its digest and under ``tag`` where there is one."""
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        _write(self._blobs / digest.removeprefix("sha256:"), content)
        home = self._repositories / repository
        _write(home / "_manifests" / digest.removeprefix("sha256:"), media_type.encode())
        if tag is not None:
            _write(home / "_tags" / tag, digest.encode())
        return Manifest(digest, media_type, content)

    def tags(self, repository: str) -> dict[str, str]:
        """Return tag → digest, sorted by tag."""
        folder = self._repositories / repository / "_tags"
        found = ((path.name, _read(path)) for path in sorted(_listing(folder)))
        return {name: digest for name, digest in found if digest is not None}

    def digests(self, repository: str) -> list[str]:
        """Return the digests of all manifests of a repository, in the order they were pushed."""
        files = _listing(self._repositories / repository / "_manifests")
        return [f"sha256:{path.name}" for path in sorted(files, key=lambda path: path.stat().st_mtime_ns)]

    def keep_only(self, repository: str, tags: dict[str, str], digests: set[str]) -> None:
        """Forget every tag and manifest of a repository but these. Blobs stay: other repositories may share them."""
        for tag, digest in self.tags(repository).items():
            if tags.get(tag) != digest:
                (self._repositories / repository / "_tags" / tag).unlink()
        for digest in self.digests(repository):
            if digest not in digests:
                (self._repositories / repository / "_manifests" / digest.removeprefix("sha256:")).unlink()

    def forget(self, repository: str) -> None:
        """Forget a whole repository."""
        for folder in ("_tags", "_manifests"):
            shutil.rmtree(self._repositories / repository / folder, ignore_errors=True)


def _listing(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(name, path)  # noqa: PTH105  # mkstemp gives a text path
