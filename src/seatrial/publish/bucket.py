"""A site's bucket as a place of builds: contents by digest, manifests by id, and what is live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.aws.errors import NotFound
from seatrial.aws.s3 import S3
from seatrial.publish import live as live_
from seatrial.publish import manifest as manifest_
from seatrial.publish.pool import each
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from seatrial.aws.session import Aws
    from seatrial.publish.live import Config, Live
    from seatrial.publish.manifest import File, Manifest

BLOBS, BUILDS, SERVED = "blobs/", "builds/", f"{names.LIVE_FOLDER}/"
#: What is live as a whole, and what was about to be: the second is there only while, or after, a publication was cut
#: off. Both lie outside of what CloudFront may read.
LIVE, BEGUN = "live.json", "publishing.json"

#: So many builds, the newest, can be put back.
_HELD = 50
_JSON, _BYTES = "application/json", "application/octet-stream"


class SiteBucket:
    """The bucket of one environment's site."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._s3 = S3(aws)
        self.name = name

    def live(self) -> Live | None:
        """Return what is live as a whole, None before the first release."""
        text = self._read(LIVE)
        return None if text is None else live_.decoded(text)

    def begun(self) -> tuple[Live, ...]:
        """Return what publications since were to put live, that did not come to their end."""
        text = self._read(BEGUN)
        return () if text is None else tuple(map(live_.decoded, text.splitlines()))

    def begin(self, lives: Iterable[Live]) -> None:
        """Say that from here on each file of ``live/`` may be as any of these has it, or as it was."""
        self._s3.put(self.name, BEGUN, b"".join(map(live_.encoded, lives)), content_type="application/jsonl")

    def complete(self, live: Live | None) -> None:
        """Say that this is what lies there, all of it; None is nothing."""
        if live is None:
            self._s3.delete(self.name, LIVE)
        else:
            self._s3.put(self.name, LIVE, live_.encoded(live), content_type=_JSON)
        self._s3.delete(self.name, BEGUN)

    def manifest(self, build: str) -> Manifest | None:
        """Return a build's files, None for a build that is not here."""
        text = self._read(_manifest_key(build))
        return None if text is None else manifest_.decoded(text)

    def manifests(self, builds: Iterable[str]) -> list[Manifest]:
        """Return the manifests of those builds that are here."""
        return [found for found in each(builds, self.manifest) if found is not None]

    def add(self, manifest: Manifest) -> None:
        """Write a manifest, which makes its build the newest; all its contents must be here."""
        self._s3.put(self.name, _manifest_key(manifest.id), manifest_.encoded(manifest), content_type=_JSON)

    def blobs(self) -> dict[str, str]:
        """Return the ETag of every content, by its digest."""
        return {found.key.removeprefix(BLOBS): found.etag for found in self._s3.objects(self.name, BLOBS)}

    def put_blob(self, sha256: str, body: bytes) -> None:
        """Write a content."""
        self._s3.put(self.name, f"{BLOBS}{sha256}", body, content_type=_BYTES)

    def take_blob(self, sha256: str, origin: str) -> None:
        """Copy a content from another site's bucket."""
        key = f"{BLOBS}{sha256}"
        self._s3.copy((origin, key), self.name, key, content_type=_BYTES)

    def files(self, live: Live) -> dict[str, File]:
        """Return the files that make a site what ``live`` says, by path."""
        manifest = self.manifest(live.build)
        own = {live.config.path: live.config.file} if live.config else {}
        return {**(manifest.files if manifest else {}), **own}

    def known(self, lives: Sequence[Live]) -> dict[str, File | None]:
        """Return each file that is served, as one of ``lives`` has it; None where none, or more than one way, fits."""
        tags = self.blobs()
        ways: dict[tuple[str, str | None], set[File]] = {}
        for live in lives:
            for path, file in self.files(live).items():
                config = live.config if live.config and live.config.path == path else None
                ways.setdefault((path, config.etag if config else tags.get(file.sha256)), set()).add(file)
        found = {path: ways.get((path, etag), set()) for path, etag in self.served().items()}
        return {path: next(iter(files)) if len(files) == 1 else None for path, files in found.items()}

    def served(self) -> dict[str, str]:
        """Return the ETag of every file in ``live/``, by its path."""
        return {found.key.removeprefix(SERVED): found.etag for found in self._s3.objects(self.name, SERVED)}

    def serve(self, path: str, file: File) -> None:
        """Put a content live under a path, with its headers."""
        source = (self.name, f"{BLOBS}{file.sha256}")
        self._s3.copy(source, self.name, f"{SERVED}{path}", content_type=file.type, cache_control=file.cache)

    def serve_config(self, config: Config) -> None:
        """Put the configuration file live."""
        file, key = config.file, f"{SERVED}{config.path}"
        self._s3.put(self.name, key, config.text.encode(), content_type=file.type, cache_control=file.cache)

    def remove(self, path: str) -> None:
        """Take a file out of what is served."""
        self._s3.delete(self.name, f"{SERVED}{path}")

    def prune(self, needed: Collection[str]) -> int:
        """Delete builds older than the newest ones that are not ``needed``, and return how many.

        Contents go before the manifest, so that a build whose contents were being deleted is found again.
        """
        listed = sorted(self._s3.objects(self.name, BUILDS), key=lambda found: (found.modified, found.key))
        builds = [_build_of(found.key) for found in listed]
        old = [build for build in builds[:-_HELD] if build not in needed]
        if old:
            staying = self.manifests(build for build in builds if build not in old)
            used = {sha256 for manifest in staying for sha256 in manifest.contents}
            unused = {sha256 for manifest in self.manifests(old) for sha256 in manifest.contents} - used
            each(sorted(unused), lambda sha256: self._s3.delete(self.name, f"{BLOBS}{sha256}"))
            each(old, lambda build: self._s3.delete(self.name, _manifest_key(build)))
        return len(old)

    def _read(self, key: str) -> bytes | None:
        try:
            return self._s3.get(self.name, key)
        except NotFound as error:
            if error.code == "NoSuchBucket":
                raise
            return None


def _manifest_key(build: str) -> str:
    return f"{BUILDS}{build.removeprefix('sha256:')}.json"


def _build_of(key: str) -> str:
    return f"sha256:{key.removeprefix(BUILDS).removesuffix('.json')}"
