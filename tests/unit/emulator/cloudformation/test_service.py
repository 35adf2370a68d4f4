"""AWS::ECS::Service: what is sent to ECS, and how CloudFormation waits for the steady state."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.emulator.cloudformation.errors import ResourceFailed
from seatrial.emulator.cloudformation.resources import rows
from seatrial.emulator.cloudformation.resources.service import PATIENCE, is_steady
from tests.unit.emulator.cloudformation.support import Calls, PassingClock, work

ARN = "arn:aws:ecs:eu-west-1:123456789012:service/shop/web"
ROW = rows()["AWS::ECS::Service"]
TEMPLATE = {
    "Cluster": "shop",
    "TaskDefinition": "web:2",
    "ServiceName": "web",
    "LaunchType": "FARGATE",
    "HealthCheckGracePeriodSeconds": "30",
    "DeploymentConfiguration": {
        "MinimumHealthyPercent": "100",
        "DeploymentCircuitBreaker": {"Enable": "true", "Rollback": True},
    },
    "LoadBalancers": [{"ContainerName": "web", "ContainerPort": "8000", "TargetGroupArn": "tg"}],
}


BREAKER = {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}}


def deployment(identity: str, state: str = "IN_PROGRESS", status: str = "PRIMARY") -> dict[str, Any]:
    return {"id": identity, "status": status, "rolloutState": state}


def service(*deployments: dict[str, Any], running: int = 2, desired: int = 2, breaker: bool = False) -> dict[str, Any]:
    return {
        "serviceArn": ARN,
        "status": "ACTIVE",
        "deployments": list(deployments),
        "runningCount": running,
        "desiredCount": desired,
        **(BREAKER if breaker else {}),
    }


@pytest.mark.parametrize(
    ("state", "steady"),
    [
        (service(deployment("d1", "COMPLETED")), True),
        (service(deployment("d1", "COMPLETED"), running=1), False),
        (service(deployment("d1")), False),
        (service(deployment("d1", "COMPLETED"), deployment("d0", "COMPLETED", "ACTIVE")), False),
        (service(deployment("d1", "COMPLETED"), running=0, desired=0), True),
    ],
)
def test_steady_is_one_completed_deployment_with_all_its_tasks(state: dict[str, Any], steady: bool) -> None:
    assert is_steady(state, "d1") is steady


@pytest.mark.parametrize(
    "state",
    [
        service(deployment("d1", "FAILED"), breaker=True),
        service(deployment("d2"), deployment("d1", "FAILED", "ACTIVE"), breaker=True),
        service(deployment("d2", "COMPLETED"), breaker=True),
    ],
    ids=["failed", "being rolled back", "rolled back"],
)
def test_a_failed_or_rolled_back_deployment_fails_the_resource(state: dict[str, Any]) -> None:
    with pytest.raises(ResourceFailed, match="ECS Deployment Circuit Breaker was triggered"):
        is_steady(state, "d1")


def test_counts_alone_matter_without_a_deployment_of_ecs() -> None:
    assert is_steady(service(running=2), None)
    assert not is_steady(service(running=1), None)


def test_create_sends_the_template_in_the_apis_form_and_waits() -> None:
    states = iter([service(deployment("d1"), running=0), service(deployment("d1", "COMPLETED"), running=2)])
    calls = Calls(
        {
            "create_service": {"service": service(deployment("d1"), running=0)},
            "describe_services": lambda _: {"services": [next(states)]},
        }
    )
    clock = PassingClock()
    resource = work("AWS::ECS::Service", TEMPLATE, calls, clock)
    ROW.create(resource)
    assert resource.physical_id == ARN
    assert ROW.attribute(resource, "Name") == "web"
    (sent,) = calls.of("create_service")
    assert sent == {
        "cluster": "shop",
        "taskDefinition": "web:2",
        "serviceName": "web",
        "launchType": "FARGATE",
        "healthCheckGracePeriodSeconds": 30,
        "deploymentConfiguration": {
            "minimumHealthyPercent": 100,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
        "loadBalancers": [{"containerName": "web", "containerPort": 8000, "targetGroupArn": "tg"}],
    }
    assert all(pause >= 0.05 for pause in clock.pauses)


def test_the_physical_id_is_there_when_the_rollout_fails_so_that_it_can_be_deleted() -> None:
    failed = {"services": [service(deployment("d1", "FAILED"), breaker=True)]}
    calls = Calls({"create_service": {"service": service(deployment("d1"))}, "describe_services": failed})
    resource = work("AWS::ECS::Service", TEMPLATE, calls)
    with pytest.raises(ResourceFailed):
        ROW.create(resource)
    assert resource.physical_id == ARN


def test_update_never_sends_a_desired_count_that_the_template_does_not_give() -> None:
    answer = {"service": service(deployment("d2"))}
    calls = Calls(
        {"update_service": answer, "describe_services": {"services": [service(deployment("d2", "COMPLETED"))]}}
    )
    ROW.update(work("AWS::ECS::Service", {**TEMPLATE, "TaskDefinition": "web:3"}, calls, physical_id=ARN), TEMPLATE)
    (sent,) = calls.of("update_service")
    assert sent["taskDefinition"] == "web:3"
    assert sent["service"] == ARN
    assert not {"desiredCount", "launchType", "serviceName"} & sent.keys()


def test_update_sends_a_desired_count_that_the_template_gives() -> None:
    answer = {"service": service(deployment("d2"))}
    calls = Calls(
        {"update_service": answer, "describe_services": {"services": [service(deployment("d2", "COMPLETED"))]}}
    )
    ROW.update(work("AWS::ECS::Service", {**TEMPLATE, "DesiredCount": "3"}, calls, physical_id=ARN), TEMPLATE)
    assert calls.of("update_service")[0]["desiredCount"] == 3


def test_a_load_balancer_that_left_the_template_leaves_the_service() -> None:
    answer = {"service": service(deployment("d2"))}
    calls = Calls(
        {"update_service": answer, "describe_services": {"services": [service(deployment("d2", "COMPLETED"))]}}
    )
    rest = {name: value for name, value in TEMPLATE.items() if name != "LoadBalancers"}
    ROW.update(work("AWS::ECS::Service", rest, calls, physical_id=ARN), TEMPLATE)
    assert calls.of("update_service")[0]["loadBalancers"] == []


def test_a_change_of_tags_alone_starts_no_deployment() -> None:
    calls = Calls({})
    tagged = {**TEMPLATE, "Tags": [{"Key": "team", "Value": "parts"}]}
    ROW.update(work("AWS::ECS::Service", tagged, calls, physical_id=ARN), TEMPLATE)
    assert calls.of("tag_resource") == [{"resourceArn": ARN, "tags": [{"key": "team", "value": "parts"}]}]
    assert not calls.of("update_service")


def test_a_service_that_never_settles_is_given_up_after_three_hours() -> None:
    pending = {"services": [service(deployment("d1"), running=0)]}
    calls = Calls({"create_service": {"service": service(deployment("d1"))}, "describe_services": pending})
    clock = PassingClock()
    with pytest.raises(ResourceFailed, match="NotStabilized"):
        ROW.create(work("AWS::ECS::Service", TEMPLATE, calls, clock))
    assert PATIENCE <= clock.time < PATIENCE + 1


def test_delete_waits_until_the_service_has_drained() -> None:
    states = iter([{**service(), "status": "DRAINING"}, {**service(), "status": "INACTIVE"}])
    calls = Calls({"describe_services": lambda _: {"services": [next(states)]}})
    ROW.delete(work("AWS::ECS::Service", TEMPLATE, calls, physical_id=ARN))
    assert calls.of("delete_service") == [{"cluster": "shop", "service": ARN, "force": True}]
