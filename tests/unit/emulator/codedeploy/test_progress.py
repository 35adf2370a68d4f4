"""CodeDeploy's engine over a clock and task sets that a test moves: time that runs out, alarms, what is rolled back."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import botocore.session
import pytest
from botocore import xform_name
from botocore.validate import ParamValidator

import seatrial.emulator.codedeploy
from seatrial.emulator.codedeploy.appspec import AppSpec
from seatrial.emulator.codedeploy.deployment_actions import STATUSES, DeploymentActions
from seatrial.emulator.codedeploy.group_actions import GroupActions
from seatrial.emulator.codedeploy.groups import SETTINGS
from seatrial.emulator.codedeploy.lifecycle import Course, start
from seatrial.emulator.codedeploy.model import Application, Deployment, EventRecord, Group, Route
from seatrial.emulator.codedeploy.progress import Progress
from seatrial.emulator.codedeploy.shapes import application_shape, deployment_shape, group_shape
from seatrial.emulator.codedeploy.store import Store
from seatrial.emulator.codedeploy.world import World
from seatrial.emulator.ecs.task_sets import ServiceView, TaskSetOrder, TaskSetView
from seatrial.emulator.settings import EmulatorSettings
from tests.unit.emulator.ecs.support import SetClock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MODEL = botocore.session.get_session().get_service_model("codedeploy")
GROUPS = tuple(
    f"arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/1" for name in ("blue", "green")
)


class Sets:
    """The task sets of one service; they are whole at once unless ``ill``."""

    def __init__(self) -> None:
        self.sets = [_view("blue", "PRIMARY", GROUPS[0])]
        self.ill = False

    def look(self, _cluster: str, _service: str) -> ServiceView:
        return ServiceView("web", "arn:web", "CODE_DEPLOY", True, 1, tuple(self.sets))

    def create(self, _cluster: str, _service: str, order: TaskSetOrder) -> str:
        made = _view("green", "ACTIVE", order.target_group)
        self.sets.append(replace(made, healthy=0) if self.ill else made)
        return made.id

    def make_primary(self, _cluster: str, _service: str, identifier: str) -> None:
        self.sets.sort(key=lambda each: each.id != identifier)

    def delete(self, _cluster: str, _service: str, identifier: str) -> None:
        self.sets = [each for each in self.sets if each.id != identifier]


class Listening:
    """One listener, whose one rule forwards to blue."""

    def __init__(self) -> None:
        self.weights = {GROUPS[0]: 1}

    def rules(self, listener: str) -> tuple[str, ...] | None:
        return ("rule",) if listener == "listener" else None

    def forwards(self, rule: str) -> tuple[tuple[str, int], ...] | None:
        return tuple(self.weights.items()) if rule == "rule" else None

    def shift(self, _rule: str, weights: Mapping[str, int]) -> None:
        self.weights = dict(weights)


class Around:
    def __init__(self) -> None:
        self.states: dict[str, str] = {}

    def alarms(self, names: Sequence[str]) -> dict[str, str]:
        return {name: self.states[name] for name in names if name in self.states}

    def target_group(self, name: str) -> str | None:
        return next((arn for arn in GROUPS if arn.split("/")[1] == name), None)

    def content(self, _bucket: str, _key: str) -> str | None:
        return None


def errors(shape: str, value: dict[str, Any]) -> str:
    return str(ParamValidator().validate(value, MODEL.shape_for(shape)).generate_report())


def _view(name: str, status: str, group: str) -> TaskSetView:
    return TaskSetView(name, status, "app:1", group, desired=1, pending=0, running=1, healthy=1, alive=1)


class Stage:
    """One deployment under way. ``settings`` are the group's."""

    def __init__(self, *, hooks: dict[str, str] | None = None, course: Course | None = None, **settings: Any) -> None:
        self.clock, self.sets, self.traffic, self.around = SetClock(), Sets(), Listening(), Around()
        self.called: list[bytes] = []
        self.world = World(
            EmulatorSettings("unit", Path("/nowhere"), 1, 16),
            self.clock,
            cast("Any", self.sets),
            self.traffic,
            self.invoke,
            self.around,
        )
        self.store = Store()
        self.progress = Progress(self.world, self.store)
        self.actions = DeploymentActions(self.world, self.store).actions()
        application = Application("id", "shop", "ECS", self.clock.now())
        pair = {"targetGroups": [{"name": "blue"}, {"name": "green"}]}
        known = {
            "serviceRoleArn": "arn:role",
            "ecsServices": [{"clusterName": "c", "serviceName": "web"}],
            "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
            "blueGreenDeploymentConfiguration": {},
        }
        self.group = Group("id", "shop", application, {**known, **settings})
        application.groups["shop"] = self.group
        self.store.applications["shop"] = application
        self.deployment = Deployment(
            id="d-1",
            group=self.group,
            settings=self.group.settings,
            configuration="CodeDeployDefault.ECSAllAtOnce",
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": "{}"}},
            previous=None,
            spec=AppSpec("app:2", "app", 80, hooks=hooks or {}),
            course=course or Course(),
            route=Route(("listener",), (), *GROUPS),
            blue="blue",
            creator="user",
            created_at=self.clock.now(),
            position=start(self.clock.monotonic()),
        )
        self.deployment.events = {event: EventRecord() for event in self.deployment.course.events}
        self.store.deployments["d-1"] = self.deployment
        self.group.attempted = self.deployment

    def invoke(self, _function: str, payload: bytes) -> bytes:
        self.called.append(payload)
        return b"null"

    def step(self, seconds: float = 0.0) -> Deployment:
        self.clock.seconds += seconds
        self.progress.step()
        return self.deployment

    def to_the_end(self) -> Deployment:
        self.step()
        assert not self.deployment.running
        return self.deployment


