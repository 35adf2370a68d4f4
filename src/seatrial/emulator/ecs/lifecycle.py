"""The stages of a blue/green, linear or canary deployment: from what is and what is seen to the next step. Pure.

Blue is the revision that serves, green the one being deployed. A :class:`Position` says where the deployment stands and
what is meant to be: which revisions keep their tasks, how much of production and test traffic goes to green.
:func:`advance` makes at most one transition; the engine carries out what the new position means and asks again.

Rules: "Amazon ECS blue/green deployments workflow", "... linear deployments", "... canary deployments" in the developer
guide, ``DeploymentLifecycleHook.lifecycleStages`` in the service model. What AWS does not publish is decided for the
users' sake and said in docs/emulator.md: traffic never moves to a revision that lacks its healthy tasks, and once blue
is being scaled in (CLEAN_UP) there is no way back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Stage = Literal[
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
]
Outcome = Literal["SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"]
HookState = Literal["waiting", "succeeded", "failed"]

#: The stage after one that changes nothing but itself.
_NEXT: Mapping[Stage, Stage] = {
    "SCALE_UP": "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT": "POST_TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT": "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT": "BAKE_TIME",
}
#: Stages that are only left once green has all its healthy tasks: what follows relies on them.
_WHOLE = ("SCALE_UP", "POST_SCALE_UP", "PRE_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME")


@dataclass(frozen=True)
class Course:
    """How production traffic moves: to each of ``steps`` (percent on green, the last is 100), and the waits.

    Seconds as they pass here: ``step_bake`` between two steps, ``bake`` after the last one.
    """

    steps: tuple[float, ...] = (100.0,)
    step_bake: float = 0.0
    bake: float = 0.0


@dataclass(frozen=True)
class Fleet:
    """One revision's tasks: ``healthy`` ones, and all that have not stopped."""

    healthy: int = 0
    alive: int = 0


@dataclass(frozen=True)
class Trouble:
    """Why the deployment cannot go on. ``rollback``: whether it is to be rolled back or left where it is."""

    reason: str
    rollback: bool = True


@dataclass(frozen=True)
class Seen:
    """What is observed. ``blue`` is None where there is nothing to go back to.

    ``minimum`` is the number of healthy tasks that the minimum healthy percent demands; ``strays`` counts the living
    tasks of any third revision. ``production`` and ``test`` are the percentages on green that the load balancer has
    taken up. ``hooks`` is the state of the present stage's hooks, ``succeeded`` where it has none.
    """

    desired: int
    minimum: int
    green: Fleet
    blue: Fleet | None = None
    strays: int = 0
    production: float = 0.0
    test: float = 0.0
    hooks: HookState = "succeeded"
    hook_reason: str = ""
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Position:
    """Where a deployment stands. ``since`` is when it entered its stage, on the monotonic clock.

    ``production`` and ``test`` are the percentages meant to be on green; ``step`` counts the production shifts;
    ``scaled`` is whether green was ever started.
    """

    stage: Stage
    since: float
    back: bool = False
    scaled: bool = False
    step: int = 0
    production: float = 0.0
    test: float = 0.0
    outcome: Outcome | None = None
    reason: str | None = None

    @property
    def green_wanted(self) -> bool:
        """Whether green is to have its tasks."""
        return self.scaled and not (self.back and self.stage == "CLEAN_UP")

    @property
    def blue_wanted(self) -> bool:
        """Whether blue is to keep its tasks: until the clean-up of a deployment that went well."""
        return self.back or self.stage != "CLEAN_UP"

    @property
    def visit(self) -> tuple[bool, Stage, int]:
        """What tells one run through a stage, and so of its hooks, from another."""
        return (self.back, self.stage, self.step)


def start(now: float, *, reconcile: bool, production: float = 0.0, test: float = 0.0) -> Position:
    """Return the first position. ``reconcile``: more than one revision is active, and traffic may be on a third one."""
    if reconcile:
        return Position("RECONCILE_SERVICE", now, production=production, test=test)
    return Position("PRE_SCALE_UP", now)


def advance(course: Course, at: Position, seen: Seen, now: float) -> Position:
    """Return the next position, ``at`` itself where there is nothing to do but wait."""
    if at.outcome:
        return at
    if at.back:
        return _backward(at, seen, now)
    if at.stage == "CLEAN_UP":
        return _clean(at, seen)
    trouble = seen.trouble
    if trouble is None and seen.hooks == "failed":
        trouble = Trouble(seen.hook_reason)
    if trouble is not None:
        return _turn(at, seen, trouble, now)
    if not _arrived(at, seen):
        return at
    return _forward(course, at, seen, now)


def hooks_due(at: Position, seen: Seen) -> bool:
    """Whether the stage's hooks may run: not before the traffic that they are to look at has moved."""
    moving_back = at.back and at.stage == "PRODUCTION_TRAFFIC_SHIFT" and at.production > 0
    return at.outcome is None and _arrived(at, seen) and not moving_back


def strays_wanted(at: Position, seen: Seen) -> bool:
    """Whether tasks of a third revision must stay: while they may carry traffic, or blue cannot yet carry it alone."""
    if seen.blue is None or not (at.back or at.stage == "RECONCILE_SERVICE"):
        return False
    return not (_ready(seen) and at.production == at.test == seen.production == seen.test == 0)


