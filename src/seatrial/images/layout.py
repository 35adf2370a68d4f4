"""An OCI image as values: blobs by digest and the manifest that ties them together. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Blob:
    """Content and what it is."""

    media_type: str
    content: bytes

    @cached_property
    def digest(self) -> str:
        """``sha256:`` and the hash of the content."""
        return "sha256:" + hashlib.sha256(self.content).hexdigest()

    def descriptor(self) -> dict[str, object]:
        """Return the blob as a manifest refers to it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


@dataclass(frozen=True)
class Layout:
    """One image for one platform."""

    config: Blob
    layers: tuple[Blob, ...]

    @cached_property
    def manifest(self) -> Blob:
        """The manifest; its digest is the image's."""
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.config.descriptor(),
            "layers": [layer.descriptor() for layer in self.layers],
        }
        return Blob(MANIFEST, json.dumps(document, sort_keys=True).encode())
