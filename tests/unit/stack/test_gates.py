"""The function that runs gate tasks in a hook: over a scripted AWS that holds it to its role's policy."""

from __future__ import annotations

import importlib.util
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from seatrial.emulator.access.decision import allowed
from seatrial.emulator.access.needs import Place, needs
from tests.unit.release.support import ARN, error, model_of
from tests.unit.stack.support import MATRIX, bundles, properties

if TYPE_CHECKING:
    from types import ModuleType

PLACE = Place("123456789012", "eu-west-1")
REVISION = f"{ARN}:task-definition/shop-production-web:7"
TASK = f"{ARN}:task/shop-production/1"
SPEC = json.dumps({"Resources": [{"TargetService": {"Properties": {"TaskDefinition": REVISION}}}]})
EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "hook-1"}
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}


class Context:
    """Lambda's context with so much time left at each look."""

    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:shop-production-gates"

    def __init__(self, *left: int) -> None:
        self.left = list(left) or [900_000]

    def get_remaining_time_in_millis(self) -> int:
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


class Aws:
    """Answers the function, checks its calls against the service models and its policy, and remembers them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.revision: dict[str, Any] = {"revisionType": "AppSpecContent", "appSpecContent": {"content": SPEC}}
        self.registered: dict[str, Any] = {}
        self.failures: list[dict[str, str]] = []
        self.looks = [stopped(0)]
        self.used: set[str] = set()

    def client(self, service: str) -> Any:
        aws = self

        class Boto:
            def __getattr__(self, operation: str) -> Any:
                return lambda **parameters: aws.answer(service, operation, parameters)

        return Boto()

    def answer(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        from botocore.validate import validate_parameters

        model = model_of(service)
        name = next(each for each in model.operation_names if each.lower() == operation.replace("_", ""))
        validate_parameters(parameters, model.operation_model(name).input_shape)
        for need in needs(model.signing_name, "InvokeFunction" if name == "Invoke" else name, parameters, PLACE):
            self.used.add(need.action)
            if not allowed([POLICY], need):
                raise error("AccessDeniedException", name, f"{need.action} on {need.resource}")
        self.calls.append((name, parameters))
        found: dict[str, Any] = getattr(self, f"_{operation}")(parameters)
        return found

    def called(self, name: str) -> list[dict[str, Any]]:
        return [parameters for each, parameters in self.calls if each == name]

    @property
    def status(self) -> list[str]:
        return [each["status"] for each in self.called("PutLifecycleEventHookExecutionStatus")]

    def _get_deployment(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"deploymentInfo": {"applicationName": "shop-production", "revision": self.revision}}

    def _get_application_revision(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"revision": self.registered}

    def _describe_services(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"services": [{"taskSets": [{"status": "PRIMARY", "networkConfiguration": NETWORK}]}]}

    def _run_task(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"tasks": [] if self.failures else [{"taskArn": TASK}], "failures": self.failures}

    def _describe_tasks(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"tasks": [self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]]}

    def _stop_task(self, _: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _invoke(self, _: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _put_lifecycle_event_hook_execution_status(self, _: dict[str, Any]) -> dict[str, Any]:
        return {}


def stopped(code: int | None, reason: str | None = None) -> dict[str, Any]:
    own = {"name": "web"} | ({} if code is None else {"exitCode": code}) | ({"reason": reason} if reason else {})
    return {"lastStatus": "STOPPED", "containers": [own], "stoppedReason": "Essential container in task exited"}


def resolved(value: Any) -> Any:
    """Return a policy with what CloudFormation would put in."""
    if isinstance(value, dict) and "Fn::Sub" in value:
        text = str(value["Fn::Sub"])
        for name, known in (("Partition", "aws"), ("Region", "eu-west-1"), ("AccountId", "123456789012")):
            text = text.replace(f"${{AWS::{name}}}", known)
        return text
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("Ref", "Fn::GetAtt"):
        (name,) = value.values()
        return f"{ARN}:cluster/shop-production" if name == "ClusterArn" else "arn:of:something:else"
    if isinstance(value, dict):
        return {key: resolved(each) for key, each in value.items()}
    return [resolved(each) for each in value] if isinstance(value, list) else value


_, APP = bundles(**MATRIX["codedeploy"])
POLICY = resolved(properties(APP, "services", "GateFunctionRole")["Policies"][0]["PolicyDocument"])
STEPS = [
    {"name": "migrate", "command": ["migrate"], "cpu": "256", "memory": "512", "environment": [], "timeout": 60},
    {"name": "seed", "command": ["seed"], "cpu": "256", "memory": "512", "environment": [], "timeout": 60},
]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    it = Aws()
    monkeypatch.setattr(boto3, "client", it.client)
    return it


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The function as Lambda loads it."""
    monkeypatch.setenv("CLUSTER", "shop-production")
    monkeypatch.setenv("CONTAINER", "web")
    monkeypatch.setenv("STEPS", json.dumps(STEPS))
    path = resources.files("seatrial.stack.lowering") / "functions" / "gates.py"
    spec = importlib.util.spec_from_file_location("index", str(path))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    return module


