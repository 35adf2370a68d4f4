"""Bringing a build to a site's bucket. No user sees anything of it: ``live/`` is not touched."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from seatrial.errors import ReleaseFailed, UsageError
from seatrial.publish.pool import each

if TYPE_CHECKING:
    from seatrial.publish.bucket import SiteBucket
    from seatrial.publish.build import BuiltSite
    from seatrial.publish.manifest import Manifest


def from_machine(built: BuiltSite, bucket: SiteBucket) -> str:
    """Upload what the bucket does not have of a build, and say what that was."""
    missing = _missing(built.manifest, bucket)
    wanted = {file.sha256: path for path, file in built.manifest.files.items()}

    def send(sha256: str) -> None:
        body = (built.folder / wanted[sha256]).read_bytes()
        if hashlib.sha256(body).hexdigest() != sha256:
            raise ReleaseFailed(f"{built.folder / wanted[sha256]} was changed since the site was built")
        bucket.put_blob(sha256, body)

    each(missing, send)
    bucket.add(built.manifest)
    return _words(built.manifest, missing)


def from_bucket(build: str, origin: SiteBucket, bucket: SiteBucket) -> str:
    """Copy what the bucket does not have of a build from another environment's, and say what that was."""
    manifest = whole(build, origin)
    missing = _missing(manifest, bucket)
    each(missing, lambda sha256: bucket.take_blob(sha256, origin.name))
    bucket.add(manifest)
    return _words(manifest, missing)


def whole(build: str, bucket: SiteBucket) -> Manifest:
    """Return the manifest of a build that can be put live.

    Raises :class:`~seatrial.errors.UsageError` where the bucket has not all of it any more.
    """
    manifest = bucket.manifest(build)
    gone = "its manifest" if manifest is None else ""
    if manifest is not None and (absent := _missing(manifest, bucket)):
        gone = f"{len(absent)} of its {len(manifest.contents)} files"
    if manifest is None or gone:
        raise UsageError(
            f"site build {build[:19]} cannot be put live: the bucket {bucket.name} lacks {gone}",
            hint="release its git revision again, which builds it: seatrial deploy ENVIRONMENT --revision REVISION",
        )
    return manifest


def _missing(manifest: Manifest, bucket: SiteBucket) -> list[str]:
    return sorted(manifest.contents.keys() - bucket.blobs().keys())


def _words(manifest: Manifest, sent: list[str]) -> str:
    size = sum(manifest.contents[sha256].size for sha256 in sent)
    return f"{manifest.id[:19]}: {len(sent)} of {len(manifest.contents)} files sent ({size / 1024:.0f} KiB)"
