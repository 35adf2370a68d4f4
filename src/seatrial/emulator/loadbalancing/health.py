"""How probes make a target healthy or unhealthy. Pure: one state, one probe's outcome, the next state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.emulator.loadbalancing import TargetHealth

if TYPE_CHECKING:
    from seatrial.emulator.loadbalancing.snapshot import HealthCheck

REGISTERING = TargetHealth("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = TargetHealth("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = TargetHealth("healthy")
DRAINING = TargetHealth("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_REGISTERED = TargetHealth("unused", "Target.NotRegistered", "Target is not registered to the target group")
NOT_IN_USE = TargetHealth(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
NO_ADDRESS = TargetHealth(
    "unused", "Target.InvalidState", "Target is not an IP address: the emulator has no such target and sends no traffic"
)


@dataclass(frozen=True)
class Failure:
    """A probe that failed, in the words of DescribeTargetHealth."""

    reason: str
    description: str


TIMED_OUT = Failure("Target.Timeout", "Request timed out")
UNREACHABLE = Failure("Target.FailedHealthChecks", "Health checks failed")


def wrong_status(status: int) -> Failure:
    """Return the failure for an answer whose status the matcher does not have."""
    return Failure("Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]")


@dataclass(frozen=True)
class Record:
    """What is known of a target: its health and the run of equal outcomes that led to it."""

    health: TargetHealth = REGISTERING
    successes: int = 0
    failures: int = 0


def observe(record: Record, failure: Failure | None, check: HealthCheck) -> Record:
    """Return the record after one more probe (``failure`` is None for a success).

    A target that is being registered is healthy after its first success; otherwise the thresholds count consecutive
    outcomes (ALB user guide, health checks for target groups).
    """
    if failure is None:
        successes = record.successes + 1
        first = record.health.state in ("initial", "unused")
        recovered = record.health.state == "healthy" or first or successes >= check.healthy_threshold
        return Record(HEALTHY if recovered else record.health, successes=successes)
    failures = record.failures + 1
    unhealthy = TargetHealth("unhealthy", failure.reason, failure.description)
    if record.health.state == "unhealthy" or failures >= check.unhealthy_threshold:
        return Record(unhealthy, failures=failures)
    waiting = CHECKING if record.health.state in ("initial", "unused") else record.health
    return replace(record, health=waiting, successes=0, failures=failures)


def matches(matcher: str, status: int) -> bool:
    """Whether ``status`` is among the matcher's codes: ``200``, ``200,302`` or ``200-399``."""
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False
