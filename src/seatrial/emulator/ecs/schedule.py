"""The service scheduler's decision: from what a service has and wants to what is started and stopped. Pure.

The rules are AWS's (DeploymentConfiguration in the service model; "Amazon ECS services: how the scheduler replaces
unhealthy tasks" in the developer guide):

* ``minimumHealthyPercent`` of the desired count, rounded up, is the number of healthy tasks the scheduler itself never
  goes below; ``maximumPercent``, rounded down, the number of tasks it never goes above. A task counts as long as it is
  not STOPPED, so one that is still draining or stopping leaves no room (a 0/100 service never has two tasks alive).
* Only the newest revision's tasks are started; the others' are stopped as far as the minimum allows.
* An unhealthy task is replaced before it is stopped where the maximum allows, and stopped first, one at a time, where
  it does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Phase = Literal["starting", "running", "stopping"]


@dataclass(frozen=True)
class TaskView:
    """One task that is not STOPPED. ``order`` grows with age of creation (0 is the oldest).

    ``current``: of the revision being deployed. ``healthy``: counts toward the minimum. ``failed``: running, past its
    grace period, and failing its health checks.
    """

    id: str
    current: bool
    phase: Phase
    healthy: bool = False
    failed: bool = False
    order: int = 0


@dataclass(frozen=True)
class Wanted:
    """What the service is to have. ``may_start`` is False during back-off.

    ``frozen``: the deployment failed and stays where it is, so nothing is started and nothing of the older revision
    is stopped.
    """

    desired: int
    minimum_percent: int
    maximum_percent: int
    may_start: bool = True
    frozen: bool = False

    @property
    def minimum(self) -> int:
        """Healthy tasks to keep, rounded up."""
        return math.ceil(self.desired * self.minimum_percent / 100)

    @property
    def maximum(self) -> int:
        """Tasks to have at most, rounded down."""
        return self.desired * self.maximum_percent // 100


@dataclass(frozen=True)
class Decision:
    """What to do next.

    ``start`` so many new tasks, ``replacing`` of them for unhealthy ones; ``stop`` these for scaling, ``replace`` these
    because they fail their health checks. ``stuck``: the percentages leave no step that could be taken.
    """

    start: int = 0
    replacing: int = 0
    stop: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    stuck: bool = False


def decide(wanted: Wanted, tasks: tuple[TaskView, ...]) -> Decision:
    """Return the next step for a service. Called again after every change, it converges to the desired count."""
    going = [t for t in tasks if t.phase != "stopping"]
    current = [t for t in going if t.current]
    old = [t for t in going if not t.current]
    failed = sorted((t for t in current if t.failed), key=lambda t: t.order)
    good = [t for t in current if not t.failed]
    if wanted.frozen:
        return Decision(replace=tuple(t.id for t in failed), stop=_surplus(good, wanted.desired))

    missing = max(0, wanted.desired - len(good))
    room = max(0, wanted.maximum - len(tasks))
    start = min(missing, room) if wanted.may_start else 0
    stop, replace = _stops_of_old(wanted, going, old)
    stop += _surplus(good, wanted.desired)
    replace += _replaced(wanted, good, failed, start=start, missing=missing, stopping=len(tasks) > len(going))
    blocked = missing > 0 and room == 0 and wanted.may_start and not (stop or replace) and len(tasks) == len(going)
    stuck = blocked and all(t.phase == "running" and t.healthy for t in going)
    return Decision(start, min(start, len(failed)), stop, replace, stuck)


def early_enough(*, desired: int, healthy: int, percent: int, others: int, deferred: bool) -> bool:
    """Whether ``earlySuccessCriteria`` are met: enough healthy tasks, and the others gone unless that is ``deferred``.

    Of the desired count ``percent`` is rounded up, as the minimum healthy percent is.
    """
    return healthy >= math.ceil(desired * percent / 100) and (deferred or others == 0)


def _stops_of_old(
    wanted: Wanted, going: list[TaskView], old: list[TaskView]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Stop older revisions' tasks: those that serve nobody at once, healthy ones as far as the minimum allows."""
    healthy = sum(t.healthy for t in going)
    spare = max(0, healthy - wanted.minimum)
    serving = sorted((t for t in old if t.healthy), key=lambda t: t.order)
    idle = [t for t in old if not t.healthy]
    stop = [t.id for t in idle if not t.failed] + [t.id for t in serving[:spare]]
    return tuple(stop), tuple(t.id for t in idle if t.failed)


def _surplus(good: list[TaskView], desired: int) -> tuple[str, ...]:
    """Scale in: first what does not run yet, then what is not healthy, then the newest."""
    rank = sorted(good, key=lambda t: (t.healthy, t.phase == "running", -t.order))
    return tuple(t.id for t in rank[: max(0, len(good) - desired)])


def _replaced(
    wanted: Wanted, good: list[TaskView], failed: list[TaskView], *, start: int, missing: int, stopping: bool
) -> tuple[str, ...]:
    """Say which unhealthy tasks go now.

    All, once enough others are healthy; what is more than the desired count; and one, where there is no room to start
    its replacement first and no other task is about to make room.
    """
    if sum(t.healthy for t in good) >= wanted.desired:
        return tuple(t.id for t in failed)
    excess = max(0, len(failed) - wanted.desired)
    if excess == 0 and missing > 0 and start == 0 and wanted.may_start and not stopping:
        excess = 1
    return tuple(t.id for t in failed[:excess])
