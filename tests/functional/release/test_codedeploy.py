"""Releases by CodeDeploy, on a real emulator, with the infrastructure that ``infra apply`` makes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.aws.clock import SystemClock
from seatrial.aws.ecs import Ecs
from seatrial.aws.permission import policy
from seatrial.config.load import load
from seatrial.errors import UsageError
from seatrial.infra import apply
from seatrial.infra.permissions import infra_role
from seatrial.release.facts import gather
from seatrial.release.interrupt import Choice, Interrupt
from seatrial.release.roles import release_role
from seatrial.release.status import Status, status
from seatrial.release.watch import DeploymentChanged, SmokeChecked, TaskChanged, TaskLogged
from seatrial.stack.build import build
from seatrial.stack.lowering import lower
from tests.functional.emulator.ecs.stages import put_function
from tests.functional.emulator.support import Running, emulator
from tests.functional.infra.test_policy import User
from tests.functional.release.support import TOML, Asking, Place, project, put_alarm
from tests.functional.release.test_policy import give, user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCALE = 0.02
STRATEGY = 'strategy = { type = "codedeploy", wait = "1m", test_port = 9443 }\n'
CANARY = """\
strategy.type = "codedeploy"
strategy.traffic = "canary"
strategy.percent = 20
strategy.interval = "1m"
strategy.wait = "2m"
strategy.alarms = ["errors"]
"""
GATED = 'strategy = { type = "codedeploy", wait = 0, gates = "hook" }\n'
#: Asks the version that is installed, by its task's own address, and answers as it does.
WARM = """
import boto3, urllib.error, urllib.request

def handler(event, context):
    ecs, status = boto3.client("ecs"), "Succeeded"
    sets = ecs.describe_services(cluster="gated-local", services=["web"])["services"][0]["taskSets"]
    new = next(each["taskDefinition"] for each in sets if each.get("externalId") == event["DeploymentId"])
    arns = ecs.list_tasks(cluster="gated-local", serviceName="web")["taskArns"]
    for task in ecs.describe_tasks(cluster="gated-local", tasks=arns)["tasks"]:
        if task["taskDefinitionArn"] != new:
            continue
        details = {each["name"]: each["value"] for each in task["attachments"][0]["details"]}
        try:
            urllib.request.urlopen(f"http://{details['privateIPv4Address']}:8000/home", timeout=10)
        except urllib.error.HTTPError as error:
            print("answered", error.code)
            status = "Failed"
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )
"""
SMOKE = """
[smoke.home]
path = "/home"
retries = 1
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("emulator"), time_scale=SCALE) as it:
        yield it


