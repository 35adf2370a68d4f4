"""What a running release knows so far: image, revisions, site, and what was told to change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.aws.ecs import revision_name

if TYPE_CHECKING:
    from seatrial.aws.ecs import TaskDefinition
    from seatrial.release.record import Record
    from seatrial.release.rollout.ecs import Rollout
    from seatrial.release.site.publication import Publication


@dataclass
class Progress:
    """Filled in by the steps.

    ``revisions`` maps units to task definition ARNs, ``definitions`` has those that were read or registered,
    ``rollouts`` the services that were told to change, in order. ``migrations`` is the newest migration of each app,
    ``migration_files`` the fingerprint of what decides about them. ``site`` is the site build that the release is to
    leave live, of the version ``site_version``; ``publication`` is there once the bucket may have changed.
    """

    version: str
    digest: str | None
    revisions: dict[str, str]
    record: Record | None = None
    definitions: dict[str, TaskDefinition] = field(default_factory=dict)
    rollouts: list[Rollout] = field(default_factory=list)
    migrations: dict[str, str] = field(default_factory=dict)
    migration_files: str = ""
    site: str = ""
    site_version: str = ""
    publication: Publication | None = None

    @property
    def named(self) -> dict[str, str]:
        """``family:number`` by unit."""
        return {unit: revision_name(arn) for unit, arn in self.revisions.items()}
