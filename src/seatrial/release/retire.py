"""Stopping services that the release which is put back did not have. Their tasks end as in any release: by SIGTERM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import SeatrialError
from seatrial.release.stops import StepFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.aws.ecs import Service
    from seatrial.config.models import Settings
    from seatrial.release.context import Context

#: Seconds that ECS may take to see that a task is to end, on top of what the task itself may take.
_SLACK = 120.0


def retire(units: Sequence[str], settings: Settings, context: Context) -> str:
    """Have the services no tasks, wait until the last one has ended, and say so.

    A change of the count starts no deployment (ECS API reference, UpdateService). Raises
    :class:`~seatrial.release.stops.StepFailed` where one cannot be changed; those changed before it have their count
    again.
    """
    before = context.ecs.services(units)
    done: list[Service] = []
    for service in before.values():
        try:
            context.ecs.update_service(service.name, service.task_definition, desired=0)
        except SeatrialError as error:
            for each in done:
                context.ecs.update_service(each.name, each.task_definition, desired=each.desired)
            raise StepFailed(f"{service.name} cannot be stopped: {error.message}") from error
        done.append(service)
    slowest = max((settings.services[unit].stop_timeout for unit in units), default=0)
    until = context.clock.monotonic() + slowest + _SLACK
    while running := [each.name for each in context.ecs.services(units).values() if each.running or each.pending]:
        if context.clock.monotonic() > until:
            return f"{', '.join(units)} stopped; {', '.join(running)} is still ending"
        context.clock.sleep(context.pace)
    return f"{', '.join(units)} stopped"
