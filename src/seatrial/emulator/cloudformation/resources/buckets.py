"""AWS::S3::*: buckets with their settings, bucket policies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.changes import alike
from seatrial.emulator.cloudformation.errors import ResourceFailed
from seatrial.emulator.cloudformation.resources.coercion import coerce
from seatrial.emulator.cloudformation.resources.row import Name, Properties, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.cloudformation.resources.work import Work


@dataclass(frozen=True)
class Setting:
    """One part of a bucket that has calls of its own. ``shape`` turns CloudFormation's form into the API's."""

    put: str
    parameter: str
    remove: str | None
    shape: Callable[[Any], Any] = lambda value: value


def _cors(value: Any) -> Any:
    rules = []
    for rule in value.get("CorsRules", []):
        renamed = {"MaxAge": "MaxAgeSeconds", "ExposedHeaders": "ExposeHeaders", "Id": "ID"}
        rules.append({renamed.get(name, name): item for name, item in rule.items()})
    return {"CORSRules": rules}


def _lifecycle(value: Any) -> Any:
    return {"Rules": [_lifecycle_rule(rule) for rule in value.get("Rules", [])]}


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"Status": rule["Status"]}
    if rule.get("Id"):
        answer["ID"] = rule["Id"]
    tags = rule.get("TagFilters") or []
    prefix = rule.get("Prefix", "")
    answer["Filter"] = {"And": {"Prefix": prefix, "Tags": tags}} if tags else {"Prefix": prefix}
    expiration = {"Days": rule.get("ExpirationInDays"), "Date": rule.get("ExpirationDate")}
    expiration["ExpiredObjectDeleteMarker"] = rule.get("ExpiredObjectDeleteMarker")
    if any(item is not None for item in expiration.values()):
        answer["Expiration"] = {name: item for name, item in expiration.items() if item is not None}
    if rule.get("AbortIncompleteMultipartUpload"):
        answer["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    transitions = [*(rule.get("Transitions") or []), *([rule["Transition"]] if rule.get("Transition") else [])]
    if transitions:
        answer["Transitions"] = [
            {"StorageClass": item["StorageClass"], **_when(item, "TransitionInDays", "TransitionDate")}
            for item in transitions
        ]
    old = rule.get("NoncurrentVersionExpiration") or {}
    if old or rule.get("NoncurrentVersionExpirationInDays"):
        answer["NoncurrentVersionExpiration"] = {
            "NoncurrentDays": old.get("NoncurrentDays", rule.get("NoncurrentVersionExpirationInDays")),
            **({"NewerNoncurrentVersions": old["NewerNoncurrentVersions"]} if "NewerNoncurrentVersions" in old else {}),
        }
    older = [*(rule.get("NoncurrentVersionTransitions") or [])]
    if older:
        answer["NoncurrentVersionTransitions"] = [
            {"StorageClass": item["StorageClass"], "NoncurrentDays": item["TransitionInDays"]} for item in older
        ]
    return answer


def _when(item: dict[str, Any], days: str, date: str) -> dict[str, Any]:
    return {"Days": item[days]} if days in item else {"Date": item[date]}


def _encryption(value: Any) -> Any:
    rules = []
    for rule in value.get("ServerSideEncryptionConfiguration", []):
        default = dict(rule.get("ServerSideEncryptionByDefault") or {})
        entry: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": default}
        if "BucketKeyEnabled" in rule:
            entry["BucketKeyEnabled"] = rule["BucketKeyEnabled"]
        rules.append(entry)
    return {"Rules": rules}


def _website(value: Any) -> Any:
    answer: dict[str, Any] = {}
    if value.get("IndexDocument"):
        answer["IndexDocument"] = {"Suffix": value["IndexDocument"]}
    if value.get("ErrorDocument"):
        answer["ErrorDocument"] = {"Key": value["ErrorDocument"]}
    for name in ("RedirectAllRequestsTo",):
        if value.get(name):
            answer[name] = value[name]
    if value.get("RoutingRules"):
        answer["RoutingRules"] = [
            {"Condition": rule.get("RoutingRuleCondition"), "Redirect": rule["RedirectRule"]}
            for rule in value["RoutingRules"]
        ]
    return answer


def _logging(value: Any) -> Any:
    target = {"TargetBucket": value.get("DestinationBucketName"), "TargetPrefix": value.get("LogFilePrefix", "")}
    return {"LoggingEnabled": target}


def _notifications(value: Any) -> Any:
    answer: dict[str, Any] = {}
    for source, target, arn, given in (
        ("LambdaConfigurations", "LambdaFunctionConfigurations", "LambdaFunctionArn", "Function"),
        ("QueueConfigurations", "QueueConfigurations", "QueueArn", "Queue"),
        ("TopicConfigurations", "TopicConfigurations", "TopicArn", "Topic"),
    ):
        for entry in value.get(source) or []:
            item: dict[str, Any] = {arn: entry[given], "Events": [entry["Event"]]}
            rules = (entry.get("Filter") or {}).get("S3Key", {}).get("Rules")
            if rules:
                item["Filter"] = {"Key": {"FilterRules": rules}}
            answer.setdefault(target, []).append(item)
    if value.get("EventBridgeConfiguration"):
        answer["EventBridgeConfiguration"] = {}
    return answer


SETTINGS: dict[str, Setting] = {
    "OwnershipControls": Setting(
        "put_bucket_ownership_controls", "OwnershipControls", "delete_bucket_ownership_controls"
    ),
    "PublicAccessBlockConfiguration": Setting(
        "put_public_access_block", "PublicAccessBlockConfiguration", "delete_public_access_block"
    ),
    "VersioningConfiguration": Setting("put_bucket_versioning", "VersioningConfiguration", None),
    "BucketEncryption": Setting(
        "put_bucket_encryption", "ServerSideEncryptionConfiguration", "delete_bucket_encryption", _encryption
    ),
    "CorsConfiguration": Setting("put_bucket_cors", "CORSConfiguration", "delete_bucket_cors", _cors),
    "LifecycleConfiguration": Setting(
        "put_bucket_lifecycle_configuration", "LifecycleConfiguration", "delete_bucket_lifecycle", _lifecycle
    ),
    "WebsiteConfiguration": Setting("put_bucket_website", "WebsiteConfiguration", "delete_bucket_website", _website),
    "LoggingConfiguration": Setting("put_bucket_logging", "BucketLoggingStatus", None, _logging),
    "NotificationConfiguration": Setting(
        "put_bucket_notification_configuration", "NotificationConfiguration", None, _notifications
    ),
    "AccelerateConfiguration": Setting(
        "put_bucket_accelerate_configuration",
        "AccelerateConfiguration",
        None,
        lambda value: {"Status": value["AccelerationStatus"]},
    ),
    "Tags": Setting("put_bucket_tagging", "Tagging", "delete_bucket_tagging", lambda value: {"TagSet": value}),
}

#: What remains of a setting that has no call to remove it.
_OFF: dict[str, Any] = {
    "VersioningConfiguration": {"Status": "Suspended"},
    "LoggingConfiguration": {},
    "NotificationConfiguration": {},
    "AccelerateConfiguration": {"Status": "Suspended"},
}


def _create(work: Work) -> None:
    bucket = str(work.get("BucketName"))
    extra: dict[str, Any] = {}
    if work.place.region != "us-east-1":  # where S3 refuses the region's own name
        extra["CreateBucketConfiguration"] = {"LocationConstraint": work.place.region}
    if str(work.get("ObjectLockEnabled", False)).lower() == "true":
        extra["ObjectLockEnabledForBucket"] = True
    if work.get("AccessControl"):
        canned = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in work.get("AccessControl"))
        extra["ACL"] = canned.lstrip("-")
        extra["ObjectOwnership"] = "ObjectWriter"
    if _exists(work, bucket):
        raise ResourceFailed(f"{bucket} already exists")
    work.call("s3", "create_bucket", Bucket=bucket, **extra)
    work.physical_id = bucket


def _exists(work: Work, bucket: str) -> bool:
    """In us-east-1 S3 lets its owner create a bucket twice; CloudFormation does not."""
    return any(entry["Name"] == bucket for entry in work.call("s3", "list_buckets")["Buckets"])


def _settings(work: Work, old: Properties | None) -> None:
    before = old or {}
    for name, setting in SETTINGS.items():
        wanted = work.get(name)
        if alike(before.get(name), wanted):
            continue
        shape = work.shapes("s3", setting.put).members[setting.parameter]
        if wanted:
            value = coerce(shape, setting.shape(wanted), work.misfit(name))
        elif setting.remove:
            work.call("s3", setting.remove, Bucket=work.physical_id)
            continue
        else:
            value = _OFF[name]
        work.call("s3", setting.put, **{"Bucket": work.physical_id, setting.parameter: value})
    if work.get("ObjectLockConfiguration") and not alike(
        before.get("ObjectLockConfiguration"), work.get("ObjectLockConfiguration")
    ):
        work.call(
            "s3",
            "put_object_lock_configuration",
            Bucket=work.physical_id,
            ObjectLockConfiguration=work.get("ObjectLockConfiguration"),
        )


def _put_policy(work: Work) -> None:
    document = work.get("PolicyDocument")
    policy = document if isinstance(document, str) else json.dumps(document)
    work.call("s3", "put_bucket_policy", Bucket=work.get("Bucket"), Policy=policy)
    work.physical_id = str(work.get("Bucket"))


ROWS: dict[str, Row] = {
    "AWS::S3::Bucket": Row(
        "s3",
        name=Name("BucketName", limit=63, lower=True),
        key="Bucket",
        on_create=_create,
        after=_settings,
        handles=frozenset({*SETTINGS, "ObjectLockConfiguration"}),
        delete_call="delete_bucket",
        attributes={
            "Arn": lambda work: f"arn:{work.place.partition}:s3:::{work.physical_id}",
            "DomainName": lambda work: f"{work.physical_id}.s3.amazonaws.com",
            "DualStackDomainName": lambda work: f"{work.physical_id}.s3.dualstack.{work.place.region}.amazonaws.com",
            "RegionalDomainName": lambda work: f"{work.physical_id}.s3.{work.place.region}.amazonaws.com",
            "WebsiteURL": lambda work: f"http://{work.physical_id}.s3-website-{work.place.region}.amazonaws.com",
        },
    ),
    "AWS::S3::BucketPolicy": Row(
        "s3",
        key="Bucket",
        on_create=_put_policy,
        on_update=lambda work, _: _put_policy(work),
        delete_call="delete_bucket_policy",
    ),
}
