"""Turning a release back, or leaving it alone, while it runs. The command line turns signals into this."""

from __future__ import annotations

from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Choice(Enum):
    """What a person who pressed Ctrl-C may want."""

    GO_ON = "go on"
    ROLL_BACK = "roll back"
    STOP_WATCHING = "stop watching"


class Interrupt:
    """Never interrupts; what a caller that has no signals passes."""

    def poll(self) -> Choice:
        """Return what to do now. Asked between two looks at AWS; may take its time (to ask a person)."""
        return Choice.GO_ON

    @contextmanager
    def abortable(self) -> Iterator[None]:
        """Mark a stretch in which nothing has been changed: a KeyboardInterrupt may simply be raised inside."""
        yield
