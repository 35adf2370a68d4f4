"""Builds of a small site, as manifests."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from seatrial.config.site import Site
from seatrial.publish.manifest import Manifest, described

if TYPE_CHECKING:
    from collections.abc import Mapping

SITE = Site(source="front", build="make")


def built(contents: Mapping[str, str], site: Site = SITE) -> Manifest:
    return described(
        ((path, hashlib.sha256(text.encode()).hexdigest(), len(text)) for path, text in contents.items()), site
    )


def replace_site(**changed: object) -> Site:
    return Site.model_validate(SITE.model_dump() | changed)
