"""EventBridge Scheduler: whether a job's schedule is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.aws.errors import NotFound

if TYPE_CHECKING:
    from seatrial.aws.session import Aws

#: What UpdateSchedule takes. It sets all of it: what is left out goes back to its default (API reference).
_WRITABLE = (
    "ActionAfterCompletion", "Description", "EndDate", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "Name",
    "ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "State", "Target",
)  # fmt: skip


class Scheduler:
    """The calls, on the group ``default``."""

    def __init__(self, aws: Aws) -> None:
        self._client = aws.client("scheduler")

    def is_on(self, name: str) -> bool | None:
        """Whether a schedule starts what it is for; None where there is none of that name."""
        try:
            return bool(self._client.get_schedule(Name=name).get("State", "ENABLED") == "ENABLED")
        except NotFound:
            return None

    def turn_on(self, name: str) -> bool:
        """Have a schedule start what it is for. Returns whether it did not before. Raises NotFound."""
        schedule = self._client.get_schedule(Name=name)
        if schedule.get("State", "ENABLED") == "ENABLED":
            return False
        kept = {key: schedule[key] for key in _WRITABLE if schedule.get(key) is not None}
        self._client.update_schedule(**kept | {"State": "ENABLED"})
        return True
