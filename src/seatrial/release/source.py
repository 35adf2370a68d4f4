"""Which image and which site a release is of: what is there already, or what is to be built from git."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.aws.ecr import Ecr
from seatrial.aws.ssm import Ssm
from seatrial.errors import UsageError
from seatrial.release.plan import Wanted
from seatrial.release.record import Records
from seatrial.release.site.planning import WantedSite
from seatrial.stack import names

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.images.built import Kind
    from seatrial.images.source import Source


@dataclass(frozen=True)
class Chosen:
    """The image, and the files it is made of, None for an image that is only known by digest."""

    wanted: Wanted
    source: Source | None

    @property
    def paths(self) -> frozenset[str]:
        """The paths of the files."""
        return frozenset(self.source.files) if self.source else frozenset()


def chosen(settings: Settings, root: Path, aws: Aws, *, revision: str | None, image: str | None) -> Chosen:
    """Return the image to release: ``image`` (a digest in ECR), or that of ``revision`` or the working tree.

    Raises :class:`~seatrial.errors.UsageError` if git does not know the revision or ECR does not have the digest.
    """
    ecr = Ecr(aws, names.repository(settings))
    if image is not None:
        return Chosen(_by_digest(ecr, image), None)
    read = files(settings, root, revision)
    there = ecr.image(tag=read.version)
    wanted = Wanted(
        version=read.version,
        digest=there.digest if there else None,
        revision=revision,
        image_kind=image_kind(aws),
        dirty=revision is None and "-" in read.version,  # the commit, then a hash of the changed files
    )
    return Chosen(wanted, read)


def chosen_site(settings: Settings, root: Path, *, revision: str | None) -> WantedSite | None:
    """Return the site to release: that of ``revision`` or the working tree; None where there is none.

    Raises :class:`~seatrial.errors.UsageError` if git does not know the revision or the folder.
    """
    if settings.site is None:
        return None
    from seatrial.publish import build

    return WantedSite(build.version(settings.site, root, revision), revision=revision)


def site_with(image: Chosen, settings: Settings, root: Path, aws: Aws) -> WantedSite | None:
    """Return the site that goes with an image: made of the same revision, or released with it before.

    None where there is none, or where nobody released one with it: a digest tells no files. A release that nobody saw
    the end of counts, for this may be how it is brought to its end.
    """
    if settings.site is None or image.source is not None:
        return chosen_site(settings, root, revision=image.wanted.revision)
    records = Records(Ssm(aws), names.release_prefix(settings)).newest_first()
    fitting = (each for each in records if each.digest == image.wanted.digest and each.site)
    found = next((each for each in fitting if each.ending not in ("rolled_back", "refused")), None)
    return None if found is None else WantedSite(found.site_version, found.site)


def files(settings: Settings, root: Path, revision: str | None) -> Source:
    """Return the files of a git revision, None for the working tree.

    Raises :class:`~seatrial.errors.UsageError` if git does not know the revision.
    """
    from seatrial.images import source

    context = (root / settings.image.context).resolve()
    dockerfile = os.path.relpath((root / settings.image.dockerfile).resolve(), context)
    return source.read(context, revision, dockerfile)


def image_kind(aws: Aws) -> Kind:
    """Return which kind of image the tasks take: ``docker``, or ``bundle`` on an emulator that runs processes.

    The emulator says so at ``/_seatrial/health``; any other endpoint is taken for AWS itself.
    """
    if aws.endpoint is None:
        return "docker"
    import json
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(f"{aws.endpoint}/_seatrial/health", timeout=5) as answer:  # noqa: S310 - our own URL
            return "bundle" if json.load(answer).get("runtime") == "process" else "docker"
    except (urllib.error.HTTPError, ValueError):
        return "docker"  # an endpoint that is not our emulator
    except OSError as error:
        raise UsageError(
            f"the emulator at {aws.endpoint} does not answer: {error}", hint="run `seatrial emulator start`"
        ) from error


def _by_digest(ecr: Ecr, image: str) -> Wanted:
    digest = image.rpartition("@")[2]
    if not digest.startswith("sha256:"):
        raise UsageError(f"{image} is no image digest", hint="give --image sha256:..., as `seatrial status` shows it")
    there = ecr.image(digest=digest)
    if there is None:
        raise UsageError(
            f"repository {ecr.repository} has no image {digest}",
            hint="ECR's lifecycle rules may have removed it; release the git revision with --revision instead",
        )
    return Wanted(version=there.tags[0] if there.tags else digest[7:19], digest=digest, has_source=False)
