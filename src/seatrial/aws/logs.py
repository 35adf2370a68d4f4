"""CloudWatch Logs: reading what containers wrote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from seatrial.aws.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.aws.session import Aws


@dataclass(frozen=True)
class LogLine:
    """One line: when it was written, its stream, and its text. ``id`` is empty where AWS gives none."""

    at: datetime
    stream: str
    text: str
    id: str = ""


class Logs:
    """The calls."""

    def __init__(self, aws: Aws) -> None:
        self._client = aws.client("logs")

    def stream(self, group: str, stream: str, token: str | None = None) -> tuple[list[LogLine], str | None]:
        """Return a stream's next lines from its beginning or ``token``, and the token to go on with.

        A stream that does not exist yet has no lines: it is made with the container's first line.
        """
        more = {"nextToken": token} if token else {}
        try:
            answer = self._client.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **more)
        except NotFound:
            return [], token
        return [_line(each, stream) for each in answer.get("events", ())], answer.get("nextForwardToken", token)

    def tail(self, group: str, stream: str, count: int) -> list[LogLine]:
        """Return a stream's last ``count`` lines, oldest first; none if it does not exist."""
        try:
            answer = self._client.get_log_events(
                logGroupName=group, logStreamName=stream, startFromHead=False, limit=count
            )
        except NotFound:
            return []
        return [_line(each, stream) for each in answer.get("events", ())]

    def since(self, group: str, start: datetime) -> Iterator[LogLine]:
        """Yield the lines of all streams of a group written at or after ``start``. Raises NotFound."""
        pages = self._client.pages(
            "filter_log_events", "events", logGroupName=group, startTime=int(start.timestamp() * 1000)
        )
        for each in pages:
            yield _line(each, each.get("logStreamName", ""))


def _line(raw: Mapping[str, Any], stream: str) -> LogLine:
    at = datetime.fromtimestamp(raw["timestamp"] / 1000, UTC)
    return LogLine(at, stream, str(raw["message"]).rstrip("\n"), str(raw.get("eventId", "")))
