"""Target groups of a service whose deployments move traffic: where a revision's tasks stand, and what is wrong there.

The engine's lock must be held; only reads. Texts: "Troubleshooting Amazon ECS blue/green deployments".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.emulator.ecs.model import Advanced, Deployment, LoadBalancer, Revision, Service
    from seatrial.emulator.loadbalancing import Traffic

INVALID_NETWORK = "Service deployment rolled back because of invalid networking configuration"


def source_of(service: Service) -> Deployment | None:
    """Return the deployment that serves and that a new one would be rolled back to; None where there is none."""
    if service.completed is not None:
        return service.completed
    rollout = service.rollout
    return rollout.green if rollout is not None and rollout.production > 0 else None


def resolve(
    traffic: Traffic, balancers: Sequence[LoadBalancer], source: Revision | None, *, shifts: bool
) -> tuple[LoadBalancer, ...]:
    """Return where a new revision's tasks stand.

    Where traffic ``shifts``, in the one of the two target groups that does not serve: next to the source revision, or,
    for the first revision, beside the group that the production listener rule forwards to. A rolling deployment's tasks
    stand with those that serve.
    """
    placed = []
    for balancer in balancers:
        advanced = balancer.advanced
        if advanced is None:
            placed.append(balancer)
            continue
        serving = _serving(traffic, balancer, advanced, source)
        chosen = serving or balancer.target_group
        if shifts and serving:
            chosen = advanced.alternate if serving == balancer.target_group else balancer.target_group
        placed.append(replace(balancer, target_group=chosen))
    return tuple(placed)


def other_group(asked: Sequence[LoadBalancer], resolved: LoadBalancer) -> str:
    """Return the group of the pair in which a resolved entry does not stand."""
    for balancer in asked:
        if balancer.advanced and resolved.target_group in {balancer.target_group, balancer.advanced.alternate}:
            pair = (balancer.target_group, balancer.advanced.alternate)
            return pair[1] if resolved.target_group == pair[0] else pair[0]
    raise LookupError(resolved.target_group)


def weights(percent: float) -> tuple[int, int]:
    """Return the listener rule's weights (green, blue), integers of at most 999, for a percentage on green."""
    if percent == int(percent):
        return int(percent), 100 - int(percent)
    tenths = round(percent * 10)
    return tenths, 1000 - tenths


def misconfigured(traffic: Traffic, balancers: Sequence[LoadBalancer]) -> str | None:
    """Say what keeps traffic from being moved, None where nothing does."""
    for balancer in balancers:
        advanced = balancer.advanced
        if advanced is None:
            continue
        production = traffic.forwards(advanced.production_rule)
        test = traffic.forwards(advanced.test_rule) if advanced.test_rule else ()
        if production is None or test is None:
            return f"{INVALID_NETWORK}. One or more rules not found"
        pair = (balancer.target_group, advanced.alternate)
        there = {arn for arn, _ in (*production, *test)}
        for group in pair:
            if group not in there:
                return (
                    f"{INVALID_NETWORK}: Target group {group} is not associated with either productionListenerRule or "
                    "testListenerRule."
                )
        serving = [arn for arn, weight in production if weight > 0]
        for group in serving:
            if group not in pair:
                return (
                    f"{INVALID_NETWORK}. Production listener rule is forwarding traffic to unexpected target group "
                    f"{group}. Expected traffic to be forwarded to either targetGroupArn: {pair[0]} or "
                    f"alternateTargetGroupArn: {pair[1]}"
                )
        if len(serving) != 1:
            return (
                f"{INVALID_NETWORK}. productionListenerRule {advanced.production_rule} should have exactly one target "
                f"group serving traffic but found {len(serving)} target groups which are serving traffic"
            )
    return None


def _serving(traffic: Traffic, balancer: LoadBalancer, advanced: Advanced, source: Revision | None) -> str | None:
    pair = (balancer.target_group, advanced.alternate)
    if source is not None:
        return next((b.target_group for b in source.resolved if b.target_group in pair), None)
    forwards = traffic.forwards(advanced.production_rule) or ()
    return next((arn for arn, weight in forwards if weight > 0 and arn in pair), None)
