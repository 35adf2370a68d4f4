"""Running a task, a job or any command on the image that is live, with its log streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.aws.clock import SystemClock
from seatrial.aws.errors import NotFound
from seatrial.errors import UsageError
from seatrial.release import facts as facts_
from seatrial.release.context import Context
from seatrial.release.interrupt import Interrupt
from seatrial.release.record import Records
from seatrial.release.tasks import Ended, TaskRun
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seatrial.aws.clock import Clock
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.release.record import Record
    from seatrial.release.watch import ReleaseEvent

#: Seconds that a command without a timeout of its own may run: a day.
_FREE = 86_400


def run(
    settings: Settings,
    aws: Aws,
    *,
    task: str | None = None,
    command: Sequence[str] = (),
    on_event: Callable[[ReleaseEvent], None],
    clock: Clock | None = None,
    interrupt: Interrupt | None = None,
) -> Ended:
    """Run ``[tasks.TASK]`` or ``[jobs.TASK]``, or ``command`` with a web service's environment, on the live image.

    An interrupt stops the task. Raises :class:`~seatrial.errors.UsageError` for an unknown task and where nothing has
    been released.
    """
    unit = _unit(settings, task)
    stack = facts_.app_stack(settings, aws)
    context = Context.of(
        aws, stack.cluster, emit=on_event, clock=clock or SystemClock(), interrupt=interrupt or Interrupt()
    )
    serving = Records(context.ssm, names.release_prefix(settings)).serving()
    revision = _revision(settings, serving, unit)
    try:
        definition = context.ecs.task_definition(revision)
    except NotFound:
        raise UsageError(
            f"{revision} was deleted", hint=f"`seatrial deploy {settings.name}` registers it again"
        ) from None
    limit = settings.tasks[unit].timeout if unit in settings.tasks and not command else _FREE
    return TaskRun(unit, definition, context).run(
        stack.network, timeout=limit, started_by="seatrial/run", command=tuple(command)
    )


def _unit(settings: Settings, task: str | None) -> str:
    if task is None:
        return next(
            (name for name, each in settings.services.items() if each.role == "web"), next(iter(settings.services))
        )
    if task not in settings.tasks and task not in settings.jobs:
        known = ", ".join([*settings.tasks, *settings.jobs]) or "none"
        raise UsageError(
            f"there is no task or job called {task} (known: {known})",
            hint=f"a command has several words: seatrial run {settings.name} -- python manage.py check",
        )
    return task


def _revision(settings: Settings, serving: Record | None, unit: str) -> str:
    if serving is None:
        raise UsageError(f"{settings.name} has no release yet", hint=f"`seatrial deploy {settings.name}`")
    if unit not in serving.revisions:
        raise UsageError(
            f"{unit} is not part of release {serving.number}, which is live",
            hint=f"`seatrial deploy {settings.name}` brings it",
        )
    return serving.revisions[unit]
