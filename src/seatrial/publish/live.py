"""What a bucket says is live, and the configuration file that goes live with a build. Pure.

A front end is built once and asks this file at its start which API to talk to, so the very build that staging tried
can serve production.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from seatrial.publish.manifest import ASKED_FOR, File
from seatrial.publish.types import content_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.config.site import Site


@dataclass(frozen=True)
class Config:
    """The configuration file as it is served."""

    path: str
    text: str

    @property
    def file(self) -> File:
        """The file as a manifest would have it."""
        body = self.text.encode()
        return File(hashlib.sha256(body).hexdigest(), len(body), content_type(self.path), ASKED_FOR)

    @property
    def etag(self) -> str:
        """The ETag that S3 gives it, see :class:`seatrial.aws.s3.Listed`."""
        return hashlib.md5(self.text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Live:
    """What is live as a whole: a build of ``version``, put there by ``release`` at ``at``."""

    build: str
    version: str
    release: int
    at: datetime
    config: Config | None = None

    def same_site(self, other: Live) -> bool:
        """Whether users get the same files."""
        return (self.build, self.config) == (other.build, other.config)


def rendered(site: Site, values: Mapping[str, str]) -> Config | None:
    """Return the configuration file of one environment, None where the site has none.

    ``values`` are those of :data:`seatrial.config.site.PLACEHOLDERS`.
    """
    if not site.config:
        return None
    filled = {key: value.format(**values) for key, value in site.config.items()}
    return Config(site.config_file, json.dumps(filled, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def websocket_url(service_url: str) -> str:
    """Return the address of the same services for web sockets: ``wss`` for ``https``, ``ws`` for ``http``."""
    return "ws" + service_url.removeprefix("http")


def encoded(live: Live) -> bytes:
    """Return it as a line of JSON."""
    return json.dumps({**asdict(live), "at": live.at.isoformat()}).encode() + b"\n"


def decoded(text: bytes) -> Live:
    """Return what :func:`encoded` wrote."""
    values = json.loads(text)
    live = Live(**{**values, "at": datetime.fromisoformat(values["at"])})
    return replace(live, config=Config(**values["config"]) if values["config"] else None)
