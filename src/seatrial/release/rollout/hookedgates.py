"""Gate tasks that a hook of CodeDeploy runs: found by the deployment that they belong to, and shown as they go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.release import evidence
from seatrial.release.tasks import TaskRun, problem_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.aws.ecs import Task, TaskDefinition
    from seatrial.release.causes import Evidence
    from seatrial.release.context import Context


@dataclass(frozen=True)
class FailedGate:
    """A gate task that did not end with exit code 0; ``problem`` says how it ended."""

    name: str
    task: Task
    problem: str


class HookedGates:
    """The gate tasks of one deployment. They run in the container of the service ``unit``."""

    def __init__(self, unit: str, context: Context) -> None:
        self._unit = unit
        self._context = context
        self._runs: dict[str, TaskRun] = {}
        self._definitions: dict[str, TaskDefinition] = {}
        self._ended: set[str] = set()
        self.failed: FailedGate | None = None

    def look(self, deployment: str, gates: Sequence[str]) -> None:
        """Look once at those that have begun, and tell what changed and what they logged."""
        for name in gates:
            for task in self._context.ecs.tasks_started_by(started_by(deployment, name)):
                if task.arn not in self._ended:
                    self._show(name, task)

    def evidence(self, failed: FailedGate) -> Evidence:
        """Return what a task left behind."""
        document = self._definitions[failed.task.task_definition].document
        left = evidence.of_task(self._unit, failed.task, (), document, self._context.logs)
        return replace(left, unit=failed.name)

    def _show(self, name: str, task: Task) -> None:
        if task.task_definition not in self._definitions:
            self._definitions[task.task_definition] = self._context.ecs.task_definition(task.task_definition)
        definition = self._definitions[task.task_definition]
        run = self._runs.setdefault(task.arn, TaskRun(self._unit, definition, self._context))
        task = run.look(task)
        if task.status == "STOPPED":
            run.finish_log(task)
            self._ended.add(task.arn)
            problem = problem_of(name, task, self._unit)
            self.failed = FailedGate(name, task, problem) if problem is not None else self.failed


def started_by(deployment: str, gate: str) -> str:
    """Return what a gate task of a deployment says of its origin (``startedBy``); the hook's function writes it."""
    return f"gates/{deployment}/{gate}"
