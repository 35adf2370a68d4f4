"""The load balancer: its security group and its listeners. Rules belong to the apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack.graph import GetAtt, Noted, Output, Parameter, Ref, Resource, Template

if TYPE_CHECKING:
    from seatrial.stack.graph import Value
    from seatrial.stack.model import Ingress

#: What a listener does with requests that no rule asks for.
NOT_FOUND: list[Value] = [
    {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "Not found"},
    }
]

SSL_POLICY = Noted(
    "ELBSecurityPolicy-TLS13-1-2-2021-06", "TLS 1.3 and 1.2 only; what is used when nothing is said has 1.0"
)


def ingress_template(ingress: Ingress) -> Template:
    """Return the load balancer's template: HTTPS and a redirect to it where a domain is set, else HTTP."""
    secure = ingress.domain is not None
    resources = {
        "LoadBalancerSecurityGroup": _security_group(secure=secure),
        "LoadBalancer": _load_balancer(secure=secure),
        "HttpListener": _http_listener(secure=secure),
    }
    outputs = {
        "LoadBalancerSecurityGroup": Output(
            "Security group of the load balancer", GetAtt("LoadBalancerSecurityGroup", "GroupId")
        ),
        "LoadBalancerArn": Output("The load balancer", Ref("LoadBalancer")),
        "LoadBalancerDns": Output("Host name of the load balancer", GetAtt("LoadBalancer", "DNSName")),
        "HttpListenerArn": Output("Listener on port 80", Ref("HttpListener")),
    }
    if ingress.domain is not None:
        if ingress.certificate is None:
            resources["Certificate"] = _certificate(ingress.domain)
            outputs["CertificateArn"] = Output("Certificate made for the domain", Ref("Certificate"))
        resources["HttpsListener"] = _https_listener(ingress.certificate or Ref("Certificate"))
        outputs["HttpsListenerArn"] = Output("Listener on port 443", Ref("HttpsListener"))
    return Template(
        name="ingress",
        description="Application load balancer",
        parameters={
            "VpcId": Parameter("The VPC"),
            "VpcCidr": Parameter("Address range of the VPC"),
            "PublicSubnets": Parameter("Subnets with a route to the internet", type="CommaDelimitedList"),
        },
        resources=resources,
        outputs=outputs,
    )


def _security_group(*, secure: bool) -> Resource:
    ports = (80, 443) if secure else (80,)
    return Resource(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "Load balancer: open to the internet, talks to the VPC only",
            "VpcId": Ref("VpcId"),
            "SecurityGroupIngress": [
                {
                    "IpProtocol": "tcp",
                    "FromPort": port,
                    "ToPort": port,
                    "CidrIp": "0.0.0.0/0",
                    "Description": "Anyone",
                }
                for port in ports
            ],
            "SecurityGroupEgress": [
                {
                    "IpProtocol": "tcp",
                    "FromPort": 1,
                    "ToPort": 65535,
                    "CidrIp": Ref("VpcCidr"),
                    "Description": "Tasks, whose own security groups say on which port",
                }
            ],
        },
    )


def _load_balancer(*, secure: bool) -> Resource:
    return Resource(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        {
            "Type": "application",
            "Scheme": "internet-facing",
            "Subnets": Ref("PublicSubnets"),
            "SecurityGroups": [GetAtt("LoadBalancerSecurityGroup", "GroupId")],
            "LoadBalancerAttributes": [
                {
                    "Key": "idle_timeout.timeout_seconds",
                    "Value": Noted(
                        "300",
                        "A websocket or event stream that is silent for longer is cut; the default of 60 s cuts those "
                        "that ping once a minute. Web servers that keep connections open must do so for longer than "
                        "this, or now and then a request meets a connection that is just being closed (502)",
                    ),
                },
                {
                    "Key": "routing.http.drop_invalid_header_fields.enabled",
                    "Value": Noted("true", "Malformed header names are how request smuggling begins"),
                },
                {
                    "Key": "deletion_protection.enabled",
                    "Value": Noted(
                        "true" if secure else "false",
                        "A DNS record outside this stack points here"
                        if secure
                        else "Holds no data, and no domain points here: a trial must be easy to remove",
                    ),
                },
            ],
        },
    )


def _http_listener(*, secure: bool) -> Resource:
    redirect: list[Value] = [
        {
            "Type": "redirect",
            "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
        }
    ]
    return Resource(
        "AWS::ElasticLoadBalancingV2::Listener",
        {
            "LoadBalancerArn": Ref("LoadBalancer"),
            "Protocol": "HTTP",
            "Port": 80,
            "DefaultActions": redirect
            if secure
            else Noted(NOT_FOUND, "What no rule of an app asks for is answered here, without waking a task"),
        },
    )


def _https_listener(certificate: Value) -> Resource:
    return Resource(
        "AWS::ElasticLoadBalancingV2::Listener",
        {
            "LoadBalancerArn": Ref("LoadBalancer"),
            "Protocol": "HTTPS",
            "Port": 443,
            "SslPolicy": SSL_POLICY,
            "Certificates": [{"CertificateArn": certificate}],
            "DefaultActions": Noted(
                NOT_FOUND, "What no rule of an app asks for is answered here, without waking a task"
            ),
        },
    )


def _certificate(domain: str) -> Resource:
    return Resource(
        "AWS::CertificateManager::Certificate",
        {"DomainName": domain, "ValidationMethod": "DNS"},
        why="Made here because seatrial.toml names no certificate, as it may on the emulator",
    )
