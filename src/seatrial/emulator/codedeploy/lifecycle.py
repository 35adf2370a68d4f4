"""The way of a deployment to Amazon ECS: from where it stands and what is seen to the next step. Pure.

Blue is the task set that is PRIMARY when the deployment begins, green its replacement. A :class:`Position` says where
the deployment stands and what is meant to be: which sets live, how much of production and test traffic is on green,
which of the two is PRIMARY. :func:`advance` makes at most one transition; the engine carries out what it means.

Rules: "AppSpec 'hooks' section for an Amazon ECS deployment" and "Redeploy and roll back a deployment" in CodeDeploy's
user guide; ``DeploymentReadyOption`` and ``BlueInstanceTerminationOption`` in the service model; texts:
"Troubleshoot Amazon ECS deployment issues". What AWS does not publish is said in docs/emulator.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    _Move = Callable[["Course", "Position", "Seen", float], "Position"]

Event = Literal[
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
]
Phase = Literal[Event, "Created", "Queued", "ReadyWait", "TerminationWait", "Return", "CleanUp"]
Status = Literal["Created", "Queued", "InProgress", "Ready", "Succeeded", "Failed", "Stopped"]

EVENTS: tuple[Event, ...] = get_args(Event)
TEST_EVENTS: tuple[Event, ...] = ("AllowTestTraffic", "AfterAllowTestTraffic")
#: Events at which an AppSpec may name a function.
HOOK_EVENTS: tuple[Event, ...] = tuple(e for e in EVENTS if e.startswith(("Before", "After")))

UNHEALTHY = (
    "The deployment timed out while waiting for the replacement task set to become healthy. This time out period is "
    "60 minutes."
)
NO_WAY_BACK = "The original task set has no healthy tasks to which traffic could be rerouted."
NOT_CONTINUED = (
    "The deployment timed out while waiting for a notification to continue. This time out period is {} minutes."
)


@dataclass(frozen=True)
class Step:
    """Production traffic goes to ``percent`` on green, and stays there for ``wait`` seconds as they pass here."""

    percent: int
    wait: float = 0.0


@dataclass(frozen=True)
class Course:
    """What deployment group and configuration ask for. Seconds are those that pass here.

    ``steps`` end with 100. ``tests``: there is a test listener. ``ready_within`` is None where traffic moves by itself,
    else for how long it waits to be told; ``ready_minutes`` are the same in AWS's minutes. ``terminate_after`` is None
    where blue is kept alive. ``healthy_within`` bounds every wait for healthy tasks.
    """

    steps: tuple[Step, ...] = (Step(100),)
    tests: bool = False
    ready_within: float | None = None
    ready_minutes: int = 0
    terminate_after: float | None = 0.0
    healthy_within: float = 3600.0

    @property
    def events(self) -> tuple[Event, ...]:
        """The lifecycle events that it goes through."""
        return EVENTS if self.tests else tuple(e for e in EVENTS if e not in TEST_EVENTS)


@dataclass(frozen=True)
class Fleet:
    """One task set's tasks: ``healthy`` ones, and all that have not ended."""

    healthy: int = 0
    alive: int = 0


@dataclass(frozen=True)
class Trouble:
    """Why a deployment ends before its time. ``code`` is an ErrorCode; ``kind`` decides whether it is rolled back."""

    kind: Literal["failure", "alarm", "request"]
    code: str
    message: str

    @property
    def status(self) -> Status:
        """How the deployment ends."""
        return "Failed" if self.kind == "failure" else "Stopped"


@dataclass(frozen=True)
class Seen:
    """What is observed.

    ``strays`` counts what is left of task sets that are neither blue nor green. ``production`` and ``test`` are the
    percentages that the load balancer does not send to blue. ``asked``: the present event's function has not answered.
    ``continued``: someone said to go on with the present wait.
    """

    desired: int
    blue: Fleet
    green: Fleet | None = None
    strays: int = 0
    production: int = 0
    test: int = 0
    asked: bool = False
    continued: bool = False
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Position:
    """Where a deployment stands. ``since`` is when it came there, on the monotonic clock.

    ``production`` and ``test`` are the percentages meant to be on green, ``step`` the production step; ``installed``
    is whether green was ever wanted, ``promoted`` whether green is to be PRIMARY. ``back`` tells a rollback.
    """

    phase: Phase
    since: float
    back: bool = False
    step: int = 0
    production: int = 0
    test: int = 0
    installed: bool = False
    promoted: bool = False
    outcome: Status | None = None
    trouble: Trouble | None = None

    @property
    def green_wanted(self) -> bool:
        """Whether green is to live."""
        return self.installed and not (self.back and self.phase == "CleanUp")

    @property
    def blue_wanted(self) -> bool:
        """Whether blue is to live."""
        return self.back or self.phase != "CleanUp"

    @property
    def status(self) -> Status:
        """The deployment's status."""
        if self.outcome:
            return self.outcome
        statuses: Mapping[str, Status] = {"Created": "Created", "Queued": "Queued", "ReadyWait": "Ready"}
        return statuses.get(self.phase, "InProgress")


def start(now: float, *, production: int = 0, test: int = 0) -> Position:
    """Return the first position. The percentages are those that a failed deployment left away from blue."""
    return Position("Created", now, production=production, test=test)


def start_back(now: float, failed: Position, *, production: int, test: int) -> Position:
    """Return the first position of the rollback of a deployment that ended so; the load balancer may lag behind."""
    return Position(
        "Return",
        now,
        back=True,
        production=max(production, failed.production),
        test=max(test, failed.test),
        installed=failed.installed,
        promoted=failed.promoted,
    )