@pytest.fixture(scope="module")
def made(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place that is made, and nothing was released to."""
    root = tmp_path_factory.mktemp("shop") / "project"
    settings, aws = project(root, running.info.endpoint, TOML.format(app="shop") + STRATEGY + SMOKE)
    return Place(root, aws, settings, apply(settings, aws).outputs["Url"])


@pytest.fixture(scope="module")
def shop(made: Place) -> Place:
    """The place when version one serves."""
    made.events.clear()
    made.commit("one")
    outcome = made.deploy()
    assert outcome.exit_code == 0, outcome
    return made


def stages(it: Place) -> list[str]:
    told = [e.stage for e in it.events if isinstance(e, DeploymentChanged) and e.unit == "web" and e.stage]
    return list(dict.fromkeys(told))


def test_a_first_release_that_fails_a_check_leaves_nothing_running(made: Place) -> None:
    made.commit("zero", home=500)
    outcome = made.deploy()
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back"), outcome
    assert "nothing was serving before, and nothing is now" in outcome.message
    assert made.desired() == {"web": 0, "worker": 0}
    assert not made.locked


def test_the_first_release_is_tested_and_serves(shop: Place) -> None:
    assert shop.answer() == "one"
    assert [e.check for e in shop.events if isinstance(e, SmokeChecked)] == ["home"]
    assert shop.desired() == {"web": 1, "worker": 1}


def test_a_good_release_goes_through_the_events_and_loses_no_request(running: Running, shop: Place) -> None:
    """By a user who may do what `seatrial policy` prints, and nothing else."""
    it = replace(shop, aws=user(shop.aws, "releases"))
    give(running, "releases", policy(release_role(shop.settings, gather(shop.settings, shop.aws))))
    shop.events.clear()
    shop.commit("two")
    with Asking(shop.url) as asking:
        outcome = it.deploy()
    assert (outcome.exit_code, shop.answer()) == (0, "two"), outcome
    assert [s for s in stages(shop) if s in ("Install", "READY_WAIT", "TERMINATION_WAIT")] == [
        "Install", "READY_WAIT", "TERMINATION_WAIT",
    ]  # fmt: skip
    assert set(asking.answers) == {"one", "two"}
    assert asking.answers == sorted(asking.answers)  # all at once, and not back
    record = next(shop.records.newest_first())
    assert (record.ending, record.revisions["web"]) == ("released", outcome.revisions["web"])
    web = status(shop.settings, shop.aws, SystemClock()).services[0]
    assert (web.rollout, [each.traffic for each in web.runs], web.drift) == ("COMPLETED", [1.0], ())


def test_a_version_that_fails_a_check_is_never_seen_and_the_check_is_the_cause(shop: Place) -> None:
    live, before = shop.answer(), shop.revisions()
    shop.commit("sour", home=500)
    with Asking(shop.url) as asking:
        outcome = shop.deploy()
    assert (outcome.exit_code, outcome.failed) == (1, "roll out web"), outcome
    assert outcome.message.startswith("a smoke check failed: home: GET /home answered 500, not 200; the version before")
    assert (outcome.causes[0].rule, "> sour" in outcome.details) == ("smoke-check", True)
    assert set(asking.answers) == {live}
    assert shop.revisions() == before
    assert not shop.locked


def test_a_worker_that_cannot_start_takes_the_traffic_back(shop: Place) -> None:
    live = shop.answer()
    shop.commit("workless", worker="exits")
    outcome = shop.deploy()
    assert (outcome.exit_code, outcome.failed, shop.answer()) == (1, "roll out worker", live), outcome


def test_back_to_the_release_before(shop: Place) -> None:
    shop.events.clear()
    outcome = shop.rollback()
    assert (outcome.exit_code, shop.answer()) == (0, "one"), outcome
    assert not [e for e in shop.events if isinstance(e, SmokeChecked)]


# --- canary, alarms, interrupts, and what a stack update must leave alone ---------------------------------------------


@pytest.fixture(scope="module")
def canary(shop: Place) -> Place:
    """The same place when its strategy has been changed, and its users had nothing of it."""
    put_alarm(shop.aws, "errors")
    live = shop.answer()
    with Asking(shop.url) as asking:
        it = changed(shop, TOML.format(app="shop") + CANARY)
    assert set(asking.answers) == {live}
    return it


def changed(it: Place, toml: str, *lost: str) -> Place:
    """The place when this seatrial.toml is applied. ``lost`` are services that go although they serve."""
    (it.root / "seatrial.toml").write_text(toml)
    settings = load(it.root / "seatrial.toml", "local")
    apply(settings, it.aws, replace=frozenset(lost))
    return replace(it, settings=settings, events=[])


def deployments(it: Place) -> list[str]:
    """Return the ids of CodeDeploy's deployments that the place has been told of, in their order."""
    return list(
        dict.fromkeys(
            each.deployment for each in it.events if isinstance(each, DeploymentChanged) and each.unit == "web"
        )
    )


class At(Interrupt):
    """Does something when the release is at a stage, with such a part of the traffic moved, and then chooses."""

    def __init__(
        self, it: Place, stage: str, share: float, choice: Choice, act: Callable[[], object] = lambda: None
    ) -> None:
        self.it, self.at, self.choice, self.act = it, (stage, share), choice, act
        self.done = False

    def poll(self) -> Choice:
        told = [(e.stage, e.production) for e in self.it.events if isinstance(e, DeploymentChanged) and e.unit == "web"]
        if self.done or self.at not in told:
            return Choice.GO_ON
        self.done = True
        self.act()
        return self.choice


def test_a_canary_serves_a_part_first_and_waits(canary: Place) -> None:
    before = canary.answer()
    canary.commit("four")
    with Asking(canary.url) as asking:
        outcome = canary.deploy()
    assert (outcome.exit_code, canary.answer()) == (0, "four"), outcome
    shares = [e.production for e in canary.events if isinstance(e, DeploymentChanged) and e.unit == "web"]
    assert [share for share in dict.fromkeys(shares) if share is not None] == [0.0, 20.0, 100.0]
    assert set(asking.answers) == {before, "four"}
    assert asking.answers != sorted(asking.answers)  # for a while now this one, now that one


def test_an_alarm_during_the_wait_takes_the_release_back(canary: Place) -> None:
    live, before = canary.answer(), canary.revisions()
    canary.events.clear()
    canary.commit("alarming")
    alarm = canary.aws.client("cloudwatch").set_alarm_state
    ring = At(
        canary,
        "TERMINATION_WAIT",
        100.0,
        Choice.GO_ON,
        lambda: alarm(AlarmName="errors", StateValue="ALARM", StateReason="a test"),
    )
    outcome = canary.deploy(interrupt=ring)
    alarm(AlarmName="errors", StateValue="OK", StateReason="a test")
    assert ring.done
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back"), outcome
    assert "Activated alarms: <errors>" in outcome.message
    assert (canary.answer(), canary.revisions()) == (live, before)


def test_ctrl_c_while_a_part_of_the_traffic_has_moved_takes_it_back(canary: Place) -> None:
    live, before = canary.answer(), canary.revisions()
    canary.events.clear()
    canary.commit("interrupted")
    seen: list[Status] = []

    def look() -> None:
        seen.append(status(canary.settings, canary.aws, SystemClock()))

    outcome = canary.deploy(interrupt=At(canary, "AllowTraffic", 20.0, Choice.ROLL_BACK, look))
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back"), outcome
    web = seen[0].services[0]
    assert web.rollout == "IN_PROGRESS"
    assert [(each.revision == web.revision, each.traffic) for each in web.runs] == [(True, 0.8), (False, 0.2)]
    assert (canary.answer(), canary.revisions()) == (live, before)


def test_a_deployment_that_was_left_alone_is_refused_and_may_be_taken_over(canary: Place) -> None:
    canary.events.clear()
    canary.commit("left")
    outcome = canary.deploy(interrupt=At(canary, "AllowTraffic", 20.0, Choice.STOP_WATCHING))
    assert (outcome.exit_code, outcome.result) == (3, "unwatched"), outcome
    canary.commit("five")
    with pytest.raises(UsageError, match="service web is in the middle of another deployment"):
        canary.deploy()
    outcome = canary.deploy(take_over=True)
    assert (outcome.exit_code, canary.answer()) == (0, "five"), outcome


def test_the_version_that_serves_is_released_over_a_deployment_that_was_left_alone(canary: Place) -> None:
    live, before = canary.answer(), canary.revisions()
    digest = next(canary.records.newest_first()).digest
    canary.commit("left again")
    outcome = canary.deploy(interrupt=At(canary, "AllowTraffic", 20.0, Choice.STOP_WATCHING))
    assert outcome.result == "unwatched", outcome
    outcome = canary.deploy(image=digest, take_over=True)
    assert (outcome.exit_code, canary.answer(), canary.revisions()) == (0, live, before), outcome
    with Asking(canary.url) as asking:
        pass
    assert set(asking.answers) <= {live}


@pytest.mark.parametrize(("stage", "share"), [("AllowTraffic", 20.0), ("TERMINATION_WAIT", 100.0)])
def test_a_rollback_out_of_a_deployment_under_way_makes_no_new_one(canary: Place, stage: str, share: float) -> None:
    canary.events.clear()
    live, before = canary.answer(), canary.revisions()
    canary.commit(f"left at {stage}")
    outcome = canary.deploy(interrupt=At(canary, stage, share, Choice.STOP_WATCHING))
    assert (outcome.exit_code, outcome.result) == (3, "unwatched"), outcome
    (left,) = deployments(canary)
    with Asking(canary.url) as asking:
        outcome = canary.rollback()
    assert (outcome.exit_code, outcome.result) == (0, "released"), outcome
    assert set(asking.answers) <= {live, f"left at {stage}"}
    assert (canary.answer(), canary.revisions()) == (live, before)
    mine, back = deployments(canary)
    assert mine == left
    info = canary.aws.client("codedeploy").get_deployment(deploymentId=back)["deploymentInfo"]
    assert info["rollbackInfo"]["rollbackTriggeringDeploymentId"] == left


def test_the_infrastructure_changes_around_a_service_and_its_traffic_stays(running: Running, canary: Place) -> None:
    """By a user who may do what `seatrial policy --role infra` prints."""
    live = canary.answer()
    more = TOML.format(app="shop").replace('routes = ["/*"]', 'routes = ["/*", "/home"]\nenvironment = { A = "1" }')
    (canary.root / "seatrial.toml").write_text(more.replace("drain = 1", "drain = 2") + CANARY)
    settings = load(canary.root / "seatrial.toml", "local")
    applies = User(running)
    applies.give(infra_role(settings, lower(build(settings)), canary.aws))
    with Asking(canary.url) as asking:
        assert apply(settings, applies.aws).stacks[1].action == "updated"
        assert apply(settings, applies.aws).stacks[1].action == "unchanged"
    assert set(asking.answers) == {live}


def test_a_change_of_the_service_itself_is_refused_by_name_and_nothing_is_begun(canary: Place) -> None:
    text = (canary.root / "seatrial.toml").read_text()
    (canary.root / "seatrial.toml").write_text(text.replace("grace_period = 1", "grace_period = 9"))
    with pytest.raises(UsageError, match="service web: HealthCheckGracePeriodSeconds cannot be changed") as refused:
        apply(load(canary.root / "seatrial.toml", "local"), canary.aws)
    assert "docs/infrastructure.md" in (refused.value.hint or "")
    (canary.root / "seatrial.toml").write_text(TOML.format(app="shop"))
    with pytest.raises(UsageError, match="service web: DeploymentController is CODE_DEPLOY and cannot become ECS"):
        apply(load(canary.root / "seatrial.toml", "local"), canary.aws)
    with pytest.raises(UsageError, match="service web is deployed by CodeDeploy, and"):
        replace(canary, settings=load(canary.root / "seatrial.toml", "local")).deploy()
    stack = canary.aws.client("cloudformation").describe_stacks(StackName="shop-local")["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"


# --- gate tasks in the hook, and functions of the team ----------------------------------------------------------------


@pytest.fixture(scope="module")
def gated(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place whose gate task runs in the hook, with a function that is asked; version one serves."""
    function = put_function(running, "warm", WARM)
    root = tmp_path_factory.mktemp("gated") / "project"
    hooks = f'[hooks.warm]\nfunction = "{function}"\nstages = ["BeforeAllowTraffic"]\n'
    settings, aws = project(root, running.info.endpoint, TOML.format(app="gated") + GATED + hooks)
    it = Place(root, aws, settings, apply(settings, aws).outputs["Url"])
    it.commit("one")
    outcome = it.deploy()
    assert outcome.exit_code == 0, outcome
    return it


def test_the_hook_runs_the_gate_task_on_the_new_revision(gated: Place) -> None:
    gated.events.clear()
    gated.commit("two")
    outcome = gated.deploy()
    assert (outcome.exit_code, gated.answer()) == (0, "two"), outcome
    assert "gate" not in [each.kind for each in outcome.steps]
    (task,) = {e.task for e in gated.events if isinstance(e, TaskLogged)}
    ran = next(e for e in gated.events if isinstance(e, TaskChanged) and e.task == task)
    assert ran.revision == outcome.revisions["web"]
    ended = next(e.at for e in gated.events if isinstance(e, TaskChanged) and e.task == task and e.status == "STOPPED")
    others = [e.at for e in gated.events if isinstance(e, TaskChanged) and e.task != task and e.unit == "web"]
    assert others
    assert all(at > ended for at in others if at > ran.at)


def test_a_rollback_runs_no_gate_task(gated: Place) -> None:
    gated.events.clear()
    outcome = gated.rollback()
    assert (outcome.exit_code, gated.answer()) == (0, "one"), outcome
    assert not [e for e in gated.events if isinstance(e, TaskLogged)]


def test_a_gate_task_that_fails_in_the_hook_ends_the_release_with_its_own_words(gated: Place) -> None:
    live, before = gated.answer(), gated.revisions()
    gated.commit("stuck", gate="raises")
    with Asking(gated.url) as asking:
        outcome = gated.deploy()
    assert (outcome.exit_code, outcome.result, outcome.failed) == (1, "rolled_back", "roll out web"), outcome
    assert outcome.message.startswith(
        "web: gate task migrate failed at BeforeInstall: migrate exited with code 1: the database refused: "
        "ProgrammingError: column is in the way; the version before ("
    )
    assert set(asking.answers) == {live}
    assert gated.revisions() == before


def test_a_release_that_somebody_else_starts_is_gated_too(gated: Place) -> None:
    """By the AppSpec that docs/releases.md shows: CodePipeline and the console start nothing else."""
    definition = gated.revisions()["web"]
    client = gated.aws.client("codedeploy")
    page = (Path(__file__).parents[3] / "docs" / "releases.md").read_text()
    (sample,) = re.findall(r"```yaml\n(version: 0.0\n.*?)```", page, re.DOTALL)
    spec = sample.replace("TASK-DEFINITION", definition).replace("stockweb-production", "gated-local")
    content = {"revisionType": "AppSpecContent", "appSpecContent": {"content": spec}}
    made = client.create_deployment(applicationName="gated-local", deploymentGroupName="web", revision=content)
    waiter = client.raw.get_waiter("deployment_successful")
    waiter.wait(deploymentId=made["deploymentId"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    (task,) = Ecs(gated.aws, "gated-local").tasks_started_by(f"gates/{made['deploymentId']}/migrate")
    assert (task.task_definition, task.containers[0].exit_code) == (definition, 0)


def test_a_function_that_says_no_is_named_with_its_stage(gated: Place) -> None:
    live = gated.answer()
    gated.commit("cold", home=404)
    outcome = gated.deploy()
    assert (outcome.exit_code, gated.answer()) == (1, live), outcome
    assert outcome.message.startswith("web: hooks.warm failed at BeforeAllowTraffic: ")


def test_who_deploys_is_changed_by_taking_the_service_out_and_putting_it_back(gated: Place) -> None:
    """The way with downtime that docs/infrastructure.md tells."""
    rolling = TOML.format(app="gated")
    before, _, after = rolling.partition("[services.web]")
    changed(gated, before + "[services.worker]" + after.partition("[services.worker]")[2], "WebService")
    it = changed(gated, rolling)
    it.commit("rolled")
    outcome = it.deploy()
    assert (outcome.exit_code, it.answer()) == (0, "rolled"), outcome
    assert "gate" in [each.kind for each in outcome.steps]