def test_it_goes_as_far_as_it_can_and_says_so_in_its_shapes() -> None:
    stage = Stage(course=Course(terminate_after=60.0))
    assert errors("DeploymentInfo", deployment_shape(stage.deployment)) == ""
    stage.step()
    shape = deployment_shape(stage.deployment)
    assert (shape["status"], shape["instanceTerminationWaitTimeStarted"]) == ("InProgress", True)
    assert stage.traffic.weights == {GROUPS[0]: 0, GROUPS[1]: 100}
    assert [each.id for each in stage.sets.sets] == ["green", "blue"], "green is PRIMARY, blue waits"
    stage.step(59.0)
    assert stage.deployment.running
    stage.step(1.0)
    shape = deployment_shape(stage.to_the_end())
    assert errors("DeploymentInfo", shape) == ""
    assert errors("DeploymentGroupInfo", group_shape(stage.group)) == ""
    assert errors("ApplicationInfo", application_shape(stage.group.application)) == ""
    target = stage.actions["get_deployment_target"]({"deploymentId": "d-1", "targetId": "c:web"})["deploymentTarget"]
    assert errors("DeploymentTarget", target) == ""
    assert [each["taskSetLabel"] for each in target["ecsTarget"]["taskSetsInfo"]] == ["Blue", "Green"]
    assert [each.id for each in stage.sets.sets] == ["green"]


def test_a_function_that_never_puts_a_status_fails_the_deployment_after_an_hour() -> None:
    stage = Stage(hooks={"BeforeInstall": "quiet"})
    stage.step()
    [run] = stage.deployment.hooks
    stage.step(3599.0)
    assert stage.deployment.running
    stage.step(1.0)
    shape = deployment_shape(stage.to_the_end())
    assert shape["status"] == "Failed"
    assert shape["errorInformation"] == {
        "code": "HOOK_EXECUTION_FAILURE",
        "message": "The deployment timed out while waiting for a status callback. CodeDeploy expects a status callback "
        "within one hour after a deployment hook is invoked.",
    }
    target = stage.actions["get_deployment_target"]({"deploymentId": "d-1", "targetId": "c:web"})["deploymentTarget"]
    assert errors("DeploymentTarget", target) == ""
    first, *rest = target["ecsTarget"]["lifecycleEvents"]
    assert (first["status"], first["diagnostics"]["errorCode"]) == ("Failed", "UnknownError")
    assert {each["status"] for each in rest} == {"Skipped"}
    assert run.status is None
    assert stage.sets.sets[0].id == "blue"


def test_green_that_is_never_healthy_fails_the_deployment_after_an_hour() -> None:
    stage = Stage()
    stage.sets.ill = True
    stage.step()
    stage.step(3599.0)
    assert stage.deployment.running
    stage.step(1.0)
    assert stage.to_the_end().position.outcome == "Failed"
    assert stage.traffic.weights == {GROUPS[0]: 100, GROUPS[1]: 0}, "known to the listener, without traffic"


ALARMS = {"enabled": True, "alarms": [{"name": "errors"}]}


