"""The files of one site build, and the id that stands for all of it. Pure.

The same files under the same settings have the same id on every machine, so a build that is there is known again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from seatrial.publish.types import content_type, is_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.config.site import Site

#: The name carries a hash of the content: nobody need ever ask again.
FOR_EVER = "public, max-age=31536000, immutable"
#: Browsers ask each time; the edge answers them from its cache until the release invalidates it.
ASKED_FOR = "public, max-age=0, s-maxage=86400, must-revalidate"


@dataclass(frozen=True)
class File:
    """A file: the digest of its content in hex, its size in bytes, and the headers that it is served with."""

    sha256: str
    size: int
    type: str
    cache: str

    @property
    def immutable(self) -> bool:
        """Whether its name stands for its content."""
        return self.cache == FOR_EVER


@dataclass(frozen=True)
class Manifest:
    """The files of one build by path."""

    files: Mapping[str, File]

    @property
    def id(self) -> str:
        """``sha256:`` of the canonical text: what a release records."""
        return f"sha256:{hashlib.sha256(encoded(self)).hexdigest()}"

    @property
    def contents(self) -> dict[str, File]:
        """One file for each different content, by its digest."""
        return {each.sha256: each for each in self.files.values()}


def described(contents: Iterable[tuple[str, str, int]], site: Site) -> Manifest:
    """Return the manifest of files given as path, digest and size.

    ``config_file`` is no part of it, where the release writes that: it differs between environments.
    """
    written = site.config_file if site.config else None
    return Manifest(
        {
            path: File(sha256, size, content_type(path), cache_control(path, site))
            for path, sha256, size in sorted(contents)
            if path != written
        }
    )


def cache_control(path: str, site: Site) -> str:
    """Return how long a file may be kept. Pages are asked for, whatever ``immutable`` matches."""
    hashed = any(fnmatchcase(path, pattern) for pattern in site.immutable)
    return FOR_EVER if hashed and not is_page(path) else ASKED_FOR


def encoded(manifest: Manifest) -> bytes:
    """Return the canonical text: keys sorted, no white space."""
    files = {path: asdict(file) for path, file in manifest.files.items()}
    return json.dumps(files, sort_keys=True, separators=(",", ":")).encode()


def decoded(text: bytes) -> Manifest:
    """Return the manifest of :func:`encoded`'s text."""
    return Manifest({path: File(**file) for path, file in sorted(json.loads(text).items())})
