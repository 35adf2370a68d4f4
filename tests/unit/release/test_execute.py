"""A release from lock to record, over a scripted AWS: what changes, in which order, and the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.aws.ssm import Ssm
from seatrial.errors import NeedsHuman, UsageError
from seatrial.release import api
from seatrial.release.interrupt import Choice, Interrupt
from seatrial.release.lock import Lock
from seatrial.release.record import Records
from tests.unit.release.support import ARN, NEW, OLD, FakeAws, settings_of
from tests.unit.release.world import SERVICES, ReleaseWorld

if TYPE_CHECKING:
    from seatrial.release.outcome import Outcome


class World(ReleaseWorld[FakeAws]):
    """One environment whose services are rolled."""

    def __init__(self, *, running: bool = True) -> None:
        super().__init__(settings_of(), FakeAws, running=running)

    def rollback(self, **options: Any) -> Outcome:
        return api.rollback(self.settings, Path(), self.aws, on_event=self.events.append, clock=self.clock, **options)

    @property
    def records(self) -> Records:
        return Records(Ssm(self.aws), "/shop/production")

    @property
    def locked(self) -> bool:
        return "/shop/production/lock" in self.aws.parameters


@pytest.fixture
def world() -> World:
    return World()


class Chooses(Interrupt):
    """Chooses once, at the poll of that number."""

    def __init__(self, choice: Choice, at: int) -> None:
        self.choice = choice
        self.left = at

    def poll(self) -> Choice:
        self.left -= 1
        return self.choice if self.left == 0 else Choice.GO_ON


@pytest.mark.parametrize(("code", "told"), [(137, 1), (0, 0)])
def test_a_task_that_had_to_be_killed_is_told_and_fails_nothing(world: World, code: int, told: int) -> None:
    looks: list[int] = []

    def tasks() -> list[dict[str, Any]]:
        looks.append(1)
        status = "RUNNING" if len(looks) < 4 else "STOPPED"
        ended = {"exitCode": code, "lastStatus": status} if status == "STOPPED" else {}
        return [
            {
                "taskArn": f"{ARN}:task/shop-production/0123456789abcdef",
                "taskDefinitionArn": f"{ARN}:task-definition/shop-production-worker:1",
                "group": "service:worker",
                "lastStatus": status,
                "desiredStatus": status,
                "stoppedReason": "Scaling activity initiated by (deployment ecs-svc/1)",
                "containers": [{"name": "worker", **ended}],
            }
        ]

    world.aws.tasks_of["worker"] = tasks
    outcome = world.deploy()
    assert outcome.result == "released"
    found = [line for line in outcome.details if line.startswith("worker: task 01234567 did not end within")]
    assert len(found) == told
    notes = [event.line().strip() for event in world.events]
    assert [line for line in notes if line in outcome.details] == found


def test_a_release_puts_every_service_on_the_image_and_records_it(world: World) -> None:
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.result, outcome.number) == (0, "released", 1)
    assert world.live() == ["new"] * 4
    record = world.records.serving()
    assert record is not None
    assert (record.version, record.digest, record.ending) == ("new", NEW, "released")
    assert record.revisions["web"] == "shop-production-web:2"
    assert set(record.revisions) == {*SERVICES, "migrate", "seed", "digest"}
    assert not world.locked
    assert [each.kind for each in outcome.steps] == [
        "verify", "register", "gate", "roll", "roll", "roll", "register", "schedules", "record",
    ]  # fmt: skip


def test_the_first_release_with_a_job_turns_its_schedule_on_and_later_ones_leave_it(world: World) -> None:
    schedule = world.aws.schedules["shop-production-digest"]
    world.deploy()
    turned_on = world.aws.schedules["shop-production-digest"]
    assert turned_on["State"] == "ENABLED"
    assert {key: turned_on[key] for key in ("Target", "ScheduleExpression", "FlexibleTimeWindow")} == {
        key: schedule[key] for key in ("Target", "ScheduleExpression", "FlexibleTimeWindow")
    }
    turned_on["State"] = "DISABLED"  # by a person
    assert world.deploy(OLD).exit_code == 0
    assert world.rollback().exit_code == 0
    assert world.aws.schedules["shop-production-digest"]["State"] == "DISABLED"


def test_a_schedule_of_another_name_is_not_looked_for(world: World) -> None:
    world.aws.schedules.clear()
    outcome = world.deploy()
    (step,) = (each for each in outcome.steps if each.kind == "schedules")
    assert (outcome.exit_code, step.result) == (0, "digest has no schedule called shop-production-digest")


def test_services_that_have_traffic_go_first_and_the_scheduler_last(world: World) -> None:
    world.deploy()
    assert [each["service"] for each in world.aws.called("UpdateService")] == ["web", "events", "worker", "beat"]
    operations = [name for _, name, _ in world.aws.calls]
    assert operations.index("RunTask") < operations.index("UpdateService")


def test_a_workers_turn_comes_when_the_web_services_are_done(world: World) -> None:
    world.aws.script["web", "shop-production-web:2"] = ["PENDING", "IN_PROGRESS", "IN_PROGRESS", "SUCCESSFUL"]
    world.deploy()
    names = [(name, p.get("service")) for _, name, p in world.aws.calls]
    between = names[names.index(("UpdateService", "events")) : names.index(("UpdateService", "worker"))]
    assert sum(name == "DescribeServiceDeployments" for name, _ in between) >= 4


def _task(world: World, unit: str, number: int, desired: str, status: str) -> dict[str, Any]:
    """Return a task of the service's deployment now under way, or with number 0 of the one before."""
    service = world.aws.services[unit]
    return {
        "taskArn": f"{ARN}:task/shop-production/{unit}{number}",
        "taskDefinitionArn": service.definition if number else "old",
        "startedBy": service.deployment if number else "ecs-svc/0",
        "group": f"service:{unit}",
        "desiredStatus": desired,
        "lastStatus": status,
        "containers": [{"name": unit}],
    }


