"""A stack with a service that is deployed blue/green: stack updates and the weights that ECS moved."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.emulator.clock import SystemClock
from seatrial.emulator.cloudformation import CloudFormationEngine
from seatrial.emulator.loadbalancing import TargetHealth
from seatrial.emulator.settings import EmulatorSettings
from tests.functional.emulator.cloudformation.support import Bench
from tests.functional.emulator.ecs.stages import put_role
from tests.functional.emulator.ecs.support import REGION, Rig, emulated_ecs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPLATE = """
Parameters:
  Image: {Type: String, Default: "sleeper:1"}
  Retention: {Type: Number, Default: 7}
  Path: {Type: String, Default: "/*"}
  Subnets: {Type: CommaDelimitedList}
Resources:
  Log:
    Type: AWS::Logs::LogGroup
    Properties: {RetentionInDays: !Ref Retention}
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {Subnets: !Ref Subnets}
  Blue:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: &group {Protocol: HTTP, Port: 8000, TargetType: ip, VpcId: VPC}
  Green:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: *group
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Protocol: HTTP
      Port: 80
      DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Listener
      Priority: 10
      Conditions: [{Field: path-pattern, Values: [!Ref Path]}]
      Actions:
        - Type: forward
          ForwardConfig:
            TargetGroups:
              - {TargetGroupArn: !Ref Blue, Weight: 100}
              - {TargetGroupArn: !Ref Green, Weight: 0}
  Hook:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Role: arn:aws:iam::123456789012:role/ecs
      Timeout: 20
      Code:
        ZipFile: |
          import json
          def handler(event, context):
              print(json.dumps(event))
              return {"hookStatus": "SUCCEEDED"}
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: stacked
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      Cpu: "256"
      Memory: "512"
      ContainerDefinitions: [{Name: app, Image: !Ref Image, PortMappings: [{ContainerPort: 8000}]}]
  Service:
    Type: AWS::ECS::Service
    Properties:
      ServiceName: web
      Cluster: c
      LaunchType: FARGATE
      DesiredCount: 1
      TaskDefinition: !Ref Definition
      NetworkConfiguration: {AwsvpcConfiguration: {Subnets: !Ref Subnets}}
      DeploymentConfiguration:
        Strategy: BLUE_GREEN
        BakeTimeInMinutes: 1
        DeploymentCircuitBreaker: {Enable: true, Rollback: true}
        LifecycleHooks:
          - HookTargetArn: !GetAtt Hook.Arn
            RoleArn: arn:aws:iam::123456789012:role/ecs
            LifecycleStages: [POST_SCALE_UP]
            HookDetails: '{"bucket": "b"}'
      LoadBalancers:
        - TargetGroupArn: !Ref Blue
          ContainerName: app
          ContainerPort: 8000
          AdvancedConfiguration:
            AlternateTargetGroupArn: !Ref Green
            ProductionListenerRule: !Ref Rule
            RoleArn: arn:aws:iam::123456789012:role/ecs
"""


class Stack:
    """The stack and the rig under it."""

    def __init__(self, rig: Rig, bench: Bench) -> None:
        self.rig, self.bench = rig, bench
        self.subnets = ",".join(rig.network["awsvpcConfiguration"]["subnets"])
        vpc = rig.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
        self.template = TEMPLATE.replace("VpcId: VPC", f"VpcId: {vpc}")

    def parameters(self, **values: str) -> list[dict[str, Any]]:
        known = {"Subnets": self.subnets, **values}
        return [{"ParameterKey": key, "ParameterValue": value} for key, value in known.items()]

    def update(self, **values: str) -> str:
        return str(self.bench.update("app", self.template, Parameters=self.parameters(**values))["StackStatus"])

    def weights(self) -> list[int]:
        rule = self.bench.resources("app")["Rule"]["PhysicalResourceId"]
        described = self.rig.client("elbv2").describe_rules(RuleArns=[rule])["Rules"][0]
        return [group["Weight"] for group in described["Actions"][0]["ForwardConfig"]["TargetGroups"]]

    def deployments(self) -> int:
        listed = self.rig.ecs.list_service_deployments(cluster="c", service="web")
        return len(listed["serviceDeployments"])


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with emulated_ecs(tmp_path, time_scale=0.002) as rig:
        put_role(rig)
        settings = EmulatorSettings("test", tmp_path, 0, 0, region=REGION, time_scale=0.002)
        client = cache(rig.client)
        engine = CloudFormationEngine(settings, SystemClock(), client)
        engine.install()
        try:
            made = Stack(rig, Bench(rig.endpoint, engine, {"cloudformation": rig.client("cloudformation")}))
            created = made.bench.create("app", made.template, Parameters=made.parameters())
            assert created["StackStatus"] == "CREATE_COMPLETE", made.bench.events("app")
            yield made
        finally:
            engine.stop()


def test_stack_updates_leave_the_weights_that_ecs_moved(stack: Stack) -> None:
    assert sorted(stack.weights()) == [0, 100]
    moved = stack.weights()
    hook = stack.rig.service()["deploymentConfiguration"]["lifecycleHooks"][0]
    assert (hook["lifecycleStages"], hook["hookDetails"]) == (["POST_SCALE_UP"], {"bucket": "b"})
    known = {g["TargetGroupArn"] for g in stack.rig.client("elbv2").describe_target_groups()["TargetGroups"]}
    target = stack.rig.deployment()["targetServiceRevision"]["arn"]
    revision = stack.rig.ecs.describe_service_revisions(serviceRevisionArns=[target])["serviceRevisions"][0]
    assert revision["resolvedConfiguration"]["loadBalancers"][0]["targetGroupArn"] in known
    assert stack.update(Retention="14") == "UPDATE_COMPLETE"
    assert (stack.weights(), stack.deployments()) == (moved, 1), "an update of something else"
    assert stack.update(Retention="14", Image="sleeper:2") == "UPDATE_COMPLETE"
    assert stack.deployments() == 2
    assert stack.rig.deployment()["status"] == "SUCCESSFUL", "the stack waited for the whole deployment"
    log = stack.rig.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    assert len(log) == 1, "the hook ran"


def test_a_deployment_that_fails_rolls_the_stack_back(stack: Stack) -> None:
    before = stack.weights()
    serving = stack.rig.targets.serving()
    good = stack.rig.targets.judge("")
    ill = TargetHealth("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")
    stack.rig.targets.judge = lambda address: good if address in serving else ill
    assert stack.update(Image="sleeper:2") == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.weights() == before
    assert stack.rig.targets.serving() == serving
