"""What an environment is made of whose services CodeDeploy deploys, and what Lambda hooks add."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.stack.support import EVERYTHING, HOOK, MATRIX, bundles, properties, resources_of_type

_, APP = bundles(**MATRIX["codedeploy"])
_, PLAIN = bundles(**MATRIX["codedeploy-plain"])
_, HOOKED = bundles(**MATRIX["hooked"])


def statements(role: str) -> dict[str, dict[str, Any]]:
    (policy,) = properties(APP, "services", role)["Policies"]
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


def test_only_services_that_have_traffic_are_codedeploys() -> None:
    for name in ("WebService", "EventsService"):
        service = properties(APP, "services", name)
        assert (service["DeploymentController"], service["DesiredCount"]) == ({"Type": "CODE_DEPLOY"}, 0)
        assert "DeploymentConfiguration" not in service
        (entry,) = service["LoadBalancers"]
        assert "AdvancedConfiguration" not in entry
    for name in ("WorkerService", "BeatService"):
        service = properties(APP, "services", name)
        assert "DeploymentController" not in service
        breaker = service["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
        assert breaker["ThresholdConfiguration"] == {"Type": "COUNT", "Value": 5}
    assert list(resources_of_type(APP, "AWS::CodeDeploy::DeploymentGroup")) == [
        "WebDeploymentGroup", "EventsDeploymentGroup",
    ]  # fmt: skip


def test_nothing_of_such_a_service_changes_with_a_release() -> None:
    """So no stack update after a release calls UpdateService, which ECS would refuse."""
    said = json.dumps(properties(APP, "services", "WebService"))
    assert "WebReleased" not in {*APP.root.parameters}
    assert "Fn::If" not in said
    assert '"TaskDefinition": "shop-production-web"' in said
    assert {"WebServing", "EventsServing", "WorkerReleased", "BeatReleased"} <= {*APP.root.parameters}


def test_the_group_moves_traffic_between_both_target_groups_by_both_listeners() -> None:
    group = properties(APP, "services", "WebDeploymentGroup")
    (pair,) = group["LoadBalancerInfo"]["TargetGroupPairInfoList"]
    assert pair == {
        "TargetGroups": [
            {"Name": {"Fn::GetAtt": ["WebTargetGroup", "TargetGroupName"]}},
            {"Name": {"Fn::GetAtt": ["WebAlternateTargetGroup", "TargetGroupName"]}},
        ],
        "ProdTrafficRoute": {"ListenerArns": [{"Fn::ImportValue": "shop-base-HttpsListenerArn"}]},
        "TestTrafficRoute": {"ListenerArns": [{"Ref": "TestListener"}]},
    }
    assert group["BlueGreenDeploymentConfiguration"] == {
        "DeploymentReadyOption": {"ActionOnTimeout": "STOP_DEPLOYMENT", "WaitTimeInMinutes": 120},
        "TerminateBlueInstancesOnDeploymentSuccess": {"Action": "TERMINATE", "TerminationWaitTimeInMinutes": 5},
    }
    assert group["AutoRollbackConfiguration"]["Events"] == [
        "DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST", "DEPLOYMENT_STOP_ON_ALARM",
    ]  # fmt: skip
    assert group["AlarmConfiguration"]["Alarms"] == [{"Name": "errors"}]
    config = properties(APP, "services", "WebDeploymentConfig")
    assert config["TrafficRoutingConfig"] == {
        "Type": "TimeBasedCanary",
        "TimeBasedCanary": {"CanaryPercentage": 20, "CanaryInterval": 2},
    }
    assert group["DeploymentConfigName"] == {"Ref": "WebDeploymentConfig"}


def test_every_rule_leads_to_both_groups_by_the_weights_that_the_last_release_left() -> None:
    rules = resources_of_type(APP, "AWS::ElasticLoadBalancingV2::ListenerRule")
    assert len(rules) == 6  # three routes, each for users and for tests
    for name, resource in rules.items():
        (action,) = properties(APP, "services", name)["Actions"]
        groups = [each["TargetGroupArn"]["Ref"] for each in action["ForwardConfig"]["TargetGroups"]]
        assert groups[1] == groups[0].replace("TargetGroup", "AlternateTargetGroup")
        assert resource.depends_on == ()  # the reference to the second group is a dependency already
    assert set(rules) <= set(resources_of_type(APP, "AWS::ECS::Service")["WebService"].depends_on) | set(
        resources_of_type(APP, "AWS::ECS::Service")["EventsService"].depends_on
    )


def test_without_more_it_is_predefined_and_has_neither_test_listener_nor_function() -> None:
    group = properties(PLAIN, "services", "WebDeploymentGroup")
    assert group["DeploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"
    assert group["BlueGreenDeploymentConfiguration"]["DeploymentReadyOption"] == {
        "ActionOnTimeout": "CONTINUE_DEPLOYMENT",
        "WaitTimeInMinutes": 0,
    }
    assert "AlarmConfiguration" not in group
    (pair,) = group["LoadBalancerInfo"]["TargetGroupPairInfoList"]
    assert "TestTrafficRoute" not in pair
    for kind in ("Lambda::Function", "CodeDeploy::DeploymentConfig", "ElasticLoadBalancingV2::Listener"):
        assert not resources_of_type(PLAIN, f"AWS::{kind}")


def test_codedeploy_may_move_these_services_and_no_others() -> None:
    found = statements("DeploymentRole")
    arn = "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}"
    assert found["MakeAndEndTaskSets"]["Resource"] == [
        {"Fn::Sub": f"{arn}:task-set/shop-production/{unit}/*"} for unit in ("web", "events")
    ]
    assert {each["Ref"] for each in found["MoveTraffic"]["Resource"]} == set(
        resources_of_type(APP, "AWS::ElasticLoadBalancingV2::ListenerRule")
    )
    assert found["AskHooks"]["Resource"] == [f"{HOOK}:warm", {"Fn::GetAtt": ["GateFunction", "Arn"]}]
    assert found["HandOverRoles"]["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_the_function_is_told_what_its_tasks_have_otherwise_than_the_service() -> None:
    _, app = bundles(
        **MATRIX["codedeploy"]
        | {
            "tasks": {
                "migrate": EVERYTHING["tasks"]["migrate"] | {"environment": {"SLOW": "1"}, "memory": 1024},
                "seed": {"command": ["seed"]},
            }
        }
    )
    function = properties(app, "services", "GateFunction")
    variables = function["Environment"]["Variables"]
    assert json.loads(variables["STEPS"]) == [
        {
            "name": "migrate",
            "command": ["python", "manage.py", "migrate"],
            "cpu": "256",
            "memory": "1024",
            "environment": [{"name": "SLOW", "value": "1"}],
            "timeout": 900,
        }
    ]
    assert (variables["CLUSTER"], variables["CONTAINER"]) == ("shop-production", "web")
    assert "def handler(event" in function["Code"]["ZipFile"]
    assert function["FunctionName"] == "shop-production-gates"


def test_ecs_asks_hooks_before_it_pauses_with_a_role_for_just_them() -> None:
    hooks = properties(HOOKED, "services", "WebService")["DeploymentConfiguration"]["LifecycleHooks"]
    assert [each["TargetType"] for each in hooks] == ["AWS_LAMBDA", "PAUSE"]
    assert hooks[0] == {
        "TargetType": "AWS_LAMBDA",
        "HookTargetArn": f"{HOOK}:warm",
        "RoleArn": {"Fn::GetAtt": ["HookRole", "Arn"]},
        "LifecycleStages": ["POST_SCALE_UP"],
    }
    (policy,) = properties(HOOKED, "services", "HookRole")["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "AskTheseFunctions",
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": [f"{HOOK}:warm"],
        }
    ]
    assert "HookRole" not in resources_of_type(APP, "AWS::IAM::Role")  # CodeDeploy asks with its own
