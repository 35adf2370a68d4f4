"""Targets as an AWS client sees them: registered, probed, healthy or not, drained."""

from __future__ import annotations

import concurrent.futures
from typing import TYPE_CHECKING

import pytest

from tests.functional.emulator.loadbalancing.balancing import (
    Aws,
    Servers,
    described,
    until,
)
from tests.functional.emulator.loadbalancing.support import LEASE

if TYPE_CHECKING:
    from tests.functional.emulator.loadbalancing.support import Response, Target


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


def test_what_is_open_when_the_delay_is_over_is_cut(aws: Aws, servers: Servers) -> None:
    """A request that lasts longer than the deregistration delay is answered with 502; one that ends before is not."""
    balancer, _ = aws.balancer()
    group = aws.group()
    listener = aws.listener(balancer, group)
    slow, quick = servers.start("slow"), servers.start("quick")
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "1"}
    aws.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])

    def held(target: Target) -> concurrent.futures.Future[Response]:
        aws.register(group, target)
        aws.becomes(group, target, "healthy")
        asked = pool.submit(aws.get, listener, "/hold")
        until(target.holding.is_set, "the request")
        return asked

    with concurrent.futures.ThreadPoolExecutor() as pool:
        lost = held(slow)
        aws.elb.deregister_targets(TargetGroupArn=group, Targets=[described(slow)])
        assert lost.result().status == 502
        done = held(quick)
        aws.elb.deregister_targets(TargetGroupArn=group, Targets=[described(quick)])
        servers.run(release(quick))
        assert (done.result().status, done.result().name) == (200, "quick")


def test_who_has_the_address_of_a_target_that_is_gone_is_not_cut(builtin: Aws, servers: Servers) -> None:
    aws = builtin
    balancer, _ = aws.balancer()
    group = aws.group()
    listener = aws.listener(balancer, group)
    target, targets = servers.start("a"), aws.balancing.targets
    aws.register(group, target)
    aws.becomes(group, target, "healthy")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(aws.get, listener, "/hold")
        until(target.holding.is_set, "the request")
        targets._cut(target.backend)  # what becomes due when a target that had this address has drained
        servers.run(release(target))
        assert asked.result().status == 200


async def release(target: Target) -> None:
    target.release.set()


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


def test_a_target_without_an_address_is_unused_and_harms_no_other(aws: Aws, servers: Servers) -> None:
    """An instance, which the emulator does not have, beside a target of another group of the same listener."""
    target, instance = servers.start("web"), {"Id": "i-0123456789abcdef0", "Port": 80}
    group, instances = aws.group(), aws.group(TargetType="instance")
    listener = aws.listener(aws.balancer()[0], group)
    condition = [{"Field": "path-pattern", "Values": ["/old/*"]}]
    action = [{"Type": "forward", "TargetGroupArn": instances}]
    aws.elb.create_rule(ListenerArn=listener, Priority=1, Conditions=condition, Actions=action)
    aws.elb.register_targets(TargetGroupArn=instances, Targets=[instance])
    found = aws.elb.describe_target_health(TargetGroupArn=instances)["TargetHealthDescriptions"]
    assert [each["Target"] for each in found] == [instance]
    assert found[0]["TargetHealth"]["State"] == "unused"
    assert found[0]["TargetHealth"]["Reason"] == "Target.InvalidState"
    assert "not an IP address" in found[0]["TargetHealth"]["Description"]
    aws.register(group, target)
    aws.becomes(group, target, "healthy")
    assert (aws.get(listener).status, aws.get(listener, "/old/page").status) == (200, 503)
    aws.elb.deregister_targets(TargetGroupArn=instances, Targets=[instance])