def _updates(world: World) -> list[str]:
    return [parameters["service"] for _, name, parameters in world.aws.calls if name == "UpdateService"]


def test_a_workers_turn_comes_while_the_old_web_tasks_are_still_stopping(world: World) -> None:
    stopping = 50
    world.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS"] * stopping + ["SUCCESSFUL"]
    world.aws.tasks_of["web"] = lambda: [
        _task(world, "web", 0, "STOPPED", "STOPPING"),
        _task(world, "web", 1, "RUNNING", "RUNNING"),
        _task(world, "web", 2, "RUNNING", "RUNNING"),
    ]
    outcome = world.deploy()
    assert outcome.result == "released"
    names = [(name, p.get("service")) for _, name, p in world.aws.calls]
    before = names[: names.index(("UpdateService", "worker"))]
    assert sum(name == "DescribeServiceDeployments" for name, _ in before) < 10
    assert sum(name == "DescribeServiceDeployments" for name, _ in names) > stopping


@pytest.mark.parametrize(
    "tasks",
    [
        [(0, "RUNNING", "RUNNING"), (1, "RUNNING", "RUNNING"), (2, "RUNNING", "RUNNING")],
        [(0, "STOPPED", "STOPPING"), (1, "RUNNING", "RUNNING")],
        [(0, "STOPPED", "STOPPING"), (1, "RUNNING", "RUNNING"), (2, "RUNNING", "PENDING")],
    ],
    ids=["an old one stays", "too few new ones", "a new one does not run yet"],
)
def test_a_workers_turn_does_not_come_while_the_new_web_tasks_have_not_taken_over(
    world: World, tasks: list[tuple[int, str, str]]
) -> None:
    world.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS"] * 20 + ["ROLLBACK_SUCCESSFUL"]
    world.aws.tasks_of["web"] = lambda: [_task(world, "web", *each) for each in tasks]
    assert world.deploy().result == "rolled_back"
    assert _updates(world) == ["web", "events", "events"]


def test_tasks_that_run_because_ecs_rolls_back_have_not_taken_over(world: World) -> None:
    world.aws.script["web", "shop-production-web:2"] = ["ROLLBACK_IN_PROGRESS"] * 5 + ["ROLLBACK_SUCCESSFUL"]
    world.aws.tasks_of["web"] = lambda: [_task(world, "web", each, "RUNNING", "RUNNING") for each in (1, 2)]
    assert world.deploy().result == "rolled_back"
    assert "worker" not in _updates(world)


def test_a_web_service_that_fails_when_the_workers_turn_has_come_takes_both_back(world: World) -> None:
    world.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS"] * 5 + ["ROLLBACK_SUCCESSFUL"]
    world.aws.script["worker", "shop-production-worker:2"] = ["IN_PROGRESS"] * 50
    world.aws.tasks_of["web"] = lambda: [
        _task(world, "web", 1, "RUNNING", "RUNNING"),
        _task(world, "web", 2, "RUNNING", "RUNNING"),
    ]
    outcome = world.deploy()
    assert (outcome.result, world.live()) == ("rolled_back", ["old"] * 4)
    assert "worker" in _updates(world)
    assert outcome.message.startswith("web:")


