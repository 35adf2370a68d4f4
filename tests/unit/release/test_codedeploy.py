"""Releases by CodeDeploy, over a scripted AWS: what is asked in which order, what the end is, and the way back."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.aws.permission import Permission, policy
from seatrial.errors import SeatrialError, UsageError
from seatrial.release import api, facts, roles
from seatrial.release.interrupt import Choice, Interrupt
from seatrial.release.permissions import permissions
from seatrial.release.plan import Wanted, patience, plan_release
from seatrial.release.probes import Answer
from seatrial.release.status import status
from seatrial.release.watch import DeploymentChanged, Note, ReleaseEvent, TaskChanged, TaskLogged
from tests.unit.emulator.codedeploy.support import WAITS, FakeCodeDeployAws, stopped_task
from tests.unit.release.support import ACCOUNT, NEW, OLD, TOML, error, settings_of
from tests.unit.release.test_policy import PUSH, Held, without
from tests.unit.release.world import SERVICES, FakeProbes, ReleaseWorld

if TYPE_CHECKING:
    from collections.abc import Callable


PLAIN = 'strategy = { type = "codedeploy" }\n'
TESTED = 'strategy = { type = "codedeploy", traffic = "canary", test_port = 9443, test_from = ["198.51.100.7/32"] }\n'
HOOKED = 'strategy = { type = "codedeploy", gates = "hook" }\n'
SMOKE = '[smoke.home]\npath = "/"\n'
WARM = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:warm"
HOOKS = f'[hooks.warm]\nfunction = "{WARM}"\nstages = ["AfterInstall", "PRE_SCALE_UP"]\n'


class HeldByCodeDeploy(Held, FakeCodeDeployAws):
    """Denies what its ``document`` does not allow."""


class World(ReleaseWorld[HeldByCodeDeploy]):
    """One environment that CodeDeploy deploys to."""

    def __init__(self, more: str = PLAIN, *, running: bool = True) -> None:
        super().__init__(settings_of(TOML + more), HeldByCodeDeploy, running=running)

    def operations(self) -> list[tuple[str, str]]:
        """Return what was changed, in order, and of which service; deployments by their id."""
        names = ("CreateDeployment", "StopDeployment", "ContinueDeployment", "UpdateService", "RunTask")
        keys = ("deploymentGroupName", "service", "deploymentId")
        return [
            (name, next((parameters[key] for key in keys if key in parameters), ""))
            for _, name, parameters in self.aws.calls
            if name in names
        ]


def test_services_that_have_traffic_are_codedeploys_and_workers_come_when_it_has_moved() -> None:
    world = World()
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.result) == (0, "released")
    assert world.live() == ["new"] * 4
    assert world.operations() == [
        ("RunTask", ""),
        ("CreateDeployment", "web"),
        ("CreateDeployment", "events"),
        ("UpdateService", "worker"),
        ("UpdateService", "beat"),
    ]
    (web, _) = world.aws.called("CreateDeployment")
    assert (web["applicationName"], "deploymentConfigName" in web) == ("shop-production", False)
    spec = world.aws.made["d-1"].spec
    assert spec["Resources"][0]["TargetService"]["Properties"]["LoadBalancerInfo"] == {
        "ContainerName": "web",
        "ContainerPort": 8000,
    }
    assert "Hooks" not in spec
    stages = [e.stage for e in world.events if isinstance(e, DeploymentChanged) and e.unit == "web"]
    assert stages == [None, "Install", "AllowTraffic", "TERMINATION_WAIT", None]


def test_services_are_tested_together_and_then_go_on_together() -> None:
    world = World(TESTED + SMOKE)
    world.aws.ways["events", "shop-production-events:2"] = [
        *["InProgress Install"] * 5, "Ready", "InProgress AllowTraffic", WAITS, "Succeeded",
    ]  # fmt: skip
    assert world.deploy().result == "released"
    assert [each for each in world.operations() if each[0] == "ContinueDeployment"] == [
        ("ContinueDeployment", "d-1"),
        ("ContinueDeployment", "d-2"),
    ]
    assert len(world.probes.asked) == 1


def test_a_check_that_fails_has_codedeploy_take_them_back() -> None:
    world = World(TESTED + SMOKE)
    world.probes = FakeProbes(Answer(500, ""))
    outcome = world.deploy()
    assert (outcome.exit_code, world.live()) == (1, ["old"] * 4)
    assert [e["autoRollbackEnabled"] for e in world.aws.called("StopDeployment")] == [True, True]
    assert world.aws.called("ContinueDeployment") == []


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("Failed Install TIMEOUT The deployment timed out", "web: The deployment timed out; "),
        ("Stopped AllowTraffic ALARM_ACTIVE Activated alarms: <errors>", "web: Activated alarms: <errors>; "),
        (
            "Failed AfterInstall HOOK_EXECUTION_FAILURE One of the functions failed.",
            "web: hooks.warm failed at AfterInstall: One of the functions failed; ",
        ),
    ],
)
def test_a_deployment_that_fails_is_told_with_its_reason_and_followed_until_it_is_taken_back(
    way: str, words: str
) -> None:
    world = World(PLAIN + HOOKS)
    world.aws.ways["web", "shop-production-web:2"] = ["InProgress Install", way]
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back")
    assert outcome.message.startswith(words)
    assert world.live() == ["old"] * 4
    assert world.aws.made["d-1"].spec["Hooks"] == [{"AfterInstall": WARM}]
    assert [e.deployment for e in world.events if isinstance(e, DeploymentChanged)][-1] in ("back-d-1", "back-d-2")


def test_one_that_codedeploy_does_not_take_back_needs_a_deployment_of_ours() -> None:
    world = World()
    world.aws.takes_back = False
    world.aws.ways["web", "shop-production-web:2"] = ["Failed Install TIMEOUT too late"]
    outcome = world.deploy()
    assert outcome.result == "rolled_back"
    assert "web: too late; CodeDeploy does not take it back" in outcome.message
    (back,) = (each for each in world.aws.made.values() if each.target.endswith("web:1"))
    assert (back.configuration, back.continued) == ("CodeDeployDefault.ECSAllAtOnce", ["TERMINATION_WAIT"])


def test_tasks_that_fail_again_and_again_are_no_reason_to_wait_for_an_hour() -> None:
    world = World()
    world.aws.ways["web", "shop-production-web:2"] = ["InProgress Install"] * 1000
    new = world.aws.services["web"].definition.replace("web:1", "web:2")
    failed = [stopped_task(new, "web", code=1, started_by="1", number=number) for number in range(3)]
    world.aws.tasks_of["web"] = lambda: failed if world.aws.made else []
    outcome = world.deploy()
    assert outcome.message.startswith("web: the tasks of shop-production-web:2 fail again and again: ")
    assert (outcome.exit_code, world.live()) == (1, ["old"] * 4)
    assert world.clock.time < 600


def test_one_that_never_ends_is_turned_back() -> None:
    world = World()
    world.aws.ways["web", "shop-production-web:2"] = ["InProgress Install"] * 10_000
    outcome = world.deploy()
    assert "web: not done after" in outcome.message
    assert world.live() == ["old"] * 4


def test_a_worker_that_fails_after_the_shift_takes_the_traffic_back() -> None:
    world = World()
    for unit in ("web", "events"):
        world.aws.ways[unit, f"shop-production-{unit}:2"] = ["InProgress Install", *[WAITS] * 99]
    world.aws.script["worker", "shop-production-worker:2"] = ["ROLLBACK_SUCCESSFUL"]
    assert world.deploy().result == "rolled_back"
    assert [name for name in world.operations() if name[0] == "StopDeployment"] == [
        ("StopDeployment", "d-1"),
        ("StopDeployment", "d-2"),
    ]
    assert world.live() == ["old"] * 4


def test_one_that_has_succeeded_goes_back_by_a_deployment_at_once_and_asks_nobody() -> None:
    world = World(PLAIN + HOOKS)
    world.aws.script["worker", "shop-production-worker:2"] = [*["IN_PROGRESS"] * 20, "ROLLBACK_SUCCESSFUL"]
    assert world.deploy().result == "rolled_back"
    backs = [each for each in world.aws.made.values() if each.target.endswith(":1")]
    assert [(each.unit, each.configuration) for each in backs] == [
        ("web", "CodeDeployDefault.ECSAllAtOnce"),
        ("events", "CodeDeployDefault.ECSAllAtOnce"),
    ]
    assert not any("Hooks" in each.spec for each in backs)
    assert world.live() == ["old"] * 4


def test_a_first_release_sets_the_count_first_and_fails_back_to_nothing() -> None:
    world = World(running=False)
    assert world.deploy().result == "released"
    assert world.operations()[1:3] == [("UpdateService", "web"), ("CreateDeployment", "web")]
    assert [world.aws.services[unit].desired for unit in SERVICES] == [2, 1, 1, 1]
    world = World(running=False)
    world.aws.ways["web", "shop-production-web:2"] = ["InProgress AllowTraffic", "Failed AllowTraffic TIMEOUT no"]
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back")
    assert "nothing was serving before, and nothing is now" in outcome.message
    assert [world.aws.services[unit].desired for unit in SERVICES] == [0, 0, 0, 0]


def test_a_deployment_that_cannot_be_made_leaves_a_first_release_without_tasks() -> None:
    world = World(running=False)
    world.aws.broken["CreateDeployment"] = ("ThrottlingException", lambda _: len(world.aws.made) == 0)
    outcome = world.deploy()
    assert outcome.exit_code == 1
    assert [world.aws.services[unit].desired for unit in SERVICES] == [0, 0, 0, 0]


class At(Interrupt):
    """Chooses as soon as something that ``fits`` was told."""

    def __init__(self, world: World, choice: Choice, fits: Callable[[ReleaseEvent], bool]) -> None:
        self.world, self.choice, self.fits = world, choice, fits

    def poll(self) -> Choice:
        return self.choice if any(map(self.fits, self.world.events)) else Choice.GO_ON


def installs(event: ReleaseEvent) -> bool:
    return isinstance(event, DeploymentChanged) and event.stage == "Install"


def test_an_interrupt_takes_back_or_leaves_it() -> None:
    world = World()
    outcome = world.deploy(interrupt=At(world, Choice.ROLL_BACK, installs))
    assert (outcome.result, world.live()) == ("rolled_back", ["old"] * 4)
    world = World()
    outcome = world.deploy(interrupt=At(world, Choice.STOP_WATCHING, installs))
    assert (outcome.result, world.aws.called("StopDeployment")) == ("unwatched", [])
    with pytest.raises(UsageError, match="service web is in the middle of another deployment"):
        world.deploy()
    world.events.clear()
    assert world.deploy(take_over=True).result == "released"
    assert [each["autoRollbackEnabled"] for each in world.aws.called("StopDeployment")] == [False, False]


def test_a_rollback_asks_no_hooks_and_lets_what_waits_go_on() -> None:
    world = World(TESTED + SMOKE + HOOKS)
    assert world.deploy(OLD).exit_code == 0
    assert world.deploy().exit_code == 0
    asked, made = len(world.probes.asked), set(world.aws.made)
    outcome = api.rollback(world.settings, Path(), world.aws, clock=world.clock)
    assert (outcome.exit_code, world.live(), len(world.probes.asked)) == (0, ["old"] * 4, asked)
    again = [each for name, each in world.aws.made.items() if name not in made]
    assert [(each.unit, "Hooks" in each.spec) for each in again] == [("web", False), ("events", False)]


# --- gate tasks in the hook -----------------------------------------------------------------------------------------


def test_with_gates_in_the_hook_the_service_that_runs_them_comes_first() -> None:
    world = World(HOOKED)
    plan = plan_release(world.settings, facts.gather(world.settings, world.aws), Wanted("abc", NEW))
    assert "gate" not in [step.kind for step in plan.steps]
    assert [step.title for step in plan.steps if step.kind == "roll"] == [
        "roll out web", "roll out events", "roll out worker", "roll out beat",
    ]  # fmt: skip
    lines = [line for step in plan.steps for line in step.lines]
    assert "web asks gate task migrate (shop-production-gates) at BeforeInstall" in lines
    assert world.deploy().result == "released"
    first, second = world.aws.made["d-1"], world.aws.made["d-2"]
    assert (first.unit, first.spec["Hooks"]) == ("web", [{"BeforeInstall": "shop-production-gates"}])
    assert (second.unit, "Hooks" in second.spec) == ("events", False)


@pytest.mark.parametrize(
    ("code", "words"),
    [(3, "migrate exited with code 3"), (None, "migrate did not run: Essential container in task exited")],
)
def test_a_gate_task_that_fails_in_the_hook_is_the_cause(code: int | None, words: str) -> None:
    world = World(HOOKED)
    world.aws.ways["web", "shop-production-web:2"] = [
        "InProgress BeforeInstall", "Failed BeforeInstall HOOK_EXECUTION_FAILURE One of the functions failed.",
    ]  # fmt: skip
    new = world.aws.services["web"].definition.replace("web:1", "web:2")
    origin = "gates/d-1/migrate"
    world.aws.tasks_of[origin] = lambda: [stopped_task(new, "web", code=code, started_by=origin)]
    outcome = world.deploy()
    assert outcome.message.startswith(f"web: gate task migrate failed at BeforeInstall: {words}")
    assert (outcome.exit_code, world.live()) == (1, ["old"] * 4)
    assert any(line.startswith("| KeyError: 'THING'") for line in outcome.details)
    assert not [e for e in world.events if isinstance(e, TaskLogged) and e.unit != "web"]


# --- the plan, and what it needs ------------------------------------------------------------------------------------


def test_a_service_that_somebody_else_deploys_is_refused() -> None:
    world = World()
    settings = settings_of(TOML + 'strategy = { type = "blue_green" }\n')
    with pytest.raises(UsageError, match="service web is deployed by CodeDeploy, and"):
        plan_release(settings, facts.gather(world.settings, world.aws), Wanted("abc", NEW))
    world.aws.pauses = True
    with pytest.raises(UsageError, match="pauses for smoke checks, of which none is"):
        world.deploy()
    world.aws.broken["GetDeploymentGroup"] = ("DeploymentGroupDoesNotExistException", lambda _: True)
    with pytest.raises(UsageError, match="CodeDeploy has no deployment group for service web"):
        world.deploy()


def test_patience_covers_what_codedeploy_waits() -> None:
    world = World(TESTED)
    service, strategy = world.settings.services["web"], world.settings.target.strategy
    assert patience(service, strategy) - patience(service) == 7200 + 300 + 900 + 3300


def test_the_permissions_are_for_these_groups() -> None:
    world = World(TESTED + SMOKE)
    found = facts.gather(world.settings, world.aws)
    needed = permissions(plan_release(world.settings, found, Wanted("abc", NEW)), world.settings, found)
    where = {action: each.resources for each in needed for action in each.actions}
    account = f"eu-west-1:{ACCOUNT}"
    assert where["codedeploy:CreateDeployment"] == tuple(
        f"arn:aws:codedeploy:{account}:deploymentgroup:shop-production/{unit}" for unit in ("web", "events")
    )
    assert where["codedeploy:StopDeployment"] == ("*",)
    workers = [f"arn:aws:ecs:{account}:service-deployment/shop-production/{u}/*" for u in ("worker", "beat")]
    stops = [r for each in needed for r in each.resources if "ecs:StopServiceDeployment" in each.actions]
    assert stops == workers


def test_every_action_is_enough_and_needed() -> None:
    document = policy(granted())
    whole = [play(document) for play in SCENARIOS]
    assert whole == [play(None) for play in SCENARIOS]
    assert [ending[0] for ending in whole] == ["released", "rolled_back", "rolled_back", "rolled_back"]
    actions = {action for each in document["Statement"] for action in each["Action"]}
    useless = {action for action in actions - PUSH if not missed(without(document, action), whole)}
    assert useless == set()


def test_the_reading_policy_is_enough_for_plan_and_status() -> None:
    world = World(TESTED + SMOKE)
    found = roles.reading_role(world.settings, facts.gather(world.settings, world.aws))
    world.aws.document = policy(found)
    api.plan(world.settings, Path(), world.aws, image=NEW)
    web = status(world.settings, world.aws, world.clock).services[0]
    assert (web.name, web.rollout, web.good) == ("web", "COMPLETED", True)
    words = {action.partition(":")[2] for each in found for action in each.actions}
    assert all(word.startswith(("Describe", "Get", "List", "Filter")) for word in words)


Ending = tuple[str, str, tuple[str, ...]]


@cache
def granted() -> tuple[Permission, ...]:
    world = World(TESTED + SMOKE)
    return roles.release_role(world.settings, facts.gather(world.settings, world.aws))


def missed(document: dict[str, Any], whole: list[Ending]) -> bool:
    """Whether any release ends otherwise, or tells something else, than under the whole policy."""
    return any(play(document) != ending for play, ending in zip(SCENARIOS, whole, strict=True))


def ended(world: World, document: dict[str, Any] | None, image: str = NEW, **options: Any) -> Ending:
    world.aws.document = document
    try:
        outcome = world.deploy(image, **options)
    except SeatrialError as refused:
        return ("refused", refused.message, ())
    told = tuple(each.line() for each in world.events if isinstance(each, Note | DeploymentChanged))
    return (outcome.result, outcome.message, (*outcome.details, *told))


def first(document: dict[str, Any] | None) -> Ending:
    world = World(TESTED + SMOKE, running=False)
    ended(world, document, OLD)
    return ended(world, document)


def check_fails(document: dict[str, Any] | None) -> Ending:
    world = World(TESTED + SMOKE)
    world.probes = FakeProbes(Answer(500, ""))
    return ended(world, document)


def gate_is_interrupted(document: dict[str, Any] | None) -> Ending:
    world = World(TESTED + SMOKE)
    world.aws.gate = None
    runs = At(world, Choice.ROLL_BACK, lambda event: isinstance(event, TaskChanged))
    return ended(world, document, interrupt=runs)


def worker_is_interrupted(document: dict[str, Any] | None) -> Ending:
    world = World(TESTED + SMOKE)
    for unit in ("web", "events"):
        world.aws.ways[unit, f"shop-production-{unit}:2"] = ["Ready", *[WAITS] * 99]
    world.aws.script["worker", "shop-production-worker:2"] = ["IN_PROGRESS"] * 99
    starts = At(world, Choice.ROLL_BACK, lambda event: isinstance(event, DeploymentChanged) and event.unit == "worker")
    return ended(world, document, interrupt=starts)


SCENARIOS = (first, check_fails, gate_is_interrupted, worker_is_interrupted)


@pytest.mark.parametrize("operation", ["CreateDeployment", "ContinueDeployment", "UpdateService"])
def test_a_call_whose_answer_is_lost_is_repeated_and_changes_nothing_twice(operation: str) -> None:
    world = World(TESTED + SMOKE)
    world.aws.lost = {operation}
    outcome = world.deploy()
    assert outcome.result == "released", outcome
    assert world.aws.lost == set()
    assert [each.unit for each in world.aws.made.values()] == ["web", "events"]


def test_a_stop_whose_answer_is_lost_is_one_stop() -> None:
    world = World()
    world.aws.script["worker", "shop-production-worker:2"] = ["ROLLBACK_SUCCESSFUL"]
    world.aws.ways["web", "shop-production-web:2"] = ["InProgress AfterInstall", *[f"InProgress {WAITS}"] * 9]
    world.aws.lost = {"StopDeployment"}
    outcome = world.deploy()
    assert outcome.result == "rolled_back", outcome
    assert world.aws.lost == set()
    assert {world.aws.live(unit) for unit in SERVICES} == {"old"}


def test_aws_away_for_good_says_that_codedeploy_goes_on() -> None:
    world = World()
    world.aws.away = lambda _api: error("ExpiredTokenException", "x", "expired") if world.aws.made else None
    outcome = world.deploy()
    assert (outcome.exit_code, outcome.result) == (3, "needs_human")
    assert "CodeDeploy goes on by itself with web (shop-production-web:2)" in outcome.message
