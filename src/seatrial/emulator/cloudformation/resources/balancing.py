"""AWS::ElasticLoadBalancingV2::*: load balancers, target groups, listeners and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.changes import alike
from seatrial.emulator.cloudformation.errors import ResourceFailed
from seatrial.emulator.cloudformation.resources.coercion import coerce
from seatrial.emulator.cloudformation.resources.row import Name, Properties, Row, Tagging

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.cloudformation.resources.work import Work

TAGS = Tagging(add="add_tags", resource="ResourceArns", remove="remove_tags")


def _attributes(work: Work, old: Properties | None, operation: str, name: str, key: str) -> None:
    if work.get(name) and not alike((old or {}).get(name), work.get(name)):
        work.call("elbv2", operation, **{key: work.physical_id, "Attributes": work.get(name)})


def _load_balancer(work: Work, old: Properties | None) -> None:
    _attributes(work, old, "modify_load_balancer_attributes", "LoadBalancerAttributes", "LoadBalancerArn")
    if old is None:
        return
    for operation, names in (
        ("set_security_groups", ("SecurityGroups",)),
        ("set_subnets", ("Subnets", "SubnetMappings")),
        ("set_ip_address_type", ("IpAddressType",)),
    ):
        changed = [name for name in names if work.get(name) and not alike(old.get(name), work.get(name))]
        if changed:
            values = {name: work.get(name) for name in changed}
            work.call("elbv2", operation, LoadBalancerArn=work.physical_id, **values)


def _load_balancer_ready(work: Work) -> None:
    def ready() -> bool:
        balancer = work.call("elbv2", "describe_load_balancers", LoadBalancerArns=[work.physical_id])["LoadBalancers"][
            0
        ]
        state = balancer.get("State", {}).get("Code", "active")
        if state == "failed":
            raise ResourceFailed(f"LoadBalancer {work.physical_id} is in state failed")
        return bool(state in {"active", "active_impaired"})

    work.waiter.until(ready, seconds=900, otherwise=f"LoadBalancer {work.physical_id} did not stabilize.")


def _target_group(work: Work, old: Properties | None) -> None:
    _attributes(work, old, "modify_target_group_attributes", "TargetGroupAttributes", "TargetGroupArn")
    shape = work.shapes("elbv2", "register_targets").members["Targets"]
    before: list[Any] = coerce(shape, (old or {}).get("Targets") or [])
    after: list[Any] = coerce(shape, work.get("Targets") or [], work.misfit("Targets"))
    for operation, targets in (
        ("deregister_targets", [target for target in before if target not in after]),
        ("register_targets", [target for target in after if target not in before]),
    ):
        if targets:
            work.call("elbv2", operation, TargetGroupArn=work.physical_id, Targets=targets)


def _listener(work: Work, old: Properties | None) -> None:
    _attributes(work, old, "modify_listener_attributes", "ListenerAttributes", "ListenerArn")


def _rule(work: Work, old: Properties | None) -> None:
    if old is not None and not alike(old.get("Priority"), work.get("Priority")):
        priority = {"RuleArn": work.physical_id, "Priority": int(work.get("Priority"))}
        work.call("elbv2", "set_rule_priorities", RulePriorities=[priority])


def _certificates(operation: str) -> Callable[[Work], None]:
    def change(work: Work) -> None:
        certificates = [{"CertificateArn": item["CertificateArn"]} for item in work.get("Certificates")]
        work.call("elbv2", operation, ListenerArn=work.get("ListenerArn"), Certificates=certificates)
        work.physical_id = work.physical_id or f"{work.get('ListenerArn')}|{work.logical_id}"

    return change


def _change_certificates(work: Work, old: Properties) -> None:
    before = [item["CertificateArn"] for item in old["Certificates"]]
    after = [item["CertificateArn"] for item in work.get("Certificates")]
    for operation, arns in (
        ("add_listener_certificates", [arn for arn in after if arn not in before]),
        ("remove_listener_certificates", [arn for arn in before if arn not in after]),
    ):
        if arns:
            certificates = [{"CertificateArn": arn} for arn in arns]
            work.call("elbv2", operation, ListenerArn=work.get("ListenerArn"), Certificates=certificates)


ROWS: dict[str, Row] = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Row(
        "elbv2",
        "create_load_balancer",
        "LoadBalancers[0].LoadBalancerArn",
        name=Name("Name", limit=32),
        key="LoadBalancerArn",
        delete_call="delete_load_balancer",
        describe=("describe_load_balancers", "LoadBalancerArns", "LoadBalancers[0]"),
        attributes={
            "LoadBalancerArn": "LoadBalancerArn",
            "LoadBalancerName": "LoadBalancerName",
            "DNSName": "DNSName",
            "CanonicalHostedZoneID": "CanonicalHostedZoneId",
            "SecurityGroups": "SecurityGroups",
            "LoadBalancerFullName": lambda work: work.physical_id.split(":loadbalancer/", 1)[-1],
        },
        after=_load_balancer,
        handles=frozenset({"LoadBalancerAttributes", "SecurityGroups", "Subnets", "SubnetMappings", "IpAddressType"}),
        settle=_load_balancer_ready,
        tagging=TAGS,
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Row(
        "elbv2",
        "create_target_group",
        "TargetGroups[0].TargetGroupArn",
        name=Name("Name", limit=32),
        key="TargetGroupArn",
        update_call="modify_target_group",
        delete_call="delete_target_group",
        describe=("describe_target_groups", "TargetGroupArns", "TargetGroups[0]"),
        attributes={
            "TargetGroupArn": "TargetGroupArn",
            "TargetGroupName": "TargetGroupName",
            "TargetGroupFullName": lambda work: work.physical_id.rsplit(":", 1)[-1],
            "LoadBalancerArns": "LoadBalancerArns",
        },
        after=_target_group,
        handles=frozenset({"TargetGroupAttributes", "Targets"}),
        tagging=TAGS,
    ),
    "AWS::ElasticLoadBalancingV2::Listener": Row(
        "elbv2",
        "create_listener",
        "Listeners[0].ListenerArn",
        key="ListenerArn",
        update_call="modify_listener",
        delete_call="delete_listener",
        attributes={"ListenerArn": lambda work: work.physical_id},
        after=_listener,
        handles=frozenset({"ListenerAttributes"}),
        tagging=TAGS,
    ),
    "AWS::ElasticLoadBalancingV2::ListenerRule": Row(
        "elbv2",
        "create_rule",
        "Rules[0].RuleArn",
        key="RuleArn",
        update_call="modify_rule",
        delete_call="delete_rule",
        attributes={"RuleArn": lambda work: work.physical_id, "IsDefault": lambda _: False},
        after=_rule,
        handles=frozenset({"Priority"}),
        tagging=TAGS,
    ),
    "AWS::ElasticLoadBalancingV2::ListenerCertificate": Row(
        "elbv2",
        on_create=_certificates("add_listener_certificates"),
        on_update=_change_certificates,
        on_delete=_certificates("remove_listener_certificates"),
        attributes={"Id": lambda work: work.physical_id},
    ),
}
