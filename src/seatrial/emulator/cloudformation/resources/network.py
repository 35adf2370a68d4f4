"""AWS::EC2::*: networks, routes, security groups, addresses and endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.changes import alike
from seatrial.emulator.cloudformation.errors import ResourceFailed
from seatrial.emulator.cloudformation.resources.row import Name, Properties, Row, Tagging
from seatrial.emulator.cloudformation.resources.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TAGS = Tagging(add="create_tags", resource="Resources", remove="delete_tags", keys="Tags")
ANYWHERE: dict[str, Any] = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}


def _tagged(kind: str) -> Callable[[Work, dict[str, Any]], dict[str, Any]]:
    """EC2's create calls take tags in a specification that names the kind of resource."""

    def prepare(_: Work, properties: dict[str, Any]) -> dict[str, Any]:
        tags = properties.pop("Tags", None)
        if tags:
            properties["TagSpecifications"] = [{"ResourceType": kind, "Tags": tags}]
        return properties

    return prepare


# --- VPC and subnet --------------------------------------------------------------------------------------------------

_VPC_SWITCHES = ("EnableDnsSupport", "EnableDnsHostnames")
_SUBNET_SWITCHES = ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64")


def _switch(operation: str, key: str, switches: tuple[str, ...]) -> Callable[[Work, Properties | None], None]:
    """Settings that EC2 only takes one by one, each as ``{"Value": bool}``."""

    def after(work: Work, old: Properties | None) -> None:
        for name in switches:
            before = old.get(name) if old else None
            if not alike(before, work.get(name)):
                value = str(work.get(name, False)).lower() == "true"
                work.call("ec2", operation, **{key: work.physical_id, name: {"Value": value}})

    return after


def _default_of_vpc(operation: str, path: str, identity: str, name: str) -> Callable[[Work], Any]:
    def attribute(work: Work) -> Any:
        filters = [
            {"Name": "vpc-id", "Values": [work.physical_id]},
            {"Name": name, "Values": ["default" if name == "group-name" else "true"]},
        ]
        found = work.call("ec2", operation, Filters=filters)[path]
        return found[0][identity] if found else None

    return attribute


# --- gateways, addresses ---------------------------------------------------------------------------------------------


def _attach(work: Work) -> None:
    vpc = work.get("VpcId")
    if work.get("VpnGatewayId"):
        work.call("ec2", "attach_vpn_gateway", VpcId=vpc, VpnGatewayId=work.get("VpnGatewayId"))
        work.physical_id = f"VGW|{vpc}"
        return
    work.call("ec2", "attach_internet_gateway", VpcId=vpc, InternetGatewayId=work.get("InternetGatewayId"))
    work.physical_id = f"IGW|{vpc}"


def _detach(work: Work) -> None:
    vpc = work.get("VpcId")
    if work.get("VpnGatewayId"):
        work.call("ec2", "detach_vpn_gateway", VpcId=vpc, VpnGatewayId=work.get("VpnGatewayId"))
    else:
        work.call("ec2", "detach_internet_gateway", VpcId=vpc, InternetGatewayId=work.get("InternetGatewayId"))


def _reattach(work: Work, old: Properties) -> None:
    wanted = dict(work.properties)
    work.properties = dict(old)
    _detach(work)
    work.properties = wanted
    _attach(work)


def _allocation(work: Work) -> Any:
    addresses = work.call("ec2", "describe_addresses", PublicIps=[work.physical_id])["Addresses"]
    return addresses[0]["AllocationId"]


def _release(work: Work) -> None:
    work.call("ec2", "release_address", AllocationId=_allocation(work))


def _nat_state(work: Work) -> str:
    gateways = work.call("ec2", "describe_nat_gateways", NatGatewayIds=[work.physical_id])["NatGateways"]
    return str(gateways[0]["State"]) if gateways else "deleted"


