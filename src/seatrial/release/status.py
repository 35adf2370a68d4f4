"""What an environment runs now: services, their version and health, the releases, who holds the lock. Only reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from seatrial.aws.ecs import revision_name
from seatrial.aws.elbv2 import Elbv2
from seatrial.aws.ssm import Ssm
from seatrial.release import facts as facts_
from seatrial.release.lock import Lock
from seatrial.release.record import Record, Records
from seatrial.release.revisions import version_of
from seatrial.release.table import table
from seatrial.stack import names

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.aws.clock import Clock
    from seatrial.aws.ecs import Service
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings

#: How many releases and service events are shown.
_RELEASES = 10
_EVENTS = 3


@dataclass(frozen=True)
class ServiceStatus:
    """One service. ``version`` is None for a revision that no release wrote; ``targets`` counts healths by state."""

    name: str
    role: str
    version: str | None
    revision: str
    desired: int
    running: int
    pending: int
    rollout: str
    targets: dict[str, int]
    events: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether it runs all that it should, and nothing is moving."""
        return self.running == self.desired and self.rollout in ("COMPLETED", "-") and not self.targets.get("unhealthy")


@dataclass(frozen=True)
class Status:
    """An environment. ``lock`` says who releases now, None for nobody; ``releases`` are the newest, newest first."""

    environment: str
    url: str
    cluster: str
    services: tuple[ServiceStatus, ...]
    releases: tuple[Record, ...]
    lock: str | None

    @property
    def serving(self) -> Record | None:
        """The release that is serving, by the records."""
        return next((each for each in self.releases if each.ending == "released"), None)

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``--json`` prints."""
        return {
            "environment": self.environment,
            "url": self.url,
            "cluster": self.cluster,
            "good": all(each.good for each in self.services),
            "serving": self.serving.number if self.serving else None,
            "services": [{**asdict(each), "good": each.good} for each in self.services],
            "releases": [{**asdict(each), "at": each.at.isoformat()} for each in self.releases],
            "lock": self.lock,
        }


def status(settings: Settings, aws: Aws, clock: Clock) -> Status:
    """Return what the environment runs now.

    Raises :class:`~seatrial.errors.UsageError` where the infrastructure is not there.
    """
    facts = facts_.gather(settings, aws)
    elbv2 = Elbv2(aws)
    prefix = names.release_prefix(settings)
    holder = Lock(Ssm(aws), prefix, clock).holder()
    return Status(
        environment=settings.name,
        url=facts.stack.url,
        cluster=facts.stack.cluster,
        services=tuple(
            ServiceStatus(
                name=unit,
                role=settings.services[unit].role,
                version=version_of(facts.live[unit], unit),
                revision=revision_name(service.task_definition),
                desired=service.desired,
                running=service.running,
                pending=service.pending,
                rollout=(service.primary.rollout_state if service.primary else None) or "-",
                targets=_targets(service, elbv2),
                events=tuple(f"{_clock(each.at)} {each.message}" for each in service.events[:_EVENTS]),
            )
            for unit, service in facts.services.items()
        ),
        releases=tuple(islice(Records(Ssm(aws), prefix).newest_first(), _RELEASES)),
        lock=holder.describe(clock.now()) if holder else None,
    )


def as_text(status_: Status) -> str:
    """Return the status as a table for people."""
    rows = [("SERVICE", "VERSION", "REVISION", "TASKS", "ROLLOUT", "TARGETS")]
    rows += [
        (
            each.name,
            each.version or "none released",
            each.revision.rpartition(":")[2],
            f"{each.running}/{each.desired}",
            each.rollout,
            ", ".join(f"{count} {state}" for state, count in sorted(each.targets.items())) or "-",
        )
        for each in status_.services
    ]
    lines = [f"{status_.environment}  {status_.url}", "", *table(rows)]
    for each in status_.services:
        if not each.good:
            lines += ["", f"{each.name}:", *(f"  {event}" for event in each.events)]
    if status_.releases:
        rows = [("RELEASE", "VERSION", "WHEN (UTC)", "SECONDS", "ENDED", "IMAGE")]
        rows += [
            (
                f"{each.number}{' *' if each == status_.serving else ''}",
                each.version,
                f"{each.at:%Y-%m-%d %H:%M}",
                f"{each.seconds:.0f}",
                each.ending,
                each.digest or "-",
            )
            for each in status_.releases
        ]
        lines += ["", *table(rows)]
    if status_.lock:
        lines += ["", f"a release is going on: {status_.lock}"]
    return "\n".join(lines)


def _targets(service: Service, elbv2: Elbv2) -> dict[str, int]:
    counts: dict[str, int] = {}
    for attachment in service.attachments:
        for target in elbv2.target_health(attachment.target_group):
            counts[target.state] = counts.get(target.state, 0) + 1
    return counts


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}"