def test_only_the_image_and_the_version_change(world: World) -> None:
    world.deploy()
    (old,) = [d for arn, d in world.aws.definitions.items() if arn.endswith("production-web:1")]
    (new,) = [d for arn, d in world.aws.definitions.items() if arn.endswith("production-web:2")]
    expected = json.loads(json.dumps(old["containerDefinitions"][0]).replace(OLD, NEW).replace('"old"', '"new"'))
    container = new["containerDefinitions"][0]
    assert sorted(container.pop("environment"), key=str) == sorted(expected.pop("environment"), key=str)
    assert container == expected
    assert new["executionRoleArn"] == old["executionRoleArn"]
    assert "tags" not in world.aws.called("RegisterTaskDefinition")[0]  # AWS's own tags cannot be written


def test_the_count_of_a_service_that_runs_is_never_touched(world: World) -> None:
    world.aws.services["web"].desired = 7
    world.deploy()
    assert world.aws.services["web"].desired == 7
    assert all("desiredCount" not in each for each in world.aws.called("UpdateService"))


def test_the_first_release_gives_services_their_count() -> None:
    world = World(running=False)
    assert world.deploy().exit_code == 0
    assert [world.aws.services[unit].desired for unit in SERVICES] == [2, 1, 1, 1]


def test_a_service_scaled_to_nothing_by_hand_stays_so(world: World) -> None:
    world.deploy()
    world.aws.services["worker"].desired = 0
    assert world.deploy(OLD).exit_code == 0
    assert world.aws.services["worker"].desired == 0
    assert world.live() == ["old"] * 4


def test_releasing_the_same_again_changes_nothing(world: World) -> None:
    world.deploy()
    before = len(world.aws.called("UpdateService")), len(world.aws.called("RegisterTaskDefinition"))
    outcome = world.deploy()
    assert outcome.exit_code == 0
    assert (len(world.aws.called("UpdateService")), len(world.aws.called("RegisterTaskDefinition"))) == before
    assert outcome.revisions["web"] == "shop-production-web:2"


@pytest.mark.parametrize("code", [1, 2, 137])
def test_a_gate_that_fails_leaves_every_service_untouched(world: World, code: int) -> None:
    world.aws.gate = code
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.failed) == (1, "run migrate, which must exit 0")
    assert f"exited with code {code}" in outcome.message
    assert "no service was touched" in outcome.message
    assert world.aws.called("UpdateService") == []
    assert not world.locked


def test_a_gate_without_an_exit_code_has_failed(world: World) -> None:
    world.aws.gate = -1
    outcome = world.deploy()
    assert outcome.exit_code == 1
    assert world.aws.called("UpdateService") == []


def test_a_gate_that_hangs_is_stopped_after_its_time(world: World) -> None:
    world.aws.gate = None
    outcome = world.deploy()
    assert "migrate did not end within 900 s" in outcome.message
    assert len(world.aws.called("StopTask")) == 1
    assert world.aws.called("UpdateService") == []


def test_a_gate_that_ecs_does_not_start_has_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"tasks": [], "failures": [{"reason": "RESOURCE:ENI", "detail": "no address left"}]}
    monkeypatch.setattr(world.aws, "_run_task", lambda **_: answer)
    outcome = world.deploy()
    assert outcome.exit_code == 1
    assert "RESOURCE:ENI no address left" in outcome.message


def test_ecs_having_rolled_back_is_a_failure_and_what_changed_before_goes_back(world: World) -> None:
    world.aws.script["worker", "shop-production-worker:2"] = [
        "IN_PROGRESS",
        "ROLLBACK_IN_PROGRESS",
        "ROLLBACK_SUCCESSFUL",
    ]
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back")
    assert world.live() == ["old"] * 4
    assert [(c["service"], c["taskDefinition"][-6:]) for c in world.aws.called("UpdateService")][-2:] == [
        ("web", "-web:1"), ("events", "ents:1"),
    ]  # fmt: skip
    assert "the version before is serving" in outcome.message
    assert [each.ending for each in world.records.newest_first()] == ["rolled_back"]


def test_a_neighbour_that_is_still_changing_is_turned_back(world: World) -> None:
    world.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    world.aws.script["events", "shop-production-events:2"] = ["IN_PROGRESS"]
    outcome = world.deploy()
    assert outcome.exit_code == 1
    assert len(world.aws.called("StopServiceDeployment")) == 1
    assert world.live() == ["old"] * 4


