"""A release on top of what a release that was killed left behind: where the way back leads, and what is first ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.errors import UsageError
from tests.unit.release.support import ARN, NEW, OLD, FakeAws
from tests.unit.release.test_execute import World
from tests.unit.release.test_lost import shifting

if TYPE_CHECKING:
    from tests.unit.release.support import FakeService


def left(aws: FakeAws, unit: str, before: tuple[str, str, int] | None) -> FakeService:
    """Have a service in the middle of a deployment to a revision that nobody follows."""
    service = aws.services[unit]
    aws._register_task_definition(**aws.definitions[service.definition] | {"family": f"shop-production-{unit}"})
    aws._update_service(unit, f"{ARN}:task-definition/shop-production-{unit}:2", desiredCount=1)
    service.others = [] if before is None else [before]
    return service


@pytest.fixture
def world() -> World:
    return World()


def test_the_way_back_leads_to_what_serves_and_not_to_what_was_under_way(world: World) -> None:
    for unit in ("web", "events"):
        left(world.aws, unit, (world.aws.services[unit].definition, "COMPLETED", 1))
    world.aws.script["worker", "shop-production-worker:2"] = ["ROLLBACK_SUCCESSFUL"]
    outcome = world.deploy(take_over=True)
    assert outcome.result == "rolled_back"
    assert world.aws.services["web"].definition.endswith("web:1")


def test_where_ecs_shows_no_completed_deployment_any_more_the_record_says_what_serves(world: World) -> None:
    world.deploy(OLD)
    left(world.aws, "web", None)
    world.aws.script["worker", "shop-production-worker:2"] = ["ROLLBACK_SUCCESSFUL"]
    assert world.deploy(NEW, take_over=True).result == "rolled_back"
    assert world.aws.services["web"].definition.endswith("web:1")


def test_a_first_release_under_way_is_not_released_on_top_of_unasked() -> None:
    world = World(running=False)
    left(world.aws, "web", (world.aws.services["web"].definition, "COMPLETED", 0))
    with pytest.raises(UsageError, match="in the middle of another deployment"):
        world.deploy()
    world.aws.script["web", "shop-production-web:3"] = ["ROLLBACK_IN_PROGRESS"]
    outcome = world.deploy(take_over=True)
    assert (outcome.result, world.aws.services["web"].desired) == ("rolled_back", 0)


@pytest.mark.parametrize("end", [[], ["ROLLBACK_REQUESTED", "ROLLBACK_FAILED"]], ids=["goes on", "fails at once"])
def test_a_first_release_that_shifts_traffic_and_was_left_is_ended_before_the_next(end: list[str]) -> None:
    """Blue has no image, so ECS may have failed to go back to it before anybody looks."""
    world = shifting()
    world.aws.turning = end or world.aws.turning
    for service in world.aws.services.values():
        service.desired = 0
    first = world.aws.services["web"].definition
    world.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS SCALE_UP"] * 50
    left(world.aws, "web", (first, "COMPLETED", 0))
    outcome = world.deploy(take_over=True)
    assert outcome.result == "released", outcome.message
    calls = [name for _, name, _ in world.aws.calls if name in ("StopServiceDeployment", "UpdateService")]
    assert calls[:2] == ["StopServiceDeployment", "UpdateService"]
    web = [each for each in world.aws.called("UpdateService") if each["service"] == "web"]
    assert [each.get("desiredCount") for each in web] == [0, 2]
