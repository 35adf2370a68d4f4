"""Elastic Load Balancing as an AWS client sees it: boto3 against moto's server with our engine behind."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.loadbalancing_support import KINDS, ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

from tests.functional.balancing_support import Aws, Servers, balanced, moto_server, service, target_servers


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def servers() -> Iterator[Servers]:
    with target_servers() as made:
        yield made


@pytest.fixture(params=KINDS)
def aws(request: pytest.FixtureRequest, endpoint: str, tmp_path: Path) -> Iterator[Aws]:
    with balanced(request.param, endpoint, tmp_path) as made:
        yield made


@pytest.fixture
def builtin(endpoint: str, tmp_path: Path) -> Iterator[Aws]:
    """For what does not depend on the proxy."""
    with balanced("builtin", endpoint, tmp_path) as made:
        yield made


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
