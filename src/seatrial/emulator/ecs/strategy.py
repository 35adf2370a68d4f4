"""``deploymentConfiguration``: what a request may say, and what it means. Pure.

Rules and ranges: ``DeploymentConfiguration``, ``LinearConfiguration``, ``CanaryConfiguration``,
``DeploymentLifecycleHook`` and ``DeploymentEarlySuccessCriteria`` in the service model; texts of refusals where AWS
publishes them: "Troubleshooting Amazon ECS blue/green deployments", developer guide.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs.lifecycle import Course
from seatrial.emulator.ecs.refusals import invalid, unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: DeploymentConfiguration of a service that sets nothing (REPLICA).
DEFAULT_CONFIGURATION: Mapping[str, Any] = {
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
    "strategy": "ROLLING",
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "alarms": {"alarmNames": [], "rollback": False, "enable": False},
}
#: Defaults of the service model.
LINEAR = {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}
CANARY = {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}
HOOK_TIMEOUT_MINUTES = 1440

STRATEGIES = ("ROLLING", "BLUE_GREEN", "LINEAR", "CANARY")
HOOK_STAGES = (
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
)
PAUSE_STAGES = tuple(
    s for s in HOOK_STAGES if s not in {"RECONCILE_SERVICE", "TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"}
)
_OWN = {"LINEAR": "linearConfiguration", "CANARY": "canaryConfiguration"}
_DEFAULTS = {"LINEAR": LINEAR, "CANARY": CANARY}


def merge(known: Mapping[str, Any], request: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a service's ``deploymentConfiguration`` after a request. Raises ``ApiError``.

    What is left out stays, but for the settings of another strategy than the one that is now set.
    """
    asked = {k: v for k, v in (request or {}).items() if v is not None}
    merged = {**known, **asked}
    strategy = merged.setdefault("strategy", "ROLLING")
    if strategy not in STRATEGIES:
        raise invalid(f"Invalid deployment strategy. Valid values are: {', '.join(STRATEGIES)}")
    for owner, name in _OWN.items():
        if owner == strategy:
            merged[name] = {**_DEFAULTS[owner], **_set(merged.get(name))}
        elif name in asked:
            raise invalid(f"{name} is only valid when the deployment strategy is {owner}")
        else:
            merged.pop(name, None)
    if strategy != "ROLLING" and "earlySuccessCriteria" not in asked:
        merged.pop("earlySuccessCriteria", None)
    _check_percentages(merged)
    _check_times(merged)
    _check_early_success(merged)
    _check_breaker(merged.get("deploymentCircuitBreaker") or {})
    for hook in merged.get("lifecycleHooks") or ():
        _check_hook(hook)
    if strategy == "ROLLING" and merged.get("lifecycleHooks"):
        raise unsupported("deployment lifecycle hooks with the ROLLING strategy")
    return merged


def course(configuration: Mapping[str, Any], scaled: Callable[[float], float]) -> Course:
    """Return how traffic moves under a configuration that :func:`merge` returned; ``scaled`` is the clock's."""
    bake = scaled(60.0 * int(configuration.get("bakeTimeInMinutes") or 0))
    match configuration["strategy"]:
        case "LINEAR":
            linear = configuration["linearConfiguration"]
            step = float(linear["stepPercent"])
            count = math.ceil(round(100.0 / step, 6))
            steps = tuple(min(100.0, round(step * (number + 1), 1)) for number in range(count))
            return Course(steps, scaled(60.0 * int(linear["stepBakeTimeInMinutes"])), bake)
        case "CANARY":
            canary = configuration["canaryConfiguration"]
            percent = float(canary["canaryPercent"])
            steps = (percent, 100.0) if percent < 100.0 else (100.0,)
            return Course(steps, scaled(60.0 * int(canary["canaryBakeTimeInMinutes"])), bake)
        case _:
            return Course(bake=bake)


def hooks_of(configuration: Mapping[str, Any], stage: str) -> list[Mapping[str, Any]]:
    """Return the lifecycle hooks that are to run at a stage."""
    return [hook for hook in configuration.get("lifecycleHooks") or () if stage in (hook.get("lifecycleStages") or ())]


def _set(shape: Mapping[str, Any] | None) -> dict[str, Any]:
    return {k: v for k, v in (shape or {}).items() if v is not None}


