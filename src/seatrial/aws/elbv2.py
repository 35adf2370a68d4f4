"""Elastic Load Balancing: what the load balancer thinks of its targets, and where its rules lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.aws.errors import NotFound

if TYPE_CHECKING:
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

    def weights(self, rule: str) -> dict[str, int]:
        """Return the target groups that a listener rule (ARN) forwards to, with their weights; none if it is gone."""
        try:
            answer = self._client.describe_rules(RuleArns=[rule])
        except NotFound:
            return {}
        actions = [each for found in answer["Rules"] for each in found.get("Actions", ()) if each["Type"] == "forward"]
        groups = [group for each in actions for group in each.get("ForwardConfig", {}).get("TargetGroups", ())]
        return {each["TargetGroupArn"]: each.get("Weight", 1) for each in groups}
