"""ECS: services, their deployments, tasks and task definitions, as far as a release uses them.

Limits of one call are those of the API reference: DescribeServices takes 10 services, DescribeTasks 100 tasks,
DescribeServiceDeployments and DescribeServiceRevisions 20 ARNs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seatrial.aws.deployments import brief, service_deployment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from seatrial.aws.deployments import ServiceDeployment
    from seatrial.aws.session import Aws

#: The deployment controller of a service that CodeDeploy deploys.
CODE_DEPLOY = "CODE_DEPLOY"


@dataclass(frozen=True)
class Deployment:
    """One entry of a service's ``deployments[]``. ``status`` is PRIMARY, ACTIVE or INACTIVE."""

    id: str
    status: str
    task_definition: str
    desired: int
    running: int
    pending: int
    failed: int
    rollout_state: str | None
    reason: str | None
    created_at: datetime | None


@dataclass(frozen=True)
class ServiceEvent:
    """One line that ECS wrote about a service."""

    id: str
    at: datetime
    message: str


@dataclass(frozen=True)
class Attachment:
    """A target group that a service keeps its tasks registered in.

    ``alternate`` is the other one of a service whose deployments shift traffic between two, and ``production_rule``
    the listener rule that does it (``advancedConfiguration``).
    """

    target_group: str
    container: str
    port: int
    alternate: str | None = None
    production_rule: str | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """The target groups that its tasks may be in."""
        return (self.target_group, self.alternate) if self.alternate else (self.target_group,)


@dataclass(frozen=True)
class TaskSet:
    """One entry of a service's ``taskSets[]``, where CodeDeploy deploys it. ``status``: PRIMARY, ACTIVE or DRAINING.

    ``deployment`` is the id of the deployment that made it (ECS API reference, TaskSet: externalId).
    """

    status: str
    task_definition: str
    stable: bool
    deployment: str | None = None


@dataclass(frozen=True)
class Service:
    """A service as DescribeServices and UpdateService answer it. Newest event first, as ECS gives them.

    ``minimum_healthy`` is the percentage of the desired count below which a deployment never goes. ``strategy`` is
    ROLLING, BLUE_GREEN, LINEAR or CANARY; ``pauses`` are the stages at which a PAUSE hook holds deployments. One that
    CodeDeploy deploys (``controller``) has ``task_sets`` and no deployments.
    """

    name: str
    arn: str
    status: str
    task_definition: str
    desired: int
    running: int
    pending: int
    deployments: tuple[Deployment, ...]
    events: tuple[ServiceEvent, ...]
    attachments: tuple[Attachment, ...]
    controller: str
    minimum_healthy: int
    strategy: str = "ROLLING"
    pauses: tuple[str, ...] = ()
    task_sets: tuple[TaskSet, ...] = ()

    @property
    def moving(self) -> bool:
        """Whether a deployment is under way, or tasks of one before are still ending."""
        if self.task_sets:
            return len(self.task_sets) > 1
        return len(self.deployments) > 1 or any(each.rollout_state == "IN_PROGRESS" for each in self.deployments)

    @property
    def rollout(self) -> str | None:
        """The state of what is to run: COMPLETED, IN_PROGRESS or FAILED; None where ECS does not say."""
        if self.task_sets:
            return "IN_PROGRESS" if self.moving or not self.task_sets[0].stable else "COMPLETED"
        return self.primary.rollout_state if self.primary else None

    @property
    def shifts(self) -> bool:
        """Whether its deployments start beside what serves and move traffic."""
        return self.strategy != "ROLLING"

    @property
    def primary(self) -> Deployment | None:
        """The deployment that ECS is working towards."""
        return next((each for each in self.deployments if each.status == "PRIMARY"), None)


@dataclass(frozen=True)
class Container:
    """One container of a task. ``exit_code`` is None if it never ran or has not ended."""

    name: str
    status: str
    exit_code: int | None
    reason: str | None
    health: str | None


