"""What an environment is made of whose deployments shift traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seatrial.errors import UsageError
from tests.unit.stack.support import EVERYTHING, MATRIX, WEB, bundles, properties, resources_of_type

if TYPE_CHECKING:
    from seatrial.stack.graph import Bundle

_, APP = bundles(**EVERYTHING)
CANARY_BASE, CANARY_APP = bundles(**MATRIX["canary"])
_, LINEAR_APP = bundles(**MATRIX["linear"])


def test_a_service_whose_traffic_is_shifted_has_two_groups_and_one_rule_for_each_listener() -> None:
    rules = resources_of_type(CANARY_APP, "AWS::ElasticLoadBalancingV2::ListenerRule")
    (entry,) = properties(CANARY_APP, "services", "EventsService")["LoadBalancers"]
    advanced = entry["AdvancedConfiguration"]
    production, test = advanced["ProductionListenerRule"]["Ref"], advanced["TestListenerRule"]["Ref"]
    assert len(rules) == 4  # two services, one of them with two routes
    assert (entry["TargetGroupArn"], advanced["AlternateTargetGroupArn"]) == (
        {"Ref": "EventsTargetGroup"},
        {"Ref": "EventsAlternateTargetGroup"},
    )
    for rule, listener in (
        (production, {"Fn::ImportValue": "shop-base-HttpsListenerArn"}),
        (test, {"Ref": "TestListener"}),
    ):
        found = properties(CANARY_APP, "services", rule)
        assert found["ListenerArn"] == listener
        assert found["Conditions"][1]["PathPatternConfig"]["Values"] == ["/ws/*", "/sse/*"]
    assert properties(CANARY_APP, "services", "EventsAlternateTargetGroup") == properties(
        CANARY_APP, "services", "EventsTargetGroup"
    )


def test_the_weights_in_the_template_are_those_that_the_last_release_left() -> None:
    (entry,) = properties(CANARY_APP, "services", "WebService")["LoadBalancers"]
    rule = entry["AdvancedConfiguration"]["ProductionListenerRule"]["Ref"]
    (action,) = properties(CANARY_APP, "services", rule)["Actions"]
    assert action["ForwardConfig"]["TargetGroups"] == [
        {"TargetGroupArn": {"Ref": "WebTargetGroup"}, "Weight": {"Fn::If": ["WebServesAlternate", 0, 100]}},
        {"TargetGroupArn": {"Ref": "WebAlternateTargetGroup"}, "Weight": {"Fn::If": ["WebServesAlternate", 100, 0]}},
    ]
    parameter = CANARY_APP.root.parameters["WebServing"]
    assert (parameter.default, parameter.allowed) == ("primary", ("primary", "alternate"))


def test_a_change_of_strategy_keeps_the_rule_that_users_come_by() -> None:
    def rule(bundle: Bundle) -> dict[str, Any]:
        return {
            name: properties(bundle, "services", name)["Priority"]
            for name in resources_of_type(bundle, "AWS::ElasticLoadBalancingV2::ListenerRule")
            if "Test" not in name
        }

    rolling, shifting = rule(APP), rule(CANARY_APP)
    assert shifting.items() <= rolling.items()  # none is made, one takes over the routes of its service


@pytest.mark.parametrize(
    ("bundle", "expected"),
    [
        (
            CANARY_APP,
            {
                "Strategy": "CANARY",
                "BakeTimeInMinutes": 5,
                "CanaryConfiguration": {"CanaryPercent": 12.5, "CanaryBakeTimeInMinutes": 3},
                "LifecycleHooks": [
                    {
                        "TargetType": "PAUSE",
                        "LifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
                        "TimeoutConfiguration": {"TimeoutInMinutes": 120, "Action": "ROLLBACK"},
                    }
                ],
                "Alarms": {"AlarmNames": ["errors"], "Enable": True, "Rollback": True},
                "DeploymentCircuitBreaker": {
                    "Enable": True,
                    "Rollback": True,
                    "ResetOnHealthyTask": False,
                    "ThresholdConfiguration": {"Type": "COUNT", "Value": 5},
                },
            },
        ),
        (
            LINEAR_APP,  # no smoke checks, so nothing to wait for
            {
                "Strategy": "LINEAR",
                "LifecycleHooks": [],
                "Alarms": {"AlarmNames": [], "Enable": False, "Rollback": False},
                "BakeTimeInMinutes": 15,
                "LinearConfiguration": {"StepPercent": 25.0, "StepBakeTimeInMinutes": 6},
                "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
            },
        ),
        (
            bundles(**MATRIX["watched"])[1],
            {
                "Strategy": "ROLLING",
                "LifecycleHooks": [],
                "BakeTimeInMinutes": 5,
                "Alarms": {"AlarmNames": ["errors", "slow"], "Enable": True, "Rollback": True},
                "EarlySuccessCriteria": {
                    "Enable": True,
                    "HealthyPercent": 100,
                    "SourceServiceRevisionCleanup": "DEFERRED",
                },
                "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
            },
        ),
    ],
)
def test_deployment_configuration(bundle: Bundle, expected: dict[str, Any]) -> None:
    found = properties(bundle, "services", "WebService")["DeploymentConfiguration"]
    assert found == {"MinimumHealthyPercent": 100, "MaximumPercent": 200} | expected


def test_workers_and_the_scheduler_are_rolled_whatever_the_strategy() -> None:
    for name in ("WorkerService", "BeatService"):
        found = properties(CANARY_APP, "services", name)["DeploymentConfiguration"]
        assert {"Strategy", "BakeTimeInMinutes", "LifecycleHooks", "Alarms"}.isdisjoint(found)
        assert found["DeploymentCircuitBreaker"]["ThresholdConfiguration"] == {"Type": "COUNT", "Value": 5}


def test_the_test_port_is_the_environments_own_and_closed_but_to_those_named() -> None:
    listener = properties(CANARY_APP, "services", "TestListener")
    assert (listener["Port"], listener["Protocol"]) == (9443, "HTTPS")
    assert listener["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "404"
    doors = resources_of_type(CANARY_APP, "AWS::EC2::SecurityGroupIngress").values()
    opened = [(each.properties["FromPort"], each.properties["CidrIp"]) for each in doors if "CidrIp" in each.properties]
    assert opened == [(9443, "198.51.100.7/32"), (9443, "203.0.113.0/24")]
    assert not [
        each
        for each in resources_of_type(LINEAR_APP, "AWS::EC2::SecurityGroupIngress").values()
        if "CidrIp" in each.properties
    ]
    for_all = properties(CANARY_BASE, "ingress", "LoadBalancerSecurityGroup")["SecurityGroupIngress"]
    assert [each["FromPort"] for each in for_all] == [80, 443]
    assert CANARY_APP.root.outputs["TestUrl"].value == "https://shop.example.com:9443"


def test_ecs_may_move_this_environments_traffic_and_no_other() -> None:
    role = properties(CANARY_APP, "services", "TrafficRole")
    _, targets, rules = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert targets["Resource"] == [
        {"Ref": f"{unit}{which}TargetGroup"} for unit in ("Web", "Events") for which in ("", "Alternate")
    ]
    assert rules["Action"] == "elasticloadbalancing:ModifyRule"
    made = resources_of_type(CANARY_APP, "AWS::ElasticLoadBalancingV2::ListenerRule")
    assert {each["Ref"] for each in rules["Resource"]} == set(made)


def test_patterns_that_one_rule_cannot_hold_are_refused() -> None:
    target = {"cloud": "emulator", "strategy": {"type": "blue_green"}}
    services = {
        "web": WEB | {"routes": ["/*", "/shop/basket/*"]},
        "events": {"role": "websocket", "command": ["daphne"], "port": 9000, "routes": ["/shop/*"]},
    }
    with pytest.raises(
        UsageError, match=r"services.web.routes: /shop/basket/\* must be asked before /shop/\* of events"
    ):
        bundles(services=services, target=target)
    bundles(services=services)
    services["events"]["routes"] = ["/ws/*"]
    bundles(services=services, target=target)
