"""A bucket asked as CloudFront asks it: signed in the distribution's name or by nobody, and held to its policy.

Names of moto used: ``s3_backends``, ``FakeBucket`` (``keys``, ``policy``, ``public_access_block``),
``PublicAccessBlock`` and ``FakeKey`` (``value``, ``etag``, ``metadata``, ``last_modified_RFC1123``, ``encryption``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from seatrial.emulator.access.decision import Need
from seatrial.emulator.access.resources import verdict
from seatrial.emulator.edge.model import Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from seatrial.emulator.edge.model import Headers, Origin

_SERVICE = "cloudfront.amazonaws.com"
#: Metadata of an object that S3 itself knows; what is the user's own begins with ``x-amz-meta-``.
_SYSTEM = (
    "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires",
)  # fmt: skip


class Buckets:
    """All buckets of the account. ``now`` is the wall clock."""

    def __init__(self, account: str, now: Callable[[], datetime]) -> None:
        self._account = account
        self._now = now

    def ask(self, origin: Origin, distribution: str, path: str, tag: str | None) -> Answer:
        """Return S3's answer to GET of a path for a distribution (ARN); 304 where the object has the entity tag.

        One that may not list the bucket does not learn what is missing: it gets 403 (S3 API reference, GetObject).
        """
        from moto.s3.models import FakeKey, s3_backends

        bucket = s3_backends[self._account]["aws"].buckets.get(origin.bucket)
        if bucket is None:
            return self._error(404, "NoSuchBucket", "The specified bucket does not exist")
        key = unquote(f"{origin.path}{path}").removeprefix("/")
        if not self._may("s3:GetObject", f"arn:aws:s3:::{origin.bucket}/{key}", bucket, origin, distribution):
            return self._error(403, "AccessDenied", "Access Denied")
        found = bucket.keys.get(key)
        if not isinstance(found, FakeKey):  # none, or a delete marker
            if self._may("s3:ListBucket", f"arn:aws:s3:::{origin.bucket}", bucket, origin, distribution):
                return self._error(404, "NoSuchKey", "The specified key does not exist.")
            return self._error(403, "AccessDenied", "Access Denied")
        headers = (*_headers(found), *self._common())
        if tag is not None and tag.removeprefix("W/") == found.etag:
            return Answer(304, headers)
        return Answer(200, headers, found.value)

    def _may(self, action: str, resource: str, bucket: Any, origin: Origin, distribution: str) -> bool:
        """Whether the bucket's policy lets CloudFront, or anybody, do this. CloudFront speaks TLS to S3."""
        if bucket.policy is None:
            return False
        document = json.loads(bucket.policy)
        block = bucket.public_access_block
        restricted = block is not None and str(block.restrict_public_buckets).lower() == "true"
        if not origin.signed and restricted:
            return False
        context = {"aws:SecureTransport": "true"}
        if origin.signed:
            context |= {"aws:SourceArn": distribution, "aws:SourceAccount": self._account}
        said = verdict(document, Need(action, resource, context), _SERVICE if origin.signed else None)
        return said == "Allow"

    def _common(self) -> Headers:
        return (("Server", "AmazonS3"), ("Date", f"{self._now():%a, %d %b %Y %H:%M:%S} GMT"))

    def _error(self, status: int, code: str, message: str) -> Answer:
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
        return Answer(status, (("Content-Type", "application/xml"), *self._common()), body.encode())


def _headers(key: Any) -> Headers:
    system = {name.lower(): name for name in _SYSTEM}
    said = [
        (system.get(name.lower(), name.lower()), str(value))
        for name, value in dict(key.metadata).items()
        if name.lower() in system or name.lower().startswith("x-amz-meta-")  # moto keeps more of the request
    ]
    own = [("ETag", key.etag), ("Last-Modified", key.last_modified_RFC1123), ("Accept-Ranges", "bytes")]
    if key.encryption:
        own.append(("x-amz-server-side-encryption", key.encryption))
    return (*said, *own)
