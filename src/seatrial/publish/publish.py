"""Putting a site build live: what pages name before the pages, then the edge forgets, then it is written down.

A publication that is cut off anywhere, even by ``kill -9``, leaves ``publishing.json`` behind; the next one then trusts
nothing in ``live/`` and writes every file.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.aws.cloudfront import COMPLETED
from seatrial.errors import ReleaseFailed
from seatrial.publish.changes import INDEX, Changes, changes
from seatrial.publish.pool import each
from seatrial.publish.types import is_page
from seatrial.publish.upload import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from seatrial.aws.clock import Clock
    from seatrial.aws.cloudfront import CloudFront
    from seatrial.publish.bucket import SiteBucket
    from seatrial.publish.live import Live
    from seatrial.publish.manifest import File

#: Seconds until an invalidation counts as stuck. Most take one or two minutes.
_PATIENCE = 900.0
#: Seconds between two words about an invalidation under way.
_TELLS = 15.0


@dataclass(frozen=True)
class Publisher:
    """Changes what one distribution serves.

    ``fallback`` is the page for paths that are no file. ``note`` says a line to the person who watches; ``look`` is
    called between two looks at the invalidation, and may raise to leave it alone.
    """

    bucket: SiteBucket
    cloudfront: CloudFront
    distribution: str
    fallback: str
    clock: Clock
    pace: float
    note: Callable[[str], None]
    look: Callable[[], None] = lambda: None

    def publish(self, live: Live, kept: Collection[str]) -> str:
        """Make the site what ``live`` says, and say what that took.

        The hashed files of the builds ``kept`` stay. Raises :class:`~seatrial.errors.SeatrialError` where it is not
        live everywhere.
        """
        manifest = whole(live.build, self.bucket)
        wanted = dict(manifest.files)
        if live.config is not None:
            wanted[live.config.path] = live.config.file
        was, begun = self.bucket.live(), self.bucket.begun()
        staying = {*kept, *([begun.build] if begun else [])}
        change = changes(
            wanted,
            self._there(was if begun is None else None),
            self.bucket.manifests(sorted(staying)),
            last={INDEX, self.fallback},
        )
        if not change and begun is None and was is not None and was.same_site(live):
            return f"{live.build[:19]} is live already"
        self.bucket.begin(live)
        for stage in change.stages:
            each(stage, lambda path: self._serve(path, wanted[path], live))
        each(change.removed, self.bucket.remove)
        self._invalidate(change.invalidated)
        self.bucket.complete(live)
        return _words(change, len(wanted))

    def withdraw(self) -> None:
        """Serve nothing again, as before the first release: pages first, since they name the rest."""
        served = self.bucket.served()
        pages = [path for path in served if is_page(path)]
        each(pages, self.bucket.remove)
        each(served.keys() - pages, self.bucket.remove)
        self._invalidate(("/*",))
        self.bucket.complete(None)

    def _there(self, live: Live | None) -> Mapping[str, File | None]:
        """Return what is served, None for each file that may not be what ``live`` says."""
        return {path: None if differs else file for path, (file, differs) in compared(self.bucket, live).items()}

    def _serve(self, path: str, file: File, live: Live) -> None:
        if live.config is not None and path == live.config.path:
            self.bucket.serve_config(live.config)
        else:
            self.bucket.serve(path, file)

    def _invalidate(self, paths: tuple[str, ...]) -> None:
        """Have the edge forget, and wait until all of it has."""
        if not paths:
            return
        invalidation = self.cloudfront.invalidate(self.distribution, paths, f"seatrial-{uuid.uuid4().hex}")
        begin = told = self.clock.monotonic()
        self.note(f"CloudFront invalidation {invalidation} of {', '.join(paths)}")
        while (status := self.cloudfront.invalidation(self.distribution, invalidation)) != COMPLETED:
            self.look()
            now = self.clock.monotonic()
            if now - begin > _PATIENCE:
                raise ReleaseFailed(
                    f"CloudFront invalidation {invalidation} of distribution {self.distribution} is still {status} "
                    f"after {now - begin:.0f} s: some users get the site of before"
                )
            if now - told >= _TELLS:
                told = now
                self.note(f"CloudFront invalidation {invalidation}: {status} for {now - begin:.0f} s")
            self.clock.sleep(self.pace)


def compared(bucket: SiteBucket, live: Live | None) -> dict[str, tuple[File | None, bool]]:
    """Return each file that is served, as ``live`` has it (None if it has it not), and whether its content differs."""
    served = bucket.served()
    if live is None:
        return dict.fromkeys(served, (None, True))
    manifest = bucket.manifest(live.build)
    files = dict(manifest.files) if manifest else {}
    tags = bucket.blobs()
    expected = {path: tags.get(file.sha256) for path, file in files.items()}
    if live.config is not None:
        files[live.config.path] = live.config.file
        expected[live.config.path] = hashlib.md5(live.config.text.encode(), usedforsecurity=False).hexdigest()
    return {path: (files.get(path), expected.get(path) != etag) for path, etag in served.items()}


def _words(change: Changes, files: int) -> str:
    removed = f", {len(change.removed)} removed" if change.removed else ""
    return f"{change.written} of {files} files written{removed}"
