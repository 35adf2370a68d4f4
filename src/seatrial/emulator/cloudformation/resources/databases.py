"""AWS::RDS::* and AWS::ElastiCache::*: databases and caches, done when they are available."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import jmespath  # type: ignore[import-untyped]  # it has no types
from botocore.exceptions import ClientError

from seatrial.emulator.cloudformation.changes import alike, differing
from seatrial.emulator.cloudformation.errors import ResourceFailed
from seatrial.emulator.cloudformation.resources.row import Name, Properties, Row, Tagging, is_gone, retag

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.cloudformation.resources.work import Work

RDS_PATIENCE = 2 * 3600.0
CACHE_PATIENCE = 3600.0


def _tags(
    service: str, kind: str, add: str = "add_tags_to_resource", remove: str = "remove_tags_from_resource"
) -> Tagging:
    name = "ResourceName"
    return Tagging(
        add, name, "Tags", remove, identity=lambda work: work.place.arn(service, f"{kind}:{work.physical_id}")
    )


def _status(work: Work, service: str, operation: str, key: str, path: str) -> str | None:
    """Return the status of a resource, None when it is gone."""
    try:
        answer = work.call(service, operation, **{key: work.physical_id})
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    found = jmespath.search(path, answer)
    return str(found) if found is not None else None


def _await(work: Work, look: Callable[[], str | None], seconds: float) -> None:
    def ready() -> bool:
        status = look()
        if status is None or status in {"failed", "create-failed", "incompatible-parameters", "storage-full"}:
            raise ResourceFailed(f"{work.type.rsplit('::', 1)[-1]} {work.physical_id} is in state {status}")
        return status.lower() == "available"

    work.waiter.until(ready, seconds=seconds, otherwise=f"{work.physical_id} did not stabilize.")


def _await_gone(work: Work, look: Callable[[], str | None], seconds: float) -> None:
    work.waiter.until(lambda: look() is None, seconds=seconds, otherwise=f"{work.physical_id} was not deleted in time.")


def snapshot_name(work: Work) -> str:
    """Return the name of a final snapshot: ``stack-snapshot-logicalid-random``."""
    return f"{work.place.stack}-snapshot-{work.logical_id}-{secrets.token_hex(6)}".lower()


# --- RDS -------------------------------------------------------------------------------------------------------------


def _db_status(work: Work) -> str | None:
    return _status(work, "rds", "describe_db_instances", "DBInstanceIdentifier", "DBInstances[0].DBInstanceStatus")


def _prepare_db(_: Work, properties: dict[str, Any]) -> dict[str, Any]:
    secret = properties.pop("MasterUserSecret", None) or {}
    if secret.get("KmsKeyId"):
        properties["MasterUserSecretKmsKeyId"] = secret["KmsKeyId"]
    return properties


_DB_RENAME = {"VPCSecurityGroups": "VpcSecurityGroupIds"}


def _create_db(work: Work) -> None:
    operation = "create_db_instance"
    if work.get("DBSnapshotIdentifier"):
        operation = "restore_db_instance_from_db_snapshot"
    elif work.get("SourceDBInstanceIdentifier"):
        operation = "create_db_instance_read_replica"
    parameters = Row("rds", rename=_DB_RENAME, prepare=_prepare_db).parameters(work, operation)
    answer = work.call("rds", operation, **parameters)
    work.physical_id = answer["DBInstance"]["DBInstanceIdentifier"]


def _update_db(work: Work, old: Properties) -> None:
    changed = differing(old, work.properties)
    if "Tags" in changed:
        retag("rds", _tags("rds", "db"), work, old)
    changed -= {"Tags", "DBInstanceIdentifier", "ApplyImmediately"}
    if not changed:
        return
    rename = {**_DB_RENAME, "Port": "DBPortNumber"}
    row = Row("rds", rename=rename, prepare=_prepare_db)
    everything = row.parameters(work, "modify_db_instance")
    wanted = {rename.get(name, name).lower() for name in changed}
    parameters = {name: value for name, value in everything.items() if name.lower() in wanted}
    if "EnableCloudwatchLogsExports" in changed:
        before, after = old.get("EnableCloudwatchLogsExports") or [], work.get("EnableCloudwatchLogsExports") or []
        parameters["CloudwatchLogsExportConfiguration"] = {
            "EnableLogTypes": [name for name in after if name not in before],
            "DisableLogTypes": [name for name in before if name not in after],
        }
    for name in ("AllowMajorVersionUpgrade", "MasterUserSecretKmsKeyId"):
        if name in everything:
            parameters[name] = everything[name]
    known = {name.lower() for name in parameters} | {
        "enablecloudwatchlogsexports",
        "allowmajorversionupgrade",
        "masterusersecret",
    }
    left = sorted(
        name for name in changed if rename.get(name, name).lower() not in known and work.get(name) is not None
    )
    if left:
        raise ResourceFailed(f"The emulator cannot change {', '.join(left)} of a database that exists")
    apply = str(work.get("ApplyImmediately", True)).lower() == "true"
    work.call("rds", "modify_db_instance", DBInstanceIdentifier=work.physical_id, ApplyImmediately=apply, **parameters)


def _delete_db(work: Work) -> None:
    final = {"FinalDBSnapshotIdentifier": snapshot_name(work)} if work.snapshot else {}
    work.call("rds", "delete_db_instance", DBInstanceIdentifier=work.physical_id, SkipFinalSnapshot=not final, **final)
    if final:
        work.remarks.append(f"Final snapshot {final['FinalDBSnapshotIdentifier']}")
    _await_gone(work, lambda: _db_status(work), RDS_PATIENCE)


def _db_parameters(work: Work, old: Properties | None) -> None:
    before, after = (old or {}).get("Parameters") or {}, work.get("Parameters") or {}
    changed = {name: value for name, value in after.items() if not alike(before.get(name), value)}
    if changed:
        entries = [
            {"ParameterName": name, "ParameterValue": str(value), "ApplyMethod": "pending-reboot"}
            for name, value in changed.items()
        ]
        work.call("rds", "modify_db_parameter_group", DBParameterGroupName=work.physical_id, Parameters=entries)


# --- ElastiCache -----------------------------------------------------------------------------------------------------


def _cache_status(work: Work) -> str | None:
    return _status(
        work, "elasticache", "describe_replication_groups", "ReplicationGroupId", "ReplicationGroups[0].Status"
    )


def _serverless_status(work: Work) -> str | None:
    return _status(
        work, "elasticache", "describe_serverless_caches", "ServerlessCacheName", "ServerlessCaches[0].Status"
    )


def _delete_replication_group(work: Work) -> None:
    final = {"FinalSnapshotIdentifier": snapshot_name(work)[:40].rstrip("-")} if work.snapshot else {}
    work.call("elasticache", "delete_replication_group", ReplicationGroupId=work.physical_id, **final)
    if final:
        work.remarks.append(f"Final snapshot {final['FinalSnapshotIdentifier']}")
    _await_gone(work, lambda: _cache_status(work), CACHE_PATIENCE)


def _delete_serverless(work: Work) -> None:
    final = {"FinalSnapshotName": snapshot_name(work)} if work.snapshot else {}
    work.call("elasticache", "delete_serverless_cache", ServerlessCacheName=work.physical_id, **final)
    _await_gone(work, lambda: _serverless_status(work), CACHE_PATIENCE)


def _apply_now(_: Work, properties: dict[str, Any]) -> dict[str, Any]:
    return {**properties, "ApplyImmediately": True}


def _cache_parameters(work: Work, old: Properties | None) -> None:
    before, after = (old or {}).get("Properties") or {}, work.get("Properties") or {}
    changed = {name: value for name, value in after.items() if not alike(before.get(name), value)}
    if changed:
        entries = [{"ParameterName": name, "ParameterValue": str(value)} for name, value in changed.items()]
        work.call(
            "elasticache",
            "modify_cache_parameter_group",
            CacheParameterGroupName=work.physical_id,
            ParameterNameValues=entries,
        )


def _node_group(path: str) -> str:
    return f"NodeGroups[0].{path}"


ROWS: dict[str, Row] = {
    "AWS::RDS::DBSubnetGroup": Row(
        "rds",
        "create_db_subnet_group",
        "DBSubnetGroup.DBSubnetGroupName",
        name=Name("DBSubnetGroupName", limit=255, lower=True),
        key="DBSubnetGroupName",
        update_call="modify_db_subnet_group",
        delete_call="delete_db_subnet_group",
        attributes={"DBSubnetGroupArn": lambda work: work.place.arn("rds", f"subgrp:{work.physical_id}")},
        tagging=_tags("rds", "subgrp"),
    ),
    "AWS::RDS::DBParameterGroup": Row(
        "rds",
        "create_db_parameter_group",
        "DBParameterGroup.DBParameterGroupName",
        name=Name("DBParameterGroupName", limit=255, lower=True),
        key="DBParameterGroupName",
        rename={"Family": "DBParameterGroupFamily"},
        delete_call="delete_db_parameter_group",
        attributes={
            "DBParameterGroupArn": lambda work: work.place.arn("rds", f"pg:{work.physical_id}"),
            "DBParameterGroupName": lambda work: work.physical_id,
        },
        after=_db_parameters,
        handles=frozenset({"Parameters"}),
        tagging=_tags("rds", "pg"),
    ),
    "AWS::RDS::DBInstance": Row(
        "rds",
        name=Name("DBInstanceIdentifier", limit=63, lower=True),
        on_create=_create_db,
        on_update=_update_db,
        on_delete=_delete_db,
        later=frozenset({"ApplyImmediately", "AllowMajorVersionUpgrade"}),
        settle=lambda work: _await(work, lambda: _db_status(work), RDS_PATIENCE),
        describe=("describe_db_instances", "DBInstanceIdentifier", "DBInstances[0]"),
        attributes={
            "Endpoint.Address": "Endpoint.Address",
            "Endpoint.Port": "to_string(Endpoint.Port)",
            "Endpoint.HostedZoneId": "Endpoint.HostedZoneId",
            "MasterUserSecret.SecretArn": "MasterUserSecret.SecretArn",
            "DBInstanceArn": "DBInstanceArn",
            "DbiResourceId": "DbiResourceId",
            "DBInstanceStatus": "DBInstanceStatus",
            "DBInstanceIdentifier": "DBInstanceIdentifier",
            "DBName": "DBName",
            "Engine": "Engine",
            "EngineVersion": "EngineVersion",
        },
        replaced_by=frozenset(
            {
                "AvailabilityZone",
                "DBClusterSnapshotIdentifier",
                "DBSnapshotIdentifier",
                "Engine",
                "RestoreTime",
                "SourceDBInstanceAutomatedBackupsArn",
                "SourceDBInstanceIdentifier",
                "SourceDbiResourceId",
                "UseLatestRestorableTime",
            }
        ),
    ),
    "AWS::ElastiCache::SubnetGroup": Row(
        "elasticache",
        "create_cache_subnet_group",
        "CacheSubnetGroup.CacheSubnetGroupName",
        name=Name("CacheSubnetGroupName", limit=255, lower=True),
        key="CacheSubnetGroupName",
        rename={"Description": "CacheSubnetGroupDescription"},
        update_call="modify_cache_subnet_group",
        delete_call="delete_cache_subnet_group",
        attributes={"CacheSubnetGroupName": lambda work: work.physical_id},
        tagging=_tags("elasticache", "subnetgroup"),
    ),
    "AWS::ElastiCache::ParameterGroup": Row(
        "elasticache",
        "create_cache_parameter_group",
        "CacheParameterGroup.CacheParameterGroupName",
        name=Name("CacheParameterGroupName", limit=255, lower=True),
        key="CacheParameterGroupName",
        delete_call="delete_cache_parameter_group",
        attributes={"CacheParameterGroupName": lambda work: work.physical_id},
        after=_cache_parameters,
        handles=frozenset({"Properties"}),
        tagging=_tags("elasticache", "parametergroup"),
    ),
    "AWS::ElastiCache::ReplicationGroup": Row(
        "elasticache",
        "create_replication_group",
        "ReplicationGroup.ReplicationGroupId",
        name=Name("ReplicationGroupId", limit=40, lower=True),
        key="ReplicationGroupId",
        prepare=_apply_now,
        update_call="modify_replication_group",
        on_delete=_delete_replication_group,
        settle=lambda work: _await(work, lambda: _cache_status(work), CACHE_PATIENCE),
        describe=("describe_replication_groups", "ReplicationGroupId", "ReplicationGroups[0]"),
        attributes={
            "PrimaryEndPoint.Address": _node_group("PrimaryEndpoint.Address"),
            "PrimaryEndPoint.Port": f"to_string({_node_group('PrimaryEndpoint.Port')})",
            "ReaderEndPoint.Address": _node_group("ReaderEndpoint.Address"),
            "ReaderEndPoint.Port": f"to_string({_node_group('ReaderEndpoint.Port')})",
            "ReadEndPoint.Addresses": f"[{_node_group('ReaderEndpoint.Address')}] | join(',', @)",
            "ConfigurationEndPoint.Address": "ConfigurationEndpoint.Address",
            "ConfigurationEndPoint.Port": "to_string(ConfigurationEndpoint.Port)",
        },
        tagging=_tags("elasticache", "replicationgroup"),
        replaced_by=frozenset({"NodeGroupConfiguration"}),
    ),
    "AWS::ElastiCache::ServerlessCache": Row(
        "elasticache",
        "create_serverless_cache",
        "ServerlessCache.ServerlessCacheName",
        key="ServerlessCacheName",
        update_call="modify_serverless_cache",
        on_delete=_delete_serverless,
        settle=lambda work: _await(work, lambda: _serverless_status(work), CACHE_PATIENCE),
        describe=("describe_serverless_caches", "ServerlessCacheName", "ServerlessCaches[0]"),
        attributes={
            "ARN": "ARN",
            "Status": "Status",
            "FullEngineVersion": "FullEngineVersion",
            "Endpoint.Address": "Endpoint.Address",
            "Endpoint.Port": "to_string(Endpoint.Port)",
            "ReaderEndpoint.Address": "ReaderEndpoint.Address",
            "ReaderEndpoint.Port": "to_string(ReaderEndpoint.Port)",
        },
        tagging=_tags("elasticache", "serverlesscache"),
    ),
}
