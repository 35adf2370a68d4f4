"""When a schedule fires next. Pure.

Dates are those of the wall clock: ``cron`` and ``at`` fire when this machine's clock says so. What is a wait, the
interval of a rate and a flexible window, is given scaled by the caller.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from seatrial.emulator.schedules.cron import Cron
from seatrial.emulator.schedules.expressions import At, Rate

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from seatrial.emulator.schedules.expressions import Expression


@dataclass(frozen=True)
class Timing:
    """What decides when a schedule fires.

    ``anchor``: when a rate without a start date begins, which it does at once ("If you do not provide a StartDate for
    a rate-based schedule, your schedule starts invoking the target immediately", schedule types of the user guide).
    """

    expression: Expression
    zone: ZoneInfo
    anchor: datetime
    start: datetime | None = None
    end: datetime | None = None


def next_time(timing: Timing, after: datetime, every: timedelta | None = None) -> datetime | None:
    """Return the first time after ``after`` at which the schedule fires, in UTC, None when it never does again.

    ``every`` is the interval of a rate as it is here; None for the expression's own. Start and end dates bound rates
    and cron, not a one-time schedule (StartDate and EndDate in botocore's CreateSchedule).
    """
    if isinstance(timing.expression, At):
        moment = timing.expression.local.replace(tzinfo=timing.zone).astimezone(UTC)
        return moment if moment > after else None
    if timing.start is not None:
        after = max(after, timing.start - timedelta(microseconds=1))
    if isinstance(timing.expression, Cron):
        found = timing.expression.after(after, timing.zone)
    else:
        found = _next_of_rate(timing.start or timing.anchor, every or timing.expression.every, after)
    return None if found is None or (timing.end is not None and found > timing.end) else found


def within_window(moment: datetime, window: timedelta, name: str) -> datetime:
    """Return when an occurrence is delivered within its flexible window: any time in it, always the same for one.

    ``name`` is the schedule's, so that many schedules of one moment spread over the window.
    """
    digest = hashlib.sha256(f"{name} {moment.isoformat()}".encode()).digest()
    return moment + window * (int.from_bytes(digest[:4], "big") / 2**32)


def is_recurring(expression: Expression) -> bool:
    """Whether the expression is one of several times."""
    return isinstance(expression, Rate | Cron)


def _next_of_rate(first: datetime, every: timedelta, after: datetime) -> datetime:
    if after < first:
        return first.astimezone(UTC)
    return (first + every * ((after - first) // every + 1)).astimezone(UTC)
