"""A service that CodeDeploy deploys, between two target groups, for the functional tests of CodeDeploy."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from tests.functional.emulator.ecs.stages import ROLE, Stages, put_role
from tests.functional.emulator.ecs.support import Rig, eventually

#: What a function does to answer CodeDeploy.
PUT = (
    "import boto3, json\n"
    "print(json.dumps(event))\n"
    "boto3.client('codedeploy').put_lifecycle_event_hook_execution_status(deploymentId=event['DeploymentId'],\n"
    "    lifecycleEventHookExecutionId=event['LifecycleEventHookExecutionId'], status={status!r})"
)


@dataclass
class BlueGreen:
    """Service ``web`` behind a production (80) and a test listener (9000); application and group ``shop``."""

    rig: Rig
    groups: tuple[str, str] = ("", "")
    listeners: dict[str, str] = field(default_factory=dict)

    @property
    def client(self) -> Any:
        return self.rig.client("codedeploy")

    def build(self) -> None:
        """Make a load balancer; both of its listeners forward to the first target group."""
        put_role(self.rig)
        elb = self.rig.client("elbv2")
        self.groups = (self.rig.target_group("blue"), self.rig.target_group("green"))
        subnets = self.rig.network["awsvpcConfiguration"]["subnets"]
        balancer = elb.create_load_balancer(Name="lb", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        for name, port in (("production", 80), ("test", 9000)):
            made = elb.create_listener(
                LoadBalancerArn=balancer,
                Protocol="HTTP",
                Port=port,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": self.groups[0]}],
            )
            self.listeners[name] = made["Listeners"][0]["ListenerArn"]

    def create(self, definition: str, desired: int = 1, **more: Any) -> None:
        """Create the service, wait until it serves, and make application and group; ``more`` is the group's."""
        self.serve(definition, desired)
        self.client.create_application(applicationName="shop", computePlatform="ECS")
        self.client.create_deployment_group(**self.group(**more))

    def serve(self, definition: str, desired: int = 1) -> dict[str, Any]:
        """Create the service and wait until it serves."""
        self.rig.create(
            definition,
            desired=desired,
            balanced=False,
            loadBalancers=[{"targetGroupArn": self.groups[0], "containerName": "app", "containerPort": 8000}],
            deploymentController={"type": "CODE_DEPLOY"},
        )
        return eventually(self.rig.service, lambda s: s["taskSets"][0]["stabilityStatus"] == "STEADY_STATE")

    def group(self, *, test: bool = True, termination: int = 0, **more: Any) -> dict[str, Any]:
        """The request of a deployment group."""
        pair: dict[str, Any] = {
            "targetGroups": [{"name": "blue"}, {"name": "green"}],
            "prodTrafficRoute": {"listenerArns": [self.listeners["production"]]},
        }
        if test:
            pair["testTrafficRoute"] = {"listenerArns": [self.listeners["test"]]}
        return {
            "applicationName": "shop",
            "deploymentGroupName": "shop",
            "serviceRoleArn": ROLE,
            "ecsServices": [{"clusterName": "c", "serviceName": "web"}],
            "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
            "blueGreenDeploymentConfiguration": {
                "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
                "terminateBlueInstancesOnDeploymentSuccess": {
                    "action": "TERMINATE",
                    "terminationWaitTimeInMinutes": termination,
                },
            },
            **more,
        }

    def deploy(self, definition: str, hooks: dict[str, str] | None = None, **more: Any) -> str:
        """Begin a deployment; return its id."""
        content = json.dumps(appspec(definition, hooks))
        revision = {
            "revisionType": "AppSpecContent",
            "appSpecContent": {"content": content, "sha256": hashlib.sha256(content.encode()).hexdigest()},
        }
        made = self.client.create_deployment(
            **{"applicationName": "shop", "deploymentGroupName": "shop", "revision": revision, **more}
        )
        return str(made["deploymentId"])

    def info(self, deployment: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get_deployment(deploymentId=deployment)["deploymentInfo"]
        return found

    def target(self, deployment: str) -> dict[str, Any]:
        answer = self.client.get_deployment_target(deploymentId=deployment, targetId="c:web")
        found: dict[str, Any] = answer["deploymentTarget"]["ecsTarget"]
        return found

    def events(self, deployment: str) -> dict[str, str]:
        """Statuses of the lifecycle events, in their order."""
        return {e["lifecycleEventName"]: e["status"] for e in self.target(deployment)["lifecycleEvents"]}

    def at(self, deployment: str, event: str, status: str = "InProgress") -> None:
        """Wait until a lifecycle event has a status."""
        eventually(lambda: self.events(deployment), lambda events: events[event] == status)

    def ended(self, deployment: str, status: str = "Succeeded") -> dict[str, Any]:
        """Wait for the end of a deployment, which must be ``status``."""
        found = eventually(lambda: self.info(deployment), lambda d: "completeTime" in d)
        assert found["status"] == status, found
        return found

    def weights(self, listener: str = "production") -> tuple[int, int]:
        """The weights of the two target groups as DescribeListeners shows them."""
        elb = self.rig.client("elbv2")
        found = elb.describe_listeners(ListenerArns=[self.listeners[listener]])["Listeners"][0]
        groups = found["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
        known = {g["TargetGroupArn"]: g.get("Weight", 1) for g in groups}
        return known.get(self.groups[0], 0), known.get(self.groups[1], 0)

    def hook(self, name: str, status: str = "Succeeded") -> str:
        """Make a function that tells its event and answers CodeDeploy; return its name."""
        Stages(self.rig).function(name, PUT.format(status=status))
        return name

    def put(self, deployment: str, function: str, status: str) -> None:
        """Answer for a function that only told its event."""
        told = eventually(lambda: self.told(function), bool)
        self.client.put_lifecycle_event_hook_execution_status(
            deploymentId=deployment,
            lifecycleEventHookExecutionId=told[-1]["LifecycleEventHookExecutionId"],
            status=status,
        )

    def told(self, function: str) -> list[dict[str, Any]]:
        """The events that a function was told."""
        known = self.rig.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function}")["logGroups"]
        return Stages(self.rig).told(function) if known else []


def appspec(definition: str, hooks: dict[str, str] | None = None) -> dict[str, Any]:
    """An AppSpec as the user guide writes it."""
    spec: dict[str, Any] = {
        "version": 0.0,
        "Resources": [
            {
                "TargetService": {
                    "Type": "AWS::ECS::Service",
                    "Properties": {
                        "TaskDefinition": definition,
                        "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 8000},
                    },
                }
            }
        ],
    }
    return {**spec, "Hooks": [{event: function} for event, function in hooks.items()]} if hooks else spec
