"""When a container and a task count as healthy. Pure.

Container health checks follow Docker's rules, which the ``HealthCheck`` shape of ECS refers to; what counts toward the
minimum healthy percent is in ``DeploymentConfiguration.minimumHealthyPercent``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.emulator.ecs.dependencies import Health
    from seatrial.emulator.loadbalancing import TargetHealth

#: AWS's seconds after RUNNING until a task that nothing checks counts as healthy (``minimumHealthyPercent``).
UNCHECKED_SECONDS = 40.0


@dataclass(frozen=True)
class ContainerHealth:
    """A container's health and the failures in a row that led there."""

    health: Health = "UNKNOWN"
    failures: int = 0

    def after(self, *, ok: bool, retries: int, starting: bool) -> ContainerHealth:
        """Return the health after one more check. ``starting``: within ``startPeriod``, where failures do not count.

        A success ends the start period early.
        """
        if ok:
            return ContainerHealth("HEALTHY")
        if starting and self.health == "UNKNOWN":
            return self
        failures = self.failures + 1
        return ContainerHealth("UNHEALTHY" if failures >= retries else self.health, failures)


@dataclass(frozen=True)
class Verdict:
    """``healthy``: counts toward the minimum. ``failed``: is to be replaced."""

    healthy: bool
    failed: bool


def judge(
    *,
    checked: bool,
    container: Health,
    targets: Sequence[TargetHealth],
    running_for: float,
    grace: float,
    unchecked_wait: float,
) -> Verdict:
    """Judge a RUNNING task ``running_for`` seconds after it got there.

    ``checked``: some essential container has a health check, whose outcome is ``container``. ``grace`` is the time in
    which failures are ignored. A target that no listener uses is checked by nobody and held against nobody.
    """
    failing = container == "UNHEALTHY" or any(t.state == "unhealthy" for t in targets)
    container_good = container == "HEALTHY" if checked else True
    targets_good = all(t.state in {"healthy", "unused"} for t in targets)
    waited = bool(checked or targets) or running_for >= unchecked_wait
    return Verdict(container_good and targets_good and waited, failing and running_for >= grace)
