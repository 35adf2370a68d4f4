"""A stack with a service that CodeDeploy deploys, its application, configuration and deployment group."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from seatrial.emulator.clock import SystemClock
from seatrial.emulator.cloudformation import CloudFormationEngine
from seatrial.emulator.settings import EmulatorSettings
from tests.functional.emulator.cloudformation.support import Bench
from tests.functional.emulator.codedeploy.support import BlueGreen
from tests.functional.emulator.ecs.support import REGION, Rig, emulated_ecs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPLATE = """
Parameters:
  Subnets: {Type: CommaDelimitedList}
  Definition: {Type: String}
  Count: {Type: Number, Default: 1}
  Wait: {Type: Number, Default: 0}
Resources:
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {Subnets: !Ref Subnets}
  Blue:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: &group {Name: blue, Protocol: HTTP, Port: 8000, TargetType: ip, VpcId: VPC}
  Green:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {<<: *group, Name: green}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    DependsOn: Green  # CodeDeploy will have it forward there
    Properties:
      LoadBalancerArn: !Ref Balancer
      Protocol: HTTP
      Port: 80
      DefaultActions: [{Type: forward, TargetGroupArn: !Ref Blue}]
  Service:
    Type: AWS::ECS::Service
    DependsOn: Listener
    Properties:
      ServiceName: web
      Cluster: c
      LaunchType: FARGATE
      DesiredCount: !Ref Count
      TaskDefinition: !Ref Definition
      DeploymentController: {Type: CODE_DEPLOY}
      NetworkConfiguration: {AwsvpcConfiguration: {Subnets: !Ref Subnets}}
      LoadBalancers: [{TargetGroupArn: !Ref Blue, ContainerName: app, ContainerPort: 8000}]
  Application:
    Type: AWS::CodeDeploy::Application
    Properties: {ApplicationName: shop, ComputePlatform: ECS, Tags: [{Key: team, Value: web}]}
  Quick:
    Type: AWS::CodeDeploy::DeploymentConfig
    Properties:
      ComputePlatform: ECS
      TrafficRoutingConfig:
        Type: TimeBasedCanary
        TimeBasedCanary: {CanaryPercentage: 25, CanaryInterval: 1}
  Group:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties:
      ApplicationName: !Ref Application
      DeploymentGroupName: shop
      DeploymentConfigName: !Ref Quick
      ServiceRoleArn: arn:aws:iam::123456789012:role/ecs
      ECSServices: [{ClusterName: c, ServiceName: !GetAtt Service.Name}]
      DeploymentStyle: {DeploymentType: BLUE_GREEN, DeploymentOption: WITH_TRAFFIC_CONTROL}
      AutoRollbackConfiguration: {Enabled: true, Events: [DEPLOYMENT_FAILURE]}
      BlueGreenDeploymentConfiguration:
        DeploymentReadyOption: {ActionOnTimeout: CONTINUE_DEPLOYMENT}
        TerminateBlueInstancesOnDeploymentSuccess: {Action: TERMINATE, TerminationWaitTimeInMinutes: !Ref Wait}
      LoadBalancerInfo:
        TargetGroupPairInfoList:
          - TargetGroups: [{Name: !GetAtt Blue.TargetGroupName}, {Name: !GetAtt Green.TargetGroupName}]
            ProdTrafficRoute: {ListenerArns: [!Ref Listener]}
"""


class Stack:
    """The stack and the rig under it."""

    def __init__(self, rig: Rig, bench: Bench) -> None:
        self.rig, self.bench = rig, bench
        self.definition = rig.define()
        vpc = rig.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
        self.template = TEMPLATE.replace("VpcId: VPC", f"VpcId: {vpc}")

    def parameters(self, **values: str) -> list[dict[str, Any]]:
        subnets = ",".join(self.rig.network["awsvpcConfiguration"]["subnets"])
        known = {"Subnets": subnets, "Definition": self.definition, **values}
        return [{"ParameterKey": key, "ParameterValue": value} for key, value in known.items()]

    def update(self, **values: str) -> str:
        return str(self.bench.update("app", self.template, Parameters=self.parameters(**values))["StackStatus"])


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with emulated_ecs(tmp_path, time_scale=0.002) as rig:
        settings = EmulatorSettings("test", tmp_path, 0, 0, region=REGION, time_scale=0.002)
        engine = CloudFormationEngine(settings, SystemClock(), cache(rig.client))
        engine.install()
        try:
            yield Stack(rig, Bench(rig.endpoint, engine, {"cloudformation": rig.client("cloudformation")}))
        finally:
            engine.stop()


def test_a_stack_makes_what_codedeploy_deploys_and_leaves_the_revision_to_it(stack: Stack) -> None:
    created = stack.bench.create("app", stack.template, Parameters=stack.parameters())
    assert created["StackStatus"] == "CREATE_COMPLETE", stack.bench.events("app")
    assert stack.bench.engine.state_only() == []
    assert stack.bench.engine.unapplied() == []
    client = stack.rig.client("codedeploy")
    arn = "arn:aws:codedeploy:eu-west-1:123456789012:application:shop"
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "web"}]
    shop = BlueGreen(stack.rig)
    new = stack.rig.define()
    info = shop.ended(shop.deploy(new))
    assert info["deploymentConfigName"].startswith("app-Quick-")
    assert stack.rig.service()["taskDefinition"] == new

    assert stack.update(Wait="5") == "UPDATE_COMPLETE"
    group = client.get_deployment_group(applicationName="shop", deploymentGroupName="shop")["deploymentGroupInfo"]
    blue = group["blueGreenDeploymentConfiguration"]["terminateBlueInstancesOnDeploymentSuccess"]
    assert blue == {"action": "TERMINATE", "terminationWaitTimeInMinutes": 5}
    assert group["autoRollbackConfiguration"] == {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]}

    assert stack.update(Wait="5", Count="2").startswith("UPDATE_ROLLBACK_"), "the template has the old revision"
    refused = " ".join(reason for _, status, reason in stack.bench.events("app") if status == "UPDATE_FAILED")
    assert "Unable to update task definition on services with a CODE_DEPLOY deployment controller." in refused

    assert stack.bench.delete("app")["StackStatus"] == "DELETE_COMPLETE", stack.bench.events("app")
    assert client.list_applications()["applications"] == []
    with pytest.raises(ClientError, match="ApplicationDoesNotExistException"):
        client.get_application(applicationName="shop")
