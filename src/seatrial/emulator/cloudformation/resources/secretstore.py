"""AWS::SecretsManager::*, AWS::SSM::Parameter and AWS::KMS::*."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.changes import alike
from seatrial.emulator.cloudformation.errors import ResourceFailed
from seatrial.emulator.cloudformation.resources.coercion import coerce
from seatrial.emulator.cloudformation.resources.row import Name, Properties, Row, Tagging, retag

if TYPE_CHECKING:
    from seatrial.emulator.cloudformation.resources.work import Work

# --- secrets ---------------------------------------------------------------------------------------------------------


def _secret_value(work: Work, properties: dict[str, Any]) -> dict[str, Any]:
    """Replace ``GenerateSecretString`` by a generated value, alone or as one key of its template."""
    rules = dict(properties.pop("GenerateSecretString", None) or {})
    if not rules:
        return properties
    template, key = rules.pop("SecretStringTemplate", None), rules.pop("GenerateStringKey", None)
    if bool(template) != bool(key):
        raise ResourceFailed("You can't specify only one of SecretStringTemplate and GenerateStringKey.")
    shape = work.shapes("secretsmanager", "get_random_password")
    password = work.call("secretsmanager", "get_random_password", **coerce(shape, rules))["RandomPassword"]
    if not template:
        return {**properties, "SecretString": password}
    try:
        content = json.loads(template)
    except json.JSONDecodeError as error:
        raise ResourceFailed("Could not parse SecretStringTemplate JSON.") from error
    return {**properties, "SecretString": json.dumps({**content, key: password})}


def _change_secret(work: Work, old: Properties) -> None:
    changed = {name for name in ("Description", "KmsKeyId", "SecretString") if not alike(old.get(name), work.get(name))}
    properties = {name: work.get(name) for name in changed if work.get(name) is not None}
    if not alike(old.get("GenerateSecretString"), work.get("GenerateSecretString")) and work.get(
        "GenerateSecretString"
    ):
        properties = _secret_value(work, {**properties, "GenerateSecretString": work.get("GenerateSecretString")})
    if properties:
        work.call("secretsmanager", "update_secret", SecretId=work.physical_id, **properties)
    if not alike(old.get("Tags"), work.get("Tags")):
        retag("secretsmanager", _SECRET_TAGS, work, old)


def _delete_secret(work: Work) -> None:
    work.call("secretsmanager", "delete_secret", SecretId=work.physical_id, ForceDeleteWithoutRecovery=True)


_SECRET_TAGS = Tagging("tag_resource", "SecretId", "Tags", "untag_resource")


def _attach(work: Work) -> None:
    """Write the database's connection into the secret, as rotation functions and clients expect it."""
    work.physical_id = str(work.get("SecretId"))
    content = json.loads(work.call("secretsmanager", "get_secret_value", SecretId=work.physical_id)["SecretString"])
    content.update(_connection(work))
    work.call("secretsmanager", "put_secret_value", SecretId=work.physical_id, SecretString=json.dumps(content))


def _connection(work: Work) -> dict[str, Any]:
    kind, target = str(work.get("TargetType")), str(work.get("TargetId"))
    if kind == "AWS::RDS::DBInstance":
        instance = work.call("rds", "describe_db_instances", DBInstanceIdentifier=target)["DBInstances"][0]
        name, cluster = instance.get("DBName"), {"dbInstanceIdentifier": target}
        endpoint = instance["Endpoint"]
        found = {"engine": instance["Engine"], "host": endpoint["Address"], "port": endpoint["Port"], **cluster}
        return {**found, **({"dbname": name} if name else {})}
    if kind == "AWS::RDS::DBCluster":
        database = work.call("rds", "describe_db_clusters", DBClusterIdentifier=target)["DBClusters"][0]
        found = {"engine": database["Engine"], "host": database["Endpoint"], "port": database["Port"]}
        return {**found, "dbClusterIdentifier": target}
    raise ResourceFailed(f"The emulator cannot attach a secret to a target of type {kind}")


# --- parameters ------------------------------------------------------------------------------------------------------


