"""One release at a time: a lock in the SSM parameter store, ``/APP/ENV/lock``.

PutParameter without Overwrite is the atomic step: of two that try at once, one gets ParameterAlreadyExists. The
lock names its holder without the machine's name (the caller's ARN, and the CI job or process) and when it was taken;
a lock that a killed job left behind is taken over by hand, never by age: a long migration is not a dead one.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from seatrial.aws.errors import AlreadyExists
from seatrial.errors import NeedsHuman, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.aws.clock import Clock
    from seatrial.aws.ssm import Ssm

#: CI systems name the running job in these variables; the first that is set is shown.
_JOBS = {
    "CI_JOB_URL": "GitLab job",
    "GITHUB_RUN_ID": "GitHub run",
    "CODEBUILD_BUILD_ID": "CodeBuild build",
    "CODEPIPELINE_EXECUTION_ID": "CodePipeline execution",
    "BUILD_URL": "build",
}


@dataclass(frozen=True)
class Holder:
    """Who holds the lock: the caller's ARN, the process or CI job, since when, and a token only the holder knows."""

    who: str
    process: str
    taken_at: datetime
    token: str

    def describe(self, now: datetime) -> str:
        """Return holder and age as text."""
        return f"{self.who} ({self.process}), for {age(max(0.0, (now - self.taken_at).total_seconds()))}"


class Lock:
    """The lock of one environment."""

    def __init__(self, ssm: Ssm, prefix: str, clock: Clock) -> None:
        self._ssm = ssm
        self._name = f"{prefix}/lock"
        self._clock = clock
        self._token = uuid.uuid4().hex

    @property
    def process(self) -> str:
        """The CI job or process that this is, as others are told who holds the lock."""
        return process_name(os.environ, os.getpid())

    def take(self, who: str, *, take_over: bool = False) -> Holder | None:
        """Take the lock and return whom it was taken from, if anyone.

        Raises :class:`~seatrial.errors.UsageError` naming holder and age if it is held and not ``take_over``.
        """
        mine = Holder(who, self.process, self._clock.now(), self._token)
        try:
            self._ssm.put(self._name, _encoded(mine), overwrite=False)
        except AlreadyExists:
            held = self.holder()
            if held is None:  # given back between our two calls
                return self.take(who, take_over=take_over)
            if held.token == self._token:  # taken by the first call, whose answer got lost
                return None
            if not take_over:
                raise UsageError(
                    f"another release holds the lock: {held.describe(self._clock.now())}",
                    hint="wait for it, or if it is dead repeat the command with --take-over",
                ) from None
            self._ssm.put(self._name, _encoded(mine), overwrite=True)
            return held
        return None

    def check(self) -> None:
        """Raise NeedsHuman if someone took the lock over: two must never steer the same services."""
        held = self.holder()
        if held is None or held.token != self._token:
            whom = held.describe(self._clock.now()) if held else "someone who gave it back already"
            raise NeedsHuman(
                f"the release lock was taken over by {whom}; this release stopped where it was",
                hint="`seatrial status ENVIRONMENT` shows what is serving",
            )

    def give_back(self) -> None:
        """Delete the lock if it is still ours."""
        held = self.holder()
        if held is not None and held.token == self._token:
            self._ssm.delete(self._name)

    def holder(self) -> Holder | None:
        """Return who holds it now."""
        value = self._ssm.get(self._name)
        if value is None:
            return None
        fields = json.loads(value)
        return Holder(**{**fields, "taken_at": datetime.fromisoformat(fields["taken_at"])})


def process_name(environment: Mapping[str, str], pid: int) -> str:
    """Return the CI job if there is one, else the process id. Never the machine's name."""
    for variable, name in _JOBS.items():
        if environment.get(variable):
            return f"{name} {environment[variable]}"
    return f"process {pid}"


def age(seconds: float) -> str:
    """Return a duration as people say it: ``42 s``, ``7 min``, ``3 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(int(seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _encoded(holder: Holder) -> str:
    return json.dumps({**asdict(holder), "taken_at": holder.taken_at.isoformat()}, separators=(",", ":"))
