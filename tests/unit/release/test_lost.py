"""A release that loses AWS: for a while, for good, or only the answers to its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import EndpointConnectionError

from seatrial.release.watch import Note
from tests.unit.release.support import ARN, TOML, FakeAws, error, settings_of
from tests.unit.release.test_execute import World

if TYPE_CHECKING:
    from collections.abc import Callable

SHIFTED = """
[smoke.settings]
run = ["true"]
[environments.production.strategy]
type = "blue_green"
test_from = ["198.51.100.7/32"]
"""


class After:
    """Lets calls fail from the first UpdateService of a service on, for so many calls, or for good."""

    def __init__(self, aws: FakeAws, failure: Callable[[], Exception], *, calls: int | None = None) -> None:
        self.aws = aws
        self.failure = failure
        self.left = calls

    def __call__(self, _api: str) -> Exception | None:
        if not self.aws.called("UpdateService") or self.left == 0:
            return None
        if self.left is not None:
            self.left -= 1
        return self.failure()


def shifting() -> World:
    """Return an environment whose deployments shift traffic, and are held for smoke checks."""
    world = World()
    world.settings = settings_of(TOML.replace("[environments.production]\n", "") + SHIFTED)
    world.aws = FakeAws(world.settings, world.clock)
    return world


def expired() -> Exception:
    failure: Exception = error(
        "ExpiredTokenException", "DescribeServices", "The security token included in the request is expired"
    )
    return failure


def cut() -> Exception:
    failure: Exception = EndpointConnectionError(endpoint_url="http://fake")
    return failure


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("failure", [expired, cut])
def test_aws_away_for_a_minute_is_waited_for(world: World, failure: Callable[[], Exception]) -> None:
    world.aws.patience.seconds = 120.0
    world.aws.away = After(world.aws, failure, calls=20)
    assert world.deploy().result == "released"
    notes = [each.text for each in world.events if isinstance(each, Note)]
    assert notes[-1] == "AWS answers again"
    assert not world.locked


@pytest.mark.parametrize(
    ("failure", "words", "hint"),
    [
        (expired, "AWS does not accept the credentials (ExpiredTokenException)", "log in again"),
        (cut, "cannot reach http://fake", "when AWS can be reached again"),
    ],
)
def test_aws_away_for_good_says_what_is_left_to_itself(
    world: World, failure: Callable[[], Exception], words: str, hint: str
) -> None:
    world.aws.away = After(world.aws, failure)
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.result) == (3, "needs_human")
    assert outcome.message.startswith(words)
    assert "ECS goes on by itself with web (shop-production-web:2), and rolls back what does not" in outcome.message
    assert "the release lock is still held by this release (process " in outcome.message
    assert (outcome.hint or "").startswith(hint)
    assert "--take-over" in (outcome.hint or "")
    assert world.locked
    assert world.clock.time < 60
    world.aws.away = lambda _api: None
    assert world.deploy(take_over=True).exit_code == 0
    assert not world.locked


def test_aws_away_before_a_service_was_told_to_change(world: World) -> None:
    world.aws.away = lambda _api: cut() if world.aws.called("RunTask") else None
    outcome = world.deploy()
    assert outcome.exit_code == 3
    assert "no service was told to change" in outcome.message


def test_what_is_held_before_users_see_it_is_said() -> None:
    world = shifting()
    world.aws.away = After(world.aws, cut)
    outcome = world.deploy()
    assert "ECS holds web (shop-production-web:2) before users see the new version, and rolls back after 120" in (
        outcome.message
    )


def test_aws_back_when_it_was_given_up_is_a_failure_like_any_other(world: World) -> None:
    away = After(world.aws, cut, calls=22)  # as many as are asked in vain
    world.aws.away = away
    outcome = world.deploy()
    assert away.left == 0
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back")
    assert world.live() == ["old"] * 4
    assert not world.locked


def test_the_way_back_losing_aws_says_whose_the_lock_is(world: World) -> None:
    world.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    world.aws.script["events", "shop-production-events:2"] = ["IN_PROGRESS"]
    world.aws.away = lambda _api: cut() if world.aws.called("StopServiceDeployment") else None
    outcome = world.deploy()
    assert outcome.exit_code == 3
    assert "could not be taken back; the release lock is still held by this release" in outcome.message


LOST = ["PutParameter", "RegisterTaskDefinition", "UpdateService", "DeleteParameter"]


@pytest.mark.parametrize("operation", LOST)
def test_a_call_whose_answer_is_lost_is_repeated_and_changes_nothing_twice(world: World, operation: str) -> None:
    world.aws.lost = {operation}
    outcome = world.deploy()
    assert (outcome.result, outcome.number) == ("released", 1)
    assert world.aws.lost == set()
    assert len(world.aws.deployments) == 4
    assert [each.number for each in world.records.newest_first()] == [1]
    assert not world.locked


def test_a_held_deployment_is_answered_once_although_the_answer_is_lost() -> None:
    world = shifting()
    world.aws.lost = {"ContinueServiceDeployment"}
    assert world.deploy().result == "released"
    assert world.aws.lost == set()


def test_a_rollback_is_asked_for_once_although_the_answer_is_lost(world: World) -> None:
    world.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    world.aws.script["events", "shop-production-events:2"] = ["IN_PROGRESS"]
    world.aws.lost = {"StopServiceDeployment"}
    outcome = world.deploy()
    assert (outcome.result, world.live()) == ("rolled_back", ["old"] * 4)
    assert [each["service"] for each in world.aws.called("UpdateService")] == ["web", "events"]


def ended(unit: str, number: int) -> dict[str, object]:
    return {
        "taskArn": f"{ARN}:task/shop-production/{unit}{number}",
        "taskDefinitionArn": f"{ARN}:task-definition/shop-production-{unit}:2",
        "group": f"service:{unit}",
        "desiredStatus": "STOPPED",
        "lastStatus": "STOPPED",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": unit, "exitCode": 3}],
    }


@pytest.mark.parametrize(("tasks", "result"), [(2, "released"), (3, "rolled_back")])
def test_tasks_that_end_again_and_again_turn_back_what_ecs_would_let_go_on(
    world: World, tasks: int, result: str
) -> None:
    world.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS"] * 5 + ["SUCCESSFUL"]
    updated = world.aws.called
    world.aws.tasks_of["web"] = lambda: [ended("web", n) for n in range(tasks)] if updated("UpdateService") else []
    outcome = world.deploy()
    assert outcome.result == result
    if result == "rolled_back":
        assert "3 tasks of the new version ended by themselves" in outcome.message
        assert world.live() == ["old"] * 4
