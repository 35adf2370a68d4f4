"""How requests reach services: target groups, listener rules and, where deployments shift traffic, the test listener.

A service whose traffic is shifted has two target groups, which take turns: the new revision's tasks register in the one
that does not serve. ECS then moves weights in two rules, the production rule and that of the test listener; CodeDeploy
does so in all rules of a listener that lead to either group. Those weights are theirs; a template cannot leave them
out, so it is told which group serves (:func:`~seatrial.stack.names.serving_parameter`) and writes what is there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from seatrial.stack import names
from seatrial.stack.graph import GetAtt, If, Noted, Ref, Resource
from seatrial.stack.lowering.ingress import NOT_FOUND, SSL_POLICY
from seatrial.stack.lowering.naming import imported

if TYPE_CHECKING:
    from seatrial.stack import model
    from seatrial.stack.graph import Value

TEST_LISTENER = "TestListener"
TRAFFIC_ROLE = "TrafficRole"


def traffic(unit: model.Service, balancing: model.Balancing, base: str) -> dict[str, Resource]:
    """Return a service's target groups and listener rules."""
    resources = {group: _target_group(balancing, base) for group in target_groups(unit)}
    for route in balancing.routes:
        listener = production_listener(route, base)
        resources[_rule_id(route)] = _listener_rule(unit, route, listener)
        if unit.deployment.tested:
            resources[_test_rule_id(route)] = _listener_rule(unit, route, Ref(TEST_LISTENER))
    return resources


def load_balancer(unit: model.Service, balancing: model.Balancing) -> dict[str, Value]:
    """Return the entry of the service's ``LoadBalancers``."""
    primary, *alternate = target_groups(unit)
    if unit.deployment.codedeploy is not None:
        return {
            "ContainerName": unit.container.unit,
            "ContainerPort": balancing.port,
            "TargetGroupArn": Noted(Ref(primary), "The one it begins in. Where it is now is CodeDeploy's"),
        }
    entry: dict[str, Value] = {
        "ContainerName": unit.container.unit,
        "ContainerPort": balancing.port,
        "TargetGroupArn": Ref(primary),
    }
    if alternate:
        (route,) = balancing.routes
        entry["AdvancedConfiguration"] = Noted(
            {
                "AlternateTargetGroupArn": Ref(alternate[0]),
                "ProductionListenerRule": Ref(_rule_id(route)),
                "TestListenerRule": Ref(_test_rule_id(route)),
                "RoleArn": GetAtt(TRAFFIC_ROLE, "Arn"),
            },
            "ECS moves the weights of these rules, and takes one of each",
        )
    return entry


def production_listener(route: model.Route, base: str) -> Value:
    """Return the listener that users come by."""
    return imported(base, "HttpListenerArn" if route.host is None else "HttpsListenerArn")


def target_groups(unit: model.Service) -> tuple[str, ...]:
    """Return the logical names of a service's target groups: one, or a pair where traffic is shifted."""
    name = names.logical(unit.container.unit)
    if unit.balancing is None:
        return ()
    return (f"{name}TargetGroup", *([f"{name}AlternateTargetGroup"] if unit.deployment.paired else []))


def rule_ids(unit: model.Service) -> list[str]:
    """Return the logical names of a service's rules, those of the test listener last."""
    routes = () if unit.balancing is None else unit.balancing.routes
    tests = [_test_rule_id(route) for route in routes] if unit.deployment.tested else []
    return [*(_rule_id(route) for route in routes), *tests]


def serves_alternate(unit: model.Service) -> str:
    """Return the name of the condition that a service's alternate target group serves."""
    return f"{names.logical(unit.container.unit)}ServesAlternate"


