"""Elastic Load Balancing: what the load balancer thinks of its targets, and where its rules lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.aws.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.aws.session import Aws


@dataclass(frozen=True)
class TargetHealth:
    """A target's health.

    ``state`` is initial, healthy, unhealthy, unused, draining or unavailable; ``reason`` a code such as
    ``Target.ResponseCodeMismatch``; ``description`` the sentence, such as "Health checks failed with these codes:
    [400]".
    """

    address: str
    port: int
    state: str
    reason: str | None
    description: str | None


@dataclass(frozen=True)
class Forward:
    """What one rule does with its requests: target groups by weight. ``rule`` is its ARN."""

    rule: str
    weights: Mapping[str, int]

    def is_of(self, listener: str) -> bool:
        """Whether it is a rule of this listener (ARN): ``...:listener-rule/app/NAME/ID/LISTENER/RULE``."""
        return self.rule.replace(":listener-rule/", ":listener/").startswith(f"{listener}/")


class Elbv2:
    """The calls."""

    def __init__(self, aws: Aws) -> None:
        self._client = aws.client("elbv2")

    def target_health(self, target_group: str) -> list[TargetHealth]:
        """Return the health of a target group's targets; none if the group is gone."""
        try:
            answer = self._client.describe_target_health(TargetGroupArn=target_group)
        except NotFound:
            return []
        return [
            TargetHealth(
                address=each["Target"]["Id"],
                port=each["Target"].get("Port", 0),
                state=each["TargetHealth"]["State"],
                reason=each["TargetHealth"].get("Reason"),
                description=each["TargetHealth"].get("Description"),
            )
            for each in answer.get("TargetHealthDescriptions", ())
        ]

    def forwards(self, target_groups: Sequence[str]) -> list[Forward]:
        """Return the rules that lead to any of the target groups, in no order; none for groups that are gone."""
        try:
            groups = self._client.describe_target_groups(TargetGroupArns=list(target_groups))["TargetGroups"]
        except NotFound:
            return []
        balancers = sorted({arn for group in groups for arn in group.get("LoadBalancerArns", ())})
        wanted = set(target_groups)
        return [each for balancer in balancers for each in self._rules(balancer) if wanted & each.weights.keys()]

    def _rules(self, balancer: str) -> Iterator[Forward]:
        for listener in self._client.pages("describe_listeners", "Listeners", LoadBalancerArn=balancer):
            for rule in self._client.pages("describe_rules", "Rules", ListenerArn=listener["ListenerArn"]):
                for action in rule["Actions"]:
                    if action["Type"] == "forward":
                        yield Forward(rule["RuleArn"], _weights(action))


def _weights(action: Mapping[str, Any]) -> dict[str, int]:
    """Read a forward action: several groups with weights, or one (ForwardConfig and TargetGroupArn in botocore)."""
    groups = action.get("ForwardConfig", {}).get("TargetGroups", ())
    if not groups:
        return {action["TargetGroupArn"]: 1}
    return {each["TargetGroupArn"]: each.get("Weight", 1) for each in groups}
