"""Database and cache: in private subnets, encrypted, reachable only for tasks that an app lets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack.graph import GetAtt, Noted, Output, Parameter, Ref, Resource, Template

if TYPE_CHECKING:
    from seatrial.stack.graph import Value
    from seatrial.stack.model import Cache, Database

#: Parameter with the name of the database that the instance is created with.
DATABASE_NAME = "DatabaseName"

POSTGRES_PORT = 5432
VALKEY_PORT = 6379

#: Storage may grow to this multiple of what it starts with.
_STORAGE_GROWTH = 5


def data_template(database: Database | None, cache: Cache | None) -> Template:
    """Return the template of whatever of the two there is."""
    resources: dict[str, Resource] = {}
    outputs: dict[str, Output] = {}
    if database is not None:
        resources |= _database(database)
        outputs |= {
            "DatabaseHost": Output("Address of the database", GetAtt("Database", "Endpoint.Address")),
            "DatabasePort": Output("Port of the database", GetAtt("Database", "Endpoint.Port")),
            "DatabaseSecretArn": Output(
                "Secret with the master user's name and password", GetAtt("Database", "MasterUserSecret.SecretArn")
            ),
            "DatabaseSecurityGroup": Output(
                "Security group of the database", GetAtt("DatabaseSecurityGroup", "GroupId")
            ),
        }
    if cache is not None:
        resources |= _cache(cache)
        outputs |= {
            "CacheHost": Output("Address of the cache", GetAtt("Cache", "PrimaryEndPoint.Address")),
            "CachePort": Output("Port of the cache", GetAtt("Cache", "PrimaryEndPoint.Port")),
            "CacheSecurityGroup": Output("Security group of the cache", GetAtt("CacheSecurityGroup", "GroupId")),
        }
    parameters = {
        "VpcId": Parameter("The VPC"),
        "PrivateSubnets": Parameter("Subnets without a way in", type="CommaDelimitedList"),
    }
    if database is not None:
        parameters[DATABASE_NAME] = Parameter("Database that the instance is created with")
    return Template(
        name="data",
        description="Database and cache",
        parameters=parameters,
        resources=resources,
        outputs=outputs,
    )


def _closed_group(description: str) -> Resource:
    """Return a security group that lets nothing in; each app adds its own tasks."""
    return Resource(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": description,
            "VpcId": Ref("VpcId"),
            "SecurityGroupEgress": Noted(
                [
                    {
                        "IpProtocol": "tcp",
                        "FromPort": 1,
                        "ToPort": 1,
                        "CidrIp": "127.0.0.1/32",
                        "Description": "Nowhere",
                    }
                ],
                "Answers need no rule. A group without any egress rule would get one that allows everything",
            ),
        },
    )


def _database(database: Database) -> dict[str, Resource]:
    properties: dict[str, Value] = {
        "Engine": "postgres",
        "EngineVersion": Noted(
            database.version, "With AutoMinorVersionUpgrade, a version without its minor never drifts from what runs"
        )
        if "." not in database.version
        else database.version,
        "DBInstanceClass": database.instance,
        "DBName": Ref(DATABASE_NAME),
        "AllocatedStorage": str(database.storage),
        "MaxAllocatedStorage": Noted(
            database.storage * _STORAGE_GROWTH, "Grows by itself up to here: a full disk stops every write"
        ),
        "StorageType": Noted("gp3", "3,000 IOPS at any size; gp2 has 100 for the smallest"),
        "StorageEncrypted": True,
        "MasterUsername": "postgres",
        "ManageMasterUserPassword": Noted(
            True, "RDS makes the password, keeps it in Secrets Manager and rotates it; no template ever holds it"
        ),
        "DBSubnetGroupName": Ref("DatabaseSubnets"),
        "VPCSecurityGroups": [GetAtt("DatabaseSecurityGroup", "GroupId")],
        "PubliclyAccessible": False,
        "MultiAZ": database.multi_az,
        "BackupRetentionPeriod": Noted(database.backup_days, "Days back to which every second can be restored"),
        "CopyTagsToSnapshot": True,
        "DeletionProtection": database.deletion_protection,
        "AutoMinorVersionUpgrade": True,
    }
    return {
        "DatabaseSecurityGroup": _closed_group("Database: lets in the tasks of its environments"),
        "DatabaseSubnets": Resource(
            "AWS::RDS::DBSubnetGroup",
            {"DBSubnetGroupDescription": "Private subnets in two zones", "SubnetIds": Ref("PrivateSubnets")},
        ),
        "Database": Resource(
            "AWS::RDS::DBInstance",
            properties,
            deletion_policy="Snapshot",
            update_replace_policy="Snapshot",
            why="Whatever removes or replaces it leaves a last snapshot behind",
        ),
    }


def _cache(cache: Cache) -> dict[str, Resource]:
    return {
        "CacheSecurityGroup": _closed_group("Cache: lets in the tasks of its environments"),
        "CacheSubnets": Resource(
            "AWS::ElastiCache::SubnetGroup",
            {"Description": "Private subnets in two zones", "SubnetIds": Ref("PrivateSubnets")},
        ),
        "Cache": Resource(
            "AWS::ElastiCache::ReplicationGroup",
            {
                "ReplicationGroupDescription": "Cache and message broker",
                "Engine": "valkey",
                "EngineVersion": cache.version,
                "CacheNodeType": cache.node,
                "NumCacheClusters": 1,
                "AutomaticFailoverEnabled": Noted(False, "Needs a second node; this is one node, and paid as one"),
                "Port": VALKEY_PORT,
                "CacheSubnetGroupName": Ref("CacheSubnets"),
                "SecurityGroupIds": [GetAtt("CacheSecurityGroup", "GroupId")],
                "AtRestEncryptionEnabled": True,
                "TransitEncryptionEnabled": True,
                "TransitEncryptionMode": Noted(
                    "preferred",
                    "Takes TLS and plain connections, so REDIS_URL works with every client as it is and a project can "
                    "move to rediss:// in its own time; `required` afterwards is a change in place. Until then the "
                    "security group is what keeps others out",
                ),
                "AutoMinorVersionUpgrade": True,
            },
            deletion_policy="Delete",
            update_replace_policy="Delete",
            why="What is in it can be made again: nothing to keep",
        ),
    }
