"""What a release does to the site: which steps, and what is to be said of it. Pure.

The order of steps is in :mod:`seatrial.release.plan`, which says why the site comes after the services.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import UsageError
from seatrial.release.site.steps import BuildSite, Publish, UploadSite
from seatrial.release.steps import Keep, Plan, Step
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.config.models import Settings
    from seatrial.release.facts import Facts
    from seatrial.release.record import Record


@dataclass(frozen=True)
class WantedSite:
    """The site build that is asked for: ``build``, or the one to be made of the git ``revision``.

    ``origin`` is the bucket of another environment that has it.
    """

    version: str
    build: str | None = None
    revision: str | None = None
    origin: str | None = None


@dataclass(frozen=True)
class SiteSteps:
    """The steps of one site build, by their place in a release."""

    build: tuple[Step, ...] = ()
    upload: tuple[Step, ...] = ()
    publish: tuple[Step, ...] = ()


def site_steps(settings: Settings, facts: Facts, wanted: WantedSite | None) -> SiteSteps:
    """Return the steps that put ``wanted`` live; none where the site stays as it is."""
    site, stack = settings.site, facts.stack.site
    if wanted is None or site is None or stack is None:
        return SiteSteps()
    publish = (Publish(stack.bucket, stack.distribution, stack.url, wanted.build),)
    if wanted.build is None:
        build = (BuildSite(wanted.version, wanted.revision, site.source, site.build),)
        return SiteSteps(build, (UploadSite(stack.bucket),), publish)
    if wanted.origin is not None:
        return SiteSteps((), (UploadSite(stack.bucket, wanted.build, wanted.origin),), publish)
    return SiteSteps(publish=publish)


def plan_site(settings: Settings, facts: Facts, wanted: WantedSite | None) -> Plan:
    """Return the steps that put a site build live beside the services as they are.

    Raises :class:`~seatrial.errors.UsageError` before the first release: there is nothing to put it beside.
    """
    if wanted is None:
        raise UsageError("there is no [site] in seatrial.toml", hint="leave --only out")
    serving = facts.serving
    if serving is None:
        raise UsageError(
            f"{settings.name} has no release yet, and the first one is of the services too", hint="leave --only out"
        )
    steps = site_steps(settings, facts, wanted)
    return Plan(
        settings.name,
        "deploy",
        serving.version,
        serving.digest,
        (*steps.build, *steps.upload, *steps.publish, Keep(names.release_prefix(settings))),
        dict(serving.revisions),
        (*site_notes(settings, facts, wanted), f"services stay at {serving.version}: only the site is released"),
        *site_afterwards(settings, facts, wanted),
    )


def site_afterwards(settings: Settings, facts: Facts, wanted: WantedSite | None) -> tuple[str, str]:
    """Return the build that is live after a release ("" where it must be made first), and its version."""
    if settings.site is None:
        return "", ""
    if wanted is not None:
        return wanted.build or "", wanted.version
    return (facts.serving.site, facts.serving.site_version) if facts.serving else ("", "")


def site_notes(settings: Settings, facts: Facts, wanted: WantedSite | None) -> Iterator[str]:
    """Yield what is to be said to the person who decides."""
    serving = facts.serving
    if settings.site is None:
        if serving is not None and serving.site:
            yield (
                f"the site of release {serving.number} stays as it is, and is not in seatrial.toml any more; "
                f"`seatrial infra apply {settings.name}` takes it away"
            )
        return
    live = f"version {serving.site_version}" if serving and serving.site else "nothing yet"
    if wanted is None:
        yield f"the site stays as it is ({live})"
        return
    if wanted.build is None and wanted.revision is None and "-" in wanted.version:
        yield "the site's files have changes that are not committed: it cannot be built again from git"
    yield f"the site live now: {live}"


def rollback_notes(settings: Settings, target: Record) -> Iterator[str]:
    """Yield what is to be said of the site by whoever goes back to ``target``."""
    if settings.site is not None and not target.site:
        yield f"release {target.number} had no site: the one that is live stays"
    if settings.site is None and target.site:
        yield f"the site of release {target.number} does not come back: there is no [site] in seatrial.toml any more"
