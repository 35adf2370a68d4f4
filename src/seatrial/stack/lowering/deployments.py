"""``DeploymentConfiguration``: how ECS changes a service to a new revision, and when it turns back by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack.graph import Noted

if TYPE_CHECKING:
    from seatrial.stack import model
    from seatrial.stack.graph import Value


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
    if deployment.shifts:
        configuration |= _shifting(deployment)
    elif deployment.bake is not None:
        configuration["BakeTimeInMinutes"] = Noted(
            deployment.bake, "So long the alarms are watched after the last task is replaced"
        )
    if deployment.alarms:
        configuration["Alarms"] = {
            "AlarmNames": list(deployment.alarms),
            "Enable": True,
            "Rollback": Noted(True, "An alarm during a deployment or its bake time takes the release back"),
        }
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
    if deployment.pause is not None:
        configuration["LifecycleHooks"] = [
            {
                "TargetType": Noted("PAUSE", "Whoever releases runs the smoke checks now, and says how it goes on"),
                "LifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
                "TimeoutConfiguration": {
                    "TimeoutInMinutes": deployment.pause,
                    "Action": Noted("ROLLBACK", "A release that died must not go on by itself"),
                },
            }
        ]
    return configuration
