"""The documents of the release log and of hooks. Pure.

Each is one JSON object of :data:`FIELDS`; every one has :data:`COMMON` too. ``schema`` is :data:`SCHEMA`: it grows when
a field changes its meaning or goes, not when one is added. ``docs/releases.md`` says the same, held by a test.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from seatrial.release.watch import DeploymentChanged, SmokeChecked, StepFinished

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.release.outcome import Outcome
    from seatrial.release.steps import Plan
    from seatrial.release.watch import ReleaseEvent

SCHEMA = 1

COMMON = ("schema", "event", "at", "app", "environment", "release", "verb", "version")

#: Kind of event → its own fields.
FIELDS: dict[str, tuple[str, ...]] = {
    "release_started": ("by", "digest", "steps"),
    "step_finished": ("step", "index", "ok", "seconds", "result"),
    "deployment_changed": (
        "unit", "deployment", "status", "reason", "running", "requested", "stage", "production", "asked",
    ),
    "smoke_checked": ("check", "ok", "attempt", "attempts", "seconds", "result"),
    "release_finished": (
        "result", "exit_code", "seconds", "message", "digest", "site", "url", "revisions", "failed_step", "causes",
    ),
}  # fmt: skip

#: What hooks are told.
TOLD = ("release_started", "release_finished")


@dataclass(frozen=True)
class Subject:
    """Which release the events are of."""

    app: str
    plan: Plan
    by: str

    def started(self, at: datetime, number: int) -> dict[str, Any]:
        """Return the first document."""
        return self._document(
            "release_started",
            at,
            number,
            by=self.by,
            digest=self.plan.digest,
            steps=[each.title for each in self.plan.steps],
        )

    def happened(self, event: ReleaseEvent, number: int) -> dict[str, Any] | None:
        """Return the document of an event, None for one that is not logged.

        What tasks and builds write stays out: it is the application's own text, and in its own log.
        """
        if not isinstance(event, StepFinished | DeploymentChanged | SmokeChecked):
            return None
        values = event.to_json()
        kind = values["event"]
        return self._document(kind, event.at, number, **{field: values[field] for field in FIELDS[kind]})

    def finished(self, outcome: Outcome, at: datetime, number: int) -> dict[str, Any]:
        """Return the last document."""
        return self._document(
            "release_finished",
            at,
            number,
            result=outcome.result,
            exit_code=outcome.exit_code,
            seconds=round(outcome.duration_s, 3),
            message=outcome.message,
            digest=outcome.digest,
            site=asdict(outcome.site) if outcome.site else None,
            url=outcome.url,
            revisions=dict(outcome.revisions),
            failed_step=outcome.failed,
            causes=[each.to_json() for each in outcome.causes],
        )

    def _document(self, kind: str, at: datetime, number: int, **fields: Any) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "event": kind,
            "at": at.isoformat(),
            "app": self.app,
            "environment": self.plan.environment,
            "release": number,
            "verb": self.plan.verb,
            "version": self.plan.version,
            **fields,
        }