def _put_parameter(work: Work, old: Properties) -> None:
    parameters = Row("ssm").parameters(work, "put_parameter")
    parameters.pop("Tags", None)  # SSM refuses tags with Overwrite
    work.call("ssm", "put_parameter", **{**parameters, "Name": work.physical_id, "Overwrite": True})
    if not alike(old.get("Tags"), work.get("Tags")):
        work.properties["Tags"] = work.get("Tags") or {}
        retag("ssm", _PARAMETER_TAGS, work, old)


_PARAMETER_TAGS = Tagging("add_tags_to_resource", "ResourceId", "Tags", "remove_tags_from_resource")


# --- keys ------------------------------------------------------------------------------------------------------------


def _key(work: Work, old: Properties | None) -> None:
    before = old or {"EnableKeyRotation": False, "Enabled": True}
    for name, on, off, default in (
        ("EnableKeyRotation", "enable_key_rotation", "disable_key_rotation", False),
        ("Enabled", "enable_key", "disable_key", True),
    ):
        wanted, present = work.get(name, default), before.get(name, default)
        if not alike(wanted, present):
            work.call("kms", on if str(wanted).lower() == "true" else off, KeyId=work.physical_id)
    if old is None:
        return
    if not alike(old.get("KeyPolicy"), work.get("KeyPolicy")) and work.get("KeyPolicy"):
        policy = work.get("KeyPolicy")
        text = policy if isinstance(policy, str) else json.dumps(policy)
        work.call("kms", "put_key_policy", KeyId=work.physical_id, PolicyName="default", Policy=text)
    if not alike(old.get("Description"), work.get("Description")):
        work.call("kms", "update_key_description", KeyId=work.physical_id, Description=work.get("Description", ""))


def _delete_key(work: Work) -> None:
    days = int(work.get("PendingWindowInDays", 30))
    work.call("kms", "schedule_key_deletion", KeyId=work.physical_id, PendingWindowInDays=days)


def _move_alias(work: Work, _: Properties) -> None:
    work.call("kms", "update_alias", AliasName=work.physical_id, TargetKeyId=work.get("TargetKeyId"))


def _key_tags(_: Work, properties: dict[str, Any]) -> dict[str, Any]:
    tags = properties.get("Tags")
    if tags:
        properties["Tags"] = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags]
    return properties


ROWS: dict[str, Row] = {
    "AWS::SecretsManager::Secret": Row(
        "secretsmanager",
        "create_secret",
        "ARN",
        name=Name("Name", limit=512),
        prepare=_secret_value,
        on_update=_change_secret,
        on_delete=_delete_secret,
        attributes={"Id": lambda work: work.physical_id},
    ),
    "AWS::SecretsManager::SecretTargetAttachment": Row(
        "secretsmanager",
        on_create=_attach,
        on_update=lambda work, _: _attach(work),
        attributes={"Id": lambda work: work.physical_id},
    ),
    "AWS::SSM::Parameter": Row(
        "ssm",
        "put_parameter",
        lambda work, _: str(work.get("Name")),
        name=Name("Name", limit=1011),
        key="Name",
        on_update=_put_parameter,
        delete_call="delete_parameter",
        attributes={
            "Arn": lambda work: work.place.arn("ssm", f"parameter/{work.physical_id.lstrip('/')}"),
            "Name": lambda work: work.physical_id,
        },
    ),
    "AWS::KMS::Key": Row(
        "kms",
        "create_key",
        "KeyMetadata.KeyId",
        key="KeyId",
        rename={"KeyPolicy": "Policy"},
        prepare=_key_tags,
        on_delete=_delete_key,
        attributes={
            "Arn": lambda work: work.place.arn("kms", f"key/{work.physical_id}"),
            "KeyId": lambda work: work.physical_id,
        },
        after=_key,
        handles=frozenset({"EnableKeyRotation", "Enabled", "KeyPolicy", "Description", "PendingWindowInDays"}),
        later=frozenset({"PendingWindowInDays"}),
    ),
    "AWS::KMS::Alias": Row(
        "kms",
        "create_alias",
        lambda work, _: str(work.get("AliasName")),
        key="AliasName",
        on_update=_move_alias,
        delete_call="delete_alias",
    ),
}
