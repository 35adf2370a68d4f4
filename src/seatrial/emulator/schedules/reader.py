"""moto's schedules, read; and what is checked before moto takes one.

Put around moto's actions: ``create_schedule``, ``update_schedule``, ``delete_schedule``. moto takes
any expression, and an update leaves its ``ActionAfterCompletion`` as it was and a ``State`` that is not given empty.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from seatrial.emulator.front.actions import ApiError, wrap
from seatrial.emulator.schedules import expressions
from seatrial.emulator.schedules.delivery import DEFAULT_AGE, DEFAULT_ATTEMPTS, Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.emulator.schedules.expressions import Expression


@dataclass(frozen=True)
class Schedule:
    """A schedule as the API knows it. ``created`` tells one from another that had its name before."""

    arn: str
    name: str
    group: str
    created: float
    text: str
    expression: Expression
    zone: ZoneInfo
    start: datetime | None
    end: datetime | None
    window: timedelta
    enabled: bool
    delete_when_done: bool
    target: Mapping[str, Any]

    @property
    def policy(self) -> Policy:
        """The target's retry policy."""
        given = self.target.get("RetryPolicy") or {}
        return Policy(
            most_age=given.get("MaximumEventAgeInSeconds", DEFAULT_AGE),
            most_retries=given.get("MaximumRetryAttempts", DEFAULT_ATTEMPTS),
        )


def read(account: str, region: str) -> list[Schedule]:
    """Return all schedules."""
    from moto.scheduler.models import scheduler_backends

    groups = list(scheduler_backends[account][region].schedule_groups.values())
    return [_schedule(each) for group in groups for each in list(group.schedules.values())]


def install(account: str, region: str, changed: Callable[[], None]) -> None:
    """Check what comes in, and call ``changed`` after each change."""
    from moto.scheduler.responses import EventBridgeSchedulerResponse

    def create(request: dict[str, Any], own: Callable[[], Any]) -> Any:
        check(request)
        return told(own)

    def update(request: dict[str, Any], own: Callable[[], Any]) -> Any:
        from moto.scheduler.models import scheduler_backends

        check(request)
        answer = own()
        stored = scheduler_backends[account][region].get_schedule(request.get("GroupName"), _name_in(answer))
        stored.action_after_completion = request.get("ActionAfterCompletion")
        stored.state = request.get("State") or "ENABLED"
        changed()
        return answer

    def told(own: Callable[[], Any]) -> Any:
        answer = own()
        changed()
        return answer

    wrap(
        EventBridgeSchedulerResponse,
        {"create_schedule": create, "update_schedule": update, "delete_schedule": lambda _, own: told(own)},
    )


def check(request: Mapping[str, Any]) -> None:
    """Raise ``ApiError`` (ValidationException) for a schedule that AWS would not take."""
    text = str(request.get("ScheduleExpression"))
    try:
        expressions.parse(text)
    except ValueError as error:
        raise _invalid(f"Invalid Schedule Expression {text}: {error}.") from None
    zone = request.get("ScheduleExpressionTimezone") or "UTC"
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError):
        raise _invalid(f"Provided ScheduleExpressionTimezone {zone} is not a valid timezone.") from None
    window = request.get("FlexibleTimeWindow") or {}
    flexible = window.get("Mode") == "FLEXIBLE"
    if flexible is not ("MaximumWindowInMinutes" in window):
        raise _invalid("FlexibleTimeWindow: MaximumWindowInMinutes goes with the mode FLEXIBLE and with no other.")
    target = request.get("Target") or {}
    if ":ecs:" in target.get("Arn", "") and ":cluster/" in target["Arn"] and "EcsParameters" not in target:
        raise _invalid("EcsParameters are required for ECS target types.")
    queue = (target.get("DeadLetterConfig") or {}).get("Arn", "")
    if queue.endswith(".fifo"):
        raise _invalid("The dead-letter queue must be a standard queue, not a FIFO queue.")


def _schedule(stored: Any) -> Schedule:
    window = stored.flexible_time_window or {}
    return Schedule(
        arn=stored.arn,
        name=stored.name,
        group=stored.group_name,
        created=float(stored.creation_date),
        text=stored.schedule_expression,
        expression=expressions.parse(stored.schedule_expression),
        zone=ZoneInfo(stored.schedule_expression_timezone or "UTC"),
        start=_moment(stored.start_date),
        end=_moment(stored.end_date),
        window=timedelta(minutes=window.get("MaximumWindowInMinutes") or 0),
        enabled=stored.state != "DISABLED",
        delete_when_done=stored.action_after_completion == "DELETE",
        target=stored.target,
    )


def _moment(value: Any) -> datetime | None:
    """Read a timestamp as the REST-JSON protocol sends it: seconds since 1970, or RFC 3339 from other clients."""
    if value is None:
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    found = datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _name_in(answer: Any) -> str:
    """Return the schedule's name out of moto's answer, the JSON of its ARN."""
    return str(json.loads(answer)["ScheduleArn"]).rsplit("/", 1)[-1]


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