def test_the_tasks_run_one_after_the_other_on_the_revision_of_the_appspec(aws: Aws, gates: ModuleType) -> None:
    aws.looks = [{"lastStatus": "PENDING", "containers": []}, stopped(0), stopped(0)]
    gates.handler(dict(EVENT), Context())
    runs = aws.called("RunTask")
    assert [each["taskDefinition"] for each in runs] == [REVISION, REVISION]
    assert [each["overrides"]["containerOverrides"][0]["command"] for each in runs] == [["migrate"], ["seed"]]
    assert [each["startedBy"] for each in runs] == ["gates/d-1/migrate", "gates/d-1/seed"]
    assert runs[0]["networkConfiguration"] == NETWORK
    assert aws.status == ["Succeeded"]


@pytest.mark.parametrize(
    ("look", "failures", "words"),
    [
        (stopped(3), [], "migrate exited with code 3"),
        (stopped(None, "CannotPullContainerError: not found"), [], "migrate did not run: CannotPullContainerError"),
        (stopped(None), [], "migrate did not run: Essential container in task exited"),
        (stopped(0), [{"reason": "RESOURCE:MEMORY"}], "ECS did not start migrate: RESOURCE:MEMORY"),
    ],
)
def test_anything_but_exit_code_0_is_failed_with_the_reason(
    aws: Aws, gates: ModuleType, look: dict[str, Any], failures: list[dict[str, str]], words: str
) -> None:
    aws.looks, aws.failures = [look], failures
    with pytest.raises(gates.GateFailed, match=words):
        gates._run("d-1", {"step": 0}, Context())
    assert len(aws.called("RunTask")) == 1
    gates.handler(dict(EVENT), Context())
    assert aws.status == ["Failed"]


def test_a_task_that_takes_longer_than_an_invocation_is_followed_by_the_next(aws: Aws, gates: ModuleType) -> None:
    aws.looks = [{"lastStatus": "RUNNING", "containers": []}]
    gates.handler(dict(EVENT), Context(100_000, 29_000))
    assert aws.status == []
    (again,) = aws.called("Invoke")
    assert (again["FunctionName"], again["InvocationType"]) == (Context.invoked_function_arn, "Event")
    aws.looks = [stopped(0)]
    gates.handler(json.loads(again["Payload"]), Context())
    assert aws.status == ["Succeeded"]
    assert len(aws.called("RunTask")) == 2  # migrate was not started again


def test_a_task_that_takes_too_long_is_stopped(
    aws: Aws, gates: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(0, 10_000, 50))
    monkeypatch.setattr(gates, "time", type("Time", (), {"time": lambda: next(now), "sleep": lambda _: None}))
    aws.looks = [{"lastStatus": "RUNNING", "containers": []}]
    gates.handler(dict(EVENT), Context())
    assert [each["task"] for each in aws.called("StopTask")] == [TASK]
    assert (aws.status, "migrate did not end within 60 s" in capsys.readouterr().out) == (["Failed"], True)


@pytest.mark.parametrize(
    "content",
    [
        SPEC,
        f"version: 0.0\nResources:\n  - TargetService:\n      Properties:\n        TaskDefinition: {REVISION}\n",
        f'version: 0.0\nResources:\n  - T:\n      Properties:\n        taskDefinition: "{REVISION}"\n',
    ],
)
def test_an_appspec_of_which_codedeploy_tells_only_the_digest(aws: Aws, gates: ModuleType, content: str) -> None:
    aws.revision = {"revisionType": "String", "string": {"sha256": "0" * 64}}
    aws.registered = {"revisionType": "String", "string": {"content": content, "sha256": "0" * 64}}
    gates.handler(dict(EVENT), Context())
    assert aws.called("RunTask")[0]["taskDefinition"] == REVISION
    assert aws.status == ["Succeeded"]


@pytest.mark.parametrize(
    ("registered", "words"),
    [
        ({"revisionType": "S3", "s3Location": {"bucket": "b"}}, "the AppSpec of d-1 cannot be read"),
        ({"revisionType": "String", "string": {"content": "version: 0.0"}}, "names no TaskDefinition"),
    ],
)
def test_an_appspec_that_cannot_be_read_fails_at_once(
    aws: Aws, gates: ModuleType, capsys: pytest.CaptureFixture[str], registered: dict[str, Any], words: str
) -> None:
    aws.revision = {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k", "bundleType": "YAML"}}
    aws.registered = registered
    gates.handler(dict(EVENT), Context())
    assert (aws.status, words in capsys.readouterr().out) == (["Failed"], True)


def test_what_the_function_is_refused_is_failed_too(
    aws: Aws, gates: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = SPEC.replace("shop-production-web", "other-production-web")
    aws.revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": spec}}
    gates.handler(dict(EVENT), Context())
    assert aws.status == ["Failed"]
    assert "ecs:RunTask on " in capsys.readouterr().out


def test_its_role_has_what_it_needs_and_no_more(aws: Aws, gates: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.revision = {"revisionType": "String", "string": {"sha256": "0" * 64}}
    aws.registered = {"revisionType": "String", "string": {"content": SPEC}}
    aws.looks = [{"lastStatus": "RUNNING", "containers": []}]
    gates.handler(dict(EVENT), Context(29_000))
    now = iter(range(0, 10_000, 50))
    monkeypatch.setattr(gates, "time", type("Time", (), {"time": lambda: next(now), "sleep": lambda _: None}))
    gates.handler(dict(EVENT), Context())
    granted = {
        action
        for each in POLICY["Statement"]
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    }
    # Its log is written by Lambda itself, and roles are passed when ECS makes the task.
    assert granted - aws.used == {"logs:CreateLogStream", "logs:PutLogEvents", "iam:PassRole"}
    assert aws.used <= granted
