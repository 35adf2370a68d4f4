"""The releases of an environment as their logs tell them. Only reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from seatrial.release.journal.store import Store
from seatrial.release.table import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings

#: The ending of a release whose log has none: it goes on, or it was killed.
OPEN = "unfinished"


@dataclass(frozen=True)
class Entry:
    """One release. ``events`` are the documents of its log, as they were written."""

    environment: str
    release: int
    verb: str
    version: str
    digest: str | None
    by: str
    at: datetime
    result: str
    seconds: float | None
    message: str
    events: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {**asdict(self), "at": self.at.isoformat(), "events": list(self.events)}


def history(settings: Settings, aws: Aws, *, limit: int) -> list[Entry]:
    """Return the newest releases of an environment, the newest first. Raises where the bucket cannot be read."""
    return [entry(documents) for documents in Store(settings, aws).newest(limit) if documents]


def entry(documents: Sequence[dict[str, Any]]) -> Entry:
    """Return what the documents of one log come to."""
    first = documents[0]
    last: dict[str, Any] = next((each for each in reversed(documents) if each["event"] == "release_finished"), {})
    return Entry(
        environment=first["environment"],
        release=first["release"],
        verb=first["verb"],
        version=first["version"],
        digest=last.get("digest") or first.get("digest"),
        by=first.get("by", ""),
        at=datetime.fromisoformat(first["at"]),
        result=last.get("result", OPEN),
        seconds=last.get("seconds"),
        message=last.get("message", ""),
        events=tuple(documents),
    )


def as_text(entries: Sequence[Entry]) -> str:
    """Return a table for people."""
    rows = [("ENVIRONMENT", "RELEASE", "WHEN (UTC)", "WHAT", "VERSION", "SECONDS", "ENDED", "BY")]
    rows += [
        (
            each.environment,
            str(each.release),
            f"{each.at:%Y-%m-%d %H:%M}",
            each.verb,
            each.version,
            "-" if each.seconds is None else f"{each.seconds:.0f}",
            each.result,
            each.by.rpartition(":")[2],
        )
        for each in entries
    ]
    return "\n".join(table(rows)) if entries else "no release is logged yet"