def _nat_ready(work: Work) -> None:
    def ready() -> bool:
        state = _nat_state(work)
        if state == "failed":
            raise ResourceFailed(f"NatGateway {work.physical_id} is in state failed and hence cannot be used")
        return state == "available"

    work.waiter.until(ready, seconds=600, otherwise=f"NatGateway {work.physical_id} did not stabilize.")


def _delete_nat(work: Work) -> None:
    work.call("ec2", "delete_nat_gateway", NatGatewayId=work.physical_id)
    work.waiter.until(
        lambda: _nat_state(work) == "deleted",
        seconds=600,
        otherwise=f"NatGateway {work.physical_id} did not stabilize.",
    )


# --- routes ----------------------------------------------------------------------------------------------------------

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def _destination(properties: Properties) -> dict[str, Any]:
    return {name: properties[name] for name in _DESTINATIONS if properties.get(name)}


def _route_id(work: Work, _: Mapping[str, Any]) -> str:
    return f"{work.get('RouteTableId')}|{next(iter(_destination(work.properties).values()), '')}"


def _replace_route(work: Work, _: Properties) -> None:
    parameters = ROWS["AWS::EC2::Route"].parameters(work, "replace_route")
    work.call("ec2", "replace_route", **parameters)


def _delete_route(work: Work) -> None:
    work.call("ec2", "delete_route", RouteTableId=work.get("RouteTableId"), **_destination(work.properties))


# --- security groups -------------------------------------------------------------------------------------------------


#: What :func:`permission` makes a rule of.
_RULE = frozenset({"IpProtocol", "FromPort", "ToPort", "CidrIp", "CidrIpv6", "Description"}) | {
    f"{side}{kind}" for side in ("Source", "Destination") for kind in ("SecurityGroupId", "PrefixListId")
}


def permission(rule: Properties) -> dict[str, Any]:
    """Return a rule as one ``IpPermission`` of EC2."""
    described = {"Description": rule["Description"]} if rule.get("Description") else {}
    answer: dict[str, Any] = {"IpProtocol": str(rule.get("IpProtocol", "-1"))}
    for port in ("FromPort", "ToPort"):
        if rule.get(port) is not None:
            answer[port] = int(rule[port])
    if rule.get("CidrIp"):
        answer["IpRanges"] = [{"CidrIp": rule["CidrIp"], **described}]
    if rule.get("CidrIpv6"):
        answer["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **described}]
    for side in ("Source", "Destination"):
        if rule.get(f"{side}SecurityGroupId"):
            answer["UserIdGroupPairs"] = [{"GroupId": rule[f"{side}SecurityGroupId"], **described}]
        if rule.get(f"{side}PrefixListId"):
            answer["PrefixListIds"] = [{"PrefixListId": rule[f"{side}PrefixListId"], **described}]
    return answer


def _group_rules(work: Work, old: Properties | None) -> None:
    _bring_rules(work, "ingress", (old or {}).get("SecurityGroupIngress") or [], work.get("SecurityGroupIngress") or [])
    egress = work.get("SecurityGroupEgress")
    if old is None and egress is None:
        return
    # A new group allows everything outwards until the template says what is allowed.
    before = old.get("SecurityGroupEgress") if old else None
    _bring_rules(work, "egress", [ANYWHERE] if before is None else before, [ANYWHERE] if egress is None else egress)


def _bring_rules(work: Work, side: str, before: list[Any], after: list[Any]) -> None:
    gone = [permission(rule) for rule in before if not any(alike(rule, other) for other in after)]
    new = [permission(rule) for rule in after if not any(alike(rule, other) for other in before)]
    if gone:
        work.call("ec2", f"revoke_security_group_{side}", GroupId=work.physical_id, IpPermissions=gone)
    if new:
        work.call("ec2", f"authorize_security_group_{side}", GroupId=work.physical_id, IpPermissions=new)


def _rule(side: str) -> Row:
    def create(work: Work) -> None:
        answer = work.call(
            "ec2",
            f"authorize_security_group_{side}",
            GroupId=work.get("GroupId"),
            IpPermissions=[permission(work.properties)],
        )
        work.read |= _RULE
        work.physical_id = answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]

    def describe_anew(work: Work, _: Properties) -> None:
        work.call(
            "ec2",
            f"update_security_group_rule_descriptions_{side}",
            GroupId=work.get("GroupId"),
            IpPermissions=[permission(work.properties)],
        )

    def delete(work: Work) -> None:
        work.call(
            "ec2",
            f"revoke_security_group_{side}",
            GroupId=work.get("GroupId"),
            IpPermissions=[permission(work.properties)],
        )

    return Row(
        "ec2",
        on_create=create,
        on_update=describe_anew,
        on_delete=delete,
        attributes={"Id": lambda work: work.physical_id},
    )


