"""Releases that shift traffic, over a scripted AWS: what waits for what, the smoke checks, and the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seatrial.errors import UsageError
from seatrial.release import api
from seatrial.release import facts as facts_
from seatrial.release.interrupt import Choice, Interrupt
from seatrial.release.permissions import permissions
from seatrial.release.plan import Wanted, patience, plan_release
from seatrial.release.probes import Answer, Ran
from seatrial.release.watch import DeploymentChanged, SmokeChecked
from tests.unit.release.support import BAKES, HELD, NEW, OLD, TOML, FakeAws, settings_of
from tests.unit.release.world import SERVICES, FakeProbes, ReleaseWorld

STRATEGY = """domain = "shop.example"
certificate = "arn"
strategy = { type = "canary", percent = 10, test_from = ["198.51.100.7/32"] }
"""
SMOKE = """
[smoke.home]
path = "/"
contains = "stock"
headers = { X-Test = "1" }
retries = 2
[smoke.check]
command = ["python", "manage.py", "check"]
[smoke.script]
run = ["./smoke.sh", "--all"]
timeout = 5
"""


class World(ReleaseWorld[FakeAws]):
    """One environment whose traffic is shifted."""

    def __init__(self, smoke: str = SMOKE, *, running: bool = True) -> None:
        super().__init__(settings_of(TOML + STRATEGY + smoke), FakeAws, running=running)

    def operations(self) -> list[tuple[str, str]]:
        """Return what was changed, in order: operations and the services they were about."""
        names = ("UpdateService", "ContinueServiceDeployment", "StopServiceDeployment", "RunTask")
        return [
            (name, parameters.get("service") or parameters.get("serviceDeploymentArn", "/").split("/")[-2])
            for _, name, parameters in self.aws.calls
            if name in names
        ]

    def answers(self) -> list[str]:
        return [each["action"] for each in self.aws.called("ContinueServiceDeployment")]


@pytest.fixture
def world() -> World:
    return World()


def test_services_are_tested_together_when_all_of_them_wait_and_then_go_on_together(world: World) -> None:
    world.aws.script["events", "shop-production-events:2"] = [*["IN_PROGRESS SCALE_UP"] * 9, HELD, BAKES, "SUCCESSFUL"]
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.result, outcome.number) == (0, "released", 1)
    assert world.live() == ["new"] * 4
    assert world.operations()[1:] == [  # after the gate task
        ("UpdateService", "web"),
        ("UpdateService", "events"),
        ("RunTask", ""),  # a check's command
        ("ContinueServiceDeployment", "web"),
        ("ContinueServiceDeployment", "events"),
        ("UpdateService", "worker"),
        ("UpdateService", "beat"),
    ]
    assert world.answers() == ["CONTINUE", "CONTINUE"]
    log = [json.loads(line) for line in world.aws.objects["releases/production/000001.jsonl"].splitlines()]
    assert [each["check"] for each in log if each["event"] == "smoke_checked"] == ["home", "check", "script"]
    assert "BAKE_TIME" in [each["stage"] for each in log if each["event"] == "deployment_changed"]


def test_each_kind_of_check_reaches_the_new_version(world: World) -> None:
    world.deploy()
    (request,) = world.probes.asked
    assert (request.address, request.path, request.secure, request.trusted) == ("lb.example:9443", "/", True, True)
    assert (request.host, request.headers) == ("shop.example", {"X-Test": "1"})
    task = world.aws.called("RunTask")[-1]
    assert task["taskDefinition"].endswith("shop-production-web:2")
    (override,) = task["overrides"]["containerOverrides"]
    assert override == {"name": "web", "command": ["python", "manage.py", "check"]}
    assert world.probes.told == [
        {
            "command": "./smoke.sh --all",
            "SEATRIAL_TEST_URL": "https://shop.example:9443",
            "SEATRIAL_TEST_ADDRESS": "lb.example:9443",
            "SEATRIAL_TEST_HOST": "shop.example",
            "SEATRIAL_VERSION": "new",
            "SEATRIAL_ENVIRONMENT": "production",
        }
    ]
    told = [each for each in world.events if isinstance(each, SmokeChecked)]
    assert [(each.check, each.ok) for each in told] == [("home", True), ("check", True), ("script", True)]
    assert told[0].line().startswith("      smoke check home: ok in 0.0 s (attempt 1 of 3): GET / answered 200")


def test_stages_are_told(world: World) -> None:
    world.deploy()
    stages = [each.stage for each in world.events if isinstance(each, DeploymentChanged) and each.unit == "web"]
    assert stages == [
        None, "SCALE_UP", "POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "ran", "problem", "lines"),
    [
        (
            [Answer(500, "<h1>Server Error</h1>\n\n")],
            None,
            "home: GET / answered 500, not 200",
            ["status 500 Internal Server Error", "> <h1>Server Error</h1>"],
        ),
        ([Answer(200, "sold out")], None, "home: GET / answered 200 without 'stock'", ["> sold out"]),
        (
            [Answer(None, "", "Connection refused")],
            None,
            "home: GET / got no answer from lb.example:9443: Connection refused",
            [],
        ),
        ([], Ran(7, "one\ntwo\n"), "script: `./smoke.sh --all` exited with code 7", ["> one", "> two"]),
        ([], Ran(None, "", "did not end within 5 s"), "script: `./smoke.sh --all` did not end within 5 s", []),
    ],
)
def test_a_check_that_fails_turns_the_release_back_and_is_its_cause(
    world: World, answers: list[Answer], ran: Ran | None, problem: str, lines: list[str]
) -> None:
    world.probes = FakeProbes(*answers, ran=ran)
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.result, outcome.failed) == (1, "rolled_back", "roll out web and events")
    assert outcome.message.startswith(f"a smoke check failed: {problem}; ")
    assert (outcome.causes[0].rule, outcome.causes[0].text) == ("smoke-check", problem)
    assert set(lines) <= set(outcome.details)
    assert world.live() == ["old"] * 4
    assert world.answers() == ["ROLLBACK", "ROLLBACK"]
    assert world.aws.called("StopServiceDeployment") == []
    assert "worker" not in [name for _, name in world.operations()]


def test_a_command_that_fails_is_told_with_its_log(world: World) -> None:
    real = world.aws.answer

    def answer(service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        world.aws.gate = 3 if parameters.get("overrides") else world.aws.gate
        return real(service, operation, parameters)

    world.aws.answer = answer  # type: ignore[method-assign]  # the check's task fails, the gate's did not
    outcome = world.deploy()
    assert outcome.causes[0].text == "check: `python manage.py check`: web exited with code 3"
    assert any("KeyError: 'THING'" in line for line in outcome.details)
    assert world.answers() == ["ROLLBACK", "ROLLBACK"]


def test_a_check_is_tried_again(world: World) -> None:
    world.probes = FakeProbes(Answer(503, ""), Answer(503, ""), Answer(200, "in stock"))
    assert world.deploy().result == "released"
    attempts = [(each.attempt, each.ok) for each in world.events if isinstance(each, SmokeChecked)][:3]
    assert attempts == [(1, False), (2, False), (3, True)]


def test_a_neighbour_that_fails_before_the_tests_takes_the_one_that_waits_back(world: World) -> None:
    world.aws.script["events", "shop-production-events:2"] = ["IN_PROGRESS SCALE_UP", "ROLLBACK_SUCCESSFUL"]
    outcome = world.deploy()
    assert (outcome.exit_code, world.live()) == (1, ["old"] * 4)
    assert world.probes.asked == []
    assert world.operations()[-1] == ("StopServiceDeployment", "web")


def test_workers_come_while_the_web_services_bake_and_an_alarm_then_takes_both_back(world: World) -> None:
    world.aws.script["web", "shop-production-web:2"] = [
        HELD,
        *[BAKES] * 9,
        "ROLLBACK_IN_PROGRESS",
        "ROLLBACK_SUCCESSFUL",
    ]
    world.aws.script["events", "shop-production-events:2"] = [HELD, *[BAKES] * 99]
    world.aws.script["worker", "shop-production-worker:2"] = ["IN_PROGRESS"] * 50
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back")
    assert outcome.message.startswith("web: ROLLBACK_SUCCESSFUL")
    assert ("UpdateService", "worker") in world.operations()
    assert world.live() == ["old"] * 4


def test_a_worker_that_fails_during_the_bake_takes_the_traffic_back(world: World) -> None:
    for unit in ("web", "events"):
        world.aws.script[unit, f"shop-production-{unit}:2"] = [HELD, *[BAKES] * 99]
    world.aws.script["worker", "shop-production-worker:2"] = ["IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    assert world.deploy().result == "rolled_back"
    assert world.operations()[-2:] == [("StopServiceDeployment", "web"), ("StopServiceDeployment", "events")]
    assert world.live() == ["old"] * 4


def test_the_way_back_of_what_was_done_is_let_go_on_without_checks(world: World) -> None:
    world.aws.script["worker", "shop-production-worker:2"] = ["ROLLBACK_SUCCESSFUL"]
    for unit in ("web", "events"):
        world.aws.script[unit, f"shop-production-{unit}:2"] = [HELD, "SUCCESSFUL"]
    assert world.deploy().result == "rolled_back"
    assert len(world.probes.asked) == 1
    assert world.answers() == ["CONTINUE"] * 4
    assert world.live() == ["old"] * 4


def test_a_rollback_makes_no_checks(world: World) -> None:
    assert world.deploy(OLD).exit_code == 0
    assert world.deploy().exit_code == 0
    asked = len(world.probes.asked)
    outcome = api.rollback(world.settings, Path(), world.aws, clock=world.clock, on_event=world.events.append)
    assert (outcome.exit_code, world.live()) == (0, ["old"] * 4)
    assert len(world.probes.asked) == asked


class Chooses(Interrupt):
    """Chooses once it is told to."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.now = False

    def poll(self) -> Choice:
        return self.choice if self.now else Choice.GO_ON


