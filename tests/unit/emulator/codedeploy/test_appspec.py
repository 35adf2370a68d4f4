"""AppSpecs: the forms that CodeDeploy takes, and what is refused."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from seatrial.emulator.codedeploy.appspec import AppSpec, check_digest, parse
from seatrial.emulator.front.actions import ApiError

#: As "AppSpec File example for an Amazon ECS deployment" in the user guide writes it.
FULL = """
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "arn:aws:ecs:us-east-1:111222333444:task-definition/app:1"
        LoadBalancerInfo:
          ContainerName: "app"
          ContainerPort: 80
        PlatformVersion: "LATEST"
        NetworkConfiguration:
          AwsvpcConfiguration:
            Subnets: ["subnet-1", "subnet-2"]
            SecurityGroups: ["sg-1"]
            AssignPublicIp: "ENABLED"
        CapacityProviderStrategy:
          - Base: 1
            CapacityProvider: "FARGATE_SPOT"
            Weight: 2
Hooks:
  - BeforeInstall: "first"
  - AfterAllowTestTraffic: "arn:aws:lambda:us-east-1:111222333444:function:smoke"
"""
READ = AppSpec(
    definition="arn:aws:ecs:us-east-1:111222333444:task-definition/app:1",
    container="app",
    port=80,
    platform_version="LATEST",
    network={
        "awsvpcConfiguration": {
            "subnets": ["subnet-1", "subnet-2"],
            "securityGroups": ["sg-1"],
            "assignPublicIp": "ENABLED",
        }
    },
    capacity_providers=({"base": 1, "capacityProvider": "FARGATE_SPOT", "weight": 2},),
    hooks={
        "BeforeInstall": "first",
        "AfterAllowTestTraffic": "arn:aws:lambda:us-east-1:111222333444:function:smoke",
    },
)


def spec(**properties: Any) -> dict[str, Any]:
    known = {"TaskDefinition": "app:1", "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 80}}
    return {
        "version": 0.0,
        "Resources": [{"Target": {"Type": "AWS::ECS::Service", "Properties": {**known, **properties}}}],
    }


def test_yaml() -> None:
    assert parse(FULL) == READ


def test_json_and_names_in_any_case() -> None:
    assert parse(json.dumps(spec())) == AppSpec("app:1", "app", 80)
    assert parse(json.dumps(spec()).lower().replace("aws::ecs::service", "AWS::ECS::Service")).port == 80


WRONG: dict[str, tuple[Any, str]] = {
    "no document": ("", "AppSpec is missing or is not a mapping"),
    "neither YAML nor JSON": ("{", "neither YAML nor JSON"),
    "no version": ({"Resources": []}, "version must be 0.0"),
    "no resource": ({"version": 0.0}, "exactly one resource"),
    "two resources": ({"version": 0.0, "Resources": spec()["Resources"] * 2}, "exactly one resource"),
    "a function": (
        {"version": 0.0, "Resources": [{"f": {"Type": "AWS::Lambda::Function", "Properties": {}}}]},
        "must be AWS::ECS::Service",
    ),
    "no properties": ({"version": 0.0, "Resources": [{"t": {"Type": "AWS::ECS::Service"}}]}, "Properties is missing"),
    "an unknown property": (spec(DesiredCount=2), "Properties has unknown keys: DesiredCount."),
    "no task definition": (spec(TaskDefinition=None), "TaskDefinition is missing"),
    "no container": (spec(LoadBalancerInfo={"ContainerPort": 80}), "ContainerName is missing"),
    "no port": (spec(LoadBalancerInfo={"ContainerName": "app"}), "ContainerPort must be a number"),
    "an unknown event": ({**spec(), "Hooks": [{"Install": "f"}]}, "Install is not a lifecycle event with a hook"),
    "hooks that are no list": ({**spec(), "Hooks": {"BeforeInstall": "f"}}, "Hooks must be a list"),
    "two functions": ({**spec(), "Hooks": [{"BeforeInstall": ["f", "g"]}]}, "must name one Lambda function"),
    "a hook twice": ({**spec(), "Hooks": [{"BeforeInstall": "f"}, {"BeforeInstall": "g"}]}, "is there twice"),
}


@pytest.mark.parametrize(("document", "text"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_said(document: Any, text: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse(document if isinstance(document, str) else json.dumps(document))
    assert refused.value.code == "InvalidRevisionException"
    assert text in str(refused.value.message)


def test_the_digest_must_be_that_of_the_content() -> None:
    check_digest("a", None)
    check_digest("a", hashlib.sha256(b"a").hexdigest().upper())
    with pytest.raises(ApiError, match="does not match"):
        check_digest("b", hashlib.sha256(b"a").hexdigest())
