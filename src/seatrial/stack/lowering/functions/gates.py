"""Runs an environment's gate tasks before CodeDeploy installs a new version (the hook BeforeInstall).

Given to Lambda as it stands here: it needs nothing but Python and boto3. The new revision is the one that the
deployment's AppSpec names; each task runs on it with the network of the service, one after the other. The hook succeeds
only when all have ended with exit code 0. A task may take longer than an invocation: the function then calls itself
again. What it prints is in the function's log.

Environment: CLUSTER, CONTAINER (of the revision, and the service's name), STEPS (JSON: name, command, environment, cpu,
memory, timeout in seconds).
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any

import boto3

#: Seconds between two looks, and before the end of an invocation at which the next is called.
PACE, MARGIN = 2.0, 30.0
_CLUSTER = os.environ["CLUSTER"]
_CONTAINER = os.environ["CONTAINER"]
_TASK_DEFINITION = re.compile(r"""["']?TaskDefinition["']?\s*:\s*["']?([^\s"',}]+)""", re.IGNORECASE)


class GateFailed(Exception):
    """A gate task did not end with exit code 0; the message says how it ended."""


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer one hook. ``event`` is CodeDeploy's, with ``Progress`` where this is a further call."""
    status = "Failed"
    try:
        progress = event.get("Progress") or {"step": 0}
        if not _run(event["DeploymentId"], progress, context):
            again = json.dumps({**event, "Progress": progress}).encode()
            boto3.client("lambda").invoke(
                FunctionName=context.invoked_function_arn, InvocationType="Event", Payload=again
            )
            return
        status = "Succeeded"
    except GateFailed as error:
        print(f"FAILED: {error}")  # noqa: T201 - the log of a function is its output
    except Exception as error:  # noqa: BLE001 - whatever it is, CodeDeploy must not wait for an hour
        print(f"FAILED: {type(error).__name__}: {error}")  # noqa: T201
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )


def _run(deployment: str, progress: dict[str, Any], context: Any) -> bool:
    """Run the steps from where ``progress`` stands. False if the invocation's time is nearly up before their end."""
    steps = json.loads(os.environ["STEPS"])
    while progress["step"] < len(steps):
        step = steps[progress["step"]]
        if "task" not in progress:
            progress["task"] = _start(deployment, step)
            progress["deadline"] = time.time() + step["timeout"]
        if not _follow(step, progress, context):
            return False
        print(f"{step['name']}: exit code 0")  # noqa: T201
        del progress["task"]
        progress["step"] += 1
    return True


def _start(deployment: str, step: dict[str, Any]) -> str:
    ecs = boto3.client("ecs")
    revision = _revision(deployment)
    services = ecs.describe_services(cluster=_CLUSTER, services=[_CONTAINER])["services"]
    if not services:
        raise GateFailed(f"there is no service {_CONTAINER}")
    print(f"{step['name']}: runs on {revision}")  # noqa: T201
    override = {"name": _CONTAINER, "command": step["command"], "environment": step["environment"]}
    answer = ecs.run_task(
        cluster=_CLUSTER,
        taskDefinition=revision,
        launchType="FARGATE",
        networkConfiguration=_network(services[0]),
        startedBy=f"gates/{deployment}/{step['name']}",
        overrides={"cpu": step["cpu"], "memory": step["memory"], "containerOverrides": [override]},
    )
    if not answer["tasks"]:
        reasons = "; ".join(f"{each.get('reason')} {each.get('detail', '')}" for each in answer["failures"])
        raise GateFailed(f"ECS did not start {step['name']}: {reasons.strip() or 'no reason given'}")
    return str(answer["tasks"][0]["taskArn"])


def _network(service: dict[str, Any]) -> dict[str, Any]:
    """Return the service's network; that of a service which CodeDeploy deploys is its task sets'."""
    sets = [each for each in service.get("taskSets", ()) if each.get("status") == "PRIMARY"]
    found = [each["networkConfiguration"] for each in (service, *sets) if each.get("networkConfiguration")]
    if not found:
        raise GateFailed(f"the service {_CONTAINER} has no network configuration")
    network: dict[str, Any] = found[0]
    return network


def _follow(step: dict[str, Any], progress: dict[str, Any], context: Any) -> bool:
    """Wait until the task has ended. False if the invocation's time is nearly up."""
    ecs = boto3.client("ecs")
    while True:
        found = ecs.describe_tasks(cluster=_CLUSTER, tasks=[progress["task"]])["tasks"]
        if found and found[0]["lastStatus"] == "STOPPED":
            _judge(step, found[0])
            return True
        if time.time() > progress["deadline"]:
            ecs.stop_task(cluster=_CLUSTER, task=progress["task"], reason=f"{step['name']} took too long")
            raise GateFailed(f"{step['name']} did not end within {step['timeout']} s")
        if context.get_remaining_time_in_millis() < MARGIN * 1000:
            return False
        time.sleep(PACE)


def _judge(step: dict[str, Any], task: dict[str, Any]) -> None:
    own: dict[str, Any] = next((each for each in task["containers"] if each["name"] == _CONTAINER), {})
    code = own.get("exitCode")
    if code is None:
        reason = own.get("reason") or task.get("stoppedReason") or "no exit code"
        raise GateFailed(f"{step['name']} did not run: {reason}")
    if code != 0:
        raise GateFailed(f"{step['name']} exited with code {code}")


def _revision(deployment: str) -> str:
    """Return the task definition that the deployment's AppSpec names."""
    codedeploy = boto3.client("codedeploy")
    info = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
    content = _content(info["revision"])
    if content is None:  # CodeDeploy often tells only the digest of what it was given
        known = codedeploy.get_application_revision(applicationName=info["applicationName"], revision=info["revision"])
        content = _content(known["revision"])
    if content is None:
        raise GateFailed(f"the AppSpec of {deployment} cannot be read: it is not in the deployment itself")
    named = _TASK_DEFINITION.search(content)
    if named is None:
        raise GateFailed(f"the AppSpec of {deployment} names no TaskDefinition")
    return named[1]


def _content(revision: dict[str, Any]) -> str | None:
    held = revision.get("appSpecContent") or revision.get("string") or {}
    content = held.get("content")
    return str(content) if content else None
