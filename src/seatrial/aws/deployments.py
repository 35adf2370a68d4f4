"""Service deployments as ECS describes them: how far one is, what holds it, how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: The lifecycle stage at which deployments pause for smoke checks: test traffic is on the new revision, users' is not.
TESTED = "POST_TEST_TRAFFIC_SHIFT"


@dataclass(frozen=True)
class Hook:
    """A lifecycle hook of the stage that a service deployment is at. ``pauses``: it waits for an answer of ours.

    ``function`` is the Lambda function (ARN) that is asked otherwise.
    """

    id: str
    pauses: bool
    status: str
    function: str | None = None

    @property
    def waits(self) -> bool:
        """Whether it waits for ContinueServiceDeployment."""
        return self.pauses and self.status == "AWAITING_ACTION"

    @property
    def asks(self) -> bool:
        """Whether its function has not said yes or no yet: it runs, or answered IN_PROGRESS and is called again."""
        return self.function is not None and self.status == "IN_PROGRESS"


@dataclass(frozen=True)
class ServiceDeployment:
    """A service deployment, the one thing whose end is the truth about a release.

    ``status`` is one of PENDING, IN_PROGRESS, SUCCESSFUL, STOP_REQUESTED, STOPPED, ROLLBACK_REQUESTED,
    ROLLBACK_IN_PROGRESS, ROLLBACK_SUCCESSFUL, ROLLBACK_FAILED. ``stage`` is the lifecycle stage, None for a rolling
    update; ``production`` and ``test`` are the percentages of that traffic that are to go to the target revision.
    ``sources`` are the service revisions (ARNs) that ran when it began.
    """

    arn: str
    status: str
    reason: str | None
    target_revision: str | None
    created_at: datetime | None
    requested: int = 0
    running: int = 0
    rollback_reason: str | None = None
    failures: int = 0
    threshold: int = 0
    stage: str | None = None
    production: float | None = None
    test: float | None = None
    hooks: tuple[Hook, ...] = ()
    alarms: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def waiting(self) -> Hook | None:
        """The PAUSE hook that holds the deployment."""
        return next((hook for hook in self.hooks if hook.waits), None)

    @property
    def asked(self) -> tuple[str, ...]:
        """The functions (ARNs) that it waits for."""
        return tuple(hook.function for hook in self.hooks if hook.function is not None and hook.asks)


def brief(raw: Mapping[str, Any]) -> ServiceDeployment:
    """Read an item of ListServiceDeployments."""
    return ServiceDeployment(
        arn=raw["serviceDeploymentArn"],
        status=raw["status"],
        reason=raw.get("statusReason"),
        target_revision=raw.get("targetServiceRevisionArn"),
        created_at=raw.get("createdAt"),
    )


def service_deployment(raw: Mapping[str, Any]) -> ServiceDeployment:
    """Read an item of DescribeServiceDeployments."""
    target = raw.get("targetServiceRevision", {})
    breaker = raw.get("deploymentCircuitBreaker", {})
    return ServiceDeployment(
        arn=raw["serviceDeploymentArn"],
        status=raw["status"],
        reason=raw.get("statusReason"),
        target_revision=target.get("arn"),
        created_at=raw.get("createdAt"),
        requested=target.get("requestedTaskCount", 0),
        running=target.get("runningTaskCount", 0),
        rollback_reason=raw.get("rollback", {}).get("reason"),
        failures=breaker.get("failureCount", 0),
        threshold=breaker.get("threshold", 0),
        stage=raw.get("lifecycleStage"),
        production=target.get("requestedProductionTrafficWeight"),
        test=target.get("requestedTestTrafficWeight"),
        hooks=tuple(
            Hook(each["hookId"], each.get("targetType") == "PAUSE", each.get("status", ""), each.get("targetArn"))
            for each in raw.get("lifecycleHookDetails", ())
        ),
        alarms=tuple(raw.get("alarms", {}).get("triggeredAlarmNames", ())),
        sources=tuple(each["arn"] for each in raw.get("sourceServiceRevisions", ()) if each.get("arn")),
    )
