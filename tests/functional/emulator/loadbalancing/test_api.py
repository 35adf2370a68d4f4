"""Elastic Load Balancing as an AWS client sees it: boto3 against moto's server with our engine behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.emulator.loadbalancing.balancing import (
    Aws,
    Servers,
    service,
    until,
)
from tests.functional.emulator.loadbalancing.support import ask
from tests.functional.emulator.runtime.support import answers

if TYPE_CHECKING:
    from collections.abc import Callable


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


FORWARD = {"Type": "forward", "Order": 2}
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
OIDC = {
    "Issuer": "https://id.example.com",
    "AuthorizationEndpoint": "https://id.example.com/authorize",
    "TokenEndpoint": "https://id.example.com/token",
    "UserInfoEndpoint": "https://id.example.com/user",
    "ClientId": "app",
}
POOL = {
    "UserPoolArn": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_1",
    "UserPoolClientId": "app",
    "UserPoolDomain": "shop",
}
TOKENS = {"JwksEndpoint": "https://id.example.com/keys", "Issuer": "https://id.example.com"}


@pytest.mark.parametrize(
    "gate",
    [
        {"Type": "authenticate-oidc", "AuthenticateOidcConfig": OIDC},
        {"Type": "authenticate-cognito", "AuthenticateCognitoConfig": POOL},
        {"Type": "jwt-validation", "JwtValidationConfig": TOKENS},
    ],
    ids=lambda gate: gate["Type"],
)
def test_an_action_that_authenticates_is_refused_and_nobody_let_in(builtin: Aws, gate: dict[str, Any]) -> None:
    balancer, _ = builtin.balancer()
    group = builtin.group()
    listener = builtin.listener(balancer, group)
    actions = [gate | {"Order": 1}, FORWARD | {"TargetGroupArn": group}]
    path = [{"Field": "path-pattern", "Values": ["/private/*"]}]
    rule = builtin.elb.create_rule(ListenerArn=listener, Priority=9, Conditions=path, Actions=[FIXED])["Rules"][0]
    calls: tuple[Callable[[], Any], ...] = (
        lambda: builtin.elb.create_listener(LoadBalancerArn=balancer, Port=81, Protocol="HTTP", DefaultActions=actions),
        lambda: builtin.elb.modify_listener(ListenerArn=listener, DefaultActions=actions),
        lambda: builtin.elb.create_rule(ListenerArn=listener, Priority=1, Conditions=path, Actions=actions),
        lambda: builtin.elb.modify_rule(RuleArn=rule["RuleArn"], Actions=actions),
    )
    for call in calls:
        with pytest.raises(ClientError, match=f"does not support actions of type '{gate['Type']}'") as refused:
            call()
        assert refused.value.response["Error"]["Code"] == "InvalidLoadBalancerAction"
    assert len(builtin.elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]) == 1
    assert len(builtin.elb.describe_rules(ListenerArn=listener)["Rules"]) == 2


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"Conditions": [{"Field": "path-pattern", "RegexValues": ["^/a"]}]}, "RegexValues .* 'path-pattern'"),
        (
            {"Conditions": [{"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^a"]}}]},
            "RegexValues .* 'host-header'",
        ),
        (
            {
                "Conditions": [
                    {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "a", "RegexValues": ["b"]}}
                ]
            },
            "RegexValues .* 'http-header'",
        ),
        (
            {
                "Conditions": [{"Field": "path-pattern", "Values": ["/a"]}],
                "Transforms": [
                    {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "a", "Replace": "b"}]}}
                ],
            },
            "Transforms",
        ),
    ],
    ids=["path", "host", "header", "transforms"],
)
def test_rules_that_the_proxy_could_not_carry_out_are_refused(builtin: Aws, more: dict[str, Any], message: str) -> None:
    listener = builtin.listener(builtin.balancer()[0], builtin.group())
    with pytest.raises(ClientError, match=f"The emulator does not support {message}") as refused:
        builtin.elb.create_rule(ListenerArn=listener, Priority=1, Actions=[FIXED], **more)
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_a_listener_that_asks_clients_for_certificates_is_refused(builtin: Aws) -> None:
    listener = builtin.listener(builtin.balancer()[0], builtin.group())
    builtin.elb.modify_listener(ListenerArn=listener, MutualAuthentication={"Mode": "off"})
    with pytest.raises(ClientError, match="does not support MutualAuthentication in mode 'verify'"):
        builtin.elb.modify_listener(ListenerArn=listener, MutualAuthentication={"Mode": "verify"})


def kill_proxy(aws: Aws) -> None:
    pid = aws.balancing._proxy._watched.process.pid  # type: ignore[attr-defined]  # the test is the kernel's killer
    os.kill(pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists(), "the death of the proxy")


def test_a_proxy_that_dies_is_started_again_by_itself(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    listener = aws.listener(aws.balancer()[0], aws.group())
    place = aws.where(listener)
    for _ in range(2):
        kill_proxy(aws)
        until(lambda: answers(*place), "a proxy at the same place")
        assert aws.get(listener).status == 503  # its own answer, as before: no target
    assert aws.where(listener) == place
    assert f"the proxy ended with status -{int(signal.SIGKILL)}" in caplog.text
    caplog.clear()
    aws.balancing.stop()
    assert "the proxy ended" not in caplog.text


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
