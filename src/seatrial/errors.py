"""The one exception tree, and what each branch means to the shell.

::

    SeatrialError                 something a person must read
    ├── UsageError            2   the command line, seatrial.toml or the project is wrong; nothing was changed
    │   └── ConfigError       2   a key of seatrial.toml, with file and line
    ├── ReleaseFailed         1   the release failed; the old version is serving
    └── NeedsHuman            3   the release failed and the state must be looked at by a person

Exit code 0 means the very release that was asked for is serving. ``cli.main`` is the one place that turns
these into an exit code and a printed message.
"""

from __future__ import annotations


class SeatrialError(Exception):
    """What happened, where, and what to do next.

    ``message`` is one sentence; ``hint`` (optional) says what to do; ``details`` are further lines such as log lines
    or stopped reasons. ``exit_code`` is what the process ends with.
    """

    exit_code: int = 3

    def __init__(self, message: str, *, hint: str | None = None, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def to_json(self) -> dict[str, object]:
        """Return the error as the object that ``--json`` prints under ``"error"``."""
        return {
            "type": type(self).__name__,
            "message": self.message,
            "hint": self.hint,
            "details": list(self.details),
            "exit_code": self.exit_code,
        }


class UsageError(SeatrialError):
    """The request itself is wrong; nothing was changed."""

    exit_code = 2


class ConfigError(UsageError):
    """A key of ``seatrial.toml`` is wrong. ``file``, ``line`` (1-based, None if unknown) and ``key`` say where."""

    def __init__(
        self, message: str, *, file: str, line: int | None = None, key: str | None = None, hint: str | None = None
    ) -> None:
        place = file if line is None else f"{file}:{line}"
        where = f"{place}: {key}: " if key else f"{place}: "
        super().__init__(where + message, hint=hint)
        self.file = file
        self.line = line
        self.key = key


class ReleaseFailed(SeatrialError):
    """The release failed and the old version is serving (exit code 1)."""

    exit_code = 1


class NeedsHuman(SeatrialError):
    """The release failed and its state must be looked at by a person (exit code 3)."""

    exit_code = 3