def test_listener(stack: model.Stack, entry: model.TestEntry) -> dict[str, Resource]:
    """Return the environment's own test listener, and what opens its port.

    It is the app's and not the base's: each environment has its own port, its own certificate and its own idea of who
    may test. It answers 404 to what no test rule asks for.
    """
    base, ingress = stack.base.name, stack.base.ingress
    properties: dict[str, Value] = {
        "LoadBalancerArn": imported(base, "LoadBalancerArn"),
        "Protocol": "HTTP",
        "Port": entry.port,
        "DefaultActions": NOT_FOUND,
    }
    if ingress.domain is not None:
        properties |= {
            "Protocol": "HTTPS",
            "SslPolicy": SSL_POLICY,
            "Certificates": [{"CertificateArn": ingress.certificate or imported(base, "CertificateArn")}],
        }
    resources = {
        TEST_LISTENER: Resource(
            "AWS::ElasticLoadBalancingV2::Listener",
            properties,
            why="Leads to the new revision alone while it is tested; outside of releases, to the one that serves",
        )
    }
    for source in entry.sources:
        resources[f"TestAccess{re.sub(r'[./]', 'x', source)}"] = Resource(
            "AWS::EC2::SecurityGroupIngress",
            {
                "GroupId": imported(base, "LoadBalancerSecurityGroup"),
                "IpProtocol": "tcp",
                "FromPort": entry.port,
                "ToPort": entry.port,
                "CidrIp": source,
                "Description": f"Tests of releases of {stack.app.name}",
            },
        )
    return resources


def _rule_id(route: model.Route) -> str:
    """Return the logical name of a route's rule: that of its priority, which is the route's own.

    So a route that moves to another service keeps its rule, and no update makes a rule while one with the same
    priority still stands.
    """
    return f"Route{route.priority}"


def _test_rule_id(route: model.Route) -> str:
    return f"TestRoute{route.priority}"


def _target_group(balancing: model.Balancing, base: str) -> Resource:
    check = balancing.health_check
    return Resource(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        {
            "VpcId": imported(base, "VpcId"),
            "TargetType": "ip",
            "Protocol": "HTTP",
            "Port": balancing.port,
            "HealthCheckPath": check.path,
            "HealthCheckIntervalSeconds": Noted(
                check.interval,
                f"A new task has traffic after its first good answer, so after {check.interval} s at most; "
                "30 s by default",
            ),
            "HealthCheckTimeoutSeconds": check.timeout,
            "HealthyThresholdCount": Noted(
                check.healthy,
                f"A task that failed is back after {check.healthy} x {check.interval} s = "
                f"{check.healthy * check.interval} s; 5 x 30 s = 150 s by default",
            ),
            "UnhealthyThresholdCount": Noted(
                check.unhealthy,
                f"A task that hangs loses its traffic after {check.unhealthy} x {check.interval} s = "
                f"{check.unhealthy * check.interval} s; 2 x 30 s = 60 s by default",
            ),
            "Matcher": {"HttpCode": check.codes},
            "TargetGroupAttributes": [
                {
                    "Key": "deregistration_delay.timeout_seconds",
                    "Value": Noted(
                        str(balancing.drain),
                        f"A stopping task has {balancing.drain} s to finish its requests. 300 s by default, which "
                        "every release would wait for, service by service",
                    ),
                }
            ],
        },
    )


def _listener_rule(unit: model.Service, route: model.Route, listener: Value) -> Resource:
    conditions: list[Value] = [{"Field": "path-pattern", "PathPatternConfig": {"Values": list(route.patterns)}}]
    if route.host is not None:
        conditions.insert(0, {"Field": "host-header", "HostHeaderConfig": {"Values": [route.host]}})
    return Resource(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        {
            "ListenerArn": listener,
            "Priority": route.priority,
            "Conditions": conditions,
            "Actions": [_forward(unit)],
        },
    )


def _forward(unit: model.Service) -> dict[str, Value]:
    primary, *alternate = target_groups(unit)
    if not alternate:
        return {"Type": "forward", "TargetGroupArn": Ref(primary)}
    condition = serves_alternate(unit)
    weights = {primary: If(condition, 0, 100), alternate[0]: If(condition, 100, 0)}
    groups: list[Value] = [{"TargetGroupArn": Ref(group), "Weight": weight} for group, weight in weights.items()]
    return {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": Noted(
                groups,
                "Releases move the weights. Any change of this rule writes them, so they say which group serves now",
            )
        },
    }
