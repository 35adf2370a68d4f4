"""What a listener or rule may ask of Elastic Load Balancing on AWS and not here, refused before moto answers.

To pass it over would be kinder than AWS: a request would be let in that nobody authenticated, or meet another rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Action types of elbv2 ``ActionTypeEnum`` that come before the one that routes.
_GATES = ("authenticate-cognito", "authenticate-oidc", "jwt-validation")
_CONFIGS = ("HostHeaderConfig", "HttpHeaderConfig", "PathPatternConfig")


def check_supported(request: Mapping[str, Any]) -> None:
    """Refuse what a request that routes may not have here: the parameters of any action on listeners or rules.

    Raises ``ApiError`` InvalidLoadBalancerAction for an action, ValidationError for anything else.
    """
    for action in (*(request.get("Actions") or ()), *(request.get("DefaultActions") or ())):
        if action.get("Type") in _GATES:
            raise ApiError(
                "InvalidLoadBalancerAction", f"The emulator does not support actions of type '{action['Type']}'."
            )
    for condition in request.get("Conditions") or ():
        configs = (condition, *(condition.get(name) or {} for name in _CONFIGS))
        if any(config.get("RegexValues") for config in configs):
            field = condition.get("Field")
            raise ApiError(
                "ValidationError",
                f"The emulator does not support RegexValues in a condition of type '{field}'. Use Values.",
            )
    if request.get("Transforms"):
        raise ApiError("ValidationError", "The emulator does not support Transforms of a rule.")
    mode = (request.get("MutualAuthentication") or {}).get("Mode", "off")
    if mode != "off":
        raise ApiError("ValidationError", f"The emulator does not support MutualAuthentication in mode '{mode}'.")
