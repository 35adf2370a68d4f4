"""A site that is being put live, and its way back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.errors import SeatrialError

if TYPE_CHECKING:
    from seatrial.publish.live import Live
    from seatrial.publish.publish import Publisher


@dataclass
class Publication:
    """What was begun to be put live, and ``before``, what was live until then (None for nothing).

    ``kept`` are the builds whose hashed files stay. ``after_services`` says that services had been told to change
    before: the way back goes the other way round. ``done``: it is live everywhere.
    """

    publisher: Publisher
    target: Live
    before: Live | None
    kept: tuple[str, ...]
    after_services: bool
    done: bool = False

    def take_back(self) -> list[str]:
        """Put back what was live before. Returns what did not work, one sentence each; empty is good."""
        calm = replace(self.publisher, look=lambda: None)
        try:
            if self.before is not None:
                calm.note(f"the site: going back to {self.before.version}")
                calm.publish(self.before, (*self.kept, self.target.build))
            elif calm.bucket.begun() or calm.bucket.live():
                calm.note("the site: going back to none, as there was before")
                calm.withdraw()
        except SeatrialError as error:
            return [f"the site: not back at {self.before.version if self.before else 'none'}: {error.message}"]
        return []
