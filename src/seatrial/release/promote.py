"""Promotion: what one environment runs is released to another, the very image and site build, nothing built.

The source's release record says what it runs. Its image must lie in the repository that the target's tasks pull from,
under the same digest: so it is when both environments live on one base, or when ECR replicates between two. The site's
files are copied from bucket to bucket.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.aws.ecr import Ecr
from seatrial.aws.ssm import Ssm
from seatrial.errors import UsageError
from seatrial.publish.bucket import SiteBucket
from seatrial.publish.upload import whole
from seatrial.release.facts import app_stack
from seatrial.release.plan import Wanted, plan_release
from seatrial.release.record import Records
from seatrial.release.site.planning import WantedSite
from seatrial.stack import names

if TYPE_CHECKING:
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.release.facts import Facts
    from seatrial.release.record import Record
    from seatrial.release.steps import CheckMigrations, Plan


def promotable(source: Settings, aws: Aws) -> tuple[Record, tuple[str, ...]]:
    """Return the release that ``source`` runs, and what is to be said of it.

    Raises :class:`~seatrial.errors.UsageError` where its records do not say for sure what runs there: none was
    released, or the newest one is under way, left alone, or neither here nor there; and where the record is of
    another app's task definitions.
    """
    look = f"`seatrial status {source.name}` lists the releases"
    releases = Records(Ssm(aws), names.release_prefix(source))
    newest = next(releases.newest_first(), None)
    serving = releases.serving()
    if newest is None or serving is None:
        raise UsageError(f"{source.name} has no release that could be promoted", hint=look)
    if newest.ending not in ("released", "rolled_back"):
        raise UsageError(
            f"release {newest.number} of {source.name} is not released ({newest.ending}): "
            "nobody can say which version serves there",
            hint=f"release {source.name} again, or roll it back; {look}",
        )
    family = f"{names.app_stack(source)}-"
    foreign = sorted(name for name in serving.revisions.values() if not name.startswith(family))
    if foreign:
        raise UsageError(
            f"release {serving.number} of {source.name} was made from another app: {', '.join(foreign)}",
            hint=f"revisions of {source.app.name} in {source.name} are called {family}...",
        )
    if newest == serving:
        return serving, ()
    return serving, (f"release {newest.number} of {source.name} failed and was rolled back; {serving.number} serves",)


def plan_promotion(
    settings: Settings,
    facts: Facts,
    source: str,
    release: Record,
    said: tuple[str, ...] = (),
    *,
    supersede: bool = False,
    migrations: CheckMigrations | None = None,
    site: WantedSite | None = None,
) -> Plan:
    """Return the steps that release another environment's ``release``, and its ``site``, here. Pure.

    All the steps of any release but build and push: this environment has its own database, settings and secrets.
    """
    wanted = Wanted(release.version, release.digest, has_source=False)
    plan = plan_release(settings, facts, wanted, supersede=supersede, migrations=migrations, site=site)
    notes = [f"from {source}: its release {release.number}, by {release.who}, {release.at:%Y-%m-%d %H:%M} UTC", *said]
    new = [unit for unit in (*settings.services, *settings.tasks, *settings.jobs) if unit not in release.revisions]
    if new:
        notes.append(f"{', '.join(new)}: not part of that release, so {source} has not tried it")
    if settings.site is not None and site is None:
        notes.append(f"release {release.number} of {source} has no site: the one that is live here stays")
    return replace(plan, verb="promote", notes=(*notes, *plan.notes))


def check_image(release: Record, source: Settings, source_aws: Aws, target: Settings, target_aws: Aws) -> None:
    """Raise :class:`~seatrial.errors.UsageError` unless the target's own repository has the release's image."""
    if Ecr(target_aws, names.repository(target)).image(digest=release.digest) is not None:
        return
    here, there = _place(source, source_aws), _place(target, target_aws)
    if here == there:
        raise UsageError(
            f"the image of release {release.number} of {source.name} is not in {there} any more ({release.digest})",
            hint="a lifecycle rule of ECR may have removed it; release the git revision of "
            f"{release.version} with --revision",
        )
    raise UsageError(
        f"the image of release {release.number} of {source.name} is in {here}, and {target.name} takes its images "
        f"from {there}, which does not have it",
        hint=f"copy it there without building it (docker pull, tag and push keep {release.digest[:19]}..., ECR's "
        f"replication too) and repeat; or let both environments share a base, and with it one repository",
    )


def promotable_site(
    release: Record, source: Settings, source_aws: Aws, target: Settings, target_aws: Aws
) -> WantedSite | None:
    """Return the site build to promote, None where one of the two environments has no site.

    Raises :class:`~seatrial.errors.UsageError` where the build cannot be copied from bucket to bucket.
    """
    if not release.site or source.site is None or target.site is None:
        return None
    if (source_aws.endpoint, source_aws.account()) != (target_aws.endpoint, target_aws.account()):
        raise UsageError(
            f"the site of release {release.number} of {source.name} is in another account than {target.name}, "
            "and S3 copies from bucket to bucket with the permissions of one account only",
            hint=f"release its git revision there: seatrial deploy {target.name} --revision {release.version}",
        )
    stack = app_stack(source, source_aws).site
    assert stack is not None  # its settings have a site
    whole(release.site, SiteBucket(source_aws, stack.bucket))
    return WantedSite(release.site_version, release.site, origin=stack.bucket)


def _place(settings: Settings, aws: Aws) -> str:
    return f"the repository {names.repository(settings)} of account {aws.account()} in {aws.region}"
