"""Elastic Load Balancing's actions on moto: our own for targets, moto's followed by the proxy for all that routes.

Names of moto used: ``ELBV2Response`` and its methods named in :data:`ROUTING`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.front.actions import ApiError, install, wrap
from seatrial.emulator.loadbalancing.model import Backend
from seatrial.emulator.loadbalancing.refusals import check_supported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.emulator.loadbalancing.snapshot import GroupState, Snapshot
    from seatrial.emulator.loadbalancing.targets import TargetRegistry

#: Actions of moto after which the proxy must have taken up what they changed.
ROUTING = (
    "add_listener_certificates",
    "create_listener",
    "create_load_balancer",
    "create_rule",
    "create_target_group",
    "delete_listener",
    "delete_load_balancer",
    "delete_rule",
    "delete_target_group",
    "modify_listener",
    "modify_load_balancer_attributes",
    "modify_rule",
    "modify_target_group",
    "modify_target_group_attributes",
    "remove_listener_certificates",
    "set_rule_priorities",
)
_TARGETS = ("deregister_targets", "describe_target_health", "register_targets")


class Api:
    """Puts the actions on moto's class and takes them off again."""

    def __init__(self, targets: TargetRegistry, read: Callable[[], Snapshot], follow: Callable[[], None]) -> None:
        self._targets = targets
        self._read = read
        self._follow = follow
        self._replaced: dict[str, Any] = {}

    def install(self) -> None:
        """Take over. The answer to an action that routes is given once the proxy has taken it up."""
        from moto.elbv2.responses import ELBV2Response

        self._replaced = {name: vars(ELBV2Response)[name] for name in (*ROUTING, *_TARGETS)}
        wrap(ELBV2Response, dict.fromkeys(ROUTING, self._followed))
        install(
            ELBV2Response,
            {
                "register_targets": self.register_targets,
                "deregister_targets": self.deregister_targets,
                "describe_target_health": self.describe_target_health,
            },
        )

    def uninstall(self) -> None:
        """Give moto its own actions back."""
        from moto.elbv2.responses import ELBV2Response

        while self._replaced:
            setattr(ELBV2Response, *self._replaced.popitem())

    def register_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        """RegisterTargets. A target is its Id *and* port; the port defaults to the group's."""
        group = self._group(request)
        for backend in list(_asked(request, group)):
            if group.target_type == "ip" and not backend.is_address:
                raise ApiError("ValidationError", f"The IP address '{backend.address}' is not a valid IPv4 address")
            self._targets.register(group.arn, backend.address, backend.port)
        return {}

    def deregister_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeregisterTargets. "If the specified target does not exist, the action returns successfully."."""
        group = self._group(request)
        for backend in _asked(request, group):
            self._targets.drain(group.arn, backend.address, backend.port)
        return {}

    def describe_target_health(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeTargetHealth: all targets of the group, or those asked for, known or not."""
        group = self._group(request)
        asked = list(_asked(request, group)) if request.get("Targets") else self._targets.registered(group.arn)
        return {"TargetHealthDescriptions": [self._describe(group, backend) for backend in asked]}

    def _describe(self, group: GroupState, backend: Backend) -> dict[str, Any]:
        health = self._targets.health(group.arn, backend.address, backend.port)
        told = {"State": health.state, "Reason": health.reason, "Description": health.description}
        return {
            "Target": {"Id": backend.address, "Port": backend.port},
            "HealthCheckPort": str(group.health_check.port or backend.port),
            "TargetHealth": {key: value for key, value in told.items() if value is not None},
        }

    def _group(self, request: dict[str, Any]) -> GroupState:
        group = self._read().groups.get(request["TargetGroupArn"])
        if group is None:
            raise ApiError("TargetGroupNotFound", "One or more target groups not found")
        return group

    def _followed(self, request: Any, own: Callable[[], Any]) -> Any:
        """Let moto answer, and the proxy take it up."""
        check_supported(request)
        answer = own()
        self._follow()
        return answer


def _asked(request: dict[str, Any], group: GroupState) -> Iterator[Backend]:
    for target in request.get("Targets") or ():
        yield Backend(target["Id"], int(target.get("Port") or group.port))
