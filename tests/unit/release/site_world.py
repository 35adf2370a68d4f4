"""A scripted AWS with a site: S3 as far as publishing calls it, and invalidations that end when the test says so."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from seatrial.publish.bucket import SiteBucket
from seatrial.publish.live import Live
from seatrial.publish.manifest import Manifest, described
from seatrial.release.record import Record, encoded
from seatrial.release.status import status
from tests.unit.release.support import NEW, OLD, TOML, FakeAws, error, settings_of
from tests.unit.release.world import SERVICES, ReleaseWorld

if TYPE_CHECKING:
    from seatrial.config.site import Site
    from seatrial.release.status import Status

BUCKET, DISTRIBUTION = "shop-production-site", "E2EXAMPLE"
OUTPUTS = {
    "SiteBucketName": BUCKET,
    "SiteDistributionId": DISTRIBUTION,
    "SiteDomainName": "d1.cloudfront.net",
    "SiteUrl": "https://d1.cloudfront.net",
}
SITE_TOML = TOML + '[site]\nsource = "front"\nbuild = "make"\nkeep = 2\nconfig = { api = "{service_url}" }\n'
AT = datetime(2026, 1, 1, tzinfo=UTC)


class SiteAws(FakeAws):
    """``statuses`` is what an invalidation says, look by look; the last one again and again.

    ``written`` says of objects after how many seconds they were; others after a day.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.types: dict[str, tuple[str, str | None]] = {}
        self.statuses = ["InProgress", "Completed"]
        self.written: dict[str, int] = {}

    def _describe_stacks(self, **named: Any) -> dict[str, Any]:
        answer = super()._describe_stacks(**named)
        answer["Stacks"][0]["Outputs"] += [{"OutputKey": key, "OutputValue": text} for key, text in OUTPUTS.items()]
        return answer

    def _put_object(self, Key: str, Body: bytes, **more: Any) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.types[Key] = more["ContentType"], more.get("CacheControl")
        return super()._put_object(Key, Body)

    def _copy_object(self, CopySource: str, Key: str, **more: Any) -> dict[str, Any]:  # noqa: N803
        return self._put_object(Key, self._get(CopySource.partition("/")[2], "CopyObject"), **more)

    def _get_object(self, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        content = self._get(Key, "GetObject")

        class Body:
            def read(self) -> bytes:
                return content

        return {"Body": Body()}

    def _get(self, key: str, operation: str) -> bytes:
        if key not in self.objects:
            raise error("NoSuchKey", operation)
        return self.objects[key]

    def _list_objects_v2(self, Prefix: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        found = sorted(key for key in self.objects if key.startswith(Prefix))
        return {"Contents": [self._listed(key) for key in found]}

    def _listed(self, key: str) -> dict[str, Any]:
        body = self.objects[key]
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return {
            "Key": key,
            "ETag": f'"{etag}"',
            "Size": len(body),
            "LastModified": AT + timedelta(seconds=self.written.get(key, 86400)),
        }

    def _delete_object(self, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.objects.pop(Key, None)
        return {}

    def _create_invalidation(self, **_: Any) -> dict[str, Any]:
        return {"Invalidation": {"Id": "I1"}}

    def _get_invalidation(self, **_: Any) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"Invalidation": {"Id": "I1", "Status": status}}


class SiteWorld(ReleaseWorld[SiteAws]):
    """Release 1 was of the old image and site, 2 of the new ones, and 3 put the old ones back, which are live."""

    def __init__(self, fake: type[SiteAws] = SiteAws) -> None:
        super().__init__(settings_of(SITE_TOML), fake)
        self.bucket = SiteBucket(self.aws, BUCKET)
        self.old, self.new = (self.add(version) for version in ("old", "new"))
        for number, (digest, build) in enumerate([(OLD, self.old), (NEW, self.new), (OLD, self.old)], start=1):
            revisions = {unit: f"shop-production-{unit}:1" for unit in SERVICES}
            version = self.aws.images[digest]
            record = Record(number, version, digest, revisions, "someone", AT, "released")
            known = Record(**{**vars(record), "site": build.id, "site_version": version})
            self.aws.parameters[f"/shop/production/releases/{number:06d}"] = encoded(known)
        self.aws.parameters["/shop/production/latest"] = "3"
        self.put_live(self.old, "old")
        self.aws.calls.clear()

    @property
    def site(self) -> Site:
        assert self.settings.site is not None
        return self.settings.site

    def add(self, version: str) -> Manifest:
        """Put a build into the bucket, and return what it is."""
        contents = {
            "index.html": f"page {version}",
            "help/index.html": f"help {version}",
            f"assets/app-{version}.js": f"script {version}",
            "favicon.ico": "icon",
        }
        digests = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in contents.items()}
        for path, text in contents.items():
            self.bucket.put_blob(digests[path], text.encode())
        manifest = described(((path, digests[path], len(text)) for path, text in contents.items()), self.site)
        self.bucket.add(manifest)
        return manifest

    def put_live(self, build: Manifest, version: str) -> None:
        for path, file in build.files.items():
            self.bucket.serve(path, file)
        self.bucket.complete(Live(build.id, version, 1, AT))

    def served(self) -> dict[str, str]:
        """Return what is served, path to text."""
        found = {key: body for key, body in self.aws.objects.items() if key.startswith("live/")}
        return {key.removeprefix("live/"): body.decode() for key, body in found.items()}

    def status(self) -> Status:
        return status(self.settings, self.aws, self.clock)

    def writes(self) -> list[str]:
        """Return what was done to the bucket, in order, told by keys."""
        verbs = {"CopyObject": "+", "PutObject": "+", "DeleteObject": "-", "CreateInvalidation": "invalidate"}
        return [
            f"{verbs[name]}{values['Key']}" if "Key" in values else verbs[name]
            for service, name, values in self.aws.calls
            if name in verbs and values.get("Bucket", BUCKET) == BUCKET
        ]
