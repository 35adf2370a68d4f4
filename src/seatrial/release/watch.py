"""What a release tells while it goes on: a typed stream that the command line prints and the rehearsal draws.

Every event has ``at`` (UTC), :meth:`ReleaseEvent.line` for people and :meth:`ReleaseEvent.to_json` for machines.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class ReleaseEvent:
    """Something that happened, when."""

    at: datetime

    def line(self) -> str:
        """Return the event as one line for people."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Return the event as a JSON object; ``event`` is its kind in snake case, ``at`` in ISO 8601."""
        kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
        values = {
            key: value.isoformat() if isinstance(value, datetime) else value for key, value in asdict(self).items()
        }
        return {"event": kind, **values}


if TYPE_CHECKING:
    Emit = Callable[[ReleaseEvent], None]


@dataclass(frozen=True)
class StepStarted(ReleaseEvent):
    """A step of the plan begins. ``index`` counts from 1."""

    step: str
    index: int
    total: int

    def line(self) -> str:
        """See :meth:`ReleaseEvent.line`."""
        return f"[{self.index}/{self.total}] {self.step}"


@dataclass(frozen=True)
class StepFinished(ReleaseEvent):
    """A step ended. ``ok`` is False for a failed one; ``result`` says what came out of it."""

    step: str
    index: int
    ok: bool
    seconds: float
    result: str

    def line(self) -> str:
        """See :meth:`ReleaseEvent.line`."""
        result = f": {self.result}" if self.result else ""
        return f"      {'done' if self.ok else 'FAILED'} in {self.seconds:.1f} s{result}"


@dataclass(frozen=True)
class Note(ReleaseEvent):
    """Something worth knowing, such as a line of the image build."""

    text: str

    def line(self) -> str:
        """See :meth:`ReleaseEvent.line`."""
        return f"      {self.text}"


@dataclass(frozen=True)
class TaskChanged(ReleaseEvent):
    """A task is in another state. ``revision`` is ``family:number``; ``health`` is the load balancer's word for it."""

    unit: str
    task: str
    revision: str
    status: str
    address: str | None
    health: str | None
    reason: str | None
    exit_code: int | None

    def line(self) -> str:
        """See :meth:`ReleaseEvent.line`."""
        parts = [f"      {self.unit}: task {self.task[:8]} of {self.revision.rsplit(':', 1)[-1]} {self.status}"]
        if self.address and self.status == "RUNNING":
            parts.append(f"at {self.address}")
        if self.health and self.status == "RUNNING":
            parts.append(f"({self.health})")
        if self.reason and self.status == "STOPPED":
            parts.append(f"- {self.reason}")
        if self.exit_code is not None:
            parts.append(f"(exit code {self.exit_code})")
        return " ".join(parts)


@dataclass(frozen=True)
class DeploymentChanged(ReleaseEvent):
    """The service deployment that is followed is in another state.

    ``stage`` is its lifecycle stage, ``production`` the percentage of users' requests that go to the new version; both
    are None in a rolling update. ``asked`` are the hooks' functions whose answer it waits for.
    """

    unit: str
    deployment: str
    status: str
    reason: str | None
    running: int
    requested: int
    stage: str | None = None
    production: float | None = None
    asked: tuple[str, ...] = ()

    def line(self) -> str:
        """See :meth:`ReleaseEvent.line`."""
        reason = f" - {self.reason}" if self.reason else ""
        share = f", {self.production:g} % of traffic" if self.production is not None else ""
        stage = f" {self.stage}" if self.stage else ""
        tasks = f"({self.running}/{self.requested} tasks{share})"
        asked = f", waits for {' and '.join(self.asked)}" if self.asked else ""
        return f"      {self.unit}: deployment {self.status}{stage} {tasks}{asked}{reason}"


@dataclass(frozen=True)
class SmokeChecked(ReleaseEvent):
    """A smoke check was made on the new version, for the ``attempt``-th time. ``result`` says what came out."""

    check: str
    ok: bool
    attempt: int
    attempts: int
    seconds: float
    result: str

    def line(self) -> str:
        """See :meth:`ReleaseEvent.line`."""
        which = f" (attempt {self.attempt} of {self.attempts})" if self.attempts > 1 else ""
        verdict = "ok" if self.ok else "FAILED"
        return f"      smoke check {self.check}: {verdict} in {self.seconds:.1f} s{which}: {self.result}"


@dataclass(frozen=True)
class ServiceSaid(ReleaseEvent):
    """A line that ECS wrote about the service."""

    unit: str
    message: str

    def line(self) -> str:
        """See :meth:`ReleaseEvent.line`."""
        return f"      {self.unit}: {self.message}"


@dataclass(frozen=True)
class TaskLogged(ReleaseEvent):
    """A line that a one-off task wrote. ``at`` is the line's own time."""

    unit: str
    task: str
    text: str

    def line(self) -> str:
        """See :meth:`ReleaseEvent.line`."""
        return f"      {self.unit} | {self.text}"