def test_a_deployment_that_somebody_supersedes_is_left_alone_and_needs_a_human(world: World) -> None:
    world.aws.script["events", "shop-production-events:2"] = ["IN_PROGRESS", "SOMEBODY ELSE"]
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.result) == (3, "needs_human")
    assert any("left alone" in line for line in outcome.details)
    assert world.aws.live("web") == "old"
    assert world.aws.services["events"].definition.endswith("other:1")


def test_a_deployment_that_never_ends_is_turned_back_after_its_patience(world: World) -> None:
    world.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS"]
    outcome = world.deploy()
    assert outcome.exit_code == 1
    assert "not done after" in outcome.message
    assert world.live() == ["old"] * 4


def test_a_stalled_circuit_breaker_is_a_failure(world: World) -> None:
    world.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS", "STALLED"]
    outcome = world.deploy()
    assert outcome.exit_code == 1
    assert world.live() == ["old"] * 4


def test_a_first_release_that_fails_leaves_nothing_serving() -> None:
    world = World(running=False)
    world.aws.script["worker", "shop-production-worker:2"] = ["IN_PROGRESS", "ROLLBACK_IN_PROGRESS"]
    outcome = world.deploy()
    assert outcome.exit_code == 1
    assert "nothing was serving before, and nothing is now" in outcome.message
    assert [world.aws.services[unit].desired for unit in SERVICES] == [0, 0, 0, 0]
    assert world.live() == ["old"] * 4


def test_what_cannot_be_taken_back_needs_a_human(world: World) -> None:
    world.aws.script["worker", "shop-production-worker:2"] = ["ROLLBACK_SUCCESSFUL"]
    world.aws.script["web", "shop-production-web:1"] = ["IN_PROGRESS", "ROLLBACK_FAILED"]
    outcome = world.deploy()
    assert outcome.exit_code == 3
    assert any(line.startswith("web: not back at shop-production-web:1") for line in outcome.details)
    assert [each.ending for each in world.records.newest_first()] == ["needs_human"]
    assert not world.locked


def test_a_refused_call_in_the_middle_takes_back_what_was_changed(world: World) -> None:
    world.aws.broken["UpdateService"] = ("AccessDeniedException", lambda p: p["service"] == "worker")
    outcome = world.deploy()
    assert outcome.exit_code == 1
    assert world.live() == ["old"] * 4


def test_no_permission_for_the_first_call_is_a_usage_error_and_gives_the_lock_back(world: World) -> None:
    world.aws.broken["DescribeServices"] = ("AccessDeniedException", lambda _: True)
    with pytest.raises(Exception, match="denies ecs:") as caught:
        world.deploy()
    assert getattr(caught.value, "exit_code", None) == 2
    assert not world.locked


def test_an_image_that_is_not_there_is_a_usage_error(world: World) -> None:
    with pytest.raises(UsageError, match="has no image"):
        world.deploy("sha256:" + "9" * 64)
    assert not world.locked
    assert list(world.records.newest_first()) == []


def test_turning_back_during_a_rollout(world: World) -> None:
    world.aws.script["worker", "shop-production-worker:2"] = ["IN_PROGRESS"]
    outcome = world.deploy(interrupt=Chooses(Choice.ROLL_BACK, at=9))
    assert outcome.exit_code == 1
    assert "interrupted during the rollout of worker" in outcome.message
    assert world.live() == ["old"] * 4
    assert not world.locked


def test_stopping_to_watch_leaves_ecs_alone(world: World) -> None:
    world.aws.script["worker", "shop-production-worker:2"] = ["IN_PROGRESS"]
    outcome = world.deploy(interrupt=Chooses(Choice.STOP_WATCHING, at=9))
    assert (outcome.exit_code, outcome.result) == (3, "unwatched")
    assert "seatrial status production" in (outcome.hint or "")
    assert world.live() == ["new", "new", "new", "old"]
    assert not world.locked


def test_turning_back_during_a_gate_stops_it(world: World) -> None:
    world.aws.gate = None
    outcome = world.deploy(interrupt=Chooses(Choice.ROLL_BACK, at=5))
    assert outcome.exit_code == 1
    assert len(world.aws.called("StopTask")) == 1
    assert world.aws.called("UpdateService") == []


def test_ctrl_c_before_anything_was_changed(world: World) -> None:
    def confirm(_proposal: api.Proposal) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(Exception, match="nothing was changed") as caught:
        world.deploy(confirm=confirm)
    assert getattr(caught.value, "exit_code", None) == 1
    assert not world.locked


def test_a_second_release_is_refused_with_holder_and_age(world: World) -> None:
    Lock(Ssm(world.aws), "/shop/production", world.clock).take("arn:aws:iam::1:user/other")
    world.clock.time = 600
    with pytest.raises(UsageError, match=r"user/other .*for 10 min"):
        world.deploy()
    assert world.locked
    assert world.deploy(take_over=True).exit_code == 0
    assert not world.locked


