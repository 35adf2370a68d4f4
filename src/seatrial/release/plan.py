"""Facts in, frozen steps out. Pure: nothing here asks AWS, the project or the clock.

The order of a release: verify, check the migrations, build, push, register, gate tasks, then the services (those that
have traffic at the same time, then workers, then the scheduler), then the site, then the jobs, then the record.
Workers come after the web services because those put messages in the queue that old workers would not know; the
scheduler comes last because two must never be alive, so it is away for a moment. The first release of all rolls them
out together: nothing serves yet.

Where traffic is shifted, workers come when all of it has moved and the bake time begins: until then old web tasks serve
some users, and if a worker cannot start, the web services are still a change of weights away from where they were.

The site comes after the services: the tabs that are open talk to the new services anyway, while a new page may ask for
what only they know. So a rollback, and the way back of a release that failed, go the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.aws.deployments import TESTED
from seatrial.aws.ecs import CODE_DEPLOY
from seatrial.config.hooks import GATED, LONGEST_GATES
from seatrial.config.smoke import HELD
from seatrial.config.strategies import CodeDeploy, Rolling
from seatrial.errors import UsageError
from seatrial.release.revisions import image_of, version_of
from seatrial.release.site.planning import site_afterwards, site_notes, site_steps
from seatrial.release.steps import (
    Build,
    ByCodeDeploy,
    Change,
    Check,
    CheckMigrations,
    Gate,
    Keep,
    LambdaHook,
    NewRevision,
    Plan,
    Push,
    Register,
    Roll,
    StartSchedules,
    Step,
    Verify,
)
from seatrial.stack import names
from seatrial.stack.deployments import deployment, gated
from seatrial.stack.gaps import gaps

if TYPE_CHECKING:
    from collections.abc import Collection

    from seatrial.config.models import Service, Settings
    from seatrial.config.strategies import Strategy
    from seatrial.images.built import Kind
    from seatrial.release.facts import Facts
    from seatrial.release.site.planning import WantedSite

#: Services of the same stage change at the same time.
STAGES: tuple[tuple[str, ...], ...] = (("web", "websocket"), ("worker",), ("scheduler",))

#: Seconds that ECS may need to place a task and pull its image, before anything of ours runs. Fargate takes 30 to
#: 60 s for a small image; ten times that is no longer slow but stuck.
_START = 300


@dataclass(frozen=True)
class Wanted:
    """The image that is asked for. ``digest`` is None where it must still be built; ``revision`` the git revision.

    ``image_kind`` is ``docker`` or ``bundle``; ``dirty`` says that the working tree has changes git does not know;
    ``has_source`` is False for an image of which only the digest is known.
    """

    version: str
    digest: str | None
    revision: str | None = None
    image_kind: Kind = "docker"
    dirty: bool = False
    has_source: bool = True


def plan_release(
    settings: Settings,
    facts: Facts,
    wanted: Wanted,
    *,
    supersede: bool = False,
    migrations: CheckMigrations | None = None,
    site: WantedSite | None = None,
) -> Plan:
    """Return the steps that put ``wanted`` live. ``migrations`` is the step that looks at them, if one is to.

    Without a ``site`` the one that is live stays.

    Raises :class:`~seatrial.errors.UsageError` where a service cannot be released now; ``supersede`` allows it
    while a deployment is under way.
    """
    refuse(settings, facts, supersede=supersede)
    _refuse_other_strategy(settings, facts)
    steps: list[Step] = [Verify(project=wanted.has_source)]
    of_site = site_steps(settings, facts, site)
    if wanted.digest is None:
        steps.append(Build(wanted.version, wanted.revision, wanted.image_kind))
    steps += of_site.build
    if wanted.digest is None:
        steps.append(Push(wanted.version, facts.stack.repository_uri))
    steps += of_site.upload
    bases = {unit: NewRevision(unit, facts.latest[unit].arn) for unit in (*settings.services, *settings.tasks)}
    steps.append(Register(tuple(bases.values()), "services and tasks"))
    if migrations is not None:
        steps.insert(len(steps) if not migrations.known else 1, migrations)
    if gated(settings) is None:
        steps += [Gate(name, task.command, task.timeout) for name, task in settings.tasks.items() if task.gate]
    steps += rolls(settings, facts, tuple(settings.services), checked=True)
    steps += of_site.publish
    if settings.jobs:
        jobs = tuple(NewRevision(unit, facts.latest[unit].arn, newest=True) for unit in settings.jobs)
        steps.append(Register(jobs, "jobs, which their schedules start from now on"))
    before = facts.serving.revisions if facts.serving else {}
    if new := tuple(unit for unit in settings.jobs if unit not in before):
        steps.append(StartSchedules(new))
    steps.append(Keep(names.release_prefix(settings)))
    return Plan(
        settings.name,
        "deploy",
        wanted.version,
        wanted.digest,
        tuple(steps),
        {},
        (*_notes(settings, facts, wanted), *site_notes(settings, facts, site)),
        *site_afterwards(settings, facts, site),
    )


def patience(service: Service, strategy: Strategy | None = None) -> float:
    """Return after how many seconds a deployment of the service is turned back.

    The circuit breaker ends most failures itself, at the third failed task at the earliest (developer guide, "How the
    Amazon ECS deployment circuit breaker detects failures"). Longer than three starts in a row, each with its grace
    period and its failed health checks, and the stop of what was there before, nothing sensible takes. What a
    ``strategy`` waits by itself comes on top.
    """
    check = service.health_check
    judged = service.grace_period + (check.interval * (check.unhealthy + 1) if check else 30)
    waves = max(1, -(-100 // max(1, service.healthy_percents[1] - service.healthy_percents[0])))
    waits = 0
    if isinstance(strategy, Rolling):
        waits = strategy.bake or 0
    elif strategy is not None:
        waits = HELD + strategy.waits + (LONGEST_GATES if isinstance(strategy, CodeDeploy) else 0)
    return waves * 3 * (_START + judged) + service.drain + service.stop_timeout + waits


def rolls(settings: Settings, facts: Facts, units: tuple[str, ...], *, checked: bool) -> list[Roll]:
    """Return the stages. Where no release has been to any service there is no order to keep: one stage does it."""
    first = not any(facts.released(unit) for unit in units)
    stages = (tuple(role for roles in STAGES for role in roles),) if first else STAGES
    changes = [
        tuple(_change(settings, unit, facts, asks=checked) for unit in units if settings.services[unit].role in roles)
        for roles in stages
    ]
    some = [each for stage in changes for each in _gated_first(stage) if each]
    return [Roll(each, last=each is some[-1], checks=_checks(settings, each) if checked else ()) for each in some]


def _gated_first(changes: tuple[Change, ...]) -> tuple[tuple[Change, ...], ...]:
    """Return a stage as two where a hook of one service runs the gate tasks: the others wait until that serves."""
    first = tuple(each for each in changes if each.codedeploy is not None and each.codedeploy.gates)
    return first, tuple(each for each in changes if each not in first)


def _checks(settings: Settings, changes: tuple[Change, ...]) -> tuple[Check, ...]:
    """Return the smoke checks of a stage: all of them, where one of its deployments pauses for them."""
    unit = next((each.unit for each in changes if each.pauses), None)
    return () if unit is None else tuple(Check(name, smoke, unit) for name, smoke in settings.smoke.items())


def _change(settings: Settings, unit: str, facts: Facts, *, asks: bool) -> Change:
    """Return a service's change. ``asks`` says that CodeDeploy asks its hooks; ECS always does."""
    service, there = settings.services[unit], facts.services[unit]
    group = facts.groups.get(unit)
    hooks = tuple(
        LambdaHook(stage, hook.function, f"hooks.{hook.name}")
        for hook in deployment(settings, service).hooks
        for stage in hook.stages
    )
    return Change(
        unit=unit,
        previous=facts.stands(unit),
        desired=None if facts.released(unit) else service.count,
        patience=patience(service, settings.target.strategy if service.routed else None),
        health_path=(service.health_check.path if service.health_check else "/") if service.routed else None,
        command=service.command,
        strategy=there.strategy if group is None else "CODEDEPLOY",
        pauses=TESTED in there.pauses if group is None else group.pauses,
        hooks=hooks if group is None else (),
        codedeploy=None if group is None else _by_codedeploy(settings, service, hooks if asks else (), asks=asks),
    )


def _by_codedeploy(settings: Settings, service: Service, hooks: tuple[LambdaHook, ...], *, asks: bool) -> ByCodeDeploy:
    gates: tuple[str, ...] = ()
    if asks and gated(settings) is service:
        gates = tuple(name for name, task in settings.tasks.items() if task.gate)
        hooks = (LambdaHook(GATED, names.gate_function(settings), f"gate task {' and '.join(gates)}"), *hooks)
    assert service.port is not None  # only services that have traffic are CodeDeploy's
    return ByCodeDeploy(names.deployment_application(settings), service.port, hooks, gates)


def _refuse_other_strategy(settings: Settings, facts: Facts) -> None:
    """Refuse where the service would not change as seatrial.toml says, or not wait for its smoke checks."""
    for unit, service in settings.services.items():
        wanted, there, group = deployment(settings, service), facts.services[unit], facts.groups.get(unit)
        by = wanted.codedeploy
        pauses_wanted = wanted.pause is not None or (by is not None and by.ready is not None)
        pauses = TESTED in there.pauses if group is None else group.pauses
        if (by is None) != (group is None):
            who = "CodeDeploy" if group else "ECS itself"
            raise UsageError(
                f"service {unit} is deployed by {who}, and seatrial.toml says {settings.target.strategy.type}",
                hint="who deploys a service cannot be changed in place; docs/infrastructure.md says how it is done",
            )
        if wanted.strategy != there.strategy:
            problem = f"service {unit} is deployed {there.strategy}, and seatrial.toml says {wanted.strategy}"
        elif pauses_wanted != pauses:
            waits = (
                "does not pause for the smoke checks" if pauses_wanted else "pauses for smoke checks, of which none is"
            )
            problem = f"service {unit} {waits} of seatrial.toml"
        else:
            continue
        raise UsageError(problem, hint=f"bring the infrastructure up to date: `seatrial infra apply {settings.name}`")


def refuse(settings: Settings, facts: Facts, *, supersede: bool, but: Collection[str] = ()) -> None:
    """Raise :class:`~seatrial.errors.UsageError` where a service cannot be released now; see :func:`plan_release`.

    ``but`` are services that may be in the middle of a deployment.
    """
    for unit in settings.services:
        service = facts.services[unit]
        if service.controller not in ("ECS", CODE_DEPLOY):
            raise UsageError(
                f"service {unit} is deployed by {service.controller}, not by ECS itself or by CodeDeploy",
                hint="recreate the service with the deployment controller ECS",
            )
        group = facts.groups.get(unit)
        if group is not None:
            moving = group.under_way is not None and unit not in but
        else:
            moves = service.primary is not None and service.primary.rollout_state == "IN_PROGRESS"
            moving = moves and unit not in but and (facts.released(unit) or service.desired > 0)
        if moving and not supersede:
            raise UsageError(
                f"service {unit} is in the middle of another deployment "
                f"(to {facts.live[unit].name}, {service.running} of {service.desired} tasks running)",
                hint=f"wait for it (`seatrial status {settings.name}`), or put this release on top with --take-over",
            )


def _notes(settings: Settings, facts: Facts, wanted: Wanted) -> list[str]:
    notes = []
    if wanted.digest is not None:
        notes.append(f"image {wanted.version} is in ECR already and is not built again ({wanted.digest[:19]})")
        running = [u for u in settings.services if (image_of(facts.live[u], u) or "").endswith(wanted.digest)]
        if running:
            notes.append(f"{', '.join(running)}: runs this very image already; changes only if its definition did")
    if wanted.dirty:
        notes.append("the working tree has changes that are not committed: this release cannot be made again from git")
    for unit, service in settings.services.items():
        if facts.services[unit].desired == 0 and facts.released(unit) and service.count:
            notes.append(f"{unit} was scaled to 0 tasks and stays so")
    known = {*settings.services, *settings.tasks, *settings.jobs}
    gone = [unit for unit in (facts.serving.revisions if facts.serving else ()) if unit not in known]
    if gone:
        notes.append(
            f"{', '.join(gone)}: not in seatrial.toml any more, so this release leaves it as it is; "
            f"`seatrial infra apply {settings.name}` removes it, best when this release serves"
        )
    notes += gaps(settings)
    before = sorted({version for u in settings.services if (version := version_of(facts.live[u], u))})
    if before:
        notes.append(f"live now: {', '.join(before)}")
    return notes
