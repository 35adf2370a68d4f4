"""The VPC: two availability zones, public and private subnets, and how tasks reach the internet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack.graph import Cidr, GetAtt, GetAZs, Join, Noted, Output, Ref, Resource, Select, Sub, Template

if TYPE_CHECKING:
    from seatrial.stack.graph import Value
    from seatrial.stack.model import Network

_ZONES = ("A", "B")


def network_template(network: Network) -> Template:
    """Return the network's template: with a NAT gateway where tasks are private, without one where they are not."""
    resources = _vpc(network) | _public() | _private()
    if not network.public_tasks:
        resources |= _nat()
    subnets = "Public" if network.public_tasks else "Private"
    return Template(
        name="network",
        description="VPC over two availability zones",
        resources=resources,
        outputs={
            "VpcId": Output("The VPC", Ref("Vpc")),
            "VpcCidr": Output("Address range of the VPC", GetAtt("Vpc", "CidrBlock")),
            "PublicSubnets": Output("Subnets with a route to the internet", _subnets("Public")),
            "PrivateSubnets": Output("Subnets for data, unreachable from the internet", _subnets("Private")),
            "TaskSubnets": Output("Subnets that tasks run in", _subnets(subnets)),
            "AssignPublicIp": Output(
                "Whether tasks have public addresses", "ENABLED" if network.public_tasks else "DISABLED"
            ),
        },
    )


def _subnets(kind: str) -> Join:
    return Join(",", tuple(Ref(f"{kind}Subnet{zone}") for zone in _ZONES))


def _named(suffix: str) -> list[Value]:
    return [{"Key": "Name", "Value": Sub(f"${{AWS::StackName}}-{suffix}")}]


def _vpc(network: Network) -> dict[str, Resource]:
    resources = {
        "Vpc": Resource(
            "AWS::EC2::VPC",
            {
                "CidrBlock": network.cidr,
                "EnableDnsSupport": True,
                "EnableDnsHostnames": True,
                "Tags": _named("vpc"),
            },
        ),
        "InternetGateway": Resource("AWS::EC2::InternetGateway", {"Tags": _named("internet")}),
        "InternetGatewayAttachment": Resource(
            "AWS::EC2::VPCGatewayAttachment", {"VpcId": Ref("Vpc"), "InternetGatewayId": Ref("InternetGateway")}
        ),
    }
    for number, (kind, zone) in enumerate((kind, zone) for kind in ("Public", "Private") for zone in _ZONES):
        resources[f"{kind}Subnet{zone}"] = Resource(
            "AWS::EC2::Subnet",
            {
                "VpcId": Ref("Vpc"),
                "AvailabilityZone": Select(_ZONES.index(zone), GetAZs()),
                "CidrBlock": Select(number, Cidr(network.cidr, 4, network.subnet_bits)),
                "Tags": _named(f"{kind}-{zone}".lower()),
            },
        )
    return resources


def _public() -> dict[str, Resource]:
    return {
        "PublicRouteTable": Resource("AWS::EC2::RouteTable", {"VpcId": Ref("Vpc"), "Tags": _named("public")}),
        "PublicDefaultRoute": Resource(
            "AWS::EC2::Route",
            {
                "RouteTableId": Ref("PublicRouteTable"),
                "DestinationCidrBlock": "0.0.0.0/0",
                "GatewayId": Ref("InternetGateway"),
            },
            depends_on=("InternetGatewayAttachment",),
        ),
    } | _associations("Public")


def _private() -> dict[str, Resource]:
    return {
        "PrivateRouteTable": Resource("AWS::EC2::RouteTable", {"VpcId": Ref("Vpc"), "Tags": _named("private")}),
    } | _associations("Private")


def _associations(kind: str) -> dict[str, Resource]:
    return {
        f"{kind}Subnet{zone}Routes": Resource(
            "AWS::EC2::SubnetRouteTableAssociation",
            {"SubnetId": Ref(f"{kind}Subnet{zone}"), "RouteTableId": Ref(f"{kind}RouteTable")},
        )
        for zone in _ZONES
    }


def _nat() -> dict[str, Resource]:
    return {
        "NatAddress": Resource(
            "AWS::EC2::EIP", {"Domain": "vpc", "Tags": _named("nat")}, depends_on=("InternetGatewayAttachment",)
        ),
        "NatGateway": Resource(
            "AWS::EC2::NatGateway",
            {
                "AllocationId": GetAtt("NatAddress", "AllocationId"),
                "SubnetId": Noted(
                    Ref("PublicSubnetA"),
                    "One gateway for both zones: it is paid by the hour. Should its zone fail, tasks serve on, but "
                    "cannot reach the internet or start anew",
                ),
                "Tags": _named("nat"),
            },
        ),
        "PrivateDefaultRoute": Resource(
            "AWS::EC2::Route",
            {
                "RouteTableId": Ref("PrivateRouteTable"),
                "DestinationCidrBlock": "0.0.0.0/0",
                "NatGatewayId": Ref("NatGateway"),
            },
        ),
        "StorageEndpoint": Resource(
            "AWS::EC2::VPCEndpoint",
            {
                "VpcId": Ref("Vpc"),
                "VpcEndpointType": "Gateway",
                "ServiceName": Sub("com.amazonaws.${AWS::Region}.s3"),
                "RouteTableIds": [Ref("PrivateRouteTable")],
            },
            why="Costs nothing, and keeps image layers and media, which come from S3, off the gateway's bill",
        ),
    }
