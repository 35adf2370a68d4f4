"""Putting a site build live: what pages name before the pages, then the edge forgets, then it is written down.

A publication that is cut off anywhere, even by ``kill -9``, leaves ``publishing.json`` behind. The next one then takes
a file for what it should be only where nothing else fits, and has the edge forget everything: nobody knows how far the
other one's invalidation came.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.aws.cloudfront import COMPLETED
from seatrial.errors import ReleaseFailed
from seatrial.publish.changes import ALL, Changes, changes
from seatrial.publish.pool import each
from seatrial.publish.types import is_page
from seatrial.publish.upload import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from seatrial.aws.clock import Clock
    from seatrial.aws.cloudfront import CloudFront
    from seatrial.config.site import Site
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

    ``note`` says a line to the person who watches; ``look`` is called between two looks at the invalidation, and may
    raise to leave it alone.
    """

    bucket: SiteBucket
    cloudfront: CloudFront
    distribution: str
    site: Site
    clock: Clock
    pace: float
    note: Callable[[str], None]
    look: Callable[[], None] = lambda: None

    def publish(self, live: Live, kept: Collection[str]) -> str:
        """Make the site what ``live`` says, and say what that took.

        The hashed files of the builds ``kept`` stay. Raises :class:`~seatrial.errors.SeatrialError` where it is not
        live everywhere.
        """
        whole(live.build, self.bucket)
        wanted = self.bucket.files(live)
        was, begun = self.bucket.live(), self.bucket.begun()
        builds = {*kept, *(each.build for each in begun)}
        change = changes(
            wanted,
            self.bucket.known([*([was] if was else []), *begun]),
            self.bucket.manifests(sorted(builds)),
            self.site,
        )
        if not change and not begun and was is not None and was.same_site(live):
            return f"{live.build[:19]} is live already"
        self.bucket.begin((*begun, live))
        for stage in change.stages:
            each(stage, lambda path: self._serve(path, wanted[path], live))
        each(change.removed, self.bucket.remove)
        self._invalidate(ALL if begun else change.invalidated)
        self.bucket.complete(live)
        return _words(change, len(wanted))

    def withdraw(self) -> None:
        """Serve nothing again, as before the first release: pages first, since they name the rest."""
        served = self.bucket.served()
        pages = [path for path in served if is_page(path)]
        each(pages, self.bucket.remove)
        each(served.keys() - pages, self.bucket.remove)
        self._invalidate(ALL)
        self.bucket.complete(None)

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


def _words(change: Changes, files: int) -> str:
    removed = f", {len(change.removed)} removed" if change.removed else ""
    return f"{change.written} of {files} files written{removed}"
