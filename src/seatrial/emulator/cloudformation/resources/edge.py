"""AWS::CertificateManager::Certificate, AWS::Route53::* and AWS::CloudFront::*."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.changes import alike
from seatrial.emulator.cloudformation.errors import ResourceFailed
from seatrial.emulator.cloudformation.resources.coercion import coerce
from seatrial.emulator.cloudformation.resources.row import Properties, Row, Tagging

if TYPE_CHECKING:
    from seatrial.emulator.cloudformation.resources.work import Work

# --- certificates ----------------------------------------------------------------------------------------------------


def _issued(work: Work) -> None:
    def issued() -> bool:
        certificate = work.call("acm", "describe_certificate", CertificateArn=work.physical_id)["Certificate"]
        if certificate["Status"] in {"FAILED", "VALIDATION_TIMED_OUT"}:
            raise ResourceFailed(
                f"Certificate {work.physical_id}: {certificate.get('FailureReason', certificate['Status'])}"
            )
        return bool(certificate["Status"] == "ISSUED")

    work.waiter.until(issued, seconds=72 * 3600, otherwise=f"Certificate {work.physical_id} was not validated.")


def _certificate(_: Work, properties: dict[str, Any]) -> dict[str, Any]:
    preference = properties.pop("CertificateTransparencyLoggingPreference", None)
    if preference:
        properties["Options"] = {"CertificateTransparencyLoggingPreference": preference}
    # CloudFormation names the zone of each record here; the API only knows other validation domains.
    domains = [option for option in properties.get("DomainValidationOptions") or [] if option.get("ValidationDomain")]
    properties["DomainValidationOptions"] = domains or None
    return properties


# --- zones and records -----------------------------------------------------------------------------------------------


def _create_zone(work: Work) -> None:
    vpcs = [{"VPCId": vpc["VPCId"], "VPCRegion": vpc["VPCRegion"]} for vpc in work.get("VPCs") or []]
    settings: dict[str, Any] = {"PrivateZone": bool(vpcs), **(work.get("HostedZoneConfig") or {})}
    extra = {"VPC": vpcs[0]} if vpcs else {}
    answer = work.call(
        "route53",
        "create_hosted_zone",
        Name=work.get("Name"),
        CallerReference=secrets.token_hex(16),
        HostedZoneConfig=settings,
        **extra,
    )
    work.physical_id = answer["HostedZone"]["Id"].rsplit("/", 1)[-1]
    for vpc in vpcs[1:]:
        work.call("route53", "associate_vpc_with_hosted_zone", HostedZoneId=work.physical_id, VPC=vpc)
    _zone_tags(work, {})


def _change_zone(work: Work, old: Properties) -> None:
    for vpc in work.get("VPCs") or []:
        if vpc not in (old.get("VPCs") or []):
            work.call("route53", "associate_vpc_with_hosted_zone", HostedZoneId=work.physical_id, VPC=vpc)
    for vpc in old.get("VPCs") or []:
        if vpc not in (work.get("VPCs") or []):
            work.call("route53", "disassociate_vpc_from_hosted_zone", HostedZoneId=work.physical_id, VPC=vpc)
    if not alike(old.get("HostedZoneConfig"), work.get("HostedZoneConfig")):
        comment = (work.get("HostedZoneConfig") or {}).get("Comment", "")
        work.call("route53", "update_hosted_zone_comment", Id=work.physical_id, Comment=comment)
    _zone_tags(work, old)


def _zone_tags(work: Work, old: Properties) -> None:
    before, after = old.get("HostedZoneTags") or [], work.get("HostedZoneTags") or []
    gone = [tag["Key"] for tag in before if tag["Key"] not in {other["Key"] for other in after}]
    changes = {name: value for name, value in (("AddTags", after), ("RemoveTagKeys", gone)) if value}
    if changes and not alike(before, after):
        work.call(
            "route53", "change_tags_for_resource", ResourceType="hostedzone", ResourceId=work.physical_id, **changes
        )


def _zone_of(work: Work, properties: Properties) -> str:
    if properties.get("HostedZoneId"):
        return str(properties["HostedZoneId"])
    name = str(properties.get("HostedZoneName"))
    zones = work.call("route53", "list_hosted_zones_by_name", DNSName=name)["HostedZones"]
    found = [zone for zone in zones if zone["Name"].rstrip(".") == name.rstrip(".")]
    if len(found) != 1:
        raise ResourceFailed(f"{'No' if not found else 'More than one'} hosted zone named {name} found")
    return str(found[0]["Id"].rsplit("/", 1)[-1])


#: Properties of a record set that are none of the record's in the API, but of the call.
_OF_THE_CHANGE = frozenset({"HostedZoneId", "HostedZoneName", "Comment"})


def _change_record(work: Work, action: str, properties: Properties) -> None:
    shape = work.shapes("route53", "change_resource_record_sets").members["ChangeBatch"]
    record = {name: value for name, value in properties.items() if name not in _OF_THE_CHANGE}
    if record.get("ResourceRecords"):
        record["ResourceRecords"] = [{"Value": value} for value in record["ResourceRecords"]]
    if record.get("AliasTarget"):
        record["AliasTarget"] = {"EvaluateTargetHealth": False, **record["AliasTarget"]}
    record_set = coerce(shape.members["Changes"].member.members["ResourceRecordSet"], record, work.misfit())
    changes: dict[str, Any] = {"Changes": [{"Action": action, "ResourceRecordSet": record_set}]}
    if properties.get("Comment"):
        changes["Comment"] = str(properties["Comment"])
    work.read |= properties.keys()
    work.call("route53", "change_resource_record_sets", HostedZoneId=_zone_of(work, properties), ChangeBatch=changes)


def _create_record(work: Work) -> None:
    _change_record(work, "CREATE", work.properties)
    work.physical_id = str(work.get("Name")).rstrip(".")


def _update_record(work: Work, old: Properties) -> None:
    keys = ("Name", "Type", "SetIdentifier")
    if any(not alike(old.get(key), work.get(key)) for key in keys):
        _change_record(work, "CREATE", work.properties)
        _change_record(work, "DELETE", old)
    else:
        _change_record(work, "UPSERT", work.properties)
    work.physical_id = str(work.get("Name")).rstrip(".")


# --- CloudFront ------------------------------------------------------------------------------------------------------


def _distribution_config(work: Work) -> dict[str, Any]:
    """Return the configuration as the API wants it, which demands what CloudFormation lets one leave out."""
    config = dict(work.get("DistributionConfig"))
    config.setdefault("CallerReference", secrets.token_hex(16))
    config.setdefault("Comment", "")
    if "IPV6Enabled" in config:
        config["IsIPV6Enabled"] = config.pop("IPV6Enabled")
    origins = []
    for origin in config.get("Origins") or []:
        entry = dict(origin)
        if "S3OriginConfig" in entry:
            entry["S3OriginConfig"] = {"OriginAccessIdentity": "", **(entry["S3OriginConfig"] or {})}
        if "CustomOriginConfig" in entry:
            entry["CustomOriginConfig"] = {"HTTPPort": 80, "HTTPSPort": 443, **entry["CustomOriginConfig"]}
        if "OriginCustomHeaders" in entry:
            entry["CustomHeaders"] = entry.pop("OriginCustomHeaders")
        origins.append(entry)
    config["Origins"] = origins
    config["DefaultCacheBehavior"] = _behaviour(config["DefaultCacheBehavior"])
    if "CacheBehaviors" in config:
        config["CacheBehaviors"] = [_behaviour(entry) for entry in config["CacheBehaviors"]]
    shape = work.shapes("cloudfront", "create_distribution").members["DistributionConfig"]
    answer: dict[str, Any] = coerce(shape, config, work.misfit("DistributionConfig"))
    return answer


def _behaviour(entry: dict[str, Any]) -> dict[str, Any]:
    """Put ``CachedMethods`` inside ``AllowedMethods``, where the API has them."""
    answer = dict(entry)
    if "AllowedMethods" in answer:
        allowed, cached = answer["AllowedMethods"], answer.pop("CachedMethods", ["HEAD", "GET"])
        answer["AllowedMethods"] = {
            "Quantity": len(allowed),
            "Items": allowed,
            "CachedMethods": {"Quantity": len(cached), "Items": cached},
        }
    forwarded = answer.get("ForwardedValues")
    if forwarded:
        answer["ForwardedValues"] = {"Cookies": {"Forward": "none"}, **forwarded}
    return answer


def _create_distribution(work: Work) -> None:
    config = _distribution_config(work)
    tags = work.get("Tags")
    if tags:
        tagged = {"DistributionConfig": config, "Tags": {"Items": tags}}
        answer = work.call("cloudfront", "create_distribution_with_tags", DistributionConfigWithTags=tagged)
    else:
        answer = work.call("cloudfront", "create_distribution", DistributionConfig=config)
    work.physical_id = answer["Distribution"]["Id"]


def _update_distribution(work: Work, old: Properties) -> None:
    present = work.call("cloudfront", "get_distribution_config", Id=work.physical_id)
    config = {**_distribution_config(work), "CallerReference": present["DistributionConfig"]["CallerReference"]}
    work.call(
        "cloudfront", "update_distribution", Id=work.physical_id, IfMatch=present["ETag"], DistributionConfig=config
    )
    if not alike(old.get("Tags"), work.get("Tags")):
        _retag_distribution(work, old)


def _retag_distribution(work: Work, old: Properties) -> None:
    arn = work.place.arn("cloudfront", f"distribution/{work.physical_id}", region="")
    tags = work.get("Tags") or []
    gone = sorted({tag["Key"] for tag in old.get("Tags") or []} - {tag["Key"] for tag in tags})
    if gone:
        work.call("cloudfront", "untag_resource", Resource=arn, TagKeys={"Items": gone})
    if tags:
        work.call("cloudfront", "tag_resource", Resource=arn, Tags={"Items": tags})


def _deployed(work: Work) -> None:
    work.waiter.until(
        lambda: (
            work.call("cloudfront", "get_distribution", Id=work.physical_id)["Distribution"]["Status"] == "Deployed"
        ),
        seconds=1800,
        otherwise=f"Distribution {work.physical_id} was not deployed in time.",
    )


def _delete_distribution(work: Work) -> None:
    """CloudFront deletes a distribution only after it has been disabled."""
    present = work.call("cloudfront", "get_distribution_config", Id=work.physical_id)
    if present["DistributionConfig"]["Enabled"]:
        config = {**present["DistributionConfig"], "Enabled": False}
        work.call(
            "cloudfront", "update_distribution", Id=work.physical_id, IfMatch=present["ETag"], DistributionConfig=config
        )
        _deployed(work)
        present = work.call("cloudfront", "get_distribution_config", Id=work.physical_id)
    work.call("cloudfront", "delete_distribution", Id=work.physical_id, IfMatch=present["ETag"])


def _kept(kind: str, noun: str, *shown: str) -> Row:
    """Return the row of what is a configuration and no more, whose changes are of the version last seen.

    ``kind`` is as in ``create_KIND``, ``noun`` as in CreateNOUN; ``shown`` are attributes that the API's answer has.
    """

    def present(work: Work) -> str:
        return str(work.call("cloudfront", f"get_{kind}", Id=work.physical_id)["ETag"])

    def change(work: Work, _: Properties) -> None:
        parameters = Row("cloudfront").parameters(work, f"update_{kind}")
        work.call("cloudfront", f"update_{kind}", **{**parameters, "Id": work.physical_id, "IfMatch": present(work)})

    def delete(work: Work) -> None:
        work.call("cloudfront", f"delete_{kind}", Id=work.physical_id, IfMatch=present(work))

    return Row(
        "cloudfront",
        f"create_{kind}",
        f"{noun}.Id",
        on_update=change,
        on_delete=delete,
        describe=(f"get_{kind}", "Id", noun),
        attributes={"Id": lambda work: work.physical_id, **{name: name for name in shown}},
    )


ROWS: dict[str, Row] = {
    "AWS::CertificateManager::Certificate": Row(
        "acm",
        "request_certificate",
        "CertificateArn",
        key="CertificateArn",
        prepare=_certificate,
        delete_call="delete_certificate",
        settle=_issued,
        attributes={"CertificateArn": lambda work: work.physical_id},
        tagging=Tagging("add_tags_to_certificate", "CertificateArn", "Tags", "remove_tags_from_certificate", "Tags"),
    ),
    "AWS::Route53::HostedZone": Row(
        "route53",
        key="Id",
        on_create=_create_zone,
        on_update=_change_zone,
        delete_call="delete_hosted_zone",
        describe=("get_hosted_zone", "Id", ""),
        attributes={"Id": lambda work: work.physical_id, "NameServers": "DelegationSet.NameServers"},
    ),
    "AWS::Route53::RecordSet": Row(
        "route53",
        on_create=_create_record,
        on_update=_update_record,
        on_delete=lambda work: _change_record(work, "DELETE", work.properties),
    ),
    "AWS::CloudFront::CachePolicy": _kept("cache_policy", "CachePolicy", "LastModifiedTime"),
    "AWS::CloudFront::OriginAccessControl": _kept("origin_access_control", "OriginAccessControl"),
    "AWS::CloudFront::ResponseHeadersPolicy": _kept(
        "response_headers_policy", "ResponseHeadersPolicy", "LastModifiedTime"
    ),
    "AWS::CloudFront::Distribution": Row(
        "cloudfront",
        on_create=_create_distribution,
        on_update=_update_distribution,
        on_delete=_delete_distribution,
        settle=_deployed,
        describe=("get_distribution", "Id", "Distribution"),
        attributes={"Id": lambda work: work.physical_id, "DomainName": "DomainName"},
    ),
}
