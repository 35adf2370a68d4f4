"""Why the steps of a release end early. Raised by steps, caught by the executor, never seen outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.release.causes import Evidence


class Stop(Exception):
    """The release does not go on. ``message`` says why in a sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StepFailed(Stop):
    """A step failed. ``evidence`` is what it left behind."""

    def __init__(self, message: str, evidence: Evidence | None = None) -> None:
        super().__init__(message)
        self.evidence = evidence


class Refused(Stop):
    """What was found forbids the release; nothing that serves was changed. ``details`` say what, ``hint`` the way."""

    def __init__(self, message: str, details: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(message)
        self.details = details
        self.hint = hint


class TurnedBack(Stop):
    """A person or a signal asked for the way back."""


class Unwatched(Stop):
    """A person stopped watching: ECS goes on with what it was told, nothing further is started."""
