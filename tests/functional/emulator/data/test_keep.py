"""``--keep``: databases, caches and objects found again by name, and gone without it."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import redis
from botocore.exceptions import ClientError

from seatrial.emulator.data.account import database_account, stand_in
from tests.functional.emulator.support import Running, emulator, eventually

if TYPE_CHECKING:
    from pathlib import Path


def database(running: Running) -> psycopg.Connection[Any]:
    """Create the instance ``stock`` and connect to it with this run's password."""
    rds = running.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="stock",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="stock",
        ManageMasterUserPassword=True,
        DBName="stock",
    )

    def look() -> dict[str, Any] | None:
        found = rds.describe_db_instances(DBInstanceIdentifier="stock")["DBInstances"][0]
        return found if found["DBInstanceStatus"] == "available" else None

    found = eventually(look, 60.0)
    arn = found["MasterUserSecret"]["SecretArn"]
    secret = json.loads(running.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    return psycopg.connect(
        host=found["Endpoint"]["Address"], user=secret["username"], password=secret["password"], dbname="stock"
    )


def cache(running: Running) -> redis.Redis:
    created = running.client("elasticache").create_replication_group(
        ReplicationGroupId="stock", ReplicationGroupDescription="d", Engine="valkey", CacheNodeType="cache.t4g.micro"
    )
    endpoint = created["ReplicationGroup"]["NodeGroups"][0]["PrimaryEndpoint"]
    return redis.Redis(endpoint["Address"], endpoint["Port"])


def fill(running: Running) -> None:
    with database(running) as connection:
        connection.execute("CREATE TABLE parts AS SELECT 'bolt' AS name")
    with cache(running) as client:
        client.set("part", "bolt")
    s3 = running.client("s3")
    s3.create_bucket(Bucket="media", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="media", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="media", Key="a/b ü.txt", Body=b"old")
    s3.put_object(
        Bucket="media",
        Key="a/b ü.txt",
        Body=b"new",
        ContentType="text/plain",
        CacheControl="max-age=60",
        Metadata={"colour": "red"},
        Tagging="team=stock",
    )
    s3.put_object(Bucket="media", Key="deleted", Body=b"x")
    s3.delete_object(Bucket="media", Key="deleted")
    s3.create_bucket(Bucket="removed", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="removed", Key="k", Body=b"x")
    s3.delete_object(Bucket="removed", Key="k")
    s3.delete_bucket(Bucket="removed")


def test_kept_state_is_found_by_name_and_wiped_without_keep(tmp_path: Path) -> None:
    with emulator(tmp_path, keep=True) as first:
        fill(first)
    with emulator(tmp_path, keep=True) as second:
        with database(second) as connection:
            assert connection.execute("SELECT name FROM parts").fetchall() == [("bolt",)]
        with cache(second) as client:
            assert client.get("part") == b"bolt"
        s3 = second.client("s3")
        assert s3.list_buckets()["Buckets"] == []  # a stack creates them anew
        for bucket in ("media", "removed"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        found = s3.get_object(Bucket="media", Key="a/b ü.txt")
        assert found["Body"].read() == b"new"
        assert (found["ContentType"], found["CacheControl"]) == ("text/plain", "max-age=60")
        assert found["Metadata"] == {"colour": "red"}
        assert s3.get_object_tagging(Bucket="media", Key="a/b ü.txt")["TagSet"] == [{"Key": "team", "Value": "stock"}]
        assert [each["Key"] for each in s3.list_objects_v2(Bucket="media")["Contents"]] == ["a/b ü.txt"]
        assert "Contents" not in s3.list_objects_v2(Bucket="removed")
    with emulator(tmp_path) as third:
        with database(third) as connection, pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT name FROM parts")
        s3 = third.client("s3")
        s3.create_bucket(Bucket="media", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        with pytest.raises(ClientError, match="NoSuchKey"):
            s3.get_object(Bucket="media", Key="a/b ü.txt")


def test_what_a_stack_named_is_found_again(tmp_path: Path) -> None:
    """Names that CloudFormation makes up are the same in every run."""
    template = json.dumps({"Resources": {"Media": {"Type": "AWS::S3::Bucket"}}})

    def bucket(running: Running) -> str:
        stacks = running.client("cloudformation")
        stacks.create_stack(StackName="stock", TemplateBody=template)
        stacks.get_waiter("stack_create_complete").wait(StackName="stock", WaiterConfig={"Delay": 1})
        found = stacks.describe_stack_resource(StackName="stock", LogicalResourceId="Media")
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    with emulator(tmp_path, keep=True) as first:
        name = bucket(first)
        first.client("s3").put_object(Bucket=name, Key="k", Body=b"kept")
    with emulator(tmp_path, keep=True) as second:
        assert bucket(second) == name
        assert second.client("s3").get_object(Bucket=name, Key="k")["Body"].read() == b"kept"


def test_data_outside_the_project_goes_with_the_run_or_with_the_project(tmp_path: Path) -> None:
    """Root's PostgreSQL is another user's, who cannot enter this test's directory: its data has a stand-in."""
    account, root = database_account(), os.geteuid() == 0
    with emulator(tmp_path / "kept", keep=True) as first, database(first):
        kept = stand_in(first.info.state / "postgres", account)
    assert kept.exists() is root
    shutil.rmtree(tmp_path / "kept")
    with emulator(tmp_path / "other") as second:
        own = stand_in(second.info.state / "postgres", account)
        assert own.exists() is root
        assert not kept.exists()
    assert not own.exists()
    assert not list(own.parent.glob(f"{own.name}*"))
