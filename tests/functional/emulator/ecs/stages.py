"""A service between two target groups, for the functional tests of deployments by stages."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.functional.emulator.ecs.support import Rig, eventually

if TYPE_CHECKING:
    from tests.functional.emulator.support import Running

ROLE = "arn:aws:iam::123456789012:role/ecs"
BLUE_GREEN: dict[str, Any] = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}


@dataclass
class Stages:
    """Service ``web`` behind a production and a test listener rule. ``groups`` are the two target groups."""

    rig: Rig
    groups: tuple[str, str] = ("", "")
    rules: dict[str, str] = field(default_factory=dict)

    def build(self, *, test: bool = True) -> None:
        """Make a load balancer whose production rule forwards to the first group and whose test rule to the second."""
        put_role(self.rig)
        elb = self.rig.client("elbv2")
        self.groups = (self.rig.target_group("blue"), self.rig.target_group("green"))
        subnets = self.rig.network["awsvpcConfiguration"]["subnets"]
        balancer = elb.create_load_balancer(Name="lb", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        for name, port in (("production", 80), ("test", 9000)):
            listener = elb.create_listener(
                LoadBalancerArn=balancer,
                Protocol="HTTP",
                Port=port,
                DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
            )["Listeners"][0]["ListenerArn"]
            first = name == "production" or not test
            made = elb.create_rule(
                ListenerArn=listener,
                Priority=1,
                Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
                Actions=[_forward(self.groups, 100 if first else 0)],
            )
            self.rules[name] = made["Rules"][0]["RuleArn"]

    @property
    def balancer(self) -> dict[str, Any]:
        """The ``loadBalancers`` entry."""
        return {
            "targetGroupArn": self.groups[0],
            "containerName": "app",
            "containerPort": 8000,
            "advancedConfiguration": {
                "alternateTargetGroupArn": self.groups[1],
                "productionListenerRule": self.rules["production"],
                "testListenerRule": self.rules["test"],
                "roleArn": ROLE,
            },
        }

    def create(self, desired: int = 1, /, **configuration: Any) -> dict[str, Any]:
        """Create the service and wait until it serves."""
        self.rig.create(
            self.rig.define(),
            desired=desired,
            balanced=False,
            loadBalancers=[self.balancer],
            deploymentConfiguration={**BLUE_GREEN, **configuration},
        )
        return self.finished("SUCCESSFUL")

    def release(self, definition: str | None = None, /, **configuration: Any) -> str:
        """Deploy a new revision; return the service deployment's ARN."""
        more = {"deploymentConfiguration": configuration} if configuration else {}
        self.rig.ecs.update_service(cluster="c", service="web", taskDefinition=definition or self.rig.define(), **more)
        return str(self.rig.deployment()["serviceDeploymentArn"])

    def at(self, stage: str) -> dict[str, Any]:
        """Wait until the deployment is at a stage."""
        return eventually(self.rig.deployment, lambda d: d.get("lifecycleStage") == stage)

    def paused(self) -> dict[str, Any]:
        """Wait until a PAUSE hook holds the deployment; return its details."""
        held = eventually(self._awaiting, bool)
        return held[0]

    def go_on(self, action: str = "CONTINUE") -> None:
        """Answer the PAUSE hook that holds the deployment."""
        hook = self.paused()["hookId"]
        arn = self.rig.deployment()["serviceDeploymentArn"]
        self.rig.ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook, action=action)

    def finished(self, status: str) -> dict[str, Any]:
        """Wait for the end of the newest service deployment, which must be ``status``."""
        ended = eventually(self.rig.deployment, lambda d: "finishedAt" in d)
        assert ended["status"] == status, ended
        return ended

    def weights(self, rule: str = "production") -> tuple[int, int]:
        """The weights of the two target groups as DescribeRules shows them."""
        described = self.rig.client("elbv2").describe_rules(RuleArns=[self.rules[rule]])["Rules"][0]
        forward = next(a for a in described["Actions"] if a["Type"] == "forward")
        known = {g["TargetGroupArn"]: g["Weight"] for g in forward["ForwardConfig"]["TargetGroups"]}
        return known.get(self.groups[0], 0), known.get(self.groups[1], 0)

    def function(self, name: str, body: str, **more: Any) -> str:
        """Make a Lambda function of a handler's body (``event`` and ``context`` are there); return its ARN."""
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        made = self.rig.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=ROLE,
            Handler="hook.handler",
            Code={"ZipFile": archive(f"import os\n\ndef handler(event, context):\n{lines}\n")},
            **{"Timeout": 20, **more},
        )
        return str(made["FunctionArn"])

    def hook(self, function: str, *stages: str, **more: Any) -> dict[str, Any]:
        """A Lambda hook."""
        return {"hookTargetArn": function, "roleArn": ROLE, "lifecycleStages": list(stages), **more}

    def told(self, function: str) -> list[dict[str, Any]]:
        """What a function printed as JSON, in the order of its invocations."""
        events = self.rig.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        lines = [event["message"] for event in sorted(events, key=lambda event: event["timestamp"])]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def _awaiting(self) -> list[dict[str, Any]]:
        details = self.rig.deployment().get("lifecycleHookDetails") or []
        return [d for d in details if d["status"] == "AWAITING_ACTION"]


def pause(*stages: str, minutes: int = 1440, action: str = "ROLLBACK") -> dict[str, Any]:
    """A PAUSE hook."""
    return {
        "targetType": "PAUSE",
        "lifecycleStages": list(stages),
        "timeoutConfiguration": {"timeoutInMinutes": minutes, "action": action},
    }


def archive(code: str, file: str = "hook.py") -> bytes:
    """A function's code as the API takes it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as content:
        content.writestr(file, code)
    return packed.getvalue()


def put_role(rig: Rig) -> None:
    """Lambda assumes a role that must exist."""
    _role(rig.client("iam"), "ecs")


def put_function(running: Running, name: str, source: str) -> str:
    """Make a Lambda function of a handler's source in the whole emulator; return its ARN."""
    made = running.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=_role(running.client("iam"), name),
        Handler="hook.handler",
        Timeout=30,
        Code={"ZipFile": archive(source)},
    )
    return str(made["FunctionArn"])


def _role(iam: Any, name: str) -> str:
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"])


def _forward(groups: tuple[str, str], first: int) -> dict[str, Any]:
    pairs = zip(groups, (first, 100 - first), strict=True)
    return {
        "Type": "forward",
        "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in pairs]},
    }