def test_a_release_whose_lock_is_taken_over_stops_where_it_is(world: World) -> None:
    def take_over() -> None:
        Lock(Ssm(world.aws), "/shop/production", world.clock).take("arn:aws:iam::1:user/other", take_over=True)
        world.clock.at_sleep.clear()

    world.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS", "IN_PROGRESS", "SUCCESSFUL"]
    world.clock.at_sleep.append(take_over)
    world.aws.gate = 0
    outcome = world.deploy()
    assert outcome.exit_code == 3
    assert "taken over by arn:aws:iam::1:user/other" in outcome.message
    assert world.locked  # it is the other's now


def test_a_deployment_under_way_is_not_released_on_top_of(world: World) -> None:
    world.aws.services["web"].rollout = "IN_PROGRESS"
    with pytest.raises(UsageError, match="in the middle of another deployment"):
        world.deploy()
    assert world.deploy(take_over=True).exit_code == 0


def test_a_release_that_cannot_be_recorded_stands(world: World) -> None:
    def is_closing(parameters: dict[str, Any]) -> bool:
        return "released" in parameters["Value"]

    world.aws.broken["PutParameter"] = ("InternalServerError", is_closing)
    outcome = world.deploy()
    assert outcome.exit_code == 3
    assert "is serving, but that could not be recorded" in outcome.message
    assert world.live() == ["new"] * 4


def test_rollback_goes_to_the_release_before_without_gates(world: World) -> None:
    world.deploy(OLD)
    world.deploy(NEW)
    runs = len(world.aws.called("RunTask"))
    outcome = world.rollback()
    assert outcome.exit_code == 0
    assert world.live() == ["old"] * 4
    assert len(world.aws.called("RunTask")) == runs
    assert outcome.number == 3
    assert outcome.version == "old"


def test_rollback_makes_the_jobs_newest_revision_the_old_one(world: World) -> None:
    world.deploy(OLD)
    world.deploy(NEW)
    world.rollback()
    newest = world.aws._describe_task_definition("shop-production-digest")["taskDefinition"]
    assert newest["containerDefinitions"][0]["image"].endswith(OLD)


def test_rollback_to_a_number(world: World) -> None:
    world.deploy(OLD)
    world.deploy(NEW)
    world.deploy(OLD)
    assert world.rollback(to=2).version == "new"
    with pytest.raises(UsageError, match="no release 17"):
        world.rollback(to=17)


def test_rollback_of_the_first_release_is_refused(world: World) -> None:
    with pytest.raises(UsageError, match="has no release yet"):
        world.rollback()
    world.deploy()
    with pytest.raises(UsageError, match="none before it"):
        world.rollback()


def test_a_deregistered_revision_is_registered_again(world: World) -> None:
    world.deploy(OLD)
    world.deploy(NEW)
    recorded = next(arn for arn in world.aws.definitions if arn.endswith("production-web:1"))
    world.aws.definitions[recorded]["status"] = "INACTIVE"
    outcome = world.rollback()
    assert outcome.exit_code == 0
    assert world.live() == ["old"] * 4
    assert outcome.revisions["web"] == "shop-production-web:3"


def test_every_call_of_a_release_is_in_its_permissions(world: World) -> None:
    proposal = api.plan(world.settings, Path(), world.aws, image=NEW)
    allowed = {action for each in proposal.permissions for action in each.actions}
    world.aws.script["worker", "shop-production-worker:2"] = ["IN_PROGRESS"]
    world.deploy(interrupt=Chooses(Choice.ROLL_BACK, at=9))
    world.deploy()
    prefixes = {"elbv2": "elasticloadbalancing"}
    used = {f"{prefixes.get(service, service)}:{name}" for service, name, _ in world.aws.calls}
    assert used - {"sts:GetCallerIdentity"} <= allowed  # GetCallerIdentity needs no permission


def test_events_tell_every_step_and_are_json(world: World) -> None:
    outcome = world.deploy()
    kinds = [each.to_json()["event"] for each in world.events]
    assert kinds.count("step_started") == kinds.count("step_finished") == len(outcome.steps)
    assert "deployment_changed" in kinds
    assert "task_changed" in kinds
    json.dumps([each.to_json() for each in world.events])
    json.dumps(outcome.to_json())
    assert all(each.line() for each in world.events)


def test_needs_human_is_exit_code_three() -> None:
    assert NeedsHuman("x").exit_code == 3
