"""The way of a CodeDeploy deployment: what must hold whatever happens, and the way that each course takes."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seatrial.emulator.codedeploy.lifecycle import (
    EVENTS,
    TEST_EVENTS,
    UNHEALTHY,
    Course,
    Fleet,
    Position,
    Seen,
    Step,
    Trouble,
    advance,
    start,
    start_back,
)

FAULTS = ("none", "alarm", "stop", "hook fails", "green dies", "blue dies", "blue is away", "green is ill", "scale")
CANARY = (Step(10, 300.0), Step(100))
LINEAR = (*(Step(percent, 60.0) for percent in range(10, 100, 10)), Step(100))


@dataclass
class World:
    """Task sets, load balancer and functions that do what the position wants, a little later each."""

    desired: int
    course: Course
    now: float = 0.0
    green: int = 0
    strays: int = 0
    production: int = 0
    test: int = 0
    trouble: Trouble | None = None
    ill: bool = False
    blue_back: float = 0.0
    pending: int = 0
    blue: int = field(init=False)
    position: Position = field(init=False)
    history: list[Position] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.blue = self.desired
        self.position = start(self.now, production=self.production, test=self.test)

    def seen(self) -> Seen:
        return Seen(
            desired=self.desired,
            blue=Fleet(self.blue, self.blue),
            green=Fleet(0 if self.ill else self.green, self.green) if self.position.installed else None,
            strays=self.strays,
            production=self.production,
            test=self.test,
            asked=self.pending > 0,
            trouble=self.trouble,
        )

    def step(self, seconds: float = 30.0) -> None:
        before, seen = self.position, self.seen()
        self.position = advance(self.course, before, seen, self.now)
        if self.position != before:
            self.history.append(self.position)
            self.check(before, seen)
            self.pending = 2 if self.position.phase != before.phase else self.pending
        self.follow()
        self.now += seconds

    def check(self, before: Position, seen: Seen) -> None:
        after = self.position
        if after.production > before.production or after.test > before.test:
            assert seen.green is not None
            assert seen.green.healthy >= seen.desired, "traffic without the healthy tasks for it"
        if after.production < before.production:
            green = seen.green.healthy if seen.green else 0
            assert seen.blue.healthy >= seen.desired or seen.blue.healthy > green == 0, "back to a set that is not able"
        if not after.blue_wanted:
            assert (after.production, seen.production, after.promoted) == (100, 100, True)
        if not after.back and after.outcome == "Succeeded":
            assert (seen.production, after.promoted) == (100, True)
        if after.back and after.outcome == "Succeeded":
            assert (after.production, seen.production, after.test, seen.test) == (0, 0, 0, 0)
            assert not after.promoted
            assert seen.green is None or seen.green.alive == 0

    def follow(self) -> None:
        position = self.position
        self.pending = max(0, self.pending - 1)
        if position.outcome:
            return
        self.green = _toward(self.green, self.desired if position.green_wanted else 0)
        if self.now >= self.blue_back:
            self.blue = _toward(self.blue, self.desired if position.blue_wanted else 0)
        if position.phase == "Queued" and not (position.production or position.test or self.production or self.test):
            self.strays = _toward(self.strays, 0)
        self.production, self.test = position.production, position.test

    def to_the_end(self) -> Position:
        for _ in range(2000):
            if self.position.outcome:
                return self.position
            self.step()
        raise AssertionError(f"it never ends: {self.position}")

    def roll_back(self) -> Position:
        self.position = start_back(self.now, self.position, production=self.production, test=self.test)
        self.trouble = None
        return self.to_the_end()


def _toward(have: int, want: int) -> int:
    return have + (have < want) - (have > want)


def befall(world: World, fault: str) -> None:
    match fault:
        case "alarm":
            world.trouble = Trouble("alarm", "ALARM_ACTIVE", "alarm")
        case "stop":
            world.trouble = Trouble("request", "MANUAL_STOP", "stop")
        case "hook fails":
            world.trouble = Trouble("failure", "HOOK_EXECUTION_FAILURE", "hook")
        case "green dies":
            world.green = 0
        case "green is ill":
            world.ill = True
        case "blue dies":
            world.blue = max(0, world.blue - 1)
        case "blue is away":
            world.blue, world.blue_back = 0, world.now + 300.0
        case "scale":
            world.desired = (world.desired + 2) % 4


courses = st.builds(
    Course,
    steps=st.sampled_from([(Step(100),), CANARY, LINEAR]),
    tests=st.booleans(),
    ready_within=st.sampled_from([None, 120.0]),
    terminate_after=st.sampled_from([None, 0.0, 300.0]),
)


@settings(max_examples=300, deadline=None)
@given(
    course=courses,
    desired=st.integers(0, 3),
    fault=st.sampled_from(FAULTS),
    moment=st.integers(0, 60),
    left=st.sampled_from([(0, 0, 0), (2, 10, 100), (1, 100, 0)]),
)
@example(course=Course(CANARY, tests=True), desired=2, fault="alarm", moment=20, left=(0, 0, 0))
@example(course=Course(), desired=2, fault="green is ill", moment=3, left=(0, 0, 0))
@example(course=Course(terminate_after=300.0), desired=1, fault="stop", moment=25, left=(2, 10, 100))
def test_whatever_happens(course: Course, desired: int, fault: str, moment: int, left: tuple[int, int, int]) -> None:
    strays, production, test = left
    world = World(desired, course, strays=strays, production=production, test=test)
    for _ in range(moment):
        world.step()
    befall(world, fault)
    end = world.to_the_end()
    assert end.outcome in {"Succeeded", "Failed", "Stopped"}
    assert (end.trouble is None) == (end.outcome == "Succeeded")
    if end.outcome != "Succeeded":
        world.ill = False
        back = world.roll_back()
        assert back.outcome == "Succeeded"
        assert (world.production, world.test, world.green) == (0, 0, 0), "all is on the original task set"
        assert world.blue or not world.desired or fault == "blue is away"


def test_the_events_come_in_order_with_and_without_a_test_listener() -> None:
    for tests in (True, False):
        world = World(2, Course(tests=tests))
        world.to_the_end()
        phases = list(dict.fromkeys(p.phase for p in world.history))
        expected = [e for e in EVENTS if tests or e not in TEST_EVENTS]
        assert phases == ["Queued", *expected, "CleanUp"]
        assert list(world.course.events) == expected


@pytest.mark.parametrize(
    ("steps", "shares"), [((Step(100),), [100]), (CANARY, [10, 100]), (LINEAR, [*range(10, 101, 10)])]
)
def test_traffic_moves_by_the_steps_and_stays_as_long_as_they_say(steps: tuple[Step, ...], shares: list[int]) -> None:
    world = World(1, Course(steps))
    world.to_the_end()
    moved = [(p.since, p.production) for p in world.history if p.phase == "AllowTraffic" and p.production]
    began = {share: min(since for since, each in moved if each == share) for share in shares}
    assert sorted(began) == shares
    for step, after in zip(steps, shares[1:], strict=False):
        assert began[after] - began[step.percent] >= step.wait


def test_rerouting_waits_to_be_told_and_stops_when_nobody_does() -> None:
    world = World(1, Course(ready_within=600.0, ready_minutes=10))
    while world.position.phase != "ReadyWait":
        world.step()
    assert world.position.status == "Ready"
    told = advance(world.course, world.position, Seen(1, Fleet(1, 1), Fleet(1, 1), continued=True), world.now)
    assert told.phase == "BeforeAllowTraffic"
    end = world.to_the_end()
    assert (end.outcome, end.production) == ("Stopped", 0)
    assert end.trouble
    assert end.trouble.message == (
        "The deployment timed out while waiting for a notification to continue. This time out period is 10 minutes."
    )


def test_blue_lives_until_the_wait_is_over_or_someone_ends_it() -> None:
    world = World(1, Course(terminate_after=600.0))
    while world.position.phase != "TerminationWait":
        world.step()
    assert world.position.status == "InProgress"
    assert world.blue == 1
    seen = Seen(1, Fleet(1, 1), Fleet(1, 1), production=100)
    assert advance(world.course, world.position, seen, world.position.since + 599.0) is world.position
    assert advance(world.course, world.position, seen, world.position.since + 600.0).phase == "CleanUp"
    told = Seen(1, Fleet(1, 1), Fleet(1, 1), production=100, continued=True)
    assert advance(world.course, world.position, told, world.now).phase == "CleanUp"
    assert world.to_the_end().outcome == "Succeeded"
    assert world.blue == 0


def test_blue_that_is_kept_alive_stays() -> None:
    world = World(2, Course(terminate_after=None))
    assert world.to_the_end().outcome == "Succeeded"
    assert world.blue == 2


def test_green_that_is_never_healthy_fails_after_an_hour() -> None:
    world = World(1, Course(), ill=True)
    end = world.to_the_end()
    assert (end.phase, end.outcome, end.production) == ("Install", "Failed", 0)
    assert end.trouble
    assert (end.trouble.code, end.trouble.message) == ("TIMEOUT", UNHEALTHY)


def test_a_rollback_whose_blue_never_comes_back_fails_and_leaves_green_serving() -> None:
    world = World(1, Course(terminate_after=600.0))
    while world.position.phase != "TerminationWait":
        world.step()
    befall(world, "stop")
    world.to_the_end()
    world.blue, world.blue_back = 0, float("inf")
    end = world.roll_back()
    assert (end.outcome, world.production, world.green) == ("Failed", 100, 1)
