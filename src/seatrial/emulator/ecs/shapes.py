"""The model in the shapes of AWS's answers (botocore's ECS service model: Service, Deployment, Task ...). Pure."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs.model import STARTING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.emulator.ecs.hooks import HookRun
    from seatrial.emulator.ecs.model import (
        Container,
        Deployment,
        LoadBalancer,
        Placement,
        Revision,
        Rollout,
        Service,
        ServiceDeployment,
        Task,
    )

PLATFORM_VERSION = "1.4.0"


def service_shape(service: Service, tasks: Iterable[Task]) -> dict[str, Any]:
    """``Service``: ``tasks`` are the service's that have not stopped."""
    mine = list(tasks)
    primary = service.primary if service.deployments else None
    revision = primary.revision if primary else None
    current = service.current
    sets, moved = (service.deployments, []) if service.by_code_deploy else ([], service.deployments)
    shape: dict[str, Any] = {
        **service.settings,
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster.arn,
        "status": service.status,
        "desiredCount": service.desired,
        "runningCount": running(mine),
        "pendingCount": pending(mine),
        "deploymentConfiguration": service.configuration,
        "deployments": [deployment_shape(service, d, mine) for d in moved],
        "events": list(service.events),
        "createdAt": service.created_at,
        "taskSets": [task_set_shape(service, d, mine) for d in sets],
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": service.controller},
        "placementConstraints": [],
        "placementStrategy": [],
        "serviceRegistries": [],
        "currentServiceDeployment": current.arn if current else None,
        "currentServiceRevisions": [_revision_summary(d, service.desired, mine) for d in moved],
        "healthCheckGracePeriodSeconds": None if service.grace_seconds is None else int(service.grace_seconds),
    }
    if revision:
        shape["taskDefinition"] = revision.definition.arn
        shape["loadBalancers"] = [load_balancer_shape(b) for b in revision.load_balancers]
        shape |= _placement(revision.placement)
    return _without_none(shape)


def deployment_shape(service: Service, deployment: Deployment, tasks: Iterable[Task]) -> dict[str, Any]:
    """``Deployment``. An older one's desired count is what of it is still meant to run."""
    mine = [t for t in tasks if t.deployment is deployment]
    primary = service.primary is deployment
    return _without_none(
        {
            "id": deployment.id,
            "status": "PRIMARY" if primary else "ACTIVE",
            "taskDefinition": deployment.definition.arn,
            "desiredCount": service.desired if primary else sum(t.desired_status == "RUNNING" for t in mine),
            "pendingCount": pending(mine),
            "runningCount": running(mine),
            "failedTasks": deployment.failures.count,
            "createdAt": deployment.created_at,
            "updatedAt": deployment.updated_at,
            "rolloutState": deployment.state,
            "rolloutStateReason": deployment.reason,
            **_placement(deployment.revision.placement),
        }
    )


def task_set_shape(service: Service, task_set: Deployment, tasks: Iterable[Task]) -> dict[str, Any]:
    """``TaskSet``. The one that CreateService made was started by no deployment."""
    mine = [t for t in tasks if t.deployment is task_set]
    stable = task_set.stable_since
    return _without_none(
        {
            "id": task_set.id,
            "taskSetArn": task_set_arn(service, task_set),
            "serviceArn": service.arn,
            "clusterArn": service.cluster.arn,
            "startedBy": "CODE_DEPLOY" if task_set.external_id else None,
            "externalId": task_set.external_id or None,
            "status": service.status_of(task_set),
            "taskDefinition": task_set.definition.arn,
            "computedDesiredCount": 0 if task_set.draining else service.desired,
            "pendingCount": pending(mine),
            "runningCount": running(mine),
            "createdAt": task_set.created_at,
            "updatedAt": task_set.updated_at,
            "loadBalancers": [load_balancer_shape(b) for b in task_set.revision.load_balancers],
            "serviceRegistries": [],
            "scale": {"value": 0.0 if task_set.draining else 100.0, "unit": "PERCENT"},
            "stabilityStatus": "STEADY_STATE" if stable else "STABILIZING",
            "stabilityStatusAt": stable or task_set.updated_at,
            "tags": [],
            **_placement(task_set.revision.placement),
        }
    )


def task_set_arn(service: Service, task_set: Deployment) -> str:
    """Return the ARN of a task set: of its service's, with its own id at the end."""
    return f"{service.arn.replace(':service/', ':task-set/')}/{task_set.id}"


def load_balancer_shape(balancer: LoadBalancer) -> dict[str, Any]:
    """``LoadBalancer``."""
    shape: dict[str, Any] = {
        "targetGroupArn": balancer.target_group,
        "containerName": balancer.container,
        "containerPort": balancer.port,
    }
    if balancer.advanced:
        shape["advancedConfiguration"] = _without_none(
            {
                "alternateTargetGroupArn": balancer.advanced.alternate,
                "productionListenerRule": balancer.advanced.production_rule,
                "testListenerRule": balancer.advanced.test_rule,
                "roleArn": balancer.advanced.role,
            }
        )
    return shape


