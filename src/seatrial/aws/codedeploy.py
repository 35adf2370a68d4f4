"""CodeDeploy: deployments to Amazon ECS, as far as a release uses them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.aws.session import Aws

#: Statuses of a deployment that has not ended (CodeDeploy API reference, DeploymentInfo.status).
UNDER_WAY = ("Created", "Queued", "InProgress", "Baking", "Ready")
#: Moves traffic at once, whatever the deployment group says.
ALL_AT_ONCE = "CodeDeployDefault.ECSAllAtOnce"


@dataclass(frozen=True)
class LifecycleEvent:
    """A lifecycle event of a deployment: ``status`` is Pending, InProgress, Succeeded, Failed, Skipped or Unknown."""

    name: str
    status: str
    message: str | None


@dataclass(frozen=True)
class TaskSetInfo:
    """A task set in a deployment. ``label`` is Blue or Green, ``traffic`` its percentage of users' requests."""

    label: str
    running: int
    desired: int
    traffic: float


@dataclass(frozen=True)
class Deployment:
    """A deployment, the one thing whose end is the truth about a release.

    ``error`` is its error code, ``message`` the sentence with it; ``rollback`` is the id of the deployment that takes
    it back. ``waits_for_end``: all traffic has moved, and the old tasks' time is running. ``events`` and ``sets`` are
    empty before it has started. ``why`` is what whoever began it wrote.
    """

    id: str
    status: str
    error: str | None
    message: str | None
    rollback: str | None
    waits_for_end: bool
    events: tuple[LifecycleEvent, ...] = ()
    sets: tuple[TaskSetInfo, ...] = ()
    why: str = ""

    @property
    def under_way(self) -> bool:
        """Whether it has not ended."""
        return self.status in UNDER_WAY

    @property
    def stage(self) -> str | None:
        """Where it stands: a wait, the lifecycle event that goes on, or the one that failed."""
        if self.status == "Ready":
            return "READY_WAIT"
        if self.waits_for_end and self.under_way:
            return "TERMINATION_WAIT"
        return next((each.name for each in self.events if each.status in ("InProgress", "Failed")), None)

    @property
    def failed_event(self) -> LifecycleEvent | None:
        """The lifecycle event that failed."""
        return next((each for each in self.events if each.status == "Failed"), None)

    @property
    def shifted(self) -> bool:
        """Whether all events are over: users see the new version, and every hook has agreed."""
        return bool(self.events) and all(each.status in ("Succeeded", "Skipped") for each in self.events)

    @property
    def green(self) -> TaskSetInfo | None:
        """The new task set."""
        return next((each for each in self.sets if each.label == "Green"), None)


@dataclass(frozen=True)
class DeploymentGroup:
    """What a service is deployed with: names of two target groups, and the listener by whose rules traffic moves.

    ``pauses``: traffic waits to be moved until somebody says so. ``under_way`` is the id of a deployment that has not
    ended.
    """

    primary: str
    alternate: str
    listener: str
    pauses: bool
    under_way: str | None


class CodeDeploy:
    """The calls on one application."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    @property
    def _client(self) -> Any:
        return self._aws.client("codedeploy")

    def create(self, application: str, group: str, appspec: Mapping[str, Any], *, at_once: bool, why: str) -> str:
        """Begin a deployment and return its id. ``at_once`` moves all traffic in one step, whatever the group says."""
        content = json.dumps(appspec)
        digest = hashlib.sha256(content.encode()).hexdigest()
        answer = self._client.create_deployment(
            applicationName=application,
            deploymentGroupName=group,
            description=why,
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content, "sha256": digest}},
            **({"deploymentConfigName": ALL_AT_ONCE} if at_once else {}),
        )
        return str(answer["deploymentId"])

    def deployment(self, identifier: str, cluster: str, service: str) -> Deployment:
        """Return a deployment to a service, with its target as far as it has begun."""
        raw = self._client.get_deployment(deploymentId=identifier)["deploymentInfo"]
        target: Mapping[str, Any] = {}
        if raw["status"] != "Created":
            try:
                answer = self._client.get_deployment_target(deploymentId=identifier, targetId=f"{cluster}:{service}")
                target = answer["deploymentTarget"].get("ecsTarget", {})
            except AwsError as error:
                if error.code not in ("DeploymentNotStartedException", "DeploymentTargetDoesNotExistException"):
                    raise
        return _deployment(raw, target)

    def under_way(self, application: str, group: str) -> str | None:
        """Return the id of the deployment of a group that has not ended."""
        answer = self._client.list_deployments(
            applicationName=application, deploymentGroupName=group, includeOnlyStatuses=list(UNDER_WAY)
        )
        return next(iter(answer.get("deployments", ())), None)

    def stop(self, identifier: str, *, roll_back: bool) -> None:
        """Stop a deployment, and have CodeDeploy take it back or leave all as it is."""
        self._client.stop_deployment(deploymentId=identifier, autoRollbackEnabled=roll_back)

    def go_on(self, identifier: str, wait: str) -> None:
        """End a wait: READY_WAIT moves the traffic, TERMINATION_WAIT ends the old tasks."""
        self._client.continue_deployment(deploymentId=identifier, deploymentWaitType=wait)

    def group(self, application: str, name: str) -> DeploymentGroup:
        """Return a deployment group. Raises NotFound."""
        answer = self._client.get_deployment_group(applicationName=application, deploymentGroupName=name)
        found = answer["deploymentGroupInfo"]
        pair = found["loadBalancerInfo"]["targetGroupPairInfoList"][0]
        primary, alternate = (str(each["name"]) for each in pair["targetGroups"])
        ready = found.get("blueGreenDeploymentConfiguration", {}).get("deploymentReadyOption", {})
        return DeploymentGroup(
            primary,
            alternate,
            str(pair["prodTrafficRoute"]["listenerArns"][0]),
            ready.get("actionOnTimeout") == "STOP_DEPLOYMENT",
            self.under_way(application, name),
        )


def appspec(definition: str, container: str, port: int, hooks: Mapping[str, str]) -> dict[str, Any]:
    """Return the AppSpec of a deployment to ECS ("AppSpec file structure for Amazon ECS deployments", user guide)."""
    properties = {
        "TaskDefinition": definition,
        "LoadBalancerInfo": {"ContainerName": container, "ContainerPort": port},
    }
    document: dict[str, Any] = {
        "version": 0.0,
        "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}],
    }
    if hooks:
        document["Hooks"] = [{event: function} for event, function in hooks.items()]
    return document


def _deployment(raw: Mapping[str, Any], target: Mapping[str, Any]) -> Deployment:
    error = raw.get("errorInformation", {})
    return Deployment(
        id=raw["deploymentId"],
        status=raw["status"],
        error=error.get("code"),
        message=error.get("message"),
        rollback=raw.get("rollbackInfo", {}).get("rollbackDeploymentId"),
        waits_for_end=bool(raw.get("instanceTerminationWaitTimeStarted")),
        events=tuple(
            LifecycleEvent(
                each["lifecycleEventName"], each.get("status", "Pending"), each.get("diagnostics", {}).get("message")
            )
            for each in target.get("lifecycleEvents", ())
        ),
        sets=tuple(
            TaskSetInfo(
                each.get("taskSetLabel", ""),
                each.get("runningCount", 0),
                each.get("desiredCount", 0),
                each.get("trafficWeight", 0.0),
            )
            for each in target.get("taskSetsInfo", ())
        ),
        why=raw.get("description", ""),
    )
