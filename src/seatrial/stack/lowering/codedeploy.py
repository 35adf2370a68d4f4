"""What CodeDeploy deploys services with: application, deployment groups and its role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack import names
from seatrial.stack.graph import GetAtt, Noted, Ref, Resource
from seatrial.stack.lowering.gates import GATES, gates
from seatrial.stack.lowering.policies import WITHOUT_RESOURCE, arn, handing_over, role
from seatrial.stack.lowering.traffic import TEST_LISTENER, production_listener, rule_ids, target_groups

if TYPE_CHECKING:
    from seatrial.stack import model
    from seatrial.stack.graph import Value

_APPLICATION = "DeploymentApplication"
_ROLE = "DeploymentRole"


def deployments(stack: model.Stack) -> dict[str, Resource]:
    """Return what CodeDeploy needs for the services that it deploys; nothing where there is none."""
    units = [unit for unit in stack.app.services if unit.deployment.codedeploy is not None]
    if not units:
        return {}
    found = {
        _APPLICATION: Resource(
            "AWS::CodeDeploy::Application", {"ApplicationName": stack.app.name, "ComputePlatform": "ECS"}
        ),
        _ROLE: _role(stack, units),
    }
    for unit in units:
        by = unit.deployment.codedeploy
        assert by is not None  # only such were chosen
        name = names.logical(unit.container.unit)
        if by.configuration is None:
            found[f"{name}DeploymentConfig"] = _configuration(by)
        found[f"{name}DeploymentGroup"] = _group(stack, unit, by)
    if stack.app.gate_hook is not None:
        found |= gates(stack, stack.app.gate_hook)
    return found


def _configuration(by: model.CodeDeploy) -> Resource:
    share, interval = {
        "TimeBasedCanary": ("CanaryPercentage", "CanaryInterval"),
        "TimeBasedLinear": ("LinearPercentage", "LinearInterval"),
    }[by.kind]
    return Resource(
        "AWS::CodeDeploy::DeploymentConfig",
        {
            "ComputePlatform": "ECS",
            "TrafficRoutingConfig": {
                "Type": by.kind,
                by.kind: {share: by.percent, interval: by.interval},
            },
        },
        why="None of the predefined ones moves traffic so. Without a name: each change makes a new one",
    )


def _group(stack: model.Stack, unit: model.Service, by: model.CodeDeploy) -> Resource:
    name = names.logical(unit.container.unit)
    events = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST"]
    properties: dict[str, Value] = {
        "ApplicationName": Ref(_APPLICATION),
        "DeploymentGroupName": unit.container.unit,
        "ServiceRoleArn": GetAtt(_ROLE, "Arn"),
        "DeploymentConfigName": by.configuration or Ref(f"{name}DeploymentConfig"),
        "DeploymentStyle": {"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"},
        "ECSServices": [{"ClusterName": stack.app.name, "ServiceName": GetAtt(f"{name}Service", "Name")}],
        "LoadBalancerInfo": {"TargetGroupPairInfoList": [_pair(stack, unit, by)]},
        "BlueGreenDeploymentConfiguration": {
            "DeploymentReadyOption": _ready(by),
            "TerminateBlueInstancesOnDeploymentSuccess": {
                "Action": "TERMINATE",
                "TerminationWaitTimeInMinutes": Noted(
                    by.wait, "So long the old tasks stay after all traffic has moved: going back is a change of weights"
                ),
            },
        },
    }
    if unit.deployment.alarms:
        events.append("DEPLOYMENT_STOP_ON_ALARM")
        properties["AlarmConfiguration"] = {
            "Enabled": True,
            "Alarms": [{"Name": alarm} for alarm in unit.deployment.alarms],
            "IgnorePollAlarmFailure": Noted(False, "An alarm that nobody can read is no reason to go on"),
        }
    properties["AutoRollbackConfiguration"] = Noted(
        {"Enabled": True, "Events": events}, "A release that fails, is stopped or sets off an alarm goes back by itself"
    )
    return Resource("AWS::CodeDeploy::DeploymentGroup", properties)


def _pair(stack: model.Stack, unit: model.Service, by: model.CodeDeploy) -> dict[str, Value]:
    assert unit.balancing is not None  # only services that have traffic are CodeDeploy's
    listener = production_listener(unit.balancing.routes[0], stack.base.name)
    pair: dict[str, Value] = {
        "TargetGroups": [{"Name": GetAtt(group, "TargetGroupName")} for group in target_groups(unit)],
        "ProdTrafficRoute": Noted(
            {"ListenerArns": [listener]},
            "CodeDeploy moves the rules of this listener that lead to one of the two groups, and no others",
        ),
    }
    if by.tests:
        pair["TestTrafficRoute"] = {"ListenerArns": [Ref(TEST_LISTENER)]}
    return pair


def _ready(by: model.CodeDeploy) -> dict[str, Value]:
    if by.ready is None:
        return {"ActionOnTimeout": "CONTINUE_DEPLOYMENT", "WaitTimeInMinutes": 0}
    return {
        "ActionOnTimeout": Noted(
            "STOP_DEPLOYMENT",
            "Whoever releases runs the smoke checks now, and says how it goes on (ContinueDeployment); a release that "
            "died must not go on by itself",
        ),
        "WaitTimeInMinutes": by.ready,
    }


def _role(stack: model.Stack, units: list[model.Service]) -> Resource:
    """Return CodeDeploy's role. AWS's own AWSCodeDeployRoleForECS is for every service and rule of the account."""
    listeners: list[Value] = []
    for unit in units:
        assert unit.balancing is not None  # only services that have traffic are CodeDeploy's
        listeners += [production_listener(route, stack.base.name) for route in unit.balancing.routes]
    if any(unit.deployment.tested for unit in units):
        listeners.append(Ref(TEST_LISTENER))
    services = [f"{stack.app.name}/{unit.container.unit}" for unit in units]
    statements: list[Value] = [
        {
            "Sid": "LookAtLoadBalancers",
            "Effect": "Allow",
            "Action": sorted(
                action
                for action in WITHOUT_RESOURCE
                if action.startswith("elasticloadbalancing:") and not action.endswith("TargetHealth")
            ),
            "Resource": Noted("*", "These actions know no resource"),
        },
        {
            "Sid": "MoveServices",
            "Effect": "Allow",
            "Action": ["ecs:DescribeServices", "ecs:UpdateServicePrimaryTaskSet"],
            "Resource": [arn("ecs", f"service/{each}") for each in services],
        },
        {
            "Sid": "MakeAndEndTaskSets",
            "Effect": "Allow",
            "Action": ["ecs:CreateTaskSet", "ecs:DeleteTaskSet"],
            "Resource": [arn("ecs", f"task-set/{each}/*") for each in services],
        },
        {
            "Sid": "MoveTraffic",
            "Effect": "Allow",
            "Action": "elasticloadbalancing:ModifyRule",
            "Resource": [Ref(rule) for unit in units for rule in rule_ids(unit)],
        },
        {
            "Sid": "MoveDefaultActions",
            "Effect": "Allow",
            "Action": Noted("elasticloadbalancing:ModifyListener", "How CodeDeploy writes a listener's default action"),
            "Resource": list(dict.fromkeys(listeners)),
        },
        handing_over("HandOverRoles"),
    ]
    functions: list[Value] = [hook.function for unit in units for hook in unit.deployment.hooks]
    if stack.app.gate_hook is not None:
        functions.append(GetAtt(GATES, "Arn"))
    if functions:
        statements.append(
            {
                "Sid": "AskHooks",
                "Effect": "Allow",
                "Action": "lambda:InvokeFunction",
                "Resource": list(dict.fromkeys(functions)),
            }
        )
    alarms = list(dict.fromkeys(alarm for unit in units for alarm in unit.deployment.alarms))
    if alarms:
        statements.append(
            {
                "Sid": "LookAtAlarms",
                "Effect": "Allow",
                "Action": "cloudwatch:DescribeAlarms",
                "Resource": [arn("cloudwatch", f"alarm:{alarm}") for alarm in alarms],
            }
        )
    return role("codedeploy.amazonaws.com", statements, "Lets CodeDeploy move this environment's services")
