"""What the tests of the load balancing API share: our engine behind an AWS client, on moto's own server."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from seatrial.emulator.clock import SystemClock
from seatrial.emulator.loadbalancing.service import LoadBalancing
from seatrial.emulator.settings import EmulatorSettings
from tests.functional.emulator.loadbalancing.support import ADDRESSES, DEADLINE, LEASE, Response, Target, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


REGION = "eu-west-1"


class Servers:
    """Targets on an event loop of their own, so that tests can call AWS as programs do: one thing after another."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._targets: list[Target] = []

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE)

    def start(self, name: str, **more: Any) -> Target:
        async def begin() -> Target:
            return await Target(name, **more).__aenter__()

        self._targets.append(self.run(begin()))
        return self._targets[-1]

    def stop(self) -> None:
        async def end() -> None:
            await asyncio.gather(*(target.end() for target in self._targets))

        self.run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Aws:
    """The API, and shorthands for what nearly every test makes."""

    def __init__(self, endpoint: str, balancing: LoadBalancing) -> None:
        def client(service: str) -> Any:
            return boto3.client(service, endpoint_url=endpoint, region_name=REGION)

        self.balancing = balancing
        self.elb, self.ec2, self.acm = client("elbv2"), client("ec2"), client("acm")
        subnets = self.ec2.describe_subnets()["Subnets"]
        self.vpc = subnets[0]["VpcId"]
        self.subnets = [subnet["SubnetId"] for subnet in subnets[:2]]
        self._count = 0

    def balancer(self) -> tuple[str, str]:
        """Return ARN and DNS name of a new load balancer."""
        self._count += 1
        made = self.elb.create_load_balancer(Name=f"web-{self._count}", Subnets=self.subnets)["LoadBalancers"][0]
        return made["LoadBalancerArn"], made["DNSName"]

    def group(self, **more: Any) -> str:
        self._count += 1
        values: dict[str, Any] = {
            "Name": f"web-{self._count}",
            "Protocol": "HTTP",
            "Port": 8000,
            "VpcId": self.vpc,
            "TargetType": "ip",
            "HealthCheckPath": "/health",
            "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 2,
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 2,
        }
        arn: str = self.elb.create_target_group(**(values | more))["TargetGroups"][0]["TargetGroupArn"]
        return arn

    def listener(self, balancer: str, group: str, port: int = 80) -> str:
        action = {"Type": "forward", "TargetGroupArn": group}
        made = self.elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=[action])
        arn: str = made["Listeners"][0]["ListenerArn"]
        return arn

    def where(self, listener: str) -> tuple[str, int]:
        found = next(each for each in self.balancing.addresses_of() if each.listener_arn == listener)
        return found.host, found.bound_port

    def get(self, listener: str, path: str = "/", **more: Any) -> Response:
        return asyncio.run(ask(self.where(listener), path, **more))

    def register(self, group: str, *targets: Target) -> None:
        self.elb.register_targets(TargetGroupArn=group, Targets=[described(target) for target in targets])

    def health(self, group: str, target: Target) -> dict[str, str]:
        found = self.elb.describe_target_health(TargetGroupArn=group, Targets=[described(target)])
        answer: dict[str, str] = found["TargetHealthDescriptions"][0]["TargetHealth"]
        return answer

    def becomes(self, group: str, target: Target, state: str) -> dict[str, str]:
        until(lambda: self.health(group, target)["State"] == state, state)
        return self.health(group, target)


def described(target: Target) -> dict[str, Any]:
    return {"Id": target.backend.address, "Port": target.backend.port}


def until(condition: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + DEADLINE
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not come within {DEADLINE} s"
        time.sleep(0.01)
    return value


def service(kind: str, state: Path, scale: float = 0.01) -> LoadBalancing:
    settings = EmulatorSettings(
        name="test",
        state=state,
        port=1,
        block=LEASE.block,
        region=REGION,
        time_scale=scale,
        proxy=kind,  # type: ignore[arg-type]
    )
    return LoadBalancing(settings, SystemClock(scale), ADDRESSES)


@contextmanager
def target_servers() -> Iterator[Servers]:
    """Servers for one test."""
    made = Servers()
    yield made
    made.stop()


@contextmanager
def moto_server() -> Iterator[str]:
    """moto's server; yields its URL. Clients made meanwhile have credentials."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "x")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@contextmanager
def balanced(kind: str, endpoint: str, state: Path) -> Iterator[Aws]:
    """The engine with a proxy of that kind; what a test makes is deleted at its end."""
    balancing = service(kind, state)
    balancing.install()
    balancing.start()
    made = Aws(endpoint, balancing)
    yield made
    for each in made.elb.describe_load_balancers()["LoadBalancers"]:
        made.elb.delete_load_balancer(LoadBalancerArn=each["LoadBalancerArn"])
    for each in made.elb.describe_target_groups()["TargetGroups"]:
        made.elb.delete_target_group(TargetGroupArn=each["TargetGroupArn"])
    balancing.stop()
