"""The scheduler at work, step by step on a clock that the test owns."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seatrial.emulator.ecs.state import REMEMBERED_SECONDS, REMEMBERED_TASKS
from tests.unit.emulator.ecs.support import Stage

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def test_a_task_that_nothing_checks_counts_as_healthy_after_40_seconds() -> None:
    stage = Stage(balanced=False)
    stage.step()
    stage.run(stage.alive[0])
    assert stage.step(39.0) <= 1.0, "it says when it wants to look again"
    states = [stage.rollout]
    stage.step(1.0)
    assert [*states, stage.rollout] == ["IN_PROGRESS", "COMPLETED"]


def test_the_back_off_doubles_between_starts_that_fail() -> None:
    stage = Stage()
    pauses = []
    for _ in range(6):
        begun = stage.clock.seconds
        while not stage.alive:
            stage.step(0.5)
        pauses.append(stage.clock.seconds - begun)
        stage.die(stage.alive[0], "TaskFailedToStart")
        stage.step()
    assert pauses[1:] == pytest.approx([5, 10, 20, 40, 80], abs=1)
    assert "(service web) is unable to consistently start tasks successfully." in stage.events()
    assert stage.service.primary.failures.count == 6


def test_a_task_that_ran_and_then_died_is_not_throttled() -> None:
    stage = Stage()
    for _ in range(8):
        while not stage.alive:
            stage.step(0.5)
        stage.run(stage.alive[0], healthy=False)
        stage.step()
        stage.die(stage.alive[0])
        begun = stage.clock.seconds
        stage.step()
    while not stage.alive:
        stage.step(0.5)
    assert stage.clock.seconds - begun <= 5.5


def test_a_new_deployment_is_not_held_back_by_the_old_ones_back_off() -> None:
    stage = Stage()
    for _ in range(6):
        while not stage.alive:
            stage.step(0.5)
        stage.die(stage.alive[0], "TaskFailedToStart")
        stage.step()
    stage.deploy()
    stage.step()
    assert len(stage.alive) == 1


def test_the_grace_period_is_counted_from_running() -> None:
    stage = Stage()
    stage.service.grace_seconds = 60.0
    stage.step()
    task = stage.alive[0]
    stage.run(task, healthy=False)
    stage.tell(task, "unhealthy")
    stage.step(59.0)
    assert stage.going == [task]
    stage.step(1.0)
    assert stage.events()[-2].endswith("due to (reason Health checks failed with these codes: [503]).")
    assert stage.events()[-1].endswith("Amazon ECS replaced 1 tasks due to an unhealthy status.")


def test_a_failure_is_counted_once_although_the_task_is_seen_failing_and_ending() -> None:
    stage = Stage(configuration=BREAKER)
    stage.step()
    task = stage.alive[0]
    stage.run(task, healthy=False)
    stage.tell(task, "unhealthy")
    stage.step()
    stage.die(task)
    stage.step()
    assert stage.service.primary.failures.count == 1


def test_a_healthy_task_resets_the_count() -> None:
    stage = Stage(desired=2, configuration=BREAKER)
    stage.step()
    first, second = stage.alive
    stage.die(first, "TaskFailedToStart")
    stage.step()
    assert stage.service.primary.failures.count == 1
    stage.run(second)
    stage.step()
    assert stage.service.primary.failures.count == 0


def test_a_rollback_that_fails_too_ends_there() -> None:
    stage = Stage(configuration=BREAKER)
    stage.step()
    stage.run(stage.alive[0])
    stage.step()
    good = stage.service.primary
    bad = stage.deploy()
    stage.step()
    for task in stage.going:
        if task.deployment is good:
            stage.die(task)  # the old version is lost too
    for _ in range(200):
        for task in stage.alive:
            stage.die(task, "TaskFailedToStart")
        stage.step(60.0)
        if not stage.service.current:
            break
    record = stage.service.history[0]
    assert (record.status, record.status_reason) == (
        "ROLLBACK_FAILED",
        "No rollback candidate was found to run the rollback.",
    )
    assert stage.service.primary is good
    assert (good.state, bad.state) == ("FAILED", "FAILED")
    stage.step(3600.0)
    assert stage.alive == [], "a failed deployment starts nothing more"


def test_stopped_tasks_are_remembered_for_an_hour_and_not_without_bound() -> None:
    stage = Stage()
    stage.step()
    stage.die(stage.alive[0])
    stage.step(1.0)
    dead = next(t for t in stage.state.tasks.values() if not t.alive)
    stage.step(REMEMBERED_SECONDS - 2.0)
    assert dead.id in stage.state.tasks
    stage.step(3.0)
    assert dead.id not in stage.state.tasks

    stage.service.desired = REMEMBERED_TASKS + 5
    stage.step(60.0)
    for task in stage.alive:
        stage.die(task)
    stage.step()
    assert sum(not t.alive for t in stage.state.tasks.values()) == REMEMBERED_TASKS


lucks = st.sampled_from(["run", "run", "ill", "die", "deploy", "scale", "wait"])


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(100, 200), (0, 100), (50, 100), (100, 150)]),
    st.integers(1, 5),
    st.lists(st.tuples(lucks, st.integers(0, 30)), max_size=40),
)
@example(percent=(100, 200), desired=1, history=[("run", 0), ("run", 0), ("scale", 0)])
def test_whatever_happens_a_service_keeps_its_bounds_and_gets_there(
    percent: tuple[int, int], desired: int, history: list[tuple[str, int]]
) -> None:
    minimum, maximum = percent
    stage = Stage(desired=desired, configuration={"minimumHealthyPercent": minimum, "maximumPercent": maximum})
    for luck, number in history:
        stage.happen(luck, number)
        before = len(stage.alive)
        stage.step()
        assert len(stage.alive) <= max(before, stage.service.desired * maximum // 100)
    for _ in range(80):
        stage.settle()
    stuck = any("was unable to stop or start tasks during a deployment" in e for e in stage.events())
    if not stuck:
        assert stage.rollout == "COMPLETED"
        assert [t.deployment for t in stage.alive] == [stage.service.primary] * stage.service.desired
        assert stage.events()[-1] == "(service web) has reached a steady state."
        assert len(stage.service.deployments) == 1