def advance(course: Course, at: Position, seen: Seen, now: float) -> Position:
    """Return the next position, ``at`` itself where there is nothing to do but wait."""
    if at.outcome:
        return at
    if seen.trouble and at.phase != "CleanUp":  # then the set that is left has all the traffic
        return replace(at, outcome=seen.trouble.status, trouble=seen.trouble)
    if at.phase not in {"Queued", "Return", "CleanUp"} and (seen.asked or not _arrived(at, seen)):
        return at
    return _MOVES[at.phase](course, at, seen, now)


def _install(course: Course, at: Position, seen: Seen, now: float) -> Position:
    return _to(at, "AfterInstall", now) if _whole(seen) else _patient(course, at, now)


def _reconcile(course: Course, at: Position, seen: Seen, now: float) -> Position:
    """Bring all traffic to blue and end what is left of others, before anything is installed."""
    if at.production or at.test:
        return _to_blue(course, at, seen, now)
    return at if seen.strays or not _arrived(at, seen) else _to(at, "BeforeInstall", now)


def _allow_test(course: Course, at: Position, seen: Seen, now: float) -> Position:
    if at.test == 100:
        return _to(at, "AfterAllowTestTraffic", now)
    return replace(at, test=100, since=now) if _whole(seen) else _patient(course, at, now)


def _after_install(course: Course, at: Position, seen: Seen, now: float) -> Position:
    return _to(at, "AllowTestTraffic", now) if course.tests else _reroute(course, at, seen, now)


def _reroute(course: Course, at: Position, _seen: Seen, now: float) -> Position:
    return _to(at, "BeforeAllowTraffic" if course.ready_within is None else "ReadyWait", now)


def _ready(course: Course, at: Position, seen: Seen, now: float) -> Position:
    if seen.continued:
        return _to(at, "BeforeAllowTraffic", now)
    if course.ready_within is not None and now - at.since >= course.ready_within:
        trouble = Trouble("failure", "TIMEOUT", NOT_CONTINUED.format(course.ready_minutes))
        return replace(at, outcome="Stopped", trouble=trouble)
    return at


def _allow(course: Course, at: Position, seen: Seen, now: float) -> Position:
    """Move production traffic, a step at a time."""
    step = course.steps[at.step]
    if at.production != step.percent:
        return replace(at, production=step.percent, since=now) if _whole(seen) else _patient(course, at, now)
    if now - at.since < step.wait:
        return at
    if at.step < len(course.steps) - 1:
        return replace(at, step=at.step + 1, since=now)
    return replace(_to(at, "AfterAllowTraffic", now), promoted=True)


def _retire(course: Course, at: Position, _seen: Seen, now: float) -> Position:
    if course.terminate_after is None:
        return replace(at, outcome="Succeeded")
    return _to(at, "TerminationWait" if course.terminate_after else "CleanUp", now)


def _terminate(course: Course, at: Position, seen: Seen, now: float) -> Position:
    over = seen.continued or now - at.since >= (course.terminate_after or 0.0)
    return _to(at, "CleanUp", now) if over else at


def _return(course: Course, at: Position, seen: Seen, now: float) -> Position:
    if at.production or at.test:
        return _to_blue(course, at, seen, now)
    return replace(_to(at, "CleanUp", now), promoted=False) if _arrived(at, seen) else at


def _to_blue(course: Course, at: Position, seen: Seen, now: float) -> Position:
    """Reroute all traffic to blue as soon as blue can take it; test traffic alone waits for nothing."""
    if at.production and not _able(seen):
        return _patient(course, at, now, NO_WAY_BACK)
    return replace(at, production=0, test=0, promoted=False, since=now)


def _clean(_course: Course, at: Position, seen: Seen, _now: float) -> Position:
    leaving = seen.green if at.back else seen.blue
    return at if leaving is not None and leaving.alive else replace(at, outcome="Succeeded")


def _to(at: Position, phase: Phase, now: float) -> Position:
    return replace(at, phase=phase, since=now)


def _patient(course: Course, at: Position, now: float, message: str = UNHEALTHY) -> Position:
    """Wait for healthy tasks, but not for ever."""
    if now - at.since < course.healthy_within:
        return at
    return replace(at, outcome="Failed", trouble=Trouble("failure", "TIMEOUT", message))


def _arrived(at: Position, seen: Seen) -> bool:
    """Whether the load balancer has taken up what is meant."""
    return (at.production, at.test) == (seen.production, seen.test)


def _whole(seen: Seen) -> bool:
    """Whether green has all its healthy tasks."""
    return seen.green is not None and seen.green.healthy >= seen.desired


def _able(seen: Seen) -> bool:
    """Whether traffic may go back to blue: it has its healthy tasks, or green has none and blue has some."""
    green = seen.green.healthy if seen.green else 0
    return seen.blue.healthy >= seen.desired or seen.blue.healthy > green == 0


def _then(phase: Phase) -> _Move:
    """Return the move of a phase that waits for nothing but its function."""
    return lambda _course, at, _seen, now: _to(at, phase, now)


_MOVES: Mapping[Phase, _Move] = {
    "Created": _then("Queued"),
    "Queued": _reconcile,
    "BeforeInstall": lambda _course, at, _seen, now: replace(_to(at, "Install", now), installed=True),
    "Install": _install,
    "AfterInstall": _after_install,
    "AllowTestTraffic": _allow_test,
    "AfterAllowTestTraffic": _reroute,
    "ReadyWait": _ready,
    "BeforeAllowTraffic": _then("AllowTraffic"),
    "AllowTraffic": _allow,
    "AfterAllowTraffic": _retire,
    "TerminationWait": _terminate,
    "Return": _return,
    "CleanUp": _clean,
}
