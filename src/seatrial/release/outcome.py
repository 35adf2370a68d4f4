"""How a release ended, in words, as JSON and as an exit code."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from seatrial.release.causes import Cause

#: ``released``: the version that was asked for is serving. ``rolled_back``: it failed or was turned back, and what
#: served before serves now. ``unwatched``: the person stopped watching; ECS goes on with what it was told.
#: ``needs_human``: neither the new nor the old version is known to serve everywhere.
#: ``refused``: it would have broken what serves; no service and no database was changed.
Result = Literal["released", "rolled_back", "refused", "unwatched", "needs_human"]

EXIT_CODES: dict[Result, int] = {"released": 0, "rolled_back": 1, "refused": 2, "unwatched": 3, "needs_human": 3}


@dataclass(frozen=True)
class StepTiming:
    """One step: its title, how long it took in seconds, and what came out."""

    step: str
    kind: str
    seconds: float
    ok: bool
    result: str


@dataclass(frozen=True)
class SiteOutcome:
    """The site build that the release was to leave live, of which version, and where the site is."""

    build: str
    version: str
    url: str


@dataclass(frozen=True)
class Outcome:
    """The end of a release or rollback.

    ``number`` is the release's in its environment, None if it failed before it was numbered. ``revisions`` maps
    each service, task and job to ``family:number``. ``failed`` is the title of the step that failed and ``message``
    the sentence that says why; ``causes`` are what is known to lie behind it; ``details`` further lines (stopped
    reasons, log lines).
    """

    environment: str
    result: Result
    version: str
    digest: str | None
    number: int | None
    started_at: datetime
    duration_s: float
    message: str
    hint: str | None = None
    revisions: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[StepTiming, ...] = ()
    failed: str | None = None
    causes: tuple[Cause, ...] = ()
    details: tuple[str, ...] = ()
    url: str | None = None
    site: SiteOutcome | None = None

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        return EXIT_CODES[self.result]

    @property
    def ok(self) -> bool:
        """Whether the version that was asked for is serving."""
        return self.result == "released"

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``--json`` prints."""
        return {
            "environment": self.environment,
            "result": self.result,
            "exit_code": self.exit_code,
            "release": self.number,
            "version": self.version,
            "digest": self.digest,
            "url": self.url,
            "site": asdict(self.site) if self.site else None,
            "started_at": self.started_at.isoformat(),
            "duration_s": round(self.duration_s, 3),
            "message": self.message,
            "hint": self.hint,
            "failed_step": self.failed,
            "causes": [each.to_json() for each in self.causes],
            "details": list(self.details),
            "revisions": dict(self.revisions),
            "steps": [
                {
                    "step": each.step,
                    "kind": each.kind,
                    "seconds": round(each.seconds, 3),
                    "ok": each.ok,
                    "result": each.result,
                }
                for each in self.steps
            ],
        }
