"""The deployment circuit breaker and the start back-off. Pure.

Rules: "How the Amazon ECS deployment circuit breaker detects failures" and "Amazon ECS service throttle logic" in the
developer guide; ``DeploymentCircuitBreaker`` and ``ThresholdConfiguration`` in the service model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds of AWS's between the second and third start of a task that never reached RUNNING; doubles up to the longest.
FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 27 * 60.0
#: Failed starts in a row after which ECS says that it is unable to consistently start tasks.
CONSISTENTLY = 3


@dataclass(frozen=True)
class Failures:
    """The failures of one deployment: ``count`` for the breaker, ``starts`` in a row that never reached RUNNING.

    Stage one counts tasks that never reach RUNNING, stage two (``running`` is True) those that are lost before they
    were healthy or fail their health checks; AWS reports one number for both.
    """

    count: int = 0
    starts: int = 0
    running: bool = False

    def reached_running(self) -> Failures:
        """Enter stage two; starts are not throttled any more."""
        return replace(self, running=True, starts=0)

    def reached_healthy(self, *, reset: bool) -> Failures:
        """Take note of a healthy task; it clears the count where ``resetOnHealthyTask`` says so."""
        return replace(self, count=0 if reset else self.count, starts=0, running=True)

    def failed(self, *, reached_running: bool) -> Failures:
        """Take note of a failed task."""
        return replace(self, count=self.count + 1, starts=0 if reached_running else self.starts + 1)

    @property
    def backoff(self) -> float:
        """AWS's seconds before the next start."""
        if self.starts < 2:
            return 0.0
        return float(min(FIRST_BACKOFF * 2 ** min(self.starts - 2, 16), LONGEST_BACKOFF))


@dataclass(frozen=True)
class Breaker:
    """The breaker's settings."""

    enabled: bool = False
    rollback: bool = False
    reset_on_healthy: bool = True
    kind: str = "BOUNDED_PERCENT"
    value: int = 50

    def threshold(self, desired: int) -> int:
        """Return the number of failures that trips it: half the desired count, from 3 to 200, where nothing is set."""
        if self.kind == "COUNT":
            return max(1, self.value)
        share = math.ceil(self.value * desired / 100)
        if self.kind == "UNBOUNDED_PERCENT":
            return max(1, share)
        return min(max(share, 3), 200)

    def tripped(self, failures: Failures, desired: int) -> bool:
        """Whether the deployment has failed."""
        return self.enabled and failures.count >= self.threshold(desired)


def parse_breaker(shape: Mapping[str, Any] | None) -> Breaker:
    """Read ``deploymentConfiguration.deploymentCircuitBreaker``."""
    if not shape:
        return Breaker()
    threshold = shape.get("thresholdConfiguration") or {}
    return Breaker(
        enabled=bool(shape.get("enable")),
        rollback=bool(shape.get("rollback")),
        reset_on_healthy=shape.get("resetOnHealthyTask") is not False,
        kind=threshold.get("type", "BOUNDED_PERCENT"),
        value=int(threshold.get("value", 50)),
    )