@dataclass(frozen=True)
class Task:
    """A task. ``address`` is its private IPv4 address once its network interface is attached.

    ``exec`` says whether it was started with ECS Exec enabled.
    """

    arn: str
    task_definition: str
    status: str
    desired_status: str
    started_by: str | None
    containers: tuple[Container, ...]
    stop_code: str | None
    stopped_reason: str | None
    address: str | None
    health: str | None
    created_at: datetime | None = None
    exec: bool = False
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def id(self) -> str:
        """The last part of the ARN, as consoles and log streams show it."""
        return self.arn.rsplit("/", 1)[-1]

    def container(self, name: str) -> Container | None:
        """Return the container called ``name``."""
        return next((each for each in self.containers if each.name == name), None)


@dataclass(frozen=True)
class TaskDefinition:
    """A revision. ``document`` is what DescribeTaskDefinition answered, fields unknown to us included."""

    arn: str
    document: Mapping[str, Any]
    tags: tuple[Mapping[str, str], ...]

    @property
    def name(self) -> str:
        """``family:revision``."""
        return revision_name(self.arn)


@dataclass(frozen=True)
class Failure:
    """Why ECS did not start a task (``failures[]`` of RunTask)."""

    reason: str
    detail: str | None


class Ecs:
    """The calls on one cluster."""

    def __init__(self, aws: Aws, cluster: str) -> None:
        self._client = aws.client("ecs")
        self.cluster = cluster

    def services(self, names: Sequence[str]) -> dict[str, Service]:
        """Return the services that exist, by name. Raises NotFound if the cluster does not."""
        found: dict[str, Service] = {}
        for some in _groups(names, 10):
            answer = self._client.describe_services(cluster=self.cluster, services=list(some))
            # One that was deleted is still answered for a while, without most of what a service has.
            there = (each for each in answer.get("services", ()) if each.get("status") != "INACTIVE")
            found |= {each["serviceName"]: _service(each) for each in there}
        return found

    def update_service(
        self, name: str, task_definition: str, *, desired: int | None = None, force: bool = False
    ) -> Service:
        """Ask for a revision. Returns the service right after.

        ``desired`` only where the count is ours to set. ``force`` makes a deployment of a revision that is live.
        """
        more: dict[str, Any] = {} if desired is None else {"desiredCount": desired}
        if force:
            more["forceNewDeployment"] = True
        answer = self._client.update_service(cluster=self.cluster, service=name, taskDefinition=task_definition, **more)
        return _service(answer["service"])

    def scale(self, name: str, desired: int) -> None:
        """Set how many tasks a service has, and nothing else."""
        self._client.update_service(cluster=self.cluster, service=name, desiredCount=desired)

    def service_deployments(self, service: str, *, since: datetime) -> list[ServiceDeployment]:
        """Return the service's deployments created at or after ``since``, oldest first."""
        pages = _pages(
            self._client.list_service_deployments,
            "serviceDeployments",
            cluster=self.cluster,
            service=service,
            createdAt={"after": since},
        )
        found = [brief(each) for each in pages]
        return sorted(found, key=lambda each: (each.created_at is not None, each.created_at))

    def describe_deployments(self, arns: Sequence[str]) -> dict[str, ServiceDeployment]:
        """Return the service deployments by ARN."""
        found: dict[str, ServiceDeployment] = {}
        for some in _groups(arns, 20):
            answer = self._client.describe_service_deployments(serviceDeploymentArns=list(some))
            found |= {
                each["serviceDeploymentArn"]: service_deployment(each) for each in answer.get("serviceDeployments", ())
            }
        return found

    def revision_task_definitions(self, arns: Sequence[str]) -> dict[str, str]:
        """Return the task definition of each service revision."""
        found: dict[str, str] = {}
        for some in _groups(arns, 20):
            answer = self._client.describe_service_revisions(serviceRevisionArns=list(some))
            found |= {each["serviceRevisionArn"]: each["taskDefinition"] for each in answer.get("serviceRevisions", ())}
        return found

    def roll_back_deployment(self, arn: str) -> None:
        """Ask ECS to take a running service deployment back to the revision before it (StopServiceDeployment)."""
        self._client.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")

    def answer_hook(self, arn: str, hook: str, *, go_on: bool) -> None:
        """Let a service deployment that a PAUSE hook holds go on, or roll it back (ContinueServiceDeployment)."""
        action = "CONTINUE" if go_on else "ROLLBACK"
        self._client.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook, action=action)

    def tasks_of(self, service: str) -> list[Task]:
        """Return the service's tasks, and those that stopped within the last hour (ECS forgets older ones)."""
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in self._client.pages(
                "list_tasks", "taskArns", cluster=self.cluster, serviceName=service, desiredStatus=status
            )
        ]
        return self.tasks(list(dict.fromkeys(arns)))

    def tasks_started_by(self, origin: str) -> list[Task]:
        """Return the one-off tasks that were started with this ``startedBy``, those that ended lately too."""
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in self._client.pages(
                "list_tasks", "taskArns", cluster=self.cluster, startedBy=origin, desiredStatus=status
            )
        ]
        return self.tasks(list(dict.fromkeys(arns)))

    def tasks(self, arns: Sequence[str]) -> list[Task]:
        """Return the tasks that ECS still knows."""
        found: list[Task] = []
        for some in _groups(arns, 100):
            answer = self._client.describe_tasks(cluster=self.cluster, tasks=list(some))
            found += [_task(each) for each in answer.get("tasks", ())]
        return found

    def run_task(
        self,
        task_definition: str,
        *,
        network: Mapping[str, Any],
        started_by: str,
        token: str,
        overrides: Sequence[Mapping[str, Any]] = (),
    ) -> tuple[Task | None, tuple[Failure, ...]]:
        """Start one task on Fargate. ``token`` makes a repeated call start nothing new (clientToken, 64 characters)."""
        answer = self._client.run_task(
            cluster=self.cluster,
            taskDefinition=task_definition,
            count=1,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": dict(network)},
            startedBy=started_by,
            clientToken=token,
            **({"overrides": {"containerOverrides": [dict(each) for each in overrides]}} if overrides else {}),
        )
        tasks = answer.get("tasks", [])
        failures = tuple(
            Failure(each.get("reason", "unknown"), each.get("detail")) for each in answer.get("failures", ())
        )
        return (_task(tasks[0]) if tasks else None), failures

    def stop_task(self, arn: str, reason: str) -> None:
        """Stop a task; ``reason`` shows as its stoppedReason."""
        self._client.stop_task(cluster=self.cluster, task=arn, reason=reason)

    def execute_command(self, task: str, container: str, command: str) -> tuple[str, str]:
        """Have a command started in a container of a running task; return the address and token of its data channel.

        ``command`` is split as a shell would, and run without one.
        """
        answer = self._client.execute_command(
            cluster=self.cluster, task=task, container=container, command=command, interactive=True
        )
        return answer["session"]["streamUrl"], answer["session"]["tokenValue"]

    def task_definition(self, name: str) -> TaskDefinition:
        """Return a revision (``family:12`` or ARN), or a family's latest ACTIVE one. Raises NotFound."""
        answer = self._client.describe_task_definition(taskDefinition=name, include=["TAGS"])
        return _task_definition(answer)

    def register(self, document: Mapping[str, Any], tags: Sequence[Mapping[str, str]]) -> TaskDefinition:
        """Register a revision."""
        more = {"tags": [dict(tag) for tag in tags]} if tags else {}
        return _task_definition(self._client.register_task_definition(**document, **more))


