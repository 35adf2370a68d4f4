"""Elastic Load Balancing as an AWS client sees it: boto3 against moto's server with our engine behind."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from seatrial.emulator.clock import SystemClock
from seatrial.emulator.loadbalancing.service import LoadBalancing
from seatrial.emulator.settings import EmulatorSettings
from tests.functional.loadbalancing_support import ADDRESSES, DEADLINE, KINDS, LEASE, Response, Target, ask

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


@pytest.fixture
def servers() -> Iterator[Servers]:
    made = Servers()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "x")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


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


@pytest.fixture(params=KINDS)
def aws(request: pytest.FixtureRequest, endpoint: str, tmp_path: Path) -> Iterator[Aws]:
    balancing = service(request.param, tmp_path)
    balancing.install()
    balancing.start()
    made = Aws(endpoint, balancing)
    yield made
    for each in made.elb.describe_load_balancers()["LoadBalancers"]:
        made.elb.delete_load_balancer(LoadBalancerArn=each["LoadBalancerArn"])
    for each in made.elb.describe_target_groups()["TargetGroups"]:
        made.elb.delete_target_group(TargetGroupArn=each["TargetGroupArn"])
    balancing.stop()


@pytest.fixture
def builtin(endpoint: str, tmp_path: Path) -> Iterator[Aws]:
    """For what does not depend on the proxy."""
    balancing = service("builtin", tmp_path)
    balancing.install()
    balancing.start()
    made = Aws(endpoint, balancing)
    yield made
    for each in made.elb.describe_load_balancers()["LoadBalancers"]:
        made.elb.delete_load_balancer(LoadBalancerArn=each["LoadBalancerArn"])
    for each in made.elb.describe_target_groups()["TargetGroups"]:
        made.elb.delete_target_group(TargetGroupArn=each["TargetGroupArn"])
    balancing.stop()


def test_a_registered_target_is_probed_becomes_healthy_and_serves(aws: Aws, servers: Servers) -> None:
    balancer, address = aws.balancer()
    assert address.startswith(f"127.{LEASE.block}.0.")
    group = aws.group()
    listener = aws.listener(balancer, group)
    assert aws.where(listener)[0] == address
    assert aws.get(listener).status == 503
    target = servers.start("a")
    aws.register(group, target)
    assert aws.becomes(group, target, "healthy") == {"State": "healthy"}
    assert aws.get(listener).name == "a"
    probe = target.received[0]
    assert (probe.method, probe.path) == ("GET", "/health")
    assert probe.headers["host"] == str(target.backend)
    assert probe.headers["user-agent"] == "ELB-HealthChecker/2.0"
    described_balancer = aws.elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]
    assert described_balancer["DNSName"] == address


def test_changes_of_listeners_and_rules_are_live_when_the_call_returns(aws: Aws, servers: Servers) -> None:
    balancer, _ = aws.balancer()
    blue, green = aws.group(), aws.group()
    a, b = servers.start("blue"), servers.start("green")
    listener = aws.listener(balancer, blue)
    aws.register(blue, a)
    aws.register(green, b)
    aws.becomes(blue, a, "healthy")
    assert aws.health(green, b)["Reason"] == "Target.NotInUse"

    def fixed(text: str) -> list[dict[str, Any]]:
        return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": text}}]

    def path(value: str) -> list[dict[str, Any]]:
        return [{"Field": "path-pattern", "Values": [value]}]

    low = aws.elb.create_rule(ListenerArn=listener, Priority=20, Conditions=path("/x"), Actions=fixed("low"))
    assert aws.get(listener, "/x").body == b"low"
    high = aws.elb.create_rule(ListenerArn=listener, Priority=10, Conditions=path("/x"), Actions=fixed("high"))
    assert aws.get(listener, "/x").body == b"high"
    low_arn, high_arn = low["Rules"][0]["RuleArn"], high["Rules"][0]["RuleArn"]
    aws.elb.set_rule_priorities(RulePriorities=[{"RuleArn": high_arn, "Priority": 30}])
    assert aws.get(listener, "/x").body == b"low"
    aws.elb.modify_rule(RuleArn=low_arn, Conditions=path("/y"))
    assert aws.get(listener, "/x").body == b"high"
    aws.elb.delete_rule(RuleArn=high_arn)
    assert aws.get(listener, "/x").name == "blue"

    weights = [{"TargetGroupArn": blue, "Weight": 0}, {"TargetGroupArn": green, "Weight": 100}]
    weighted = [{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}]
    aws.elb.modify_listener(ListenerArn=listener, DefaultActions=weighted)
    aws.becomes(green, b, "healthy")
    assert aws.get(listener).name == "green"
    told = aws.elb.describe_target_groups(TargetGroupArns=[green])["TargetGroups"][0]
    assert told["LoadBalancerArns"] == [balancer]
    where = aws.where(listener)
    aws.elb.delete_listener(ListenerArn=listener)
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(ask(where))


def test_an_https_listener_has_a_certificate_for_the_names_of_acm(aws: Aws) -> None:
    import ssl

    certificate = aws.acm.request_certificate(DomainName="shop.example", SubjectAlternativeNames=["*.shop.example"])
    more = aws.acm.request_certificate(DomainName="other.example")
    balancer, address = aws.balancer()
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "secure"}}
    made = aws.elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate["CertificateArn"]}],
        DefaultActions=[answer],
    )
    listener = made["Listeners"][0]["ListenerArn"]
    to_https = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    plain = aws.elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[to_https])
    context = ssl.create_default_context(cafile=str(aws.balancing.issuer.certificate))
    for name in ("shop.example", "www.shop.example", address):
        assert aws.get(listener, tls=context, sni=name).body == b"secure"
    aws.elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": more["CertificateArn"]}])
    assert aws.get(listener, tls=context, sni="other.example").body == b"secure"
    answered = aws.get(plain["Listeners"][0]["ListenerArn"], "/a?b=c", headers={"Host": address})
    assert answered.headers["location"] == f"https://{address}:{aws.where(listener)[1]}/a?b=c"
    assert {each.url.split(":")[0] for each in aws.balancing.addresses_of()} == {"http", "https"}


def test_two_ports_of_one_address_are_two_targets(builtin: Aws, servers: Servers) -> None:
    aws = builtin
    balancer, _ = aws.balancer()
    good = servers.start("good")
    port = good.backend.port
    group = aws.group(Port=port)
    aws.listener(balancer, group)
    ids = [{"Id": good.backend.address}, {"Id": good.backend.address, "Port": 9}]
    aws.elb.register_targets(TargetGroupArn=group, Targets=ids)

    def told() -> dict[int, str]:
        found = aws.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {each["Target"]["Port"]: each["TargetHealth"]["State"] for each in found}

    until(lambda: told() == {port: "healthy", 9: "unhealthy"}, "both states")
    aws.elb.deregister_targets(TargetGroupArn=group, Targets=ids[1:])
    assert told() == {port: "healthy", 9: "draining"}


@pytest.mark.parametrize(
    ("status", "path", "health"),
    [
        (503, "/health", ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")),
        (200, "/break", ("Target.FailedHealthChecks", "Health checks failed")),
        (200, "/hold", ("Target.Timeout", "Request timed out")),
    ],
)
def test_a_target_is_unhealthy_for_a_reason(
    builtin: Aws, servers: Servers, status: int, path: str, health: tuple[str, str]
) -> None:
    aws = builtin
    balancer, _ = aws.balancer()
    group = aws.group(HealthCheckPath=path)
    aws.listener(balancer, group)
    target = servers.start("a", status=status)
    aws.register(group, target)
    first = aws.health(group, target)
    assert first["State"] in ("initial", "unhealthy")
    if first["State"] == "initial":
        assert first["Reason"] in ("Elb.RegistrationInProgress", "Elb.InitialHealthChecking")
    told = aws.becomes(group, target, "unhealthy")
    assert (told["Reason"], told["Description"]) == health


def test_the_matcher_is_read_live_and_thresholds_bring_a_target_back(builtin: Aws, servers: Servers) -> None:
    aws = builtin
    balancer, _ = aws.balancer()
    group = aws.group()
    aws.listener(balancer, group)
    target = servers.start("a", status=404)
    aws.register(group, target)
    aws.becomes(group, target, "unhealthy")
    aws.elb.modify_target_group(TargetGroupArn=group, Matcher={"HttpCode": "200,400-404"})
    aws.becomes(group, target, "healthy")


def test_with_no_healthy_target_all_get_traffic_but_draining_ones(builtin: Aws, servers: Servers) -> None:
    aws = builtin
    balancer, _ = aws.balancer()
    group = aws.group()
    listener = aws.listener(balancer, group)
    sick, leaving = servers.start("sick", status=500), servers.start("leaving", status=500)
    aws.register(group, sick, leaving)
    for target in (sick, leaving):
        aws.becomes(group, target, "unhealthy")
    assert {aws.get(listener).name for _ in range(8)} == {"sick", "leaving"}
    aws.elb.deregister_targets(TargetGroupArn=group, Targets=[described(leaving)])
    assert {aws.get(listener).name for _ in range(8)} == {"sick"}
    well = servers.start("well")
    aws.register(group, well)
    aws.becomes(group, well, "healthy")
    assert {aws.get(listener).name for _ in range(8)} == {"well"}


def test_a_deregistered_target_drains_for_the_delay_and_is_then_unused(builtin: Aws, servers: Servers) -> None:
    aws = builtin
    balancer, _ = aws.balancer()
    group = aws.group()
    listener = aws.listener(balancer, group)
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "120"}
    aws.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])
    assert aws.balancing.targets.draining_seconds(group) == 120
    target = servers.start("a")
    aws.register(group, target)
    aws.becomes(group, target, "healthy")
    aws.elb.deregister_targets(TargetGroupArn=group, Targets=[described(target)])
    assert aws.health(group, target) == {
        "State": "draining",
        "Reason": "Target.DeregistrationInProgress",
        "Description": "Target deregistration is in progress",
    }
    assert aws.get(listener).status == 503
    gone = aws.becomes(group, target, "unused")
    assert gone["Reason"] == "Target.NotRegistered"
    assert aws.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"] == []


def test_a_group_that_comes_into_use_is_probed_then(builtin: Aws, servers: Servers) -> None:
    aws = builtin
    group = aws.group()
    target = servers.start("a")
    aws.register(group, target)
    assert aws.health(group, target)["Reason"] == "Target.NotInUse"
    assert not aws.balancing.targets.is_attached(group)
    assert target.received == []
    balancer, _ = aws.balancer()
    aws.listener(balancer, group)
    assert aws.balancing.targets.is_attached(group)
    aws.becomes(group, target, "healthy")


def test_subscribers_hear_of_health_after_the_proxy(builtin: Aws, servers: Servers) -> None:
    """What ECS does: wait for the news, then find the target in use."""
    aws = builtin
    balancer, _ = aws.balancer()
    group = aws.group()
    listener = aws.listener(balancer, group)
    targets = aws.balancing.targets
    heard: list[int] = []
    targets.subscribe(lambda: heard.append(aws.get(listener).status))
    target = servers.start("a")
    targets.register(group, target.backend.address, target.backend.port)
    until(lambda: heard, "the news of a healthy target")
    assert heard[-1] == 200
    targets.drain(group, target.backend.address, target.backend.port)
    assert heard[-1] == 503
    targets.remove(group, target.backend.address, target.backend.port)
    assert targets.health(group, target.backend.address, target.backend.port).reason == "Target.NotRegistered"
    targets.remove(group, target.backend.address, target.backend.port)
    targets.drain(group, target.backend.address, target.backend.port)


def test_a_target_that_returns_while_it_drains_starts_anew(builtin: Aws, servers: Servers) -> None:
    aws = builtin
    balancer, _ = aws.balancer()
    group = aws.group()
    aws.listener(balancer, group)
    target = servers.start("a")
    aws.register(group, target)
    aws.becomes(group, target, "healthy")
    aws.elb.deregister_targets(TargetGroupArn=group, Targets=[described(target)])
    aws.register(group, target)
    aws.becomes(group, target, "healthy")


def test_a_listener_whose_port_is_taken_here_listens_8000_above(builtin: Aws) -> None:
    balancer, address = builtin.balancer()
    with socket.create_server((address, 8080)):
        listener = builtin.listener(balancer, builtin.group(), port=8080)
        found = next(each for each in builtin.balancing.addresses_of() if each.listener_arn == listener)
        assert (found.port, found.bound_port, found.url) == (8080, 16080, f"http://{address}:16080/")
        assert builtin.get(listener).status == 503


def test_stickiness_is_reported(builtin: Aws) -> None:
    group = builtin.group()
    wanted = {"stickiness.enabled": "true", "stickiness.type": "lb_cookie"}
    attributes = [{"Key": key, "Value": value} for key, value in wanted.items()]
    builtin.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)
    told = builtin.elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    assert wanted.items() <= {each["Key"]: each["Value"] for each in told}.items()


def test_errors_are_aws_s_own(builtin: Aws) -> None:
    aws = builtin
    nowhere = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/none/0123456789abcdef"
    target = [{"Id": "10.0.0.1"}]
    for call in (aws.elb.register_targets, aws.elb.deregister_targets, aws.elb.describe_target_health):
        with pytest.raises(ClientError) as missing:
            call(TargetGroupArn=nowhere, Targets=target)
        assert missing.value.response["Error"]["Code"] == "TargetGroupNotFound"
    group = aws.group()
    with pytest.raises(ClientError) as wrong:
        aws.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "i-0123456789abcdef0"}])
    assert wrong.value.response["Error"]["Code"] == "ValidationError"
    aws.elb.deregister_targets(TargetGroupArn=group, Targets=target)


def test_stop_gives_moto_its_actions_back(endpoint: str, tmp_path: Path) -> None:
    from moto.elbv2.responses import ELBV2Response

    before = dict(vars(ELBV2Response))
    balancing = service("builtin", tmp_path)
    balancing.install()
    balancing.start()
    assert dict(vars(ELBV2Response)) != before
    balancing.stop()
    balancing.stop()
    assert dict(vars(ELBV2Response)) == before
    assert not [thread for thread in threading.enumerate() if thread.name == "health checks"]
