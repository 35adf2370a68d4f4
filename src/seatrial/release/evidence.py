"""What a failed task or service left behind, gathered while it is still there. The effects behind :mod:`.causes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.release.causes import Evidence, Stopped
from seatrial.release.revisions import log_place
from seatrial.release.rollout.observe import NOT_WANTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from seatrial.aws.ecs import Failure, Task
    from seatrial.aws.logs import Logs
    from seatrial.release.rollout.observe import Observer
    from seatrial.release.steps import Change

#: How many of the last log lines are shown (issue: "last 50 log lines").
LINES = 50


def of_service(change: Change, target: str, seen: Observer, document: Mapping[str, Any], logs: Logs) -> Evidence:
    """Return the evidence of a service whose tasks of a revision failed: ``target`` (ARN), with its ``document``."""
    tasks = seen.tasks(target)
    failed = [task for task in tasks if failed_itself(task)]
    speaking = failed[-1:] or tasks[-1:]
    return Evidence(
        unit=change.unit,
        stopped=tuple(_stopped(task, change.unit) for task in failed),
        targets=tuple(seen.unhealthy_targets(target)),
        said=seen.said,
        log=_tail(document, change.unit, speaking[0], logs) if speaking else (),
        health_path=change.health_path,
        command=change.command,
    )


def of_task(
    unit: str, task: Task | None, failures: Sequence[Failure], document: Mapping[str, Any], logs: Logs
) -> Evidence:
    """Return the evidence of a one-off task that failed, or that ECS did not even start (``failures``)."""
    stopped = [_stopped(task, unit)] if task is not None else []
    stopped += [Stopped("", f"{each.reason} {each.detail or ''}".strip(), None, None, None) for each in failures]
    return Evidence(
        unit=unit, stopped=tuple(stopped), log=_tail(document, unit, task, logs) if task is not None else ()
    )


def details(evidence: Evidence) -> tuple[str, ...]:
    """Return the evidence as lines for people: each distinct stopped reason, target health, then the log's end."""
    lines = [_describe(each) for each in evidence.stopped]
    if evidence.check is not None:
        lines = [*evidence.check.lines, *lines]
    lines += [
        f"target {each.address}:{each.port} is {each.state}: {each.description or each.reason}"
        for each in evidence.targets
        if each.state == "unhealthy"
    ]
    lines = list(dict.fromkeys(lines))
    if evidence.log:
        lines.append(f"last {len(evidence.log)} log lines of {evidence.unit}:")
        lines += [f"| {line}" for line in evidence.log]
    return tuple(lines)


def failed_itself(task: Task) -> bool:
    """Whether a stopped task failed, and was not merely told to make room (ECS's words for that)."""
    return task.status == "STOPPED" and not (task.stopped_reason or "").startswith(NOT_WANTED)


def _stopped(task: Task, container: str) -> Stopped:
    own = task.container(container)
    others = [each for each in task.containers if each.name != container and (each.reason or each.exit_code)]
    reason = (own.reason if own else None) or next((each.reason for each in others if each.reason), None)
    return Stopped(task.id, task.stopped_reason, task.stop_code, own.exit_code if own else None, reason)


def _describe(stopped: Stopped) -> str:
    parts = [stopped.reason or stopped.code or "stopped"]
    if stopped.container_reason and stopped.container_reason not in parts[0]:
        parts.append(stopped.container_reason)
    if stopped.exit_code is not None:
        parts.append(f"exit code {stopped.exit_code}")
    return f"task {stopped.task[:8]}: " + "; ".join(parts) if stopped.task else "; ".join(parts)


def _tail(document: Mapping[str, Any], container: str, task: Task, logs: Logs) -> tuple[str, ...]:
    place = log_place(document, container, task.id)
    return tuple(line.text for line in logs.tail(*place, LINES)) if place else ()