def service_deployment_brief(service: Service, record: ServiceDeployment) -> dict[str, Any]:
    """``ServiceDeploymentBrief``."""
    return _without_none(
        {
            "serviceDeploymentArn": record.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster.arn,
            "createdAt": record.created_at,
            "startedAt": record.started_at,
            "finishedAt": record.finished_at,
            "targetServiceRevisionArn": record.target.arn,
            "status": record.status,
            "statusReason": record.status_reason,
        }
    )


def service_deployment_shape(service: Service, record: ServiceDeployment, tasks: Iterable[Task]) -> dict[str, Any]:
    """``ServiceDeployment``."""
    mine = list(tasks)
    rollout = record.rollout

    def summary(revision: Revision, requested: int) -> dict[str, Any]:
        own = [t for t in mine if t.deployment is not None and t.deployment.revision is revision]
        return {
            "arn": revision.arn,
            "requestedTaskCount": requested,
            "runningTaskCount": running(own),
            "pendingTaskCount": pending(own),
            **_weights(rollout, revision),
        }

    green_wanted = rollout is None or rollout.position.green_wanted
    kept = rollout.blue.revision if rollout and rollout.blue and rollout.position.blue_wanted else None
    return _without_none(
        {
            **{k: v for k, v in service_deployment_brief(service, record).items() if k != "targetServiceRevisionArn"},
            "updatedAt": record.updated_at,
            "stoppedAt": record.stopped_at,
            "sourceServiceRevisions": [summary(r, service.desired if r is kept else 0) for r in record.sources],
            "targetServiceRevision": summary(record.target, service.desired if green_wanted else 0),
            "lifecycleStage": _stage(rollout),
            "lifecycleHookDetails": [hook_shape(run) for run in rollout.hooks] if rollout else None,
            "deploymentConfiguration": record.configuration,
            "rollback": record.rollback,
            "deploymentCircuitBreaker": {
                "status": _monitor(record, enabled=service.breaker.enabled, triggered=record.tripped),
                "failureCount": record.failures,
                "threshold": record.threshold,
            },
            "alarms": {
                "status": _monitor(record, enabled=bool(record.watched), triggered=bool(record.alarmed)),
                "alarmNames": list(record.watched),
                "triggeredAlarmNames": list(record.alarmed),
            },
        }
    )


def hook_shape(run: HookRun) -> dict[str, Any]:
    """``DeploymentLifecycleHookDetail``."""
    return _without_none(
        {
            "hookId": run.id,
            "targetType": "PAUSE" if run.pauses else "AWS_LAMBDA",
            "targetArn": run.target,
            "status": run.status,
            "expiresAt": run.expires_at,
            "timeoutAction": run.timeout_action,
        }
    )


def _monitor(record: ServiceDeployment, *, enabled: bool, triggered: bool) -> str:
    """``ServiceDeploymentRollbackMonitorsStatus``."""
    if not enabled:
        return "DISABLED"
    if triggered:
        return "TRIGGERED"
    return "MONITORING" if record.running else "MONITORING_COMPLETE"


def _stage(rollout: Rollout | None) -> str | None:
    """Return the stage as ``ServiceDeploymentLifecycleStage`` knows it: there is no stage before a shift there."""
    if rollout is None:
        return None
    stage = rollout.position.stage
    return "PRODUCTION_TRAFFIC_SHIFT" if stage == "PRE_PRODUCTION_TRAFFIC_SHIFT" else stage


def _weights(rollout: Rollout | None, revision: Revision) -> dict[str, float]:
    """Return the traffic that a revision is meant to get, where a load balancer's rules are moved."""
    if rollout is None or not any(b.advanced for b in rollout.green.revision.load_balancers):
        return {}
    position = rollout.position
    if revision is rollout.green.revision:
        production, test = position.production, position.test
    elif rollout.blue is not None and revision is rollout.blue.revision:
        production, test = round(100.0 - position.production, 1), round(100.0 - position.test, 1)
    else:
        production, test = 0.0, 0.0
    return {"requestedProductionTrafficWeight": production, "requestedTestTrafficWeight": test}


def revision_shape(service: Service, revision: Revision) -> dict[str, Any]:
    """``ServiceRevision``."""
    return _without_none(
        {
            "serviceRevisionArn": revision.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster.arn,
            "taskDefinition": revision.definition.arn,
            "loadBalancers": [load_balancer_shape(b) for b in revision.load_balancers],
            "containerImages": [
                _without_none({"containerName": c.name, "image": c.image, "imageDigest": image_digest(c.image)})
                for c in revision.definition.containers
            ],
            "guardDutyEnabled": False,
            "createdAt": revision.created_at,
            "resolvedConfiguration": {
                "loadBalancers": [
                    _without_none(
                        {
                            "targetGroupArn": b.target_group,
                            "productionListenerRule": b.advanced.production_rule if b.advanced else None,
                        }
                    )
                    for b in revision.resolved
                ]
            },
            **_placement(revision.placement),
        }
    )