def _check_percentages(merged: Mapping[str, Any]) -> None:
    minimum, maximum = int(merged["minimumHealthyPercent"]), int(merged["maximumPercent"])
    if minimum < 0 or maximum < 0 or minimum > maximum:
        raise invalid("The deployment configuration's minimumHealthyPercent must not be above its maximumPercent.")
    if "linearConfiguration" in merged:
        _check_percent("stepPercent", merged["linearConfiguration"]["stepPercent"], 3.0)
    if "canaryConfiguration" in merged:
        _check_percent("canaryPercent", merged["canaryConfiguration"]["canaryPercent"], 0.1)


def _check_percent(name: str, value: Any, least: float) -> None:
    percent = float(value)
    if not least <= percent <= 100.0 or abs(percent * 10 - round(percent * 10)) > 1e-6:
        raise invalid(f"{name} must be a multiple of 0.1 from {least} to 100.0")


def _check_times(merged: Mapping[str, Any]) -> None:
    if merged["strategy"] == "BLUE_GREEN" and merged.get("bakeTimeInMinutes") is None:
        raise invalid("bakeTimeInMinutes is required when using the BLUE_GREEN deployment strategy")
    for name, minutes in (
        ("bakeTimeInMinutes", merged.get("bakeTimeInMinutes")),
        ("stepBakeTimeInMinutes", (merged.get("linearConfiguration") or {}).get("stepBakeTimeInMinutes")),
        ("canaryBakeTimeInMinutes", (merged.get("canaryConfiguration") or {}).get("canaryBakeTimeInMinutes")),
    ):
        if minutes is not None and not 0 <= int(minutes) <= 1440:
            raise invalid(f"{name} must be between 0 and 1440")


def _check_early_success(merged: Mapping[str, Any]) -> None:
    early = merged.get("earlySuccessCriteria") or {}
    if not early.get("enable"):
        return
    if merged["strategy"] != "ROLLING":
        raise invalid("earlySuccessCriteria can only be used with the ROLLING deployment strategy")
    percent = early.get("healthyPercent")
    if percent is None or not early.get("sourceServiceRevisionCleanup"):
        raise invalid(
            "healthyPercent and sourceServiceRevisionCleanup are required when earlySuccessCriteria is enabled"
        )
    if not int(merged["minimumHealthyPercent"]) <= int(percent) <= 100:
        raise invalid("healthyPercent must be between minimumHealthyPercent and 100")


def _check_breaker(shape: Mapping[str, Any]) -> None:
    threshold = shape.get("thresholdConfiguration")
    if threshold and int(threshold["value"]) < 1:
        raise invalid("The circuit breaker's threshold value must be at least 1")


def _check_hook(hook: Mapping[str, Any]) -> None:
    kind = hook.get("targetType") or "AWS_LAMBDA"
    if kind not in {"AWS_LAMBDA", "PAUSE"}:
        raise invalid("Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE")
    stages = hook.get("lifecycleStages") or ()
    if not stages:
        raise invalid("lifecycleStages must be provided for a deployment lifecycle hook")
    for stage in stages:
        if stage not in HOOK_STAGES:
            raise invalid(f"Invalid lifecycle stage {stage}. Valid values are: {', '.join(HOOK_STAGES)}")
        if kind == "PAUSE" and stage not in PAUSE_STAGES:
            raise invalid("Invalid lifecycle stage provided for Pause Hook")
    if kind == "PAUSE" and hook.get("hookTargetArn"):
        raise invalid("hookTargetArn is not applicable for PAUSE hooks")
    if kind == "AWS_LAMBDA" and not (hook.get("hookTargetArn") and hook.get("roleArn")):
        raise invalid("hookTargetArn and roleArn must be provided for an AWS_LAMBDA lifecycle hook")
    timeout = hook.get("timeoutConfiguration") or {}
    minutes = timeout.get("timeoutInMinutes")
    if minutes is not None and not 1 <= int(minutes) <= 20160:
        raise invalid("timeoutInMinutes must be between 1 and 20160")
    if timeout.get("action") not in {None, "CONTINUE", "ROLLBACK"}:
        raise invalid("The timeout action must be CONTINUE or ROLLBACK")