@pytest.mark.parametrize(
    ("choice", "result", "words"),
    [
        (Choice.ROLL_BACK, "rolled_back", "interrupted during the rollout of web and events"),
        (Choice.STOP_WATCHING, "unwatched", "ECS holds web and events before users see the new version"),
    ],
)
def test_an_interrupt_between_two_attempts(world: World, choice: Choice, result: str, words: str) -> None:
    chooses = Chooses(choice)
    world.probes = FakeProbes(Answer(503, ""))
    world.probes.before = lambda: setattr(chooses, "now", True)
    outcome = world.deploy(interrupt=chooses)
    assert outcome.result == result
    assert words in outcome.message
    assert world.answers() == []


def test_without_checks_nothing_waits() -> None:
    world = World(smoke="")
    assert world.deploy().result == "released"
    assert world.answers() == []


def test_a_first_release_is_tested_too() -> None:
    world = World(running=False)
    assert world.deploy().result == "released"
    assert [world.aws.services[unit].desired for unit in SERVICES] == [2, 1, 1, 1]
    assert world.answers() == ["CONTINUE", "CONTINUE"]


def test_a_first_release_that_fails_a_check_leaves_nothing_running() -> None:
    world = World(running=False)
    world.probes = FakeProbes(Answer(500, ""))
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back")
    assert "nothing was serving before, and nothing is now" in outcome.message
    assert [world.aws.services[unit].desired for unit in SERVICES] == [0, 0, 0, 0]
    assert world.live() == ["old"] * 4
    assert world.answers() == ["ROLLBACK", "ROLLBACK"]
    assert len([each for each in world.aws.deployments if each["service"] in ("web", "events")]) == 2


