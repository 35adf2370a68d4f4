"""The stages of a deployment: what must hold whatever happens, and the way that each strategy takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seatrial.emulator.ecs.lifecycle import (
    Course,
    Fleet,
    HookState,
    Position,
    Seen,
    Trouble,
    advance,
    hooks_due,
    start,
    strays_wanted,
)

#: A fault that befalls the world once, at a given moment.
FAULTS = ("none", "alarm", "breaker", "user", "abort", "hook fails", "green dies", "blue dies", "blue is away", "scale")
LOSSES = ("green dies", "blue dies", "blue is away")


@dataclass
class World:
    """Tasks, load balancer and hooks that do what the position wants, a little later each."""

    desired: int
    course: Course
    blue_exists: bool = True
    now: float = 0.0
    blue: int = 0
    green: int = 0
    strays: int = 0
    production: float = 0.0
    test: float = 0.0
    trouble: Trouble | None = None
    hook_fails: bool = False
    blue_back: float = 0.0
    hooks_begun: set[object] = field(default_factory=set)
    position: Position = field(init=False)
    history: list[Position] = field(default_factory=list)

    def begin(self) -> None:
        self.blue = self.desired if self.blue_exists else 0
        self.position = start(
            self.now,
            reconcile=bool(self.strays or self.production or self.test),
            production=self.production,
            test=self.test,
        )

    def seen(self) -> Seen:
        hooks: HookState = "waiting"
        if self.position.visit in self.hooks_begun:
            hooks = "failed" if self.hook_fails else "succeeded"
        return Seen(
            desired=self.desired,
            minimum=self.desired,
            green=Fleet(self.green, self.green),
            blue=Fleet(self.blue, self.blue) if self.blue_exists else None,
            strays=self.strays,
            production=self.production,
            test=self.test,
            hooks=hooks,
            hook_reason="hook",
            trouble=None if self.position.back else self.trouble,
        )

    def step(self) -> None:
        """One look: a transition, then tasks and traffic follow by one."""
        seen = self.seen()
        if hooks_due(self.position, seen):
            self.hooks_begun.add(self.position.visit)
            seen = self.seen()
        before, self.position = self.position, advance(self.course, self.position, seen, self.now)
        if self.position != before:
            self.history.append(self.position)
            self.check(before, seen)
        self.follow()

    def check(self, before: Position, seen: Seen) -> None:
        after = self.position
        if after.production > before.production:
            assert seen.green.healthy >= seen.desired, "production traffic without the healthy tasks for it"
        if after.production < before.production and seen.blue is not None:
            enough = seen.blue.healthy >= seen.minimum or (seen.green.healthy == 0 and seen.blue.healthy > 0)
            assert enough, "traffic back to a revision that cannot take it"
        if after.stage == "CLEAN_UP" and not after.back:
            assert after.production == 100.0
        else:
            assert after.blue_wanted, "blue lives until the clean-up"
        if after.outcome == "SUCCESSFUL":
            assert (after.production, seen.production) == (100.0, 100.0)
        if after.outcome == "ROLLBACK_SUCCESSFUL":
            assert (after.production, seen.production, after.test) == (0.0, 0.0, 0.0)
            assert seen.green.alive == 0

    def follow(self) -> None:
        position, seen = self.position, self.seen()
        if position.outcome is None:
            self.green = _toward(self.green, self.desired if position.green_wanted else 0)
            if self.blue_exists and self.now >= self.blue_back:
                self.blue = _toward(self.blue, self.desired if position.blue_wanted else 0)
            if self.strays and not strays_wanted(position, seen):
                assert self.blue >= self.desired, "the only tasks that serve are stopped"
                self.strays = _toward(self.strays, 0)
            self.production, self.test = position.production, position.test
        self.now += 1.0

    @property
    def serving(self) -> int:
        """Tasks in the target groups that get production traffic."""
        third = self.strays if self.position.stage == "RECONCILE_SERVICE" or self.position.back else 0
        return (self.green + third if self.production > 0 else 0) + (self.blue if self.production < 100 else 0)


def _toward(have: int, want: int) -> int:
    return have + (have < want) - (have > want)


def befall(world: World, fault: str) -> None:
    match fault:
        case "alarm" | "breaker" | "user":
            world.trouble = Trouble(fault)
        case "abort":
            world.trouble = Trouble(fault, rollback=False)
        case "hook fails":
            world.hook_fails = True
        case "green dies":
            world.green = 0
        case "blue dies":
            world.blue = max(0, world.blue - 1)
        case "blue is away":
            world.blue, world.blue_back = 0, world.now + 10.0
        case "scale":
            world.desired += 1
        case _:
            pass


courses = st.sampled_from(
    [Course(bake=3.0), Course((10.0, 100.0), 2.0, 1.0), Course((25.0, 50.0, 75.0, 100.0), 1.0), Course((0.1, 100.0))]
)


@settings(max_examples=500, deadline=None)
@given(
    course=courses,
    desired=st.integers(0, 4),
    blue_exists=st.booleans(),
    strays=st.integers(0, 2),
    carried=st.sampled_from([0.0, 10.0, 100.0]),
    faults=st.lists(st.tuples(st.integers(0, 60), st.sampled_from(FAULTS)), max_size=3),
)
@example(course=Course(bake=3.0), desired=2, blue_exists=True, strays=1, carried=10.0, faults=[(0, "blue is away")])
@example(
    course=Course(bake=9.0), desired=2, blue_exists=True, strays=0, carried=0.0,
    faults=[(15, "alarm"), (18, "blue is away")],
)  # fmt: skip
def test_whatever_happens(
    *, course: Course, desired: int, blue_exists: bool, strays: int, carried: float, faults: list[tuple[int, str]]
) -> None:
    """Traffic only moves to who can take it; it always ends; rolled back means all traffic on blue; blue is kept."""
    world = World(desired, course, blue_exists=blue_exists, strays=strays if blue_exists else 0)
    world.production = carried if world.strays else 0.0
    world.begin()
    for moment in range(300):
        for when, fault in faults:
            if when == moment:
                befall(world, fault)
        world.step()
        if world.position.outcome:
            break
    assert world.position.outcome, world.history[-3:]
    moved = {p.production for p in world.history}
    assert moved <= {0.0, carried, *course.steps}
    if world.position.outcome == "SUCCESSFUL":
        assert world.green >= world.desired
    elif world.position.outcome == "ROLLBACK_SUCCESSFUL":
        assert world.blue >= desired


@settings(max_examples=200, deadline=None)
@given(
    course=courses,
    desired=st.integers(1, 4),
    strays=st.integers(0, 2),
    fault=st.sampled_from([f for f in FAULTS if f not in LOSSES]),
    when=st.integers(0, 60),
)
def test_production_traffic_always_has_a_task(course: Course, desired: int, strays: int, fault: str, when: int) -> None:
    """As long as no task dies by itself, the groups that get traffic are never empty."""
    world = World(desired, course, strays=strays, production=10.0 if strays else 0.0)
    world.begin()
    for moment in range(300):
        if moment == when:
            befall(world, fault)
        world.step()
        assert world.serving > 0, world.history[-3:]
        if world.position.outcome:
            return
    pytest.fail(f"it did not end: {world.position}")


def way(world: World) -> list[str]:
    """The stages in their order, with the traffic at each shift."""
    world.begin()
    for _ in range(300):
        world.step()
        if world.position.outcome:
            break
    told: list[str] = []
    for position in [start(0.0, reconcile=bool(world.strays)), *world.history]:
        shift = f" {position.production:g}" if position.stage == "PRODUCTION_TRAFFIC_SHIFT" else ""
        if not told or told[-1] != position.stage + shift:
            told.append(position.stage + shift)
    return told


BEFORE = ["PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT"]
AFTER = ["POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP"]


@pytest.mark.parametrize(
    ("course", "percents"),
    [
        (Course(), ["100"]),
        (Course((5.0, 100.0), 2.0), ["5", "100"]),
        (Course((40.0, 80.0, 100.0), 2.0), ["40", "80", "100"]),
    ],
    ids=["blue/green", "canary", "linear"],
)
def test_the_way_of_each_strategy(course: Course, percents: list[str]) -> None:
    shifts = [s for p in percents for s in ("PRE_PRODUCTION_TRAFFIC_SHIFT", f"PRODUCTION_TRAFFIC_SHIFT {p}")]
    assert way(World(2, course)) == [*BEFORE, *shifts, *AFTER]


def test_waits_are_kept_and_the_last_step_has_none() -> None:
    world = World(1, Course((10.0, 100.0), 30.0, 50.0))
    way(world)
    entered = {(p.stage, p.step): p.since for p in world.history}
    assert entered["PRE_PRODUCTION_TRAFFIC_SHIFT", 1] - entered["PRODUCTION_TRAFFIC_SHIFT", 0] >= 30.0
    assert entered["POST_PRODUCTION_TRAFFIC_SHIFT", 1] - entered["PRODUCTION_TRAFFIC_SHIFT", 1] < 5.0
    assert entered["CLEAN_UP", 1] - entered["BAKE_TIME", 1] >= 50.0


def test_a_rollback_during_the_bake_waits_for_no_task() -> None:
    world = World(3, Course(bake=1000.0))
    world.begin()
    while world.position.stage != "BAKE_TIME":
        world.step()
    world.trouble = Trouble("alarm")
    world.step()
    world.step()
    assert (world.position.back, world.production) == (True, 0.0)


def test_there_is_no_way_back_from_the_clean_up() -> None:
    at = Position("CLEAN_UP", 0.0, scaled=True, production=100.0, test=100.0)
    seen = Seen(2, 2, Fleet(2, 2), Fleet(1, 1), production=100.0, test=100.0, trouble=Trouble("late"))
    assert advance(Course(), at, seen, 1.0) == at


def test_a_first_deployment_that_fails_stays_where_it_is() -> None:
    at = Position("SCALE_UP", 0.0, scaled=True)
    ended = advance(Course(), at, Seen(2, 2, Fleet(), trouble=Trouble("breaker")), 1.0)
    assert ended == replace(at, outcome="ROLLBACK_FAILED", reason="breaker")


def test_a_rollback_whose_blue_is_lost_fails() -> None:
    at = Position("PRODUCTION_TRAFFIC_SHIFT", 0.0, back=True, scaled=True, production=100.0, test=100.0)
    seen = Seen(2, 2, Fleet(1, 1), Fleet(), production=100.0, test=100.0, trouble=Trouble("lost"))
    assert advance(Course(), at, seen, 1.0).outcome == "ROLLBACK_FAILED"
