"""The logs of releases in the app's artifacts bucket: one object a release, JSON lines, written anew at each event.

S3 cannot append. An object of a few kilobytes that is overwritten a dozen times is complete up to the last event when a
release is killed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from seatrial.aws.s3 import S3
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings

_TYPE = "application/jsonl"


class Store:
    """The logs of one environment."""

    def __init__(self, settings: Settings, aws: Aws) -> None:
        self._s3 = S3(aws)
        self.bucket = names.artifacts_bucket(settings, aws.account(), aws.region)
        self._prefix = names.log_prefix(settings)

    def write(self, number: int, documents: Sequence[Mapping[str, Any]]) -> None:
        """Write all that is known of a release. Raises :class:`~seatrial.errors.SeatrialError` where it cannot."""
        text = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in documents)
        self._s3.put(self.bucket, f"{self._prefix}{number:06d}.jsonl", text.encode(), content_type=_TYPE)

    def newest(self, limit: int) -> list[list[dict[str, Any]]]:
        """Return the documents of the newest releases, the newest first; none where there is no bucket."""
        keys = sorted(self._s3.keys(self.bucket, self._prefix), reverse=True)[:limit]
        return [[json.loads(line) for line in self._s3.get(self.bucket, key).splitlines() if line] for key in keys]
