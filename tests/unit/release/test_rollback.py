"""Where a rollback goes and by which steps, and what becomes of one that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seatrial.aws.ssm import Ssm
from seatrial.errors import UsageError
from seatrial.release import api, facts
from seatrial.release.interrupt import Choice
from seatrial.release.lock import Lock
from seatrial.release.steps import Retire, Roll
from tests.unit.release.support import NEW, OLD, TOML, document, settings_of
from tests.unit.release.test_execute import Chooses, World

if TYPE_CHECKING:
    from collections.abc import Callable

EXTRA = '[services.extra]\nrole = "worker"\ncommand = ["celery"]\ncount = 3\n'
SITE = '[services.site]\nrole = "web"\ncommand = ["gunicorn"]\nport = 8001\nroutes = ["/site/*"]\n'
LATE = '[jobs.late]\ncommand = ["true"]\nschedule = "rate(1 hour)"\n'


@pytest.fixture
def world() -> World:
    """The old version serves, and the new one's release was left alone while its web service changes."""
    it = World()
    assert it.deploy(OLD).exit_code == 0
    it.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS"] * 20
    assert it.deploy(NEW, interrupt=Chooses(Choice.STOP_WATCHING, at=8)).result == "unwatched"
    assert it.live() == ["new", "new", "old", "old"]
    return it


def changed(world: World) -> list[tuple[str, str]]:
    return [(each["service"], each["taskDefinition"].rpartition("/")[2]) for each in world.aws.called("UpdateService")]


def test_what_is_under_way_goes_back_by_ecs_and_what_has_changed_by_a_deployment(world: World) -> None:
    world.aws.calls.clear()
    outcome = world.rollback()
    assert (outcome.result, outcome.version, world.live()) == ("released", "old", ["old"] * 4)
    assert changed(world) == [("events", "shop-production-events:1")]
    (stopped,) = world.aws.called("StopServiceDeployment")
    assert (stopped["serviceDeploymentArn"].split("/")[-2], stopped["stopType"]) == ("web", "ROLLBACK")
    newest = next(world.records.newest_first())
    assert (newest.ending, newest.revisions["web"]) == ("released", "shop-production-web:1")


def test_the_plan_says_which_services_go_back_how(world: World) -> None:
    plan = api.propose_rollback(world.settings, world.aws).plan
    first = next(each for each in plan.steps if isinstance(each, Roll))
    assert first.lines == (
        "web, from shop-production-web:2, back by ECS: its deployment is under way, and the tasks of before still run",
        "events, from shop-production-events:2",
    )
    assert "release 2 (new) did not come to its end: unwatched" in plan.notes


def test_a_deployment_that_ends_while_the_plan_is_confirmed_is_followed_by_another(world: World) -> None:
    def confirm(_proposal: api.Proposal) -> bool:
        under_way = world.aws.deployments[-2]
        assert under_way["service"] == "web"
        under_way["status"], under_way["script"] = "SUCCESSFUL", []
        return True

    outcome = world.rollback(confirm=confirm)
    assert (outcome.result, world.live()) == ("released", ["old"] * 4)
    assert world.aws.called("StopServiceDeployment") == []
    assert changed(world)[-2:] == [("web", "shop-production-web:1"), ("events", "shop-production-events:1")]


def test_a_way_back_that_fails_is_not_turned_around(world: World) -> None:
    world.aws.script["events", "shop-production-events:1"] = ["ROLLBACK_SUCCESSFUL"]
    world.aws.calls.clear()
    outcome = world.rollback()
    assert (outcome.exit_code, outcome.result) == (3, "needs_human")
    assert "web: back at shop-production-web:1, and not put forward again" in outcome.details
    assert any(line.startswith("events: not back at shop-production-events:1") for line in outcome.details)
    assert changed(world) == [("events", "shop-production-events:1")]
    assert not world.locked


def test_a_lock_that_a_killed_release_left_is_taken_over_and_web_still_goes_back_by_ecs(world: World) -> None:
    Lock(Ssm(world.aws), "/shop/production", world.clock).take("arn:someone")
    with pytest.raises(UsageError, match="another release holds the lock") as refused:
        world.rollback()
    assert "--take-over" in (refused.value.hint or "")
    assert world.rollback(take_over=True).result == "released"
    assert len(world.aws.called("StopServiceDeployment")) == 1


@pytest.mark.parametrize("stage", ["CLEAN_UP", None])
def test_what_ecs_would_not_take_back_to_the_release_is_refused_with_the_reason(
    world: World, stage: str | None
) -> None:
    under_way = next(each for each in world.aws.deployments if each["status"] in ("PENDING", "IN_PROGRESS"))
    if stage:
        under_way["script"] = [f"IN_PROGRESS {stage}"] * 20
    else:
        under_way["previous"] = under_way["definition"]
    with pytest.raises(UsageError, match="service web is in the middle of another deployment") as refused:
        world.rollback()
    assert ("old tasks are being stopped" if stage else "would not lead to release 1") in refused.value.message
    assert world.live()[2:] == ["old", "old"]
    assert not world.locked


