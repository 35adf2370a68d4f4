"""The steps of a release that are about its site."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from seatrial.aws.cloudfront import CloudFront
from seatrial.aws.errors import PASSING
from seatrial.errors import ReleaseFailed, SeatrialError
from seatrial.publish import upload
from seatrial.publish.bucket import SiteBucket
from seatrial.publish.live import Live, rendered, websocket_url
from seatrial.publish.publish import Publisher
from seatrial.release.interrupt import Choice
from seatrial.release.record import Records
from seatrial.release.site.publication import Publication
from seatrial.release.stops import TurnedBack, Unwatched
from seatrial.release.watch import Note
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.config.site import Site
    from seatrial.publish.build import BuiltSite
    from seatrial.publish.live import Config
    from seatrial.release.context import Context
    from seatrial.release.facts import Facts
    from seatrial.release.progress import Progress
    from seatrial.release.record import Record
    from seatrial.release.site.steps import BuildSite, Publish, UploadSite

#: So many releases back it is looked for the builds whose files stay.
_LOOKED_AT = 50


class SiteActions:
    """Does the steps. Writes what it finds out into ``progress``."""

    def __init__(
        self, settings: Settings, root: Path, aws: Aws, *, facts: Facts, context: Context, progress: Progress
    ) -> None:
        self._settings = settings
        self._root = root
        self._aws = aws
        self._facts = facts
        self._context = context
        self._progress = progress
        self._built: BuiltSite | None = None

    def build(self, step: BuildSite) -> str:
        """Build the front end, unless this machine has just that build already."""
        from seatrial.publish import build

        with self._context.interrupt.abortable():
            self._built = build.build(self._site, self._root, step.revision, self._note)
        self._progress.site, self._progress.site_version = self._built.manifest.id, self._built.version
        files = f"{self._built.manifest.id[:19]}, {len(self._built.manifest.files)} files"
        return files if self._built.fresh else f"{files}, built before"

    def upload(self, step: UploadSite) -> str:
        """Bring the build to the bucket."""
        bucket = SiteBucket(self._aws, step.bucket)
        with self._context.interrupt.abortable():
            if step.build is not None and step.origin is not None:
                return upload.from_bucket(step.build, SiteBucket(self._aws, step.origin), bucket)
            assert self._built is not None  # a plan has BuildSite before UploadSite
            return upload.from_machine(self._built, bucket)

    def publish(self, step: Publish) -> str:
        """Put the build live, and have the edge forget what was."""
        try:
            return self._published(step)
        except PASSING:
            raise
        except SeatrialError as error:
            raise ReleaseFailed(
                f"the site cannot be published from the bucket {step.bucket}: {error.message}", hint=error.hint
            ) from error

    def _published(self, step: Publish) -> str:
        publisher = Publisher(
            bucket=SiteBucket(self._aws, step.bucket),
            cloudfront=CloudFront(self._aws),
            distribution=step.distribution,
            site=self._site,
            clock=self._context.clock,
            pace=self._context.pace,
            note=self._note,
            look=self._look,
        )
        publication = Publication(
            publisher,
            self._target(step),
            publisher.bucket.live(),
            self._kept(),
            after_services=bool(self._progress.rollouts),
        )
        self._progress.publication = publication
        words = publisher.publish(publication.target, publication.kept)
        publication.done = True
        self._prune(publisher.bucket, publication)
        return words

    def _target(self, step: Publish) -> Live:
        assert self._progress.record is not None  # numbered before the first step that changes something
        return Live(
            build=step.build or self._progress.site,
            version=self._progress.site_version,
            release=self._progress.record.number,
            at=self._context.clock.now(),
            config=self._config(step.url),
        )

    def _config(self, url: str) -> Config | None:
        services = self._facts.stack.url
        values = {
            "service_url": services,
            "websocket_url": websocket_url(services),
            "site_url": url,
            "version": self._progress.site_version,
            "environment": self._settings.name,
        }
        return rendered(self._site, values)

    def _kept(self) -> tuple[str, ...]:
        records = Records(self._context.ssm, names.release_prefix(self._settings))
        newest = islice(records.newest_first(), _LOOKED_AT)
        return kept(self._progress.site, newest, self._site.keep)

    def _prune(self, bucket: SiteBucket, publication: Publication) -> None:
        """Forget builds too old to go back to. A release that serves does not fail for it."""
        before = (publication.before.build,) if publication.before else ()
        try:
            count = bucket.prune({publication.target.build, *before, *publication.kept})
        except SeatrialError as error:
            self._note(f"old site builds are not removed from {bucket.name}: {error.message}")
        else:
            if count:
                self._note(f"{count} old site build{'s' if count > 1 else ''} removed from {bucket.name}")

    def _look(self) -> None:
        """Raise what a person's choice, if there is one, means while the edge forgets."""
        match self._context.interrupt.poll():
            case Choice.ROLL_BACK:
                raise TurnedBack("interrupted while the site was published")
            case Choice.STOP_WATCHING:
                raise Unwatched("the site's files are changed and CloudFront goes on forgetting the old ones")

    @property
    def _site(self) -> Site:
        assert self._settings.site is not None  # only then a plan has these steps
        return self._settings.site

    def _note(self, line: str) -> None:
        self._context.emit(Note(self._context.clock.now(), line))


def kept(build: str, releases: Iterable[Record], count: int) -> tuple[str, ...]:
    """Return the newest ``count`` different builds that were released, ``build`` among them. Pure.

    Releases that leave the site as it is do not push out the files of tabs that are still open.
    """
    builds = dict.fromkeys([build, *(each.site for each in releases if each.ending == "released" and each.site)])
    return tuple(islice(builds, count))


def astray(facts: Facts, aws: Aws) -> bool:
    """Whether the site is not as the release that serves left it."""
    stack, serving = facts.stack.site, facts.serving
    if stack is None or serving is None or not serving.site:
        return False
    bucket = SiteBucket(aws, stack.bucket)
    live = bucket.live()
    return bool(bucket.begun()) or live is None or live.build != serving.site