# --- endpoints -------------------------------------------------------------------------------------------------------

_ENDPOINT_LISTS = {"RouteTableIds": "RouteTableIds", "SubnetIds": "SubnetIds", "SecurityGroupIds": "SecurityGroupIds"}


def _change_endpoint(work: Work, old: Properties) -> None:
    changes: dict[str, Any] = {}
    for name in _ENDPOINT_LISTS:
        before, after = old.get(name) or [], work.get(name) or []
        changes[f"Add{name}"] = [item for item in after if item not in before]
        changes[f"Remove{name}"] = [item for item in before if item not in after]
    for name in ("PolicyDocument", "PrivateDnsEnabled"):
        if not alike(old.get(name), work.get(name)) and work.get(name) is not None:
            changes[name] = work.get(name)
    probe = Work(
        **{**vars(work), "properties": {name: value for name, value in changes.items() if value not in ([], None)}}
    )
    parameters = Row("ec2").parameters(probe, "modify_vpc_endpoint")
    if parameters:
        work.call("ec2", "modify_vpc_endpoint", VpcEndpointId=work.physical_id, **parameters)


def _endpoint(work: Work, properties: dict[str, Any]) -> dict[str, Any]:
    return _tagged("vpc-endpoint")(work, {"VpcEndpointType": "Gateway", **properties})


def _delete_endpoint(work: Work) -> None:
    work.call("ec2", "delete_vpc_endpoints", VpcEndpointIds=[work.physical_id])


