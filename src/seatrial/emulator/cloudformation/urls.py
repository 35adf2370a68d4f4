"""Where a ``TemplateURL`` points to: every form in which S3 is addressed, and the emulator's own endpoint."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

from seatrial.emulator.cloudformation.errors import TemplateError

_AWS = re.compile(r"^(?:(?P<bucket>.+?)\.)?s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?$")
_LOCAL = re.compile(r"^(?:(?P<bucket>.+?)\.)?(?:s3\.)?(?:localhost(?:\.[a-z.]+)?|127\.\d+\.\d+\.\d+|\[?::1\]?)$")


def s3_location(url: str) -> tuple[str, str, str | None]:
    """Return (bucket, key, version id) of a template's URL. Raises :class:`TemplateError` where it is none of S3."""
    parts = urlsplit(url)
    path = unquote(parts.path).lstrip("/")
    version = parse_qs(parts.query).get("versionId", [None])[0]
    if parts.scheme == "s3":
        bucket, key = parts.netloc, path
    else:
        match = _AWS.match(parts.hostname or "") or _LOCAL.match(parts.hostname or "")
        if parts.scheme not in {"http", "https"} or not match:
            raise TemplateError("TemplateURL must be a supported URL.")
        bucket, key = (match["bucket"], path) if match["bucket"] else path.partition("/")[::2]
    if not bucket or not key:
        raise TemplateError("TemplateURL must reference a valid S3 object to which you have access.")
    return bucket, key, version
