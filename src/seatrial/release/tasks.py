"""One task, run to completion: started where the services run, its log streamed, its exit code asked for.

A task that ECS does not start (``failures[]``), whose image cannot be pulled, that ends without an exit code or does
not end in time has failed, like one that exits with anything but 0.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.aws.ecs import revision_name
from seatrial.release.interrupt import Choice
from seatrial.release.revisions import log_place
from seatrial.release.watch import TaskChanged, TaskLogged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from seatrial.aws.ecs import Failure, Task, TaskDefinition
    from seatrial.release.context import Context

#: Part of the release's pace at which a task is looked at: by two calls, where a rollout takes six or more.
_PACE = 0.4
#: Looks at the log after the task has stopped, without a new line, before it is taken as complete: CloudWatch Logs
#: shows a line a moment after it was written.
_QUIET_LOOKS = 3
#: Seconds that a task may take to stop after StopTask: at most 120 s of stopTimeout on Fargate, and some.
_STOPS = 180.0


@dataclass(frozen=True)
class Ended:
    """How a task ended. ``exit_code`` is None if it never ran, ended without one, or is left running.

    ``problem`` is None for exit code 0, else the sentence that says what happened.
    """

    task: Task | None
    failures: tuple[Failure, ...]
    exit_code: int | None
    problem: str | None
    choice: Choice = Choice.GO_ON


class TaskRun:
    """One run of a unit's task definition."""

    def __init__(self, unit: str, definition: TaskDefinition, context: Context) -> None:
        self._unit = unit
        self._definition = definition
        self._context = context
        self._ecs = context.ecs
        self._logs = context.logs
        self._emit = context.emit
        self._clock = context.clock
        self._token: str | None = None
        self._told: tuple[object, ...] | None = None

    def run(self, network: Mapping[str, Any], *, timeout: float, started_by: str, command: Sequence[str] = ()) -> Ended:
        """Start the task and stay with it to its end. ``timeout`` in seconds; ``command`` replaces its own."""
        overrides = [{"name": self._unit, "command": list(command)}] if command else []
        task, failures = self._ecs.run_task(
            self._definition.arn, network=network, started_by=started_by, token=uuid.uuid4().hex, overrides=overrides
        )
        if task is None:
            reasons = "; ".join(f"{each.reason} {each.detail or ''}".strip() for each in failures)
            return Ended(None, failures, None, f"ECS did not start {self._unit}: {reasons or 'no reason given'}")
        task, problem, choice = self._until_it_ends(task, timeout)
        if choice is Choice.STOP_WATCHING:
            return Ended(task, (), None, problem, choice)
        if problem is not None:
            self._ecs.stop_task(task.arn, problem[:255])
            task, late, _ = self._until_it_ends(task, _STOPS, ask=False)
            if late is not None:
                return Ended(task, (), None, f"{problem}, and does not stop", choice)
        self.finish_log(task)
        return self._ended(task, problem, choice)

    def _until_it_ends(self, task: Task, timeout: float, *, ask: bool = True) -> tuple[Task, str | None, Choice]:
        """Look until the task has stopped. Returns the problem if it did not stop in time, or a person interrupted."""
        deadline = self._clock.monotonic() + timeout
        while (task := self.look(task)).status != "STOPPED":
            if self._clock.monotonic() > deadline:
                return task, f"{self._unit} did not end within {timeout:.0f} s", Choice.GO_ON
            if ask and (choice := self._context.interrupt.poll()) is not Choice.GO_ON:
                return task, f"{self._unit} was interrupted", choice
            self._clock.sleep(self._context.pace * _PACE)
        return task, None, Choice.GO_ON

    def look(self, task: Task) -> Task:
        """Look at a task once, and tell what changed and what it has logged since."""
        found = self._ecs.tasks([task.arn])
        task = found[0] if found else task
        own = task.container(self._unit)
        state = (task.status, task.address)
        if state != self._told:
            self._told = state
            self._emit(
                TaskChanged(
                    self._clock.now(),
                    self._unit,
                    task.id,
                    revision_name(task.task_definition),
                    task.status,
                    task.address,
                    None,
                    task.stopped_reason,
                    own.exit_code if own else None,
                )
            )
        self._read_log(task)
        return task

    def _read_log(self, task: Task) -> bool:
        """Tell the log's new lines; whether there were any."""
        place = log_place(self._definition.document, self._unit, task.id)
        if place is None:
            return False
        lines, self._token = self._logs.stream(*place, self._token)
        for line in lines:
            self._emit(TaskLogged(line.at, self._unit, task.id, line.text))
        return bool(lines)

    def finish_log(self, task: Task) -> None:
        """Read the log of a task that has stopped to its end."""
        quiet = 0
        while quiet < _QUIET_LOOKS:
            quiet = 0 if self._read_log(task) else quiet + 1
            if quiet < _QUIET_LOOKS:
                self._clock.sleep(self._context.pace * _PACE)

    def _ended(self, task: Task, problem: str | None, choice: Choice) -> Ended:
        own = task.container(self._unit)
        code = own.exit_code if own else None
        problem = problem_of(self._unit, task, self._unit) if problem is None else problem
        return Ended(task, (), code, problem, choice)


def problem_of(name: str, task: Task, container: str) -> str | None:
    """Return what went wrong with a task that has stopped, None for exit code 0. ``name`` is what it is called."""
    own = task.container(container)
    code = own.exit_code if own else None
    if code is None:
        reason = (own.reason if own else None) or task.stopped_reason or "no exit code"
        return f"{name} did not run: {reason}"
    return f"{name} exited with code {code}" if code else None
