"""``DeploymentConfiguration``: how ECS changes a service to a new revision, and when it turns back by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack.graph import GetAtt, Noted

if TYPE_CHECKING:
    from seatrial.stack import model
    from seatrial.stack.graph import Value

#: The role with which ECS asks the functions of ``[hooks]``.
HOOK_ROLE = "HookRole"


def deployment_configuration(unit: model.Service) -> dict[str, Value]:
    """Return a service's deployment configuration.

    A change of it alone starts no deployment (ECS API reference, UpdateService: "doesn't trigger a new service
    deployment").
    """
    deployment = unit.deployment
    rolls = unit.maximum_percent > 100
    configuration: dict[str, Value] = {
        "MinimumHealthyPercent": unit.minimum_healthy_percent
        if rolls
        else Noted(unit.minimum_healthy_percent, "The old one stops before the new one starts: never two at once"),
        "MaximumPercent": unit.maximum_percent,
        "DeploymentCircuitBreaker": _circuit_breaker(deployment),
    }
    if unit.balancing is not None:
        configuration |= _shifting(deployment) if deployment.shifts else _rolling(deployment)
        configuration["Alarms"] = _alarms(deployment)
    if deployment.early_success is not None:
        configuration["EarlySuccessCriteria"] = {
            "Enable": True,
            "HealthyPercent": deployment.early_success.healthy_percent,
            "SourceServiceRevisionCleanup": deployment.early_success.cleanup,
        }
    return configuration


def _circuit_breaker(deployment: model.Deployment) -> dict[str, Value]:
    breaker: dict[str, Value] = {
        "Enable": True,
        "Rollback": Noted(True, "A release whose tasks do not come up goes back by itself"),
    }
    if deployment.breaker is not None:
        breaker["ResetOnHealthyTask"] = deployment.breaker.reset_on_healthy_task
        breaker["ThresholdConfiguration"] = {"Type": deployment.breaker.type, "Value": deployment.breaker.value}
    return breaker


def _alarms(deployment: model.Deployment) -> dict[str, Value]:
    if not deployment.alarms:
        return {"AlarmNames": [], "Enable": False, "Rollback": False}
    return {
        "AlarmNames": list(deployment.alarms),
        "Enable": True,
        "Rollback": Noted(True, "An alarm during a deployment or its bake time takes the release back"),
    }


def _rolling(deployment: model.Deployment) -> dict[str, Value]:
    """Return a rolling update's part, with what another strategy may have set before."""
    configuration: dict[str, Value] = {
        "Strategy": Noted("ROLLING", "Said, with what follows, although it is the default: what is left out stays"),
        "LifecycleHooks": [],
    }
    if deployment.bake is not None:
        configuration["BakeTimeInMinutes"] = Noted(
            deployment.bake, "So long the alarms are watched after the last task is replaced"
        )
    elif not deployment.alarms:  # with alarms ECS computes one from their periods
        configuration["BakeTimeInMinutes"] = 0
    return configuration


def _shifting(deployment: model.Deployment) -> dict[str, Value]:
    configuration: dict[str, Value] = {
        "Strategy": deployment.strategy,
        "BakeTimeInMinutes": Noted(
            deployment.bake, "So long the old tasks stay after all traffic has moved: going back is a change of weights"
        ),
    }
    if deployment.strategy == "CANARY":
        configuration["CanaryConfiguration"] = {
            "CanaryPercent": deployment.percent,
            "CanaryBakeTimeInMinutes": deployment.interval,
        }
    elif deployment.strategy == "LINEAR":
        configuration["LinearConfiguration"] = {
            "StepPercent": deployment.percent,
            "StepBakeTimeInMinutes": deployment.interval,
        }
    pauses = [] if deployment.pause is None else [_pause(deployment.pause)]
    configuration["LifecycleHooks"] = [*map(_function, deployment.hooks), *pauses]
    return configuration


def _function(hook: model.Hook) -> dict[str, Value]:
    return {
        "TargetType": "AWS_LAMBDA",
        "HookTargetArn": hook.function,
        "RoleArn": GetAtt(HOOK_ROLE, "Arn"),
        "LifecycleStages": list(hook.stages),
    }


def _pause(minutes: int) -> dict[str, Value]:
    return {
        "TargetType": Noted("PAUSE", "Whoever releases runs the smoke checks now, and says how it goes on"),
        "LifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
        "TimeoutConfiguration": {
            "TimeoutInMinutes": minutes,
            "Action": Noted("ROLLBACK", "A release that died must not go on by itself"),
        },
    }
