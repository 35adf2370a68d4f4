"""A command, or a shell, in a running task of a service (ECS Exec)."""

from __future__ import annotations

import re
import secrets
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.aws.datachannel import DataChannel
from seatrial.aws.ecs import Ecs
from seatrial.errors import UsageError
from seatrial.release import facts as facts_

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.aws.clock import Clock
    from seatrial.aws.ecs import Service, Task
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings

#: What is started where no command is given.
_SHELL = "if command -v bash >/dev/null 2>&1; then bash; else sh; fi"
#: Around the exit code in the output: a character that no text has (ASCII, record separator).
_MARK = b"\x1e"


@dataclass(frozen=True)
class Started:
    """A command that was started. ``ending`` takes its exit code out of the ``channel``'s text."""

    task: Task
    container: str
    channel: DataChannel
    ending: Ending


class Ending:
    """Finds the beginning of a command in its text, and its exit code at the end.

    ECS Exec tells neither. So the command is run by a shell, which writes both between marks, with a random word that
    the command cannot know. What is typed before the beginning would be echoed, or lost.
    """

    def __init__(self, word: str) -> None:
        self._held = b""
        self._start = _MARK + word.encode() + b":"
        self._whole = re.compile(re.escape(self._start) + rb"(\d*)" + _MARK)
        self.begun = False
        self.exit_code: int | None = None

    def shown(self, text: bytes) -> bytes:
        """Return what of the text, and of what was held back before, is the command's own."""
        text = self._whole.sub(self._found, self._held + text)
        start = text.rfind(_MARK)
        if start < 0 or self.exit_code is not None or not self._may_become_one(text[start:]):
            start = len(text)  # after the exit code no mark comes any more
        self._held = text[start:]
        return text[:start]

    def _found(self, mark: re.Match[bytes]) -> bytes:
        self.begun = True
        if mark[1]:
            self.exit_code = int(mark[1])
        return b""

    def _may_become_one(self, text: bytes) -> bool:
        rest = text.removeprefix(self._start)
        return self._start.startswith(text) or (rest != text and (not rest or rest.isdigit()))


def line(command: Sequence[str], word: str, *, terminal: bool) -> str:
    """Return what ECS is to run: a shell that runs ``command`` (or another shell) and tells its begin and exit code.

    Without a ``terminal`` on this side nothing is echoed, and ends of lines stay as they are. Ctrl-C ends the command
    and not the shell around it.
    """
    quiet = "" if terminal else "stty -echo -opost 2>/dev/null; "
    own = shlex.join(command) if command else _SHELL
    begin, end = f"printf '\\036{word}:\\036'", f"printf '\\036{word}:%d\\036' $?"
    return shlex.join(["sh", "-c", f"trap : INT; {quiet}{begin}; {own}; {end}"])


def start(
    settings: Settings,
    aws: Aws,
    unit: str,
    *,
    command: Sequence[str] = (),
    task: str | None = None,
    terminal: bool = False,
    clock: Clock,
) -> Started:
    """Start a command in the newest task of a service, or in the one whose id begins with ``task``.

    Raises :class:`~seatrial.errors.UsageError` for a service, or a task, in which none can be started.
    """
    if unit not in settings.services:
        raise UsageError(f"there is no service called {unit} (known: {', '.join(settings.services)})")
    ecs = Ecs(aws, facts_.app_stack(settings, aws).cluster)
    service = ecs.services([unit]).get(unit)
    if service is None:
        raise UsageError(f"{settings.name} has no service {unit} yet", hint=f"`seatrial infra apply {settings.name}`")
    if not settings.may_exec(unit):
        raise UsageError(
            f"ECS Exec is off for {unit} in {settings.name}",
            hint=f"`exec = true` in [services.{unit}] or [environments.{settings.name}], then `seatrial infra apply "
            f"{settings.name}` and a release turn it on",
        )
    chosen = _chosen(settings, service, ecs.tasks_of(unit), task)
    word = secrets.token_hex(8)
    url, token = ecs.execute_command(chosen.arn, unit, line(command, word, terminal=terminal))
    return Started(chosen, unit, DataChannel(url, token, clock), Ending(word))


def _chosen(settings: Settings, service: Service, tasks: Sequence[Task], wanted: str | None) -> Task:
    running = [each for each in tasks if each.status == "RUNNING" and each.desired_status == "RUNNING"]
    if wanted is not None:
        found = [each for each in running if each.id.startswith(wanted)]
        if len(found) != 1:
            known = ", ".join(each.id[:8] for each in running) or "none"
            raise UsageError(f"{len(found)} running tasks of {service.name} begin with {wanted} (running: {known})")
    else:
        newest = service.primary.id if service.primary else None
        found = sorted(running, key=lambda each: (each.started_by == newest, each.started_at is not None))
    if not found:
        raise UsageError(f"no task of {service.name} is running", hint=f"`seatrial status {settings.name}`")
    if not found[-1].exec:
        raise UsageError(
            f"task {found[-1].id[:8]} of {service.name} was started before ECS Exec was turned on",
            hint=f"`seatrial infra apply {settings.name}`, then a release replaces it",
        )
    return found[-1]
