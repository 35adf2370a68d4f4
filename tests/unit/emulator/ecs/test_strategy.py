"""``deploymentConfiguration``: what is refused, what is kept, what it means."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from seatrial.emulator.ecs.groups import weights
from seatrial.emulator.ecs.lifecycle import Course
from seatrial.emulator.ecs.strategy import DEFAULT_CONFIGURATION, HOOK_STAGES, STRATEGIES, course, merge
from seatrial.emulator.front.actions import ApiError

MODEL = botocore.session.get_session().get_service_model("ecs")
BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}
HOOK = {"hookTargetArn": "arn", "roleArn": "arn", "lifecycleStages": ["PRE_SCALE_UP"]}


def test_names_are_those_of_the_service_model() -> None:
    assert list(STRATEGIES) == MODEL.shape_for("DeploymentStrategy").enum
    assert list(HOOK_STAGES) == MODEL.shape_for("DeploymentLifecycleHookStage").enum


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "strategy": ({"strategy": "ALL_AT_ONCE"}, "Invalid deployment strategy"),
    "no bake time": ({"strategy": "BLUE_GREEN"}, "bakeTimeInMinutes is required"),
    "bake time": (
        {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1441},
        "bakeTimeInMinutes must be between 0 and 1440",
    ),
    "foreign settings": ({**BLUE_GREEN, "canaryConfiguration": {}}, "canaryConfiguration is only valid when"),
    "step": (
        {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 2.9}},
        "stepPercent must be a multiple of 0.1",
    ),
    "share": (
        {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 5.25}},
        "multiple of 0.1 from 0.1 to 100.0",
    ),
    "wait": (
        {"strategy": "CANARY", "canaryConfiguration": {"canaryBakeTimeInMinutes": -1}},
        "canaryBakeTimeInMinutes must be between",
    ),
    "early success": (
        {**BLUE_GREEN, "earlySuccessCriteria": {"enable": True}},
        "can only be used with the ROLLING deployment strategy",
    ),
    "half an early success": (
        {"earlySuccessCriteria": {"enable": True}},
        "healthyPercent and sourceServiceRevisionCleanup",
    ),
    "early success below the minimum": (
        {"earlySuccessCriteria": {"enable": True, "healthyPercent": 50, "sourceServiceRevisionCleanup": "BLOCKING"}},
        "healthyPercent must be between minimumHealthyPercent and 100",
    ),
    "hook without function": (
        {**BLUE_GREEN, "lifecycleHooks": [{**HOOK, "hookTargetArn": None}]},
        "hookTargetArn and roleArn",
    ),
    "hook without role": ({**BLUE_GREEN, "lifecycleHooks": [{**HOOK, "roleArn": None}]}, "hookTargetArn and roleArn"),
    "hook without stage": (
        {**BLUE_GREEN, "lifecycleHooks": [{**HOOK, "lifecycleStages": []}]},
        "lifecycleStages must be",
    ),
    "hook at no stage": (
        {**BLUE_GREEN, "lifecycleHooks": [{**HOOK, "lifecycleStages": ["SCALE_UP"]}]},
        "Invalid lifecycle stage",
    ),
    "hook type": (
        {**BLUE_GREEN, "lifecycleHooks": [{**HOOK, "targetType": "SQS"}]},
        "Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE",
    ),
    "pause at a shift": (
        {**BLUE_GREEN, "lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["TEST_TRAFFIC_SHIFT"]}]},
        "Invalid lifecycle stage provided for Pause Hook",
    ),
    "hook timeout": (
        {**BLUE_GREEN, "lifecycleHooks": [{**HOOK, "timeoutConfiguration": {"timeoutInMinutes": 20161}}]},
        "timeoutInMinutes must be between 1 and 20160",
    ),
    "threshold": (
        {
            "deploymentCircuitBreaker": {
                "enable": True,
                "rollback": True,
                "thresholdConfiguration": {"type": "COUNT", "value": 0},
            }
        },
        "threshold value must be at least 1",
    ),
}


@pytest.mark.parametrize(("request_", "text"), REFUSED.values(), ids=list(REFUSED))
def test_what_contradicts_itself_is_refused(request_: dict[str, Any], text: str) -> None:
    with pytest.raises(ApiError, match=text):
        merge(DEFAULT_CONFIGURATION, request_)


def test_defaults_are_filled_in_and_another_strategys_settings_go() -> None:
    linear = merge(DEFAULT_CONFIGURATION, {"strategy": "LINEAR"})
    assert linear["linearConfiguration"] == {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}
    canary = merge(linear, {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 20.0}})
    assert canary["canaryConfiguration"] == {"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 10}
    assert "linearConfiguration" not in canary
    assert merge(canary, {"maximumPercent": 150})["strategy"] == "CANARY"


def test_what_a_configuration_means() -> None:
    def of(request: dict[str, Any]) -> Course:
        return course(merge(DEFAULT_CONFIGURATION, request), lambda seconds: seconds / 10)

    assert of(BLUE_GREEN) == Course((100.0,), 0.0, 30.0)
    assert of({"strategy": "CANARY", "bakeTimeInMinutes": 1}) == Course((5.0, 100.0), 60.0, 6.0)
    assert of({"strategy": "LINEAR"}).steps == tuple(float(p) for p in range(10, 101, 10))
    uneven = of({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 33.3, "stepBakeTimeInMinutes": 0}})
    assert uneven == Course((33.3, 66.6, 99.9, 100.0), 0.0, 0.0)
    assert of({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 100.0}}).steps == (100.0,)


@pytest.mark.parametrize(
    ("percent", "pair"), [(0.0, (0, 100)), (100.0, (100, 0)), (10.0, (10, 90)), (0.1, (1, 999)), (33.3, (333, 667))]
)
def test_weights_are_whole_numbers_that_a_rule_takes(percent: float, pair: tuple[int, int]) -> None:
    assert weights(percent) == pair
    assert max(pair) <= 999