def revision_name(arn: str) -> str:
    """Return ``family:revision`` of a task definition's ARN."""
    return arn.rsplit("/", 1)[-1]


def _groups(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _pages(call: Any, key: str, **parameters: Any) -> Iterator[Any]:
    """Walk an operation that botocore has no paginator for."""
    token: str | None = None
    while True:
        answer = call(**parameters, **({"nextToken": token} if token else {}))
        yield from answer.get(key, ())
        token = answer.get("nextToken")
        if not token:
            return


def _service(raw: Mapping[str, Any]) -> Service:
    configuration = raw.get("deploymentConfiguration", {})
    # DescribeServices shows what the PRIMARY task set has; the others are there for so long as CodeDeploy deploys.
    sets = sorted(raw.get("taskSets", ()), key=lambda each: each.get("status") != "PRIMARY")
    return Service(
        name=raw["serviceName"],
        arn=raw["serviceArn"],
        status=raw.get("status", "ACTIVE"),
        task_definition=sets[0]["taskDefinition"] if sets else raw.get("taskDefinition", ""),
        desired=raw.get("desiredCount", 0),
        running=raw.get("runningCount", 0),
        pending=raw.get("pendingCount", 0),
        deployments=tuple(map(_deployment, raw.get("deployments", ()))),
        events=tuple(ServiceEvent(each["id"], each["createdAt"], each["message"]) for each in raw.get("events", ())),
        attachments=_attachments(raw, sets),
        controller=raw.get("deploymentController", {}).get("type", "ECS"),
        minimum_healthy=configuration.get("minimumHealthyPercent", 100),
        strategy=configuration.get("strategy", "ROLLING"),
        pauses=tuple(
            stage
            for hook in configuration.get("lifecycleHooks", ())
            if hook.get("targetType") == "PAUSE"
            for stage in hook.get("lifecycleStages", ())
        ),
        task_sets=tuple(
            TaskSet(
                each.get("status", ""),
                each["taskDefinition"],
                each.get("stabilityStatus") == "STEADY_STATE",
                each.get("externalId"),
            )
            for each in sets
        ),
    )


def _attachments(raw: Mapping[str, Any], sets: Sequence[Mapping[str, Any]]) -> tuple[Attachment, ...]:
    """Return where the service's tasks are registered. Of two task sets each has a target group of its own."""
    found = [_attachment(each) for each in raw.get("loadBalancers", ()) if each.get("targetGroupArn")]
    if not sets:
        return tuple(found)
    each_set = [_attachment(each) for one in sets for each in one.get("loadBalancers", ()) if "targetGroupArn" in each]
    groups = list(dict.fromkeys(each.target_group for each in each_set))
    return tuple(replace(each, alternate=next(iter(groups[1:]), None)) for each in (each_set or found)[:1])


def _attachment(raw: Mapping[str, Any]) -> Attachment:
    advanced = raw.get("advancedConfiguration", {})
    return Attachment(
        target_group=raw["targetGroupArn"],
        container=raw.get("containerName", ""),
        port=raw.get("containerPort", 0),
        alternate=advanced.get("alternateTargetGroupArn"),
        production_rule=advanced.get("productionListenerRule"),
    )


def _deployment(raw: Mapping[str, Any]) -> Deployment:
    return Deployment(
        id=raw["id"],
        status=raw["status"],
        task_definition=raw["taskDefinition"],
        desired=raw.get("desiredCount", 0),
        running=raw.get("runningCount", 0),
        pending=raw.get("pendingCount", 0),
        failed=raw.get("failedTasks", 0),
        rollout_state=raw.get("rolloutState"),
        reason=raw.get("rolloutStateReason"),
        created_at=raw.get("createdAt"),
    )


def _task(raw: Mapping[str, Any]) -> Task:
    return Task(
        arn=raw["taskArn"],
        task_definition=raw.get("taskDefinitionArn", ""),
        status=raw.get("lastStatus", "PROVISIONING"),
        desired_status=raw.get("desiredStatus", "RUNNING"),
        started_by=raw.get("startedBy"),
        containers=tuple(map(_container, raw.get("containers", ()))),
        stop_code=raw.get("stopCode"),
        stopped_reason=raw.get("stoppedReason"),
        address=_address(raw),
        health=raw.get("healthStatus"),
        created_at=raw.get("createdAt"),
        exec=raw.get("enableExecuteCommand", False),
        started_at=raw.get("startedAt"),
        stopping_at=raw.get("stoppingAt"),
        stopped_at=raw.get("stoppedAt"),
    )


def _container(raw: Mapping[str, Any]) -> Container:
    return Container(
        name=raw.get("name", ""),
        status=raw.get("lastStatus", "PENDING"),
        exit_code=raw.get("exitCode"),
        reason=raw.get("reason"),
        health=raw.get("healthStatus"),
    )


def _address(raw: Mapping[str, Any]) -> str | None:
    details = (detail for each in raw.get("attachments", ()) for detail in each.get("details", ()))
    return next((str(each["value"]) for each in details if each.get("name") == "privateIPv4Address"), None)


def _task_definition(answer: Mapping[str, Any]) -> TaskDefinition:
    document = answer["taskDefinition"]
    return TaskDefinition(document["taskDefinitionArn"], document, tuple(answer.get("tags", ())))
