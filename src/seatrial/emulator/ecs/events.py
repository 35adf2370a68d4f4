"""What a service tells in ``events[]``, in ECS's words ("Amazon ECS service event messages", developer guide)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def started(service: str, tasks: Sequence[str], replacing: int) -> str:
    """Tasks were started, ``replacing`` of them for unhealthy ones."""
    text = f"(service {service}) has started {len(tasks)} tasks: {_tasks(tasks)}."
    return f"{text} Amazon ECS replaced {replacing} tasks due to an unhealthy status." if replacing else text


def stopped(service: str, tasks: Sequence[str]) -> str:
    """Running tasks were told to stop."""
    return f"(service {service}) has stopped {len(tasks)} running tasks: {_tasks(tasks)}."


def registered(service: str, target_group: str) -> str:
    """A task's target was registered."""
    return f"(service {service}) registered 1 targets in (target-group {target_group})"


def deregistered(service: str, target_group: str) -> str:
    """A task's target was deregistered."""
    return f"(service {service}) deregistered 1 targets in (target-group {target_group})"


def draining(service: str, deployment: str) -> str:
    """A task's connections are being drained."""
    return f"(service {service}, taskSet {deployment}) has begun draining connections on 1 tasks."


def unhealthy_target(service: str, task: str, port: int, target_group: str, reason: str) -> str:
    """A task fails the load balancer's health check (Fargate's form of the message)."""
    return (
        f"(service {service}) (task {task}) (port {port}) is unhealthy in (target-group {target_group}) "
        f"due to (reason {reason})."
    )


def unhealthy_container(service: str, task: str) -> str:
    """A task fails a container health check."""
    return f"(service {service}) (task {task}) failed container health checks."


def steady(service: str) -> str:
    """Everything is as desired."""
    return f"(service {service}) has reached a steady state."


def completed(service: str, deployment: str) -> str:
    """A deployment ended well."""
    return f"(service {service}) (deployment {deployment}) deployment completed."


def failed(service: str, deployment: str, reason: str) -> str:
    """A deployment ended badly."""
    return f"(service {service}) (deployment {deployment}) deployment failed: {reason}"


def rolling_back(service: str, target: str) -> str:
    """A failed deployment gives way to an older one."""
    return f"(service {service}) rolling back to (deployment {target})."


def cannot_start(service: str) -> str:
    """Starts are throttled."""
    return f"(service {service}) is unable to consistently start tasks successfully."


def cannot_place(service: str) -> str:
    """The launch type needs container instances and there are none."""
    return (
        f"(service {service}) was unable to place a task because no container instance met all of its requirements. "
        "Reason: No Container Instances were found in your cluster."
    )


def stuck(service: str) -> str:
    """The percentages allow neither a stop nor a start."""
    return (
        f"(service {service}) was unable to stop or start tasks during a deployment because of the service deployment "
        "configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
    )


def _tasks(tasks: Sequence[str]) -> str:
    return " ".join(f"(task {task})" for task in tasks)