def test_a_killed_release_that_changed_nothing_is_not_what_a_rollback_undoes() -> None:
    world = World()
    world.deploy(OLD)
    world.deploy(NEW)

    def dies(_: dict[str, Any]) -> bool:
        raise SystemExit

    world.aws.broken["RunTask"] = ("ServerException", dies)
    with pytest.raises(SystemExit):
        world.deploy(OLD)
    del world.aws.broken["RunTask"]
    newest = next(world.records.newest_first())
    assert newest.ending == "started"
    outcome = world.rollback()
    assert (outcome.version, world.live()) == ("old", ["old"] * 4)


def later(more: str, change: Callable[[World], None] = lambda _: None) -> World:
    """Return a world with a release of what it was, another with more services or jobs, and what a test wants then."""
    world = World()
    world.deploy(OLD)
    world.settings = settings_of(TOML.replace("[environments.production]", more + "[environments.production]"))
    world.aws.settings = world.settings
    for unit in (*world.settings.services, *world.settings.jobs):
        family = f"shop-production-{unit}"
        if not any(each["family"] == family for each in world.aws.definitions.values()):
            arn = world.aws._define(family, document(world.settings, unit, OLD, "none"))
            if unit in world.settings.services:
                world.aws.add_service(unit, arn)
    assert world.deploy(NEW).exit_code == 0
    change(world)
    return world


def test_a_worker_that_the_release_did_not_have_is_stopped_last_and_started_by_the_next_release() -> None:
    world = later(EXTRA)
    assert world.aws.services["extra"].desired == 3
    plan = api.propose_rollback(world.settings, world.aws).plan
    (stop,) = (each for each in plan.steps if isinstance(each, Retire))
    assert stop == Retire(("extra",), 1)
    assert plan.steps.index(stop) == len(plan.steps) - 2
    assert world.rollback().exit_code == 0
    assert world.aws.services["extra"].desired == 0
    assert world.aws.live("extra") == "new"
    found = facts.gather(world.settings, world.aws)
    assert not found.released("extra")
    assert world.deploy(NEW).exit_code == 0
    assert world.aws.services["extra"].desired == 3


def test_workers_that_cannot_be_stopped_take_the_rollback_back() -> None:
    world = later(EXTRA)

    def of_extra(parameters: dict[str, Any]) -> bool:
        return bool(parameters["service"] == "extra")

    world.aws.broken["UpdateService"] = ("AccessDeniedException", of_extra)
    outcome = world.rollback()
    assert (outcome.exit_code, world.live()) == (1, ["new"] * 4), outcome
    assert "extra cannot be stopped" in outcome.message


def test_a_web_service_and_a_job_that_the_release_did_not_have_stay_and_are_noted() -> None:
    world = later(SITE + LATE)
    notes = api.propose_rollback(world.settings, world.aws).plan.notes
    assert any(each.startswith("site is not part of release 1 and stays as it is: its routes") for each in notes)
    assert "late is not part of release 1: its schedule goes on starting shop-production-late:2" in notes
    assert world.rollback().exit_code == 0
    assert (world.aws.live("site"), world.aws.services["site"].desired) == ("new", 1)


def test_what_is_not_in_the_file_any_more_does_not_come_back_and_that_is_noted() -> None:
    world = later(EXTRA)
    world.settings = settings_of()
    world.deploy(OLD)
    notes = api.propose_rollback(world.settings, world.aws).plan.notes
    assert any(each.startswith("extra was part of release 2 and is not in seatrial.toml any more") for each in notes)


def test_every_call_of_a_rollback_is_in_its_permissions() -> None:
    world = later(EXTRA)
    allowed = {
        action for each in api.propose_rollback(world.settings, world.aws).permissions for action in each.actions
    }
    world.aws.calls.clear()
    assert world.rollback().exit_code == 0
    prefixes = {"elbv2": "elasticloadbalancing"}
    used = {f"{prefixes.get(service, service)}:{name}" for service, name, _ in world.aws.calls}
    assert used - {"sts:GetCallerIdentity"} <= allowed


def test_a_project_that_does_not_answer_is_told_and_lets_the_rollback_through() -> None:
    """As in a release: what does not start at all, nobody can judge."""
    world = World()
    world.settings = settings_of(TOML + "[migrations]\ncheck = true\n")
    world.deploy(OLD)
    world.deploy(NEW)
    outcome = world.rollback()
    assert outcome.exit_code == 0
    (step,) = (each for each in outcome.steps if each.kind == "migrations")
    assert step.result.startswith("not known: nobody knows which migrations release 1 had: the project could not be")


def test_what_goes_back_fast_is_not_asked_unless_a_maintenance_window_let_it_through(world: World) -> None:
    world.settings = settings_of(TOML + "[migrations]\ncheck = true\n")
    runs = len(world.aws.called("RunTask"))
    plan = api.propose_rollback(world.settings, world.aws, clock=world.clock).plan
    assert plan.steps[1].lines == ("release 1 served while they were applied, and they were judged by that",)
    assert len(world.aws.called("RunTask")) == runs
    window = "[migrations.maintenance]\nfrom = 2025-12-31T00:00:00Z\nuntil = 2026-01-02T00:00:00Z\n"
    world.settings = settings_of(TOML + "[migrations]\ncheck = true\n" + window)
    api.propose_rollback(world.settings, world.aws, clock=world.clock)
    assert len(world.aws.called("RunTask")) > runs