def test_the_plan_lists_the_checks_and_what_they_need(world: World) -> None:
    found = facts_.gather(world.settings, world.aws)
    plan = plan_release(world.settings, found, Wanted("abc123", NEW))
    lines = [line for step in plan.steps for line in step.lines]
    assert "web, from shop-production-web:1, canary: beside it, then traffic is moved" in lines
    assert "smoke check home, before users see it: GET / answers 200 with 'stock'" in lines
    assert "smoke check check, before users see it: `python manage.py check` exits 0 on the new version" in lines
    assert sum("smoke check" in line for line in lines) == 3
    needed = permissions(plan, world.settings, found)
    where = {action: each.resources for each in needed for action in each.actions if each.purpose != "run migrate"}
    account = "eu-west-1:123456789012"
    assert where["ecs:ContinueServiceDeployment"] == tuple(
        f"arn:aws:ecs:{account}:service-deployment/shop-production/{unit}/*" for unit in ("web", "events")
    )
    assert where["ecs:RunTask"] == (f"arn:aws:ecs:{account}:task-definition/shop-production-web:*",)


def test_patience_covers_what_the_strategy_waits(world: World) -> None:
    service, strategy = world.settings.services["web"], world.settings.target.strategy
    assert patience(service, strategy) - patience(service) == 600 + 900 + 7200


@pytest.mark.parametrize(
    ("strategy", "pauses", "words"),
    [
        ("ROLLING", True, "service web is deployed ROLLING, and seatrial.toml says CANARY"),
        ("CANARY", False, "service web does not pause for the smoke checks of seatrial.toml"),
    ],
)
def test_infrastructure_that_does_not_do_as_the_file_says_is_refused(
    world: World, strategy: str, pauses: bool, words: str
) -> None:
    world.aws.services["web"].strategy, world.aws.services["web"].pauses = strategy, pauses
    with pytest.raises(UsageError, match=words) as caught:
        world.deploy()
    assert "seatrial infra apply production" in (caught.value.hint or "")
    assert world.operations() == []
