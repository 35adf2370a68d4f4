"""What becomes of an invocation that failed: tried again later, or given up. Pure.

RetryPolicy as botocore documents it: retries "with exponential backoff continue until either the maximum number of
attempts is made or until the duration of the MaximumEventAgeInSeconds is reached". The steps of the back-off AWS does
not publish; these are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Exhausted = Literal["MaximumRetryAttempts", "MaximumEventAgeInSeconds"]

#: What a target without a RetryPolicy has (botocore, CreateSchedule).
DEFAULT_AGE, DEFAULT_ATTEMPTS = 86_400, 185
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0


@dataclass(frozen=True)
class Policy:
    """``RetryPolicy``: seconds and a number of retries."""

    most_age: float = DEFAULT_AGE
    most_retries: int = DEFAULT_ATTEMPTS


@dataclass(frozen=True)
class Verdict:
    """``pause``: seconds of AWS until the next try; None when it is given up, and then ``exhausted`` says why."""

    pause: float | None
    exhausted: Exhausted | None = None


def after_failure(policy: Policy, retries: int, age: float) -> Verdict:
    """Decide after a failed try. ``retries`` were made before or by it; ``age`` is in AWS's seconds."""
    if retries >= policy.most_retries:
        return Verdict(None, "MaximumRetryAttempts")
    pause = float(min(_FIRST_PAUSE * 2 ** min(retries, 16), _LONGEST_PAUSE))
    if age + pause > policy.most_age:
        return Verdict(None, "MaximumEventAgeInSeconds")
    return Verdict(pause)
