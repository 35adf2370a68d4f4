"""The way back: every service that was told to change goes to the revision it had.

A deployment under way is turned back by ECS itself (StopServiceDeployment), one that ended well by UpdateService to the
revision before, and one that ECS is rolling back already is waited for. CodeDeploy does the same by StopDeployment and
by a new deployment. A service that no release had been to before goes back to no tasks. Somebody else's deployment is
left alone.

A rollback out of a release that never came to its end is not turned around: nobody has seen that release whole. What
is on its way back goes on, and a person is told where the services are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.aws.ecs import revision_name
from seatrial.errors import SeatrialError
from seatrial.release.interrupt import Interrupt
from seatrial.release.rollout.choice import rollout_of
from seatrial.release.rollout.ecs import Rollout, Verdict, follow
from seatrial.release.stops import StepFailed
from seatrial.release.watch import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.aws.ecs import Service
    from seatrial.release.context import Context
    from seatrial.release.steps import Change


def take_back(rollouts: Sequence[Rollout], context: Context) -> list[str]:
    """Take the services back, all at once, and wait.

    Returns what did not work, one sentence each; empty is good. Cannot be interrupted: half a way back helps nobody.
    """
    calm = replace(context, interrupt=Interrupt())
    if any(each.change.returns is not None for each in rollouts):
        return _as_they_are(rollouts, calm)
    problems: list[str] = []
    ways: list[Rollout] = []
    for rollout in rollouts:
        unit = rollout.change.unit
        try:
            way = _way_back(rollout, calm, problems)
        except SeatrialError as error:
            problems.append(f"{unit}: cannot be taken back: {error.message}")
            continue
        if way is not None:
            context.emit(Note(context.clock.now(), f"{unit}: going back to {revision_name(rollout.change.previous)}"))
            ways.append(way)
    problems += _followed(ways, calm)
    return problems + [problem for way in ways if (problem := _problem(way))]


def _as_they_are(rollouts: Sequence[Rollout], context: Context) -> list[str]:
    """Follow to its end what is under way, and say of every service where it is now."""
    problems = _followed([each for each in rollouts if each.begun], context)
    for each in rollouts:
        unit, revision = each.change.unit, revision_name(each.target)
        if each.verdict is Verdict.DONE:
            problems.append(f"{unit}: back at {revision}, and not put forward again")
        else:
            problems.append(f"{unit}: not back at {revision}: {each.reason or 'not seen to its end'}")
    return problems


def _followed(ways: Sequence[Rollout], context: Context) -> list[str]:
    try:
        while waiting := [way for way in ways if way.verdict is None]:
            follow(waiting, context)
    except SeatrialError as error:
        return [f"the way back cannot be watched: {error.message}"]
    return []


def clear_the_way(change: Change, service: Service, context: Context) -> Service:
    """End the first deployment of a service that shifts traffic, which a release left behind; return the service.

    A deployment on top of it would wait for blue, the revision that the infrastructure wrote, and blue has no image.
    Raises :class:`~seatrial.release.stops.StepFailed` where it does not end.
    """
    stale = Rollout(change, service.task_definition, context)
    stale.adopt(service)
    if _emptied(stale, context):
        follow([stale], context)
        service = context.ecs.services([change.unit]).get(change.unit, service)
        if stale.verdict is Verdict.ROLLED_BACK:
            return service
    raise StepFailed(f"{change.unit}: the deployment that was under way does not end: {stale.reason or 'not found'}")


def _way_back(rollout: Rollout, context: Context, problems: list[str]) -> Rollout | None:
    """Start the way back and return what to follow, None if there is nothing to do."""
    change = rollout.change
    first = change.desired is not None
    if first and change.shifts and _emptied(rollout, context):
        return rollout
    service = context.ecs.services([change.unit]).get(change.unit)
    obstacle = _obstacle(rollout, service)
    if service is None or obstacle is not None:
        problems.append(f"{change.unit}: {obstacle}")
        return None
    untouched = not rollout.begun and service.task_definition == change.previous
    if untouched or (rollout.verdict is Verdict.ROLLED_BACK and not first):
        return None
    if not first and rollout.begun and rollout.verdict is None and rollout.turn_back():
        return rollout
    back = rollout_of(change, change.previous, context, back=True)
    back.begin(service, desired=0 if first else None)
    return back


def _emptied(rollout: Rollout, context: Context) -> bool:
    """Whether a first release that shifts traffic goes back by ECS's own rollback, to a service without tasks.

    Another deployment, to the revision before, would take all its interval and bake time over nothing.
    """
    if not rollout.begun or not rollout.turn_back():
        return False
    follow([rollout], context)  # until ECS says that it rolls back
    if rollout.verdict is not Verdict.ROLLED_BACK:
        return False
    rollout.empty()
    return True


def _obstacle(rollout: Rollout, service: Service | None) -> str | None:
    """Return why the service must be left as it is, None if it may be taken back."""
    if service is None:
        return "the service was deleted"
    if service.task_definition not in (rollout.target, rollout.change.previous):
        return f"somebody deployed {revision_name(service.task_definition)} over it; left alone"
    return None


def _problem(way: Rollout) -> str | None:
    back = way.target == way.change.previous
    if way.verdict is Verdict.ROLLED_BACK or (way.verdict is Verdict.DONE and back):
        return None
    return f"{way.change.unit}: not back at {revision_name(way.change.previous)}: {way.reason or 'not seen to its end'}"