def _forward(course: Course, at: Position, seen: Seen, now: float) -> Position:
    """Leave the stage for the next one, once everything that it waits for is there."""
    if seen.hooks == "waiting" or (at.stage in _WHOLE and seen.green.healthy < seen.desired):
        return at
    match at.stage:
        case "RECONCILE_SERVICE":
            return _reconcile(at, seen, now)
        case "SCALE_UP" | "TEST_TRAFFIC_SHIFT" | "POST_TEST_TRAFFIC_SHIFT" | "POST_PRODUCTION_TRAFFIC_SHIFT":
            return _to(at, _NEXT[at.stage], now)
        case "PRODUCTION_TRAFFIC_SHIFT":
            return _after_shift(course, at, now)
        case "BAKE_TIME":
            return _to(at, "CLEAN_UP", now) if now - at.since >= course.bake else at
        case _:
            return _begin(course, at, now)


def _begin(course: Course, at: Position, now: float) -> Position:
    """Enter a stage that changes what is meant: green's tasks, test traffic, production traffic."""
    if at.stage == "PRE_SCALE_UP":
        return _to(replace(at, scaled=True), "SCALE_UP", now)
    if at.stage == "POST_SCALE_UP":
        return _to(at, "TEST_TRAFFIC_SHIFT", now, test=100.0)
    return _to(at, "PRODUCTION_TRAFFIC_SHIFT", now, production=course.steps[at.step])


def _after_shift(course: Course, at: Position, now: float) -> Position:
    if at.step == len(course.steps) - 1:
        return _to(at, "POST_PRODUCTION_TRAFFIC_SHIFT", now)
    if now - at.since >= course.step_bake:
        return _to(at, "PRE_PRODUCTION_TRAFFIC_SHIFT", now, step=at.step + 1)
    return at


def _reconcile(at: Position, seen: Seen, now: float) -> Position:
    """Bring everything back to blue before green is started."""
    if at.production or at.test:
        return replace(at, production=0.0, test=0.0) if seen.blue is None or _ready(seen) else at
    if seen.strays or (seen.blue is not None and not _ready(seen)):
        return at
    return _to(at, "PRE_SCALE_UP", now)


def _clean(at: Position, seen: Seen) -> Position:
    gone = (seen.blue is None or seen.blue.alive == 0) and seen.strays == 0
    return replace(at, outcome="SUCCESSFUL") if gone and seen.green.healthy >= seen.desired else at


def _turn(at: Position, seen: Seen, trouble: Trouble, now: float) -> Position:
    """Leave the way forward: roll back, or stop where it is."""
    if not trouble.rollback:
        return replace(at, outcome="STOPPED", reason=trouble.reason)
    if seen.blue is None:
        return replace(at, outcome="ROLLBACK_FAILED", reason=trouble.reason)
    production, test = max(at.production, seen.production), max(at.test, seen.test)
    back = replace(at, back=True, since=now, production=production, test=test, reason=trouble.reason)
    if production:
        return replace(back, stage="PRODUCTION_TRAFFIC_SHIFT")
    if test:
        return replace(back, stage="TEST_TRAFFIC_SHIFT", test=0.0)
    return replace(back, stage="CLEAN_UP")


def _backward(at: Position, seen: Seen, now: float) -> Position:
    if seen.trouble is not None:  # blue cannot be had any more
        return replace(at, outcome="ROLLBACK_FAILED", reason=seen.trouble.reason)
    match at.stage:
        case "PRODUCTION_TRAFFIC_SHIFT":
            if at.production:
                return replace(at, production=0.0, since=now) if _able(seen) else at
            if _arrived(at, seen) and seen.hooks != "waiting":
                return _to(at, "TEST_TRAFFIC_SHIFT" if at.test else "CLEAN_UP", now, test=0.0)
        case "TEST_TRAFFIC_SHIFT":
            if _arrived(at, seen) and seen.hooks != "waiting":
                return _to(at, "CLEAN_UP", now)
        case _:
            if _arrived(at, seen) and seen.green.alive == 0 and seen.strays == 0 and _ready(seen):
                return replace(at, outcome="ROLLBACK_SUCCESSFUL")
    return at


def _to(
    at: Position,
    stage: Stage,
    now: float,
    *,
    step: int | None = None,
    production: float | None = None,
    test: float | None = None,
) -> Position:
    return replace(
        at,
        stage=stage,
        since=now,
        step=at.step if step is None else step,
        production=at.production if production is None else production,
        test=at.test if test is None else test,
    )


def _arrived(at: Position, seen: Seen) -> bool:
    """Whether the load balancer has taken up what is meant."""
    return (at.production, at.test) == (seen.production, seen.test)


def _ready(seen: Seen) -> bool:
    """Whether blue has as many healthy tasks as the minimum healthy percent demands."""
    return seen.blue is not None and seen.blue.healthy >= seen.minimum


def _able(seen: Seen) -> bool:
    """Whether traffic may go back to blue: it is ready, or green has nothing and blue has something."""
    return _ready(seen) or (seen.blue is not None and seen.blue.healthy > seen.green.healthy == 0)
