"""An AWS small enough to script: ECS, SSM, ECR and the rest as far as a release calls them.

Every call is checked against botocore's service model, so a wrong parameter fails here as it would on AWS. ECS does
what the test's ``script`` says for a service: how the deployment to a revision goes, look by look.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.validate import validate_parameters

from seatrial.aws.deployments import TESTED
from seatrial.aws.session import Aws, Client
from seatrial.config.load import loads
from seatrial.stack import names
from seatrial.stack.deployments import deployment

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.config.models import Settings

ACCOUNT = "123456789012"
CALLER = f"arn:aws:iam::{ACCOUNT}:user/someone"
ARN = f"arn:aws:ecs:eu-west-1:{ACCOUNT}"
REPOSITORY = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/shop"
HELD = f"IN_PROGRESS {TESTED}"
BAKES = "IN_PROGRESS BAKE_TIME"
OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "1" * 64

TOML = """
[app]
name = "shop"
settings = "shop.settings"
[services.web]
command = ["gunicorn", "shop.wsgi", "--bind", "0.0.0.0:8000"]
port = 8000
routes = ["/*"]
health_check = "/health"
count = 2
[services.events]
role = "websocket"
command = ["daphne", "shop.asgi:application"]
port = 9000
routes = ["/ws/*"]
[services.worker]
role = "worker"
command = ["celery", "-A", "shop", "worker"]
[services.beat]
role = "scheduler"
command = ["celery", "-A", "shop", "beat"]
[tasks.migrate]
command = ["python", "manage.py", "migrate"]
gate = true
[tasks.seed]
command = ["python", "manage.py", "seed"]
[jobs.digest]
command = ["python", "manage.py", "digest"]
schedule = "cron(0 6 * * ? *)"
[environments.production]
"""


def settings_of(text: str = TOML) -> Settings:
    return loads(text, "production")


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0
        self.at_sleep: list[Callable[[], None]] = []

    def monotonic(self) -> float:
        return self.time

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.time)

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        for each in self.at_sleep:
            each()


@dataclass
class FakeService:
    name: str
    definition: str
    desired: int
    deployment: str = "ecs-svc/0"
    rollout: str = "COMPLETED"
    strategy: str = "ROLLING"
    pauses: bool = False
    created: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    #: The deployments before the primary one: definition, rollout state, running tasks.
    others: list[tuple[str, str, int]] = field(default_factory=list)


class FakeAws(Aws):
    """``script`` maps (service, ``family:revision``) to the statuses that its deployment shows, one a look.

    ``gate`` is the exit code of one-off tasks, None for one that never ends. ``broken`` maps an operation to the error
    that it answers, for as long as the predicate given with it holds. ``away`` says of a call, before it is made, what
    is raised instead; of the operations in ``lost`` the next one is done, and its answer lost.
    """

    def __init__(self, settings: Settings, clock: FakeClock, *, running: bool = True) -> None:
        super().__init__("eu-west-1", endpoint="http://fake")
        self.pace = 2.0
        self.settings = settings
        self.clock = clock
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.script: dict[tuple[str, str], list[str]] = {}
        #: The states of a deployment that is told to go back.
        self.turning = ["ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
        self.gate: int | None = 0
        self.broken: dict[str, tuple[str, Callable[[dict[str, Any]], bool]]] = {}
        self.away: Callable[[str], Exception | None] = lambda _api: None
        self.lost: set[str] = set()
        self.parameters: dict[str, str] = {}
        self.objects: dict[str, bytes] = {}
        self.images = {OLD: "old", NEW: "new"}
        self.definitions: dict[str, dict[str, Any]] = {}
        self.services: dict[str, FakeService] = {}
        self.deployments: list[dict[str, Any]] = []
        self.tasks: dict[str, dict[str, Any]] = {}
        #: What ListTasks finds of a service or a ``startedBy``: a function, since tasks come and go meanwhile.
        self.tasks_of: dict[str, Callable[[], list[dict[str, Any]]]] = {}
        #: As the infrastructure tool makes them: off.
        self.schedules = {
            f"shop-production-{unit}": {
                "Arn": "arn:x",
                "Name": f"shop-production-{unit}",
                "State": "DISABLED",
                "ScheduleExpression": job.schedule,
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {"Arn": f"{ARN}:cluster/shop-production", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{unit}"},
            }
            for unit, job in settings.jobs.items()
        }
        for unit in (*settings.services, *settings.tasks, *settings.jobs):
            arn = self._define(names.family(settings, unit), document(settings, unit, OLD, "old"))
            if unit in settings.services:
                self.add_service(unit, arn, settings.services[unit].count if running else 0)

    def add_service(self, unit: str, definition: str, count: int = 0) -> None:
        """Make a service as its settings say, at a task definition (ARN), with so many tasks."""
        how = deployment(self.settings, self.settings.services[unit])
        pauses = how.pause is not None
        self.services[unit] = FakeService(unit, definition, count, strategy=how.strategy, pauses=pauses)

    def client(self, service: str) -> Client:
        return Client(FakeBoto(self, service), self.endpoint, self.patience)

    def live(self, unit: str) -> str:
        """Return the image of the service's revision: ``old`` or ``new``."""
        definition = self.definitions[self.services[unit].definition]
        return self.images[definition["containerDefinitions"][0]["image"].rpartition("@")[2]]

    def called(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for _, name, parameters in self.calls if name == operation]

    def answer(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        model = model_of(service)
        api = next(name for name in model.operation_names if name.lower() == operation.replace("_", ""))
        validate_parameters(parameters, model.operation_model(api).input_shape)
        if (failure := self.away(api)) is not None:
            raise failure
        self.calls.append((service, api, parameters))
        if api in self.broken and self.broken[api][1](parameters):
            raise error(self.broken[api][0], api)
        answer: dict[str, Any] = getattr(self, f"_{operation}")(**parameters)
        if api in self.lost:
            self.lost.discard(api)
            raise ConnectionClosedError(endpoint_url="http://fake")
        return answer

    # STS, CloudFormation, ECR, logs, load balancing

    def _get_caller_identity(self) -> dict[str, Any]:
        return {"Account": ACCOUNT, "Arn": CALLER}

    def _describe_stacks(self, **_: Any) -> dict[str, Any]:
        outputs = {
            "ClusterName": "shop-production",
            "RepositoryUri": REPOSITORY,
            "TaskSubnets": "subnet-1,subnet-2",
            "TaskSecurityGroup": "sg-1",
            "AssignPublicIp": "ENABLED",
            "Url": "https://shop.example",
            "TestUrl": "https://shop.example:9443",
            "TestAddress": "lb.example:9443",
        }
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        name = _["StackName"]
        return {"Stacks": [{"StackId": name, "StackName": name, "StackStatus": "CREATE_COMPLETE", "Outputs": listed}]}

    def _describe_images(self, imageIds: list[dict[str, str]], **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's name
        wanted = imageIds[0]
        for digest, tag in self.images.items():
            if wanted in ({"imageTag": tag}, {"imageDigest": digest}):
                return {"imageDetails": [{"imageDigest": digest, "imageTags": [tag]}]}
        raise error("ImageNotFoundException", "DescribeImages")

    def _get_authorization_token(self) -> dict[str, Any]:
        return {"authorizationData": [{"authorizationToken": base64.b64encode(b"AWS:secret").decode()}]}

    def _get_log_events(self, logStreamName: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        at = int(self.clock.now().timestamp() * 1000)
        text = f"KeyError: 'THING' in {logStreamName}"
        return {"events": [{"timestamp": at, "message": text}] if "limit" in _ else []}

    def _describe_target_health(self, **_: Any) -> dict[str, Any]:
        return {"TargetHealthDescriptions": []}

    # EventBridge Scheduler

    def _get_schedule(self, Name: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        if Name not in self.schedules:
            raise error("ResourceNotFoundException", "GetSchedule")
        return self.schedules[Name]

    def _update_schedule(self, Name: str, **schedule: Any) -> dict[str, Any]:  # noqa: N803
        self.schedules[Name] = {"Name": Name, "Arn": f"arn:{Name}", **schedule}
        return {"ScheduleArn": f"arn:{Name}"}

    # S3

    def _put_object(self, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.objects[Key] = Body
        return {}

    # SSM

    def _put_parameter(self, Name: str, Value: str, Overwrite: bool, **_: Any) -> dict[str, Any]:  # noqa: N803
        if Name in self.parameters and not Overwrite:
            raise error("ParameterAlreadyExists", "PutParameter")
        assert len(Value.encode()) <= 4096
        self.parameters[Name] = Value
        return {}

    def _get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803
        if Name not in self.parameters:
            raise error("ParameterNotFound", "GetParameter")
        return {"Parameter": {"Name": Name, "Value": self.parameters[Name]}}

    def _get_parameters(self, Names: list[str]) -> dict[str, Any]:  # noqa: N803
        assert len(Names) <= 10
        return {"Parameters": [{"Name": n, "Value": self.parameters[n]} for n in Names if n in self.parameters]}

    def _delete_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803
        if self.parameters.pop(Name, None) is None:
            raise error("ParameterNotFound", "DeleteParameter")
        return {}

    # ECS

    def _define(self, family: str, definition: dict[str, Any]) -> str:
        number = 1 + sum(each["family"] == family for each in self.definitions.values())
        arn = f"{ARN}:task-definition/{family}:{number}"
        self.definitions[arn] = {
            **definition,
            "family": family,
            "revision": number,
            "status": "ACTIVE",
            "taskDefinitionArn": arn,
            "volumes": [],
        }
        return arn

    def _describe_task_definition(self, taskDefinition: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        exact = [d for arn, d in self.definitions.items() if taskDefinition in (arn, arn.rpartition("/")[2])]
        family = [d for d in self.definitions.values() if d["family"] == taskDefinition and d["status"] == "ACTIVE"]
        if not exact and not family:
            raise error("ClientException", "DescribeTaskDefinition", "Unable to describe task definition.")
        return {"taskDefinition": (exact or family)[-1], "tags": [{"key": "aws:x", "value": "1"}]}

    def _register_task_definition(self, family: str, **definition: Any) -> dict[str, Any]:
        return {"taskDefinition": self.definitions[self._define(family, definition)]}

    def _describe_services(self, services: list[str], **_: Any) -> dict[str, Any]:
        return {"services": [self._shown(self.services[name]) for name in services if name in self.services]}

    def _update_service(self, service: str, taskDefinition: str, **more: Any) -> dict[str, Any]:  # noqa: N803
        it = self.services[service]
        it.desired = more.get("desiredCount", it.desired)
        previous = it.definition
        number = len(self.deployments) + 1
        name = taskDefinition.rpartition("/")[2]
        if previous != taskDefinition or more.get("forceNewDeployment"):
            for each in self.deployments:
                if each["service"] == service and each["status"] in ("PENDING", "IN_PROGRESS", "ROLLBACK_REQUESTED"):
                    each["status"] = "STOPPED"
            it.definition, it.deployment, it.rollout = taskDefinition, f"ecs-svc/{number}", "IN_PROGRESS"
            it.created = self.clock.now()
            script = list(self.script.get((service, name), usual(it)))
            self.deployments.append(
                {
                    "service": service,
                    "arn": f"{ARN}:service-deployment/shop-production/{service}/{number}",
                    "revision": f"{ARN}:service-revision/shop-production/{service}/{number}",
                    "definition": taskDefinition,
                    "previous": next((each for each, state, _ in it.others if state == "COMPLETED"), previous),
                    "created": it.created,
                    "status": "PENDING",
                    "stage": None,
                    "held": False,
                    "script": script,
                }
            )
        return {"service": self._shown(it)}

    def _shown(self, it: FakeService) -> dict[str, Any]:
        primary = {
            "id": it.deployment,
            "status": "PRIMARY",
            "taskDefinition": it.definition,
            "rolloutState": it.rollout,
            "createdAt": it.created,
        }
        return {
            "serviceName": it.name,
            "serviceArn": f"{ARN}:service/shop-production/{it.name}",
            "status": "ACTIVE",
            "taskDefinition": it.definition,
            "desiredCount": it.desired,
            "runningCount": it.desired,
            "deployments": [
                primary,
                *(
                    {
                        "id": f"ecs-svc/before-{number}",
                        "status": "ACTIVE",
                        "taskDefinition": definition,
                        "rolloutState": state,
                        "runningCount": running,
                    }
                    for number, (definition, state, running) in enumerate(it.others)
                ),
            ],
            "deploymentConfiguration": {
                "strategy": it.strategy,
                "lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": [TESTED]}] if it.pauses else [],
            },
        }

    def _list_service_deployments(self, service: str, **_: Any) -> dict[str, Any]:
        return {"serviceDeployments": [self._deployment(d) for d in self.deployments if d["service"] == service]}

    def _describe_service_deployments(self, serviceDeploymentArns: list[str]) -> dict[str, Any]:  # noqa: N803
        found = [d for d in self.deployments if d["arn"] in serviceDeploymentArns]
        for each in found:
            if each["script"] and each["status"] != "STOPPED" and not each["held"]:
                self._moves(each, each["script"].pop(0))
        return {"serviceDeployments": [self._deployment(each) for each in found]}

    def _moves(self, deployment: dict[str, Any], status: str) -> None:
        service = self.services[deployment["service"]]
        if status == "SOMEBODY ELSE":
            other = self._define("other", {"containerDefinitions": []})
            self._update_service(deployment["service"], other)
            return
        if status == "STALLED":
            service.rollout = "FAILED"
            return
        deployment["held"] = status == HELD and service.pauses
        status, _, stage = status.partition(" ")
        deployment["status"], deployment["stage"] = status, stage or None
        if status == "SUCCESSFUL":
            service.rollout = "COMPLETED"
        elif status.startswith("ROLLBACK") and status != "ROLLBACK_REQUESTED":
            service.definition, service.rollout = deployment["previous"], "COMPLETED"

    def _deployment(self, each: dict[str, Any]) -> dict[str, Any]:
        stage = {"lifecycleStage": each["stage"]} if each["stage"] else {}
        hook = {"hookId": "ecs-pause-1", "targetType": "PAUSE", "status": "AWAITING_ACTION"}
        return stage | {
            "lifecycleHookDetails": [hook] if each["held"] else [],
            "serviceDeploymentArn": each["arn"],
            "targetServiceRevisionArn": each["revision"],
            "targetServiceRevision": {"arn": each["revision"]},
            "sourceServiceRevisions": [{"arn": f"{each['revision']}-before"}],
            "status": each["status"],
            "createdAt": each["created"],
        }

    def _describe_service_revisions(self, serviceRevisionArns: list[str]) -> dict[str, Any]:  # noqa: N803
        known = {d["revision"]: d["definition"] for d in self.deployments}
        known |= {f"{d['revision']}-before": d["previous"] for d in self.deployments}
        found = {arn: known[arn] for arn in serviceRevisionArns if arn in known}
        return {
            "serviceRevisions": [{"serviceRevisionArn": arn, "taskDefinition": each} for arn, each in found.items()]
        }

    def _stop_service_deployment(self, serviceDeploymentArn: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        each = next(d for d in self.deployments if d["arn"] == serviceDeploymentArn)
        if each["status"].startswith("ROLLBACK"):
            raise error("ConflictException", "StopServiceDeployment", "The service deployment is already rolled back.")
        each["status"] = "ROLLBACK_REQUESTED"
        each["held"] = False  # and ECS takes a moment to turn around
        each["script"] = list(self.turning)
        return {"serviceDeploymentArn": serviceDeploymentArn}

    def _continue_service_deployment(self, serviceDeploymentArn: str, hookId: str, action: str) -> dict[str, Any]:  # noqa: N803
        each = next(d for d in self.deployments if d["arn"] == serviceDeploymentArn)
        assert hookId == "ecs-pause-1"
        if not each["held"]:
            raise error("InvalidParameterException", "ContinueServiceDeployment", "Provided hookId is completed")
        each["held"] = False
        if action == "ROLLBACK":  # ECS takes a moment to say so
            each["script"] = ["IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
        return {"serviceDeploymentArn": serviceDeploymentArn}

    def _list_tasks(self, desiredStatus: str, serviceName: str = "", startedBy: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803
        found = self.tasks_of.get(serviceName or startedBy, list)()
        self.tasks.update({each["taskArn"]: each for each in found})
        return {"taskArns": [each["taskArn"] for each in found if each["desiredStatus"] == desiredStatus]}

    def _describe_tasks(self, tasks: list[str], **_: Any) -> dict[str, Any]:
        for arn in tasks:
            if "group" in self.tasks[arn]:
                continue  # a service's task is as the test says
            if self.gate is not None or self.tasks[arn]["desiredStatus"] == "STOPPED":
                code = {"exitCode": self.gate} if self.gate is not None and self.gate >= 0 else {}
                container = self.tasks[arn]["containers"][0] | code | {"lastStatus": "STOPPED"}
                self.tasks[arn] |= {"lastStatus": "STOPPED", "containers": [container]}
        return {"tasks": [self.tasks[arn] for arn in tasks]}

    def _run_task(self, taskDefinition: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        arn = f"{ARN}:task/shop-production/{len(self.tasks):032d}"
        unit = taskDefinition.rpartition("/")[2].partition(":")[0].removeprefix("shop-production-")
        self.tasks[arn] = {
            "taskArn": arn,
            "taskDefinitionArn": taskDefinition,
            "lastStatus": "RUNNING",
            "desiredStatus": "RUNNING",
            "containers": [{"name": unit}],
        }
        return {"tasks": [self.tasks[arn]]}

    def _stop_task(self, task: str, **_: Any) -> dict[str, Any]:
        self.tasks[task]["desiredStatus"] = "STOPPED"
        return {}


class FakeBoto:
    """What a boto3 client is to :class:`~seatrial.aws.session.Client`."""

    def __init__(self, aws: FakeAws, service: str) -> None:
        self._aws = aws
        self._service = service

        class Meta:
            service_model = model_of(service)
            method_to_api_mapping: dict[str, str] = {}  # noqa: RUF012 - never changed

        self.meta = Meta

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        return lambda **parameters: self._aws.answer(self._service, operation, parameters)

    def get_paginator(self, operation: str) -> Any:
        call = getattr(self, operation)

        class Paginator:
            def paginate(self, **parameters: Any) -> list[dict[str, Any]]:
                return [call(**parameters)]

        return Paginator()


def usual(service: FakeService) -> list[str]:
    """Return how a deployment goes where the test says nothing."""
    if service.strategy == "ROLLING":
        return ["SUCCESSFUL"]
    return ["PENDING", "IN_PROGRESS SCALE_UP", HELD, "IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT", BAKES, "SUCCESSFUL"]


@cache
def model_of(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def error(code: str, operation: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def document(settings: Settings, unit: str, digest: str, version: str) -> dict[str, Any]:
    """Return a task definition as a release of ``version`` wrote it."""
    return {
        "family": names.family(settings, unit),
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/execution",
        "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/task",
        "containerDefinitions": [
            {
                "name": unit,
                "image": f"{REPOSITORY}@{digest}",
                "environment": [{"name": "SEATRIAL_VERSION", "value": version}, {"name": "A", "value": "1"}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {"awslogs-group": names.log_group(settings, unit), "awslogs-stream-prefix": "ecs"},
                },
            }
        ],
    }
