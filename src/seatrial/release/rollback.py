"""Going back: to which release, and by which steps.

What is under way goes back fast: the tasks of before still run, and ECS only has to be asked. All else goes back by a
deployment, like a release. See :mod:`seatrial.release.rollout.underway`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.errors import UsageError
from seatrial.release.plan import refuse, rolls
from seatrial.release.site.planning import WantedSite, rollback_notes, site_afterwards, site_steps
from seatrial.release.steps import Change, Keep, NewRevision, Plan, Register, Retire, Roll, Step, Verify
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from seatrial.aws.ecs import TaskDefinition
    from seatrial.config.models import Settings
    from seatrial.release.facts import Facts
    from seatrial.release.record import Record, Records
    from seatrial.release.rollout.underway import UnderWay

#: How a record says that nobody saw its release to the end.
_UNFINISHED = ("started", "unwatched", "needs_human")


def target(
    settings: Settings,
    facts: Facts,
    records: Records,
    to: int | None,
    moving: Collection[str] = frozenset(),
    *,
    astray: bool = False,
) -> Record:
    """Return the release to go back to: number ``to``, or the one before what is there now.

    Where a release did not come to its end, and services or site are not what the last good one left, that good one is
    meant. ``moving`` are services with a deployment under way, ``astray`` says it of the site.
    Raises :class:`~seatrial.errors.UsageError` if there is none.
    """
    list_them = f"`seatrial status {settings.name}` lists the releases"
    if to is not None:
        found = records.get(to)
        if found is None:
            raise UsageError(f"{settings.name} has no release {to}", hint=list_them)
        if not found.revisions or found.ending != "released":
            raise UsageError(f"release {to} did not end well ({found.ending}): nothing to go back to")
        return found
    serving = facts.serving
    if serving is None:
        raise UsageError(f"{settings.name} has no release yet")
    if _unfinished(facts, serving, moving, astray=astray):
        return serving
    before = records.before(serving)
    if before is None:
        raise UsageError(
            f"release {serving.number} is the first of {settings.name}: there is none before it", hint=list_them
        )
    return before


def plan_rollback(
    settings: Settings,
    facts: Facts,
    target: Record,
    recorded: Mapping[str, TaskDefinition],
    *,
    under_way: Mapping[str, UnderWay] | None = None,
    supersede: bool = False,
) -> Plan:
    """Return the steps that put a recorded release back. ``recorded`` are its revisions as ECS knows them now. Pure.

    No gate task runs: the old version's migrations cannot take the new ones back. No smoke check is made: they are of
    the newer code, and whoever goes back is in a hurry. A revision that was deregistered is
    registered again as it was, for ECS starts no service from it. Workers and schedulers that the release did not have
    are stopped when all else is back. The site goes first: newer pages may ask for what only newer services know, and
    the older ones' tabs were served by the newer services all along.
    """
    refuse(settings, facts, supersede=supersede, but=(under_way or {}).keys())  # those are looked at below
    units = tuple(unit for unit in settings.services if unit in recorded)
    fast = returning(units, recorded, under_way or {})
    if not supersede:
        _refuse_what_moves(settings, facts, target, {u: w for u, w in (under_way or {}).items() if u not in fast})
    inactive = tuple(
        NewRevision(unit, recorded[unit].arn, copy=True)
        for unit in (*settings.services, *settings.tasks)
        if unit in recorded and unit not in fast and recorded[unit].document.get("status") == "INACTIVE"
    )
    steps: list[Step] = [Verify(project=False)]
    if inactive:
        steps.append(Register(inactive, "services and tasks whose revisions were deregistered"))
    site = WantedSite(target.site_version, target.site) if target.site else None
    steps += site_steps(settings, facts, site).publish
    steps += [_with_fast(each, fast, facts) for each in rolls(settings, facts, units, checked=False)]
    jobs = tuple(NewRevision(u, recorded[u].arn, copy=True, newest=True) for u in settings.jobs if u in recorded)
    if jobs:
        steps.append(Register(jobs, "jobs, which their schedules start from now on"))
    stopped = tuple(u for u, s in settings.services.items() if u not in recorded and not s.routed and _runs(facts, u))
    if stopped:
        steps.append(Retire(stopped, target.number))
    steps.append(Keep(names.release_prefix(settings)))
    return Plan(
        settings.name,
        "rollback",
        target.version,
        target.digest,
        tuple(steps),
        {unit: definition.arn for unit, definition in recorded.items()},
        (*_notes(settings, facts, target, stopped), *rollback_notes(settings, target)),
        *site_afterwards(settings, facts, site),
    )


def returning(
    units: Collection[str], recorded: Mapping[str, TaskDefinition], under_way: Mapping[str, UnderWay]
) -> dict[str, str]:
    """Return the deployments under way that ECS or CodeDeploy takes back to just what is recorded, by service."""
    return {
        unit: each.deployment
        for unit, each in under_way.items()
        if unit in units and each.back_to == recorded[unit].arn
    }


def _unfinished(facts: Facts, serving: Record, moving: Collection[str], *, astray: bool) -> bool:
    """Whether what is there now is not the last good release, because another one is, or was, on its way."""
    away = {unit for unit, live in facts.live.items() if serving.revisions.get(unit, live.name) != live.name}
    begun = facts.releases[0].ending in _UNFINISHED
    return bool(away & set(moving)) or (begun and bool(away or moving or astray))


def _with_fast(roll: Roll, fast: Mapping[str, str], facts: Facts) -> Roll:
    return replace(roll, changes=tuple(_fast(each, fast.get(each.unit), facts) for each in roll.changes))


def _fast(change: Change, deployment: str | None, facts: Facts) -> Change:
    """Return the change that takes a deployment back."""
    if deployment is None:
        return change
    return replace(change, previous=facts.live[change.unit].arn, returns=deployment, desired=None)


def _refuse_what_moves(settings: Settings, facts: Facts, target: Record, moving: Mapping[str, UnderWay]) -> None:
    for unit, each in moving.items():
        if not facts.released(unit) or unit not in target.revisions:
            continue
        if each.stage == "CLEAN_UP":
            why, way = (
                "its old tasks are being stopped already",
                f"wait for its end (`seatrial status {settings.name}`)",
            )
        else:
            why = f"taking that back would not lead to release {target.number}"
            way = f"`seatrial rollback {settings.name}` without --to goes back to what was there before it"
        raise UsageError(
            f"service {unit} is in the middle of another deployment (to {facts.live[unit].name}), and {why}",
            hint=f"{way}; or put release {target.number} on top with --take-over",
        )


def _runs(facts: Facts, unit: str) -> bool:
    return facts.services[unit].desired > 0


def _notes(settings: Settings, facts: Facts, target: Record, stopped: Collection[str]) -> Iterator[str]:
    newest = facts.releases[0]
    if newest.number != target.number and newest.ending in _UNFINISHED:
        yield f"release {newest.number} ({newest.version}) did not come to its end: {newest.ending}"
    yield "migrations are not taken back: the older code must be able to live with the database of the newer release"
    yield "so do files in buckets, messages in queues and whatever else the newer release wrote"
    number = target.number
    for unit, service in settings.services.items():
        if unit in target.revisions or unit in stopped:
            continue
        if service.routed and _runs(facts, unit):
            yield (
                f"{unit} is not part of release {number} and stays as it is: its routes lead to it, "
                "and nobody else would answer there"
            )
        else:
            yield f"{unit} is not part of release {number} and runs no tasks"
    for unit in settings.jobs:
        if unit not in target.revisions:
            yield f"{unit} is not part of release {number}: its schedule goes on starting {facts.latest[unit].name}"
    known = {*settings.services, *settings.tasks, *settings.jobs}
    for unit in target.revisions:
        if unit not in known:
            yield (
                f"{unit} was part of release {number} and is not in seatrial.toml any more: it does not come back; "
                f"write it there again, and `seatrial infra apply {settings.name}` makes it"
            )