ROWS: dict[str, Row] = {
    "AWS::EC2::VPC": Row(
        "ec2",
        "create_vpc",
        "Vpc.VpcId",
        key="VpcId",
        prepare=_tagged("vpc"),
        delete_call="delete_vpc",
        describe=("describe_vpcs", "VpcIds", "Vpcs[0]"),
        attributes={
            "VpcId": "VpcId",
            "CidrBlock": "CidrBlock",
            "CidrBlockAssociations": "CidrBlockAssociationSet[].AssociationId",
            "Ipv6CidrBlocks": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock",
            "DefaultSecurityGroup": _default_of_vpc(
                "describe_security_groups", "SecurityGroups", "GroupId", "group-name"
            ),
            "DefaultNetworkAcl": _default_of_vpc("describe_network_acls", "NetworkAcls", "NetworkAclId", "default"),
        },
        after=_switch("modify_vpc_attribute", "VpcId", _VPC_SWITCHES),
        handles=frozenset(_VPC_SWITCHES),
        tagging=TAGS,
        replaced_by=frozenset({"InstanceTenancy"}),
    ),
    "AWS::EC2::Subnet": Row(
        "ec2",
        "create_subnet",
        "Subnet.SubnetId",
        key="SubnetId",
        prepare=_tagged("subnet"),
        delete_call="delete_subnet",
        describe=("describe_subnets", "SubnetIds", "Subnets[0]"),
        attributes={
            "SubnetId": "SubnetId",
            "AvailabilityZone": "AvailabilityZone",
            "CidrBlock": "CidrBlock",
            "VpcId": "VpcId",
            "Ipv6CidrBlocks": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock",
        },
        after=_switch("modify_subnet_attribute", "SubnetId", _SUBNET_SWITCHES),
        handles=frozenset(_SUBNET_SWITCHES),
        tagging=TAGS,
        replaced_by=frozenset({"Ipv6CidrBlock"}),
    ),
    "AWS::EC2::InternetGateway": Row(
        "ec2",
        "create_internet_gateway",
        "InternetGateway.InternetGatewayId",
        key="InternetGatewayId",
        prepare=_tagged("internet-gateway"),
        delete_call="delete_internet_gateway",
        attributes={"InternetGatewayId": lambda work: work.physical_id},
        tagging=TAGS,
    ),
    "AWS::EC2::VPCGatewayAttachment": Row("ec2", on_create=_attach, on_update=_reattach, on_delete=_detach),
    "AWS::EC2::EIP": Row(
        "ec2",
        "allocate_address",
        "PublicIp",
        prepare=_tagged("elastic-ip"),
        on_delete=_release,
        attributes={"AllocationId": _allocation, "PublicIp": lambda work: work.physical_id},
        tagging=Tagging(
            add="create_tags", resource="Resources", remove="delete_tags", keys="Tags", identity=_allocation
        ),
    ),
    "AWS::EC2::NatGateway": Row(
        "ec2",
        "create_nat_gateway",
        "NatGateway.NatGatewayId",
        key="NatGatewayId",
        prepare=_tagged("natgateway"),
        settle=_nat_ready,
        on_delete=_delete_nat,
        attributes={"NatGatewayId": lambda work: work.physical_id},
        tagging=TAGS,
    ),
    "AWS::EC2::RouteTable": Row(
        "ec2",
        "create_route_table",
        "RouteTable.RouteTableId",
        key="RouteTableId",
        prepare=_tagged("route-table"),
        delete_call="delete_route_table",
        attributes={"RouteTableId": lambda work: work.physical_id},
        tagging=TAGS,
    ),
    "AWS::EC2::Route": Row(
        "ec2",
        "create_route",
        _route_id,
        on_update=_replace_route,
        on_delete=_delete_route,
        attributes={"CidrBlock": lambda work: next(iter(_destination(work.properties).values()), None)},
    ),
    "AWS::EC2::SubnetRouteTableAssociation": Row(
        "ec2",
        "associate_route_table",
        "AssociationId",
        key="AssociationId",
        delete_call="disassociate_route_table",
        attributes={"Id": lambda work: work.physical_id},
    ),
    "AWS::EC2::SecurityGroup": Row(
        "ec2",
        "create_security_group",
        "GroupId",
        name=Name("GroupName", limit=255),
        key="GroupId",
        rename={"GroupDescription": "Description"},
        prepare=_tagged("security-group"),
        delete_call="delete_security_group",
        describe=("describe_security_groups", "GroupIds", "SecurityGroups[0]"),
        attributes={"GroupId": "GroupId", "Id": "GroupId", "VpcId": "VpcId", "GroupName": "GroupName"},
        after=_group_rules,
        handles=frozenset({"SecurityGroupIngress", "SecurityGroupEgress"}),
        tagging=TAGS,
    ),
    "AWS::EC2::SecurityGroupIngress": _rule("ingress"),
    "AWS::EC2::SecurityGroupEgress": _rule("egress"),
    "AWS::EC2::VPCEndpoint": Row(
        "ec2",
        "create_vpc_endpoint",
        "VpcEndpoint.VpcEndpointId",
        prepare=_endpoint,
        on_update=_change_endpoint,
        on_delete=_delete_endpoint,
        describe=("describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints[0]"),
        attributes={
            "Id": "VpcEndpointId",
            "CreationTimestamp": "to_string(CreationTimestamp)",
            "DnsEntries": "DnsEntries[].join(':', [HostedZoneId || '', DnsName || ''])",
            "NetworkInterfaceIds": "NetworkInterfaceIds",
        },
    ),
}
