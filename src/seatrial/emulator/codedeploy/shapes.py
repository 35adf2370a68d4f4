"""The model in the shapes of AWS's answers (botocore's CodeDeploy service model). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial.emulator.codedeploy.model import Application, Deployment, EventRecord, Group
    from seatrial.emulator.ecs.task_sets import TaskSetView

#: Where a deployment's one target is counted and shown, by the deployment's status.
_OVERVIEW = {"Created": "Pending", "Queued": "Pending", "Stopped": "Failed"}


def application_shape(application: Application) -> dict[str, Any]:
    """``ApplicationInfo``."""
    return {
        "applicationId": application.id,
        "applicationName": application.name,
        "createTime": application.created_at,
        "linkedToGitHub": False,
        "computePlatform": application.platform,
    }


def group_shape(group: Group) -> dict[str, Any]:
    """``DeploymentGroupInfo``."""
    empty = {"alarmConfiguration": {"enabled": False, "alarms": []}, "autoRollbackConfiguration": {"enabled": False}}
    lists = ("triggerConfigurations", "ec2TagFilters", "onPremisesInstanceTagFilters", "autoScalingGroups")
    return _without_none(
        {
            **empty,
            **{name: [] for name in lists},
            **group.settings,
            "applicationName": group.application.name,
            "deploymentGroupId": group.id,
            "deploymentGroupName": group.name,
            "computePlatform": group.application.platform,
            "targetRevision": group.attempted.revision if group.attempted else None,
            "lastSuccessfulDeployment": _last(group.succeeded),
            "lastAttemptedDeployment": _last(group.attempted),
        }
    )


def deployment_shape(deployment: Deployment) -> dict[str, Any]:
    """``DeploymentInfo``."""
    position, settings = deployment.position, deployment.settings
    trouble = position.trouble
    return _without_none(
        {
            "applicationName": deployment.group.application.name,
            "deploymentGroupName": deployment.group.name,
            "deploymentConfigName": deployment.configuration,
            "deploymentId": deployment.id,
            "previousRevision": deployment.previous,
            "revision": deployment.revision,
            "status": position.status,
            "errorInformation": {"code": trouble.code, "message": trouble.message} if trouble else None,
            "createTime": deployment.created_at,
            "startTime": deployment.started_at,
            "completeTime": deployment.completed_at,
            "deploymentOverview": _overview(deployment),
            "description": deployment.description or None,
            "creator": deployment.creator,
            "ignoreApplicationStopFailures": False,
            "autoRollbackConfiguration": settings.get("autoRollbackConfiguration") or {"enabled": False},
            "updateOutdatedInstancesOnly": False,
            "rollbackInfo": _rollback(deployment),
            "deploymentStyle": settings["deploymentStyle"],
            "instanceTerminationWaitTimeStarted": position.phase == "TerminationWait",
            "blueGreenDeploymentConfiguration": settings["blueGreenDeploymentConfiguration"],
            "loadBalancerInfo": settings["loadBalancerInfo"],
            "fileExistsBehavior": "DISALLOW",
            "deploymentStatusMessages": [],
            "computePlatform": "ECS",
            "overrideAlarmConfiguration": (
                None
                if settings.get("alarmConfiguration") is deployment.group.settings.get("alarmConfiguration")
                else settings.get("alarmConfiguration")
            ),
        }
    )


def target_shape(deployment: Deployment, service_arn: str, names: dict[str, str]) -> dict[str, Any]:
    """``DeploymentTarget``; ``names`` are those of the target groups, by ARN."""
    status = deployment.position.status
    return {
        "deploymentTargetType": "ECSTarget",
        "ecsTarget": {
            "deploymentId": deployment.id,
            "targetId": deployment.target,
            "targetArn": service_arn,
            "lastUpdatedAt": deployment.updated_at or deployment.created_at,
            "lifecycleEvents": [_event(name, record) for name, record in deployment.events.items()],
            "status": _OVERVIEW.get(status, status),
            "taskSetsInfo": [
                _task_set(deployment, view, names)
                for identifier in (deployment.blue, deployment.green)
                if identifier and (view := deployment.shown.get(identifier))
            ],
        },
    }


def _task_set(deployment: Deployment, view: TaskSetView, names: dict[str, str]) -> dict[str, Any]:
    green = view.id == deployment.green
    return {
        "identifer": view.id,  # the model's spelling
        "desiredCount": view.desired,
        "pendingCount": view.pending,
        "runningCount": view.running,
        "status": view.status,
        "trafficWeight": float(deployment.production if green else 100 - deployment.production),
        "targetGroup": {"name": names.get(view.target_group, view.target_group)},
        "taskSetLabel": "Green" if green else "Blue",
    }


def _event(name: str, record: EventRecord) -> dict[str, Any]:
    failed = {"errorCode": "UnknownError", "scriptName": "", "message": record.message, "logTail": ""}
    return _without_none(
        {
            "lifecycleEventName": name,
            "status": record.status,
            "startTime": record.started_at,
            "endTime": record.ended_at,
            "diagnostics": failed if record.message else None,
        }
    )


def _overview(deployment: Deployment) -> dict[str, int]:
    status = deployment.position.status
    counted = _OVERVIEW.get(status, status)
    names = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")
    return {name: int(name == counted) for name in names}


def _rollback(deployment: Deployment) -> dict[str, Any] | None:
    failed, restored_by = deployment.restores, deployment.restored_by
    if failed is not None:
        return {
            "rollbackTriggeringDeploymentId": failed.id,
            "rollbackMessage": f"Deployment {failed.id} {failed.position.status.lower()}: this one rolls it back.",
        }
    if restored_by is not None:
        return {
            "rollbackDeploymentId": restored_by.id,
            "rollbackMessage": f"Deployment {restored_by.id} rolls this one back.",
        }
    return None


def _last(deployment: Deployment | None) -> dict[str, Any] | None:
    if deployment is None:
        return None
    return _without_none(
        {
            "deploymentId": deployment.id,
            "status": deployment.position.status,
            "createTime": deployment.created_at,
            "endTime": deployment.completed_at,
        }
    )


def _without_none(shape: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in shape.items() if v is not None}
