"""What a unit's containers wrote, from a moment on and, if asked, for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from seatrial.aws.errors import NotFound
from seatrial.aws.logs import Logs
from seatrial.errors import UsageError
from seatrial.release.facts import units
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.aws.clock import Clock
    from seatrial.aws.logs import LogLine
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings

#: CloudWatch Logs shows a line some seconds after it was written, and not always in order: look back so far.
_OVERLAP = timedelta(seconds=30)


def lines(settings: Settings, aws: Aws, unit: str, *, seconds: float, follow: bool, clock: Clock) -> Iterator[LogLine]:
    """Yield the lines of the last ``seconds``, then new ones as long as ``follow``.

    Raises :class:`~seatrial.errors.UsageError` for an unknown unit or one without a log group.
    """
    if unit not in units(settings):
        raise UsageError(f"there is no service, task or job called {unit}", hint=f"known: {', '.join(units(settings))}")
    client, group = Logs(aws), names.log_group(settings, unit)
    start = clock.now() - timedelta(seconds=seconds)
    seen: dict[str, LogLine] = {}
    while True:
        try:
            new = [each for each in client.since(group, start) if each.id not in seen]
        except NotFound:
            raise UsageError(f"there is no log group {group}", hint=f"`seatrial infra apply {settings.name}`") from None
        yield from new
        if not follow:
            return
        seen |= {each.id: each for each in new}
        if seen:
            start = max(start, max(each.at for each in seen.values()) - _OVERLAP)
            seen = {key: each for key, each in seen.items() if each.at >= start}
        clock.sleep(aws.pace)