def task_shape(task: Task, *, tags: bool = True) -> dict[str, Any]:
    """``Task``. ``tags`` are only shown where they were asked for."""
    network = (task.placement.network or {}).get("awsvpcConfiguration") or {}
    subnets = network.get("subnets") or []
    zone = f"{task.arn.split(':')[3]}{'ab'[task.order % 2]}"
    return _without_none(
        {
            "taskArn": task.arn,
            "clusterArn": task.cluster.arn,
            "taskDefinitionArn": task.definition.arn,
            "group": task.group,
            "startedBy": task.started_by,
            "lastStatus": task.last_status,
            "desiredStatus": task.desired_status,
            "healthStatus": task.health,
            "stopCode": task.stop_code,
            "stoppedReason": task.stopped_reason,
            "cpu": task.overrides.get("cpu") or task.definition.cpu,
            "memory": task.overrides.get("memory") or task.definition.memory,
            "availabilityZone": zone,
            "connectivity": "CONNECTED",
            "connectivityAt": task.times.get("connectivityAt"),
            "createdAt": task.created_at,
            "version": task.version,
            "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": [], **task.overrides},
            "containers": [container_shape(task, c) for c in task.containers],
            "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
            "attachments": [_attachment(task, subnets[task.order % len(subnets)] if subnets else None)],
            "enableExecuteCommand": bool(task.settings.get("enableExecuteCommand")),
            "tags": task.tags if tags else [],
            "platformVersion": task.placement.platform_version or PLATFORM_VERSION,
            "platformFamily": "Linux",
            "launchType": task.placement.launch_type,
            "capacityProviderName": task.placement.capacity_provider,
            **task.times,
        }
    )


def container_shape(task: Task, container: Container) -> dict[str, Any]:
    """``Container``."""
    definition = container.definition
    return _without_none(
        {
            "containerArn": container.arn,
            "taskArn": task.arn,
            "name": definition.name,
            "image": definition.image,
            "imageDigest": image_digest(definition.image),
            "runtimeId": container.runtime_id,
            "lastStatus": container.status,
            "exitCode": container.exit_code,
            "reason": container.reason,
            "networkBindings": [],
            "networkInterfaces": [{"attachmentId": attachment_id(task), "privateIpv4Address": task.address}],
            "healthStatus": container.health,
            "cpu": str(definition.cpu),
            "memory": None if definition.memory is None else str(definition.memory),
            "memoryReservation": (
                None if definition.memory_reservation is None else str(definition.memory_reservation)
            ),
        }
    )


def image_digest(image: str) -> str | None:
    """Return the digest an image is named by, None where it is named by a tag."""
    return image.rsplit("@", 1)[1] if "@" in image else None


def attachment_id(task: Task) -> str:
    """Return the id of the task's network interface attachment, derived from the task's own."""
    parts = (task.id[:8], task.id[8:12], task.id[12:16], task.id[16:20], task.id[20:32])
    return "-".join(parts)


def _attachment(task: Task, subnet: str | None) -> dict[str, Any]:
    interface = {
        "subnetId": subnet,
        "networkInterfaceId": f"eni-{task.id[:17]}",
        "macAddress": _mac(task.id),
        "privateIPv4Address": task.address,
    }
    statuses = {"PROVISIONING": "PRECREATED", "DEPROVISIONING": "DETACHING", "STOPPED": "DELETED"}
    return {
        "id": attachment_id(task),
        "type": "ElasticNetworkInterface",
        "status": statuses.get(task.last_status, "ATTACHED"),
        "details": [{"name": name, "value": value} for name, value in interface.items() if value],
    }


def _mac(task_id: str) -> str:
    number = f"{zlib.crc32(task_id.encode()):08x}"
    return ":".join(("02", "00", *(number[i : i + 2] for i in range(0, 8, 2))))


def _placement(placement: Placement) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "platformVersion": placement.platform_version or PLATFORM_VERSION,
        "platformFamily": "Linux",
        "networkConfiguration": placement.network,
    }
    if placement.capacity_provider:
        shape["capacityProviderStrategy"] = [{"capacityProvider": placement.capacity_provider, "weight": 1, "base": 0}]
    else:
        shape["launchType"] = placement.launch_type
    return shape


def _revision_summary(deployment: Deployment, desired: int, tasks: list[Task]) -> dict[str, Any]:
    mine = [t for t in tasks if t.deployment is deployment]
    return {
        "arn": deployment.revision.arn,
        "requestedTaskCount": desired,
        "runningTaskCount": running(mine),
        "pendingTaskCount": pending(mine),
    }


def running(tasks: Iterable[Task]) -> int:
    """Count the tasks that are RUNNING."""
    return sum(t.last_status == "RUNNING" for t in tasks)


def pending(tasks: Iterable[Task]) -> int:
    """Count the tasks on their way to RUNNING."""
    return sum(t.last_status in STARTING and t.desired_status == "RUNNING" for t in tasks)


def _without_none(shape: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in shape.items() if v is not None}
