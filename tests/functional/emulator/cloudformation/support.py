"""An engine on moto's own server: every other service is moto's, CloudFormation is ours."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seatrial.emulator.clock import SystemClock
from seatrial.emulator.front.boot import environment
from seatrial.emulator.settings import EmulatorSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seatrial.emulator.cloudformation import CloudFormationEngine

REGION = "eu-west-1"
DEADLINE = 60.0


@dataclass
class Bench:
    """A running server with the engine on it."""

    endpoint: str
    engine: CloudFormationEngine
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.clients[service]

    @property
    def cloudformation(self) -> Any:
        return self.client("cloudformation")

    def create(self, name: str, template: str, **request: Any) -> dict[str, Any]:
        """Create a stack and return it as it stands at the end."""
        identity = self.cloudformation.create_stack(StackName=name, TemplateBody=template, **request)["StackId"]
        return self.settled(identity)

    def update(self, name: str, template: str | None = None, **request: Any) -> dict[str, Any]:
        """Update a stack and return it as it stands at the end."""
        body = {"TemplateBody": template} if template else {"UsePreviousTemplate": True}
        identity = self.cloudformation.update_stack(StackName=name, **body, **request)["StackId"]
        return self.settled(identity)

    def delete(self, name: str, **request: Any) -> dict[str, Any]:
        """Delete a stack and return it as it stands at the end."""
        identity = self.stack(name)["StackId"]
        self.cloudformation.delete_stack(StackName=name, **request)
        return self.settled(identity)

    def stack(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return found

    def settled(self, name: str) -> dict[str, Any]:
        """Return a stack once no operation is under way."""
        self.until(lambda: not self.stack(name)["StackStatus"].endswith("_IN_PROGRESS"))
        return self.stack(name)

    def until(self, condition: Callable[[], bool]) -> None:
        """Return once a condition holds."""
        deadline = time.monotonic() + DEADLINE
        pause = threading.Event()
        while not condition():
            assert time.monotonic() < deadline, "it did not come to pass in time"
            pause.wait(0.02)

    def events(self, name: str) -> list[tuple[str, str, str]]:
        """Return (logical id, status, reason) of a stack's events, oldest first."""
        pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        events = [event for page in pages for event in page["StackEvents"]]
        return [
            (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for event in reversed(events)
        ]

    def resources(self, name: str) -> dict[str, dict[str, Any]]:
        """Return a stack's resources by logical id."""
        found = self.cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        return {resource["LogicalResourceId"]: resource for resource in found}

    def outputs(self, name: str) -> dict[str, str]:
        """Return a stack's outputs."""
        return {output["OutputKey"]: output["OutputValue"] for output in self.stack(name).get("Outputs", [])}


SERVICES = [
    "acm",
    "application-autoscaling",
    "cloudformation",
    "cloudfront",
    "cloudwatch",
    "ec2",
    "ecr",
    "ecs",
    "elasticache",
    "elbv2",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "rds",
    "route53",
    "s3",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
]


@contextmanager
def bench(state: Path) -> Iterator[Bench]:
    """Run moto's server, empty, on a free port with the engine installed."""
    settings = EmulatorSettings("test", state, 0, 0, region=REGION)
    saved = dict(os.environ)
    os.environ.update(environment(settings))
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "false"
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        os.environ.pop(name, None)
    import boto3
    import moto.settings
    from botocore.config import Config
    from moto.moto_api._internal.models import moto_api_backend
    from moto.server import ThreadedMotoServer

    from seatrial.emulator.cloudformation import CloudFormationEngine

    moto_api_backend.reset()  # of what other tests left
    moto.settings.ACM_VALIDATION_WAIT = 0  # moto may have been imported, and its environment read, by another test
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    session = boto3.Session(region_name=REGION)
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    clients = {name: session.client(name, endpoint_url=endpoint, config=config) for name in SERVICES}
    engine = CloudFormationEngine(settings, SystemClock(), clients.__getitem__)
    engine.install()
    try:
        yield Bench(endpoint, engine, clients)
    finally:
        engine.stop()
        server.stop()
        for client in clients.values():
            client.close()
        os.environ.clear()
        os.environ.update(saved)