@pytest.mark.parametrize(
    ("configuration", "state", "status"),
    [
        (ALARMS, "OK", "Succeeded"),
        (ALARMS, "INSUFFICIENT_DATA", "Succeeded"),
        (ALARMS, "ALARM", "Stopped"),
        (ALARMS, None, "Stopped"),
        ({**ALARMS, "ignorePollAlarmFailure": True}, None, "Succeeded"),
        ({**ALARMS, "enabled": False}, "ALARM", "Succeeded"),
    ],
)
def test_alarms(configuration: dict[str, Any], state: str | None, status: str) -> None:
    stage = Stage(alarmConfiguration=configuration)
    stage.around.states = {"errors": state} if state else {}
    assert stage.to_the_end().position.outcome == status


FAILURE, ALARM, REQUEST = "DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"


@pytest.mark.parametrize(
    ("trouble", "events", "asked", "rolled_back"),
    [
        ("failure", [FAILURE], None, True),
        ("failure", [ALARM, REQUEST], None, False),
        ("alarm", [ALARM], None, True),
        ("alarm", [FAILURE, REQUEST], None, False),
        ("request", [REQUEST], None, True),
        ("request", [FAILURE, ALARM], None, False),
        ("request", [REQUEST], False, False),
        ("request", [], True, True),
    ],
)
def test_what_is_rolled_back(trouble: str, events: list[str], asked: bool | None, rolled_back: bool) -> None:
    stage = Stage(
        course=Course(terminate_after=600.0),
        alarmConfiguration=ALARMS,
        autoRollbackConfiguration={"enabled": bool(events), "events": events},
        hooks={"AfterAllowTraffic": "smoke"} if trouble == "failure" else {},
    )
    stage.around.states = {"errors": "OK"}
    stage.step()
    assert stage.traffic.weights == {GROUPS[0]: 0, GROUPS[1]: 100}
    match trouble:
        case "alarm":
            stage.around.states = {"errors": "ALARM"}
        case "request":
            more = {} if asked is None else {"autoRollbackEnabled": asked}
            stage.actions["stop_deployment"]({"deploymentId": "d-1", **more})
        case _:
            [run] = stage.deployment.hooks
            stage.actions["put_lifecycle_event_hook_execution_status"](
                {"deploymentId": "d-1", "lifecycleEventHookExecutionId": run.id, "status": "Failed"}
            )
    stage.to_the_end()
    stage.step()
    back = stage.deployment.restored_by
    assert (back is not None) == rolled_back
    if back is None:
        assert stage.traffic.weights == {GROUPS[0]: 0, GROUPS[1]: 100}, "left where it is"
        return
    shape = deployment_shape(back)
    assert errors("DeploymentInfo", shape) == ""
    assert (shape["status"], shape["creator"]) == ("Succeeded", "codeDeployRollback")
    assert stage.traffic.weights == {GROUPS[0]: 100, GROUPS[1]: 0}
    assert [each.id for each in stage.sets.sets] == ["blue"]
    assert {name: record.status for name, record in back.events.items() if record.status != "Skipped"} == {
        "AllowTraffic": "Succeeded"
    }


def test_every_error_code_is_one_of_the_service_model() -> None:
    known = {shape.name for shape in MODEL.error_shapes}
    used = set()
    for file in Path(seatrial.emulator.codedeploy.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ApiError":
                [code, *_] = node.args
                assert isinstance(code, ast.Constant)
                used.add(str(code.value))
    assert used - known == set()
    assert len(used) > 30


def test_every_trouble_has_an_error_code_of_the_service_model() -> None:
    codes = MODEL.shape_for("ErrorCode").enum
    used = set()
    for file in Path(seatrial.emulator.codedeploy.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Trouble":
                assert isinstance(node.args[1], ast.Constant)
                used.add(str(node.args[1].value))
    assert used
    assert used <= set(codes)


def test_every_action_and_setting_exists_in_the_model() -> None:
    stage = Stage()
    operations = {xform_name(name) for name in MODEL.operation_names}
    actions = {*stage.actions, *GroupActions(stage.world, stage.store).actions()}
    assert actions <= operations
    assert set(SETTINGS) <= set(MODEL.shape_for("CreateDeploymentGroupInput").members)
    assert set(SETTINGS) <= set(MODEL.shape_for("DeploymentGroupInfo").members)
    assert set(STATUSES) == set(MODEL.shape_for("DeploymentStatus").enum)
