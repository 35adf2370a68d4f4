"""Schedule expressions as values: ``rate(...)``, ``at(...)`` and ``cron(...)``. Pure.

Syntax from "Schedule types on EventBridge Scheduler"
(docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from seatrial.emulator.schedules import cron
from seatrial.emulator.schedules.cron import Cron

_FORM = re.compile(r"(rate|at|cron)\((.*)\)")
_RATE = re.compile(r"([1-9]\d*) (minute|hour|day)(s?)")
_AT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")


@dataclass(frozen=True)
class Rate:
    """Again and again, ``every`` so long."""

    every: timedelta


@dataclass(frozen=True)
class At:
    """Once, at a local time of the schedule's zone."""

    local: datetime


Expression: TypeAlias = Rate | At | Cron


def parse(text: str) -> Expression:
    """Return the expression. Raises ``ValueError`` with what is wrong."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError("expected rate(...), cron(...) or at(...)")
    match form[1]:
        case "rate":
            return _rate(form[2])
        case "at":
            if not _AT.fullmatch(form[2]):
                raise ValueError("expected at(yyyy-mm-ddThh:mm:ss)")
            return At(datetime.fromisoformat(form[2]))
        case _:
            return cron.parse(form[2])


def _rate(text: str) -> Rate:
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError("expected rate(N unit), N at least 1, the unit minutes, hours or days")
    value, unit = int(found[1]), found[2]
    return Rate(timedelta(**{f"{unit}s": value}))
