"""What an environment runs now: services, their version and health, the releases, who holds the lock. Only reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from seatrial.aws.ecs import Ecs, revision_name
from seatrial.aws.elbv2 import Elbv2
from seatrial.aws.ssm import Ssm
from seatrial.release import facts as facts_
from seatrial.release.context import Context
from seatrial.release.interrupt import Interrupt
from seatrial.release.lock import Lock
from seatrial.release.migrations import Pending, pending
from seatrial.release.record import Record, Records
from seatrial.release.revisions import version_of
from seatrial.release.rollout.traffic import Group, by_version, group_shares
from seatrial.release.site.status import SiteStatus, site_status
from seatrial.release.table import table
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from seatrial.aws.clock import Clock
    from seatrial.aws.ecs import Service
    from seatrial.aws.elbv2 import TargetHealth
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.release.facts import Facts
    from seatrial.release.watch import ReleaseEvent

#: How many releases and service events are shown.
_RELEASES = 10
_EVENTS = 3


@dataclass(frozen=True)
class Running:
    """The tasks of one revision. ``traffic`` is its part of the service's requests, 0 to 1; None without any."""

    version: str
    revision: str
    tasks: int
    traffic: float | None


@dataclass(frozen=True)
class ServiceStatus:
    """One service. ``version`` is None for a revision that no release wrote; ``targets`` counts healths by state.

    ``runs`` has what really runs, the revision that is to be live first. ``drift`` says where that is not what was
    released.
    """

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
    runs: tuple[Running, ...] = ()
    drift: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether it runs all that it should, and nothing is moving."""
        return self.running == self.desired and self.rollout in ("COMPLETED", "-") and not self.targets.get("unhealthy")


@dataclass(frozen=True)
class Status:
    """An environment. ``lock`` says who releases now, None for nobody; ``releases`` are the newest, newest first.

    ``drift`` has what of the jobs is not as it was released. ``migrations`` are the pending ones, None without a
    database; ``site`` is None without one.
    """

    environment: str
    url: str
    cluster: str
    services: tuple[ServiceStatus, ...]
    releases: tuple[Record, ...]
    lock: str | None
    drift: tuple[str, ...] = ()
    migrations: Pending | None = None
    site: SiteStatus | None = None

    @property
    def drifted(self) -> tuple[str, ...]:
        """All that is not as it was released, one sentence each."""
        of_site = self.site.drift if self.site else ()
        return (*(line for each in self.services for line in each.drift), *self.drift, *of_site)

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
            "site": self.site.to_json() if self.site else None,
            "drift": list(self.drifted),
            "migrations": self.migrations and {"pending": self.migrations.migrations, "note": self.migrations.note},
        }


def status(settings: Settings, aws: Aws, clock: Clock, *, ask: Callable[[str], None] | None = None) -> Status:
    """Return what the environment runs now.

    Which migrations are pending only the database knows. ``ask``, which is told what happens, has a task on the live
    image ask it; without it nothing is started. Raises :class:`~seatrial.errors.UsageError` where the infrastructure is
    not there.
    """
    facts = facts_.gather(settings, aws)
    prefix = names.release_prefix(settings)
    holder = Lock(Ssm(aws), prefix, clock).holder()
    look = _Look(facts, Ecs(aws, facts.stack.cluster), Elbv2(aws))
    return Status(
        environment=settings.name,
        url=facts.stack.url,
        cluster=facts.stack.cluster,
        services=tuple(look.at(unit, settings.services[unit].role) for unit in facts.services),
        releases=tuple(islice(Records(Ssm(aws), prefix).newest_first(), _RELEASES)),
        lock=holder.describe(clock.now()) if holder else None,
        drift=drift(facts.serving, {unit: facts.latest[unit].name for unit in settings.jobs}, "its schedule starts"),
        migrations=_pending(settings, facts, aws, clock, ask) if settings.checks_migrations else None,
        site=site_status(facts.stack.site, facts.serving, aws) if facts.stack.site else None,
    )


def _pending(settings: Settings, facts: Facts, aws: Aws, clock: Clock, ask: Callable[[str], None] | None) -> Pending:
    if ask is None:
        return Pending(None, "only the database knows; --migrations has a task on the live image ask it")

    def told(event: ReleaseEvent) -> None:
        ask(event.line())

    context = Context.of(aws, facts.stack.cluster, emit=told, clock=clock, interrupt=Interrupt())
    return pending(settings, facts, context)


def drift(release: Record | None, now: Mapping[str, str], does: str) -> tuple[str, ...]:
    """Return a sentence for each unit whose revision now (``family:number``) is not the one that was released."""
    if release is None:
        return ()
    found = []
    for unit, revision in now.items():
        released = release.revisions.get(unit)
        if released is None:
            found.append(f"{unit}: not part of release {release.number}")
        elif released != revision:
            found.append(f"{unit}: {does} {revision}, release {release.number} put {released} live")
    return tuple(found)


class _Look:
    """Looks at one service after the other. Revisions are read once."""

    def __init__(self, facts: Facts, ecs: Ecs, elbv2: Elbv2) -> None:
        self._facts = facts
        self._ecs = ecs
        self._elbv2 = elbv2
        self._versions: dict[str, str] = {}

    def at(self, unit: str, role: str) -> ServiceStatus:
        service = self._facts.services[unit]
        groups = {
            group: tuple(self._elbv2.target_health(group)) for each in service.attachments for group in each.groups
        }
        states = Counter(target.state for targets in groups.values() for target in targets)
        runs = tuple(self._runs(unit, service, groups))
        return ServiceStatus(
            name=unit,
            role=role,
            version=version_of(self._facts.live[unit], unit),
            revision=revision_name(service.task_definition),
            desired=service.desired,
            running=service.running,
            pending=service.pending,
            rollout=service.rollout or "-",
            targets=dict(states),
            events=tuple(f"{_clock(each.at)} {each.message}" for each in service.events[:_EVENTS]),
            runs=runs,
            drift=drift(self._facts.serving, {unit: self._facts.live[unit].name}, "runs") if service.desired else (),
        )

    def _runs(self, unit: str, service: Service, groups: Mapping[str, tuple[TargetHealth, ...]]) -> Iterator[Running]:
        tasks = [each for each in self._ecs.tasks_of(unit) if each.desired_status == "RUNNING"]
        addresses = {each.address: each.task_definition for each in tasks if each.address}
        shares = self._shares(service, groups, addresses)
        counts = Counter(each.task_definition for each in tasks)
        live = service.task_definition
        for definition in sorted(counts, key=lambda each: (each != live, each)):
            traffic = shares.get(definition, 0.0) if groups else None
            yield Running(self._version(definition, unit), revision_name(definition), counts[definition], traffic)

    def _shares(
        self, service: Service, groups: Mapping[str, tuple[TargetHealth, ...]], addresses: Mapping[str, str]
    ) -> dict[str, float]:
        if not groups:
            return {}
        attachment = service.attachments[0]
        forwards = self._elbv2.forwards(attachment.groups)
        group = self._facts.groups.get(service.name)
        if group is not None:  # the test listener leads to the same groups, and not as users are led
            forwards = [each for each in forwards if each.is_of(group.listener)]
        shares = group_shares(attachment, forwards)
        return by_version([Group(shares[each], groups[each]) for each in attachment.groups], addresses)

    def _version(self, definition: str, unit: str) -> str:
        if definition not in self._versions:
            known = self._facts.live[unit]
            read = known if known.arn == definition else self._ecs.task_definition(definition)
            self._versions[definition] = version_of(read, unit) or "none released"
        return self._versions[definition]


def as_text(status_: Status) -> str:
    """Return the status as a table for people."""
    rows = [("SERVICE", "VERSION", "REVISION", "TASKS", "ROLLOUT", "TARGETS", "TRAFFIC")]
    rows += [
        (
            each.name,
            each.version or "none released",
            each.revision.rpartition(":")[2],
            f"{each.running}/{each.desired}",
            each.rollout,
            ", ".join(f"{count} {state}" for state, count in sorted(each.targets.items())) or "-",
            traffic(each),
        )
        for each in status_.services
    ]
    lines = [f"{status_.environment}  {status_.url}", "", *table(rows)]
    if status_.site is not None:
        lines += ["", status_.site.line]
    lines += ["", *(f"drift: {line}" for line in status_.drifted)] if status_.drifted else []
    for each in status_.services:
        if not each.good:
            lines += ["", f"{each.name}:", *(f"  {event}" for event in each.events)]
    if status_.releases:
        listed = [("RELEASE", "VERSION", "WHEN (UTC)", "SECONDS", "ENDED", "IMAGE")]
        listed += [
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
        lines += ["", *table(listed)]
    if status_.migrations is not None:
        lines += ["", _migrations(status_.migrations)]
    if status_.lock:
        lines += ["", f"a release is going on: {status_.lock}"]
    return "\n".join(lines)


def as_lines(status_: Status) -> dict[str, str]:
    """Return the status as lines that say all of one thing, by its name: to be told where they have changed."""
    lines = {
        each.name: f"{each.name}: {each.version or 'none released'} {each.running}/{each.desired} tasks "
        f"{each.rollout}, {traffic(each)}" + "".join(f"; drift: {line}" for line in each.drift)
        for each in status_.services
    }
    lines |= {f"drift {number}": f"drift: {line}" for number, line in enumerate(status_.drift)}
    if status_.site is not None:
        lines["site"] = status_.site.line + "".join(f"; drift: {line}" for line in status_.site.drift)
    if status_.serving:
        lines["serving"] = f"serving: release {status_.serving.number}, {status_.serving.version}"
    who = status_.lock.partition(", for ")[0] if status_.lock else None
    return lines | {"lock": f"releasing now: {who}" if who else "nobody is releasing"}


def traffic(service: ServiceStatus) -> str:
    """Return which version gets how much: ``new 10 %, old 90 %``; tasks instead where nothing is routed."""
    parts = [
        f"{each.version} {each.traffic:.0%}" if each.traffic is not None else f"{each.version} x {each.tasks}"
        for each in service.runs
    ]
    return ", ".join(parts) or "-"


def _migrations(found: Pending) -> str:
    if found.migrations is None:
        return f"pending migrations: not known ({found.note})"
    return f"pending migrations: {', '.join(found.migrations) or 'none'} ({found.note})"


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}"
