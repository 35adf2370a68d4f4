"""``[smoke.NAME]``: what a new version must show before it gets traffic."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from seatrial.config.fields import SECONDS, Command, Model

#: Seconds that all checks may take together if each fails at its last attempt. ECS holds the deployment meanwhile, and
#: for no longer than :data:`HELD`.
LONGEST = 3600
#: Seconds that ECS waits for the answer to its PAUSE hook before it rolls back: all checks, and as long again.
HELD = 2 * LONGEST
#: Seconds between two attempts.
PAUSE = 2


class Smoke(Model):
    """`[smoke.NAME]`: a check of the new version while only the test port leads to it.

    Exactly one of `path`, `command` and `run`. One that fails turns the release back before users see the new version.
    """

    path: str | None = Field(default=None, pattern=r"^/", description="asked for by HTTP, over the test port")
    status: int = Field(default=200, ge=100, le=599, description="the status that `path` must answer with")
    contains: str | None = Field(default=None, description="text that must be in the answer")
    headers: dict[str, str] = Field(default_factory=dict, description="headers to send")
    host: str | None = Field(default=None, description="Host header to send; without it, the environment's domain")
    command: Command | None = Field(
        default=None, description="run on the new version as a one-off task of the first web service; must exit 0"
    )
    run: Command | None = Field(
        default=None,
        description="any program on the machine that releases, in the directory of seatrial.toml; must exit 0. "
        "It is told SEATRIAL_TEST_URL, SEATRIAL_TEST_ADDRESS, SEATRIAL_TEST_HOST, SEATRIAL_VERSION and "
        "SEATRIAL_ENVIRONMENT",
    )
    timeout: Annotated[int, SECONDS, Field(ge=1, le=LONGEST)] = Field(default=30, description="seconds of one attempt")
    retries: int = Field(default=0, ge=0, le=100, description="further attempts, two seconds apart")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Smoke:
        kinds = [kind for kind in ("path", "command", "run") if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"needs exactly one of `path`, `command` and `run`, not {' and '.join(kinds) or 'none'}")
        for key in ("status", "contains", "headers", "host"):
            if kinds != ["path"] and key in self.model_fields_set:
                raise ValueError(f"`{key}` goes with `path` only")
        return self

    @property
    def longest(self) -> int:
        """Seconds that the check takes if every attempt fails at its last moment."""
        return (self.retries + 1) * self.timeout + self.retries * PAUSE

    @property
    def words(self) -> str:
        """What is done, in a few words."""
        if self.path is not None:
            return f"GET {self.path} answers {self.status}" + (f" with {self.contains!r}" if self.contains else "")
        if self.command is not None:
            return f"`{' '.join(self.command)}` exits 0 on the new version"
        return f"`{' '.join(self.run or ())}` exits 0 here"
