"""The load balancers as the API has them, copied at one moment. Plain data; ``reader`` takes it from moto."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class RuleState:
    """A rule as DescribeRules tells it. ``priority`` is None for the default rule."""

    arn: str
    priority: int | None
    conditions: tuple[Mapping[str, Any], ...]
    actions: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class ListenerState:
    """A listener with its rules. ``certificates`` are ARNs, the default one first."""

    arn: str
    protocol: str
    port: int
    rules: tuple[RuleState, ...]
    certificates: tuple[str, ...] = ()


@dataclass(frozen=True)
class BalancerState:
    """A load balancer with its listeners and attributes. ``type`` is ``application``, ``network`` or ``gateway``."""

    arn: str
    name: str
    type: str
    listeners: tuple[ListenerState, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HealthCheck:
    """How targets of a group are probed. Times are AWS's seconds; ``port`` is None for ``traffic-port``."""

    protocol: str
    port: int | None
    path: str
    matcher: str
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int


@dataclass(frozen=True)
class GroupState:
    """A target group."""

    arn: str
    name: str
    protocol: str
    port: int
    target_type: str
    health_check: HealthCheck
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """All load balancers and target groups."""

    balancers: tuple[BalancerState, ...] = ()
    groups: Mapping[str, GroupState] = field(default_factory=dict)

    def attached(self) -> frozenset[str]:
        """Return the ARNs of the target groups that some listener or rule forwards to."""
        return frozenset(
            arn
            for balancer in self.balancers
            for listener in balancer.listeners
            for rule in listener.rules
            for action in rule.actions
            for arn, _ in forwarded(action)
        )


def forwarded(action: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Return the target groups of a ``forward`` action with their weights; nothing for another action."""
    if action.get("Type") != "forward":
        return ()
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or ()
    if groups:
        return tuple((group["TargetGroupArn"], int(group.get("Weight", 1))) for group in groups)
    return ((action["TargetGroupArn"], 1),) if action.get("TargetGroupArn") else ()
