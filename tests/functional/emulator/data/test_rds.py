"""RDS: the API on top, a PostgreSQL server below, both real."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from seatrial.emulator.addresses import Addresses
from seatrial.emulator.data.account import database_account, reachable_directory
from seatrial.emulator.data.rds import Rds
from tests.functional.emulator.runtime.support import settings
from tests.functional.emulator.support import Running, emulator, eventually, listening_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("rds")) as started:
        yield started


def create(running: Running, identifier: str, **options: Any) -> dict[str, Any]:
    """An available instance as DescribeDBInstances tells it."""
    defaults = {
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.micro",
        "AllocatedStorage": 20,
        "MasterUsername": "stock",
    }
    password = {} if "ManageMasterUserPassword" in options else {"MasterUserPassword": "correct-horse"}
    running.client("rds").create_db_instance(DBInstanceIdentifier=identifier, **(defaults | password | options))
    return available(running, identifier)


def available(running: Running, identifier: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = describe(running, identifier)
        assert found["DBInstanceStatus"] != "failed"
        return found if found["DBInstanceStatus"] == "available" else None

    return dict(eventually(look, 60.0))


def describe(running: Running, identifier: str) -> dict[str, Any]:
    answer = running.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)
    return dict(answer["DBInstances"][0])


def delete(running: Running, identifier: str) -> None:
    running.client("rds").delete_db_instance(DBInstanceIdentifier=identifier, SkipFinalSnapshot=True)


def connect(
    instance: dict[str, Any], password: str, database: str = "postgres", user: str = "stock"
) -> psycopg.Connection[Any]:
    where = instance["Endpoint"]
    return psycopg.connect(
        host=where["Address"], port=where["Port"], user=user, password=password, dbname=database, connect_timeout=10
    )


def managed_secret(running: Running, instance: dict[str, Any]) -> dict[str, str]:
    secret = running.client("secretsmanager").get_secret_value(SecretId=instance["MasterUserSecret"]["SecretArn"])
    return dict(json.loads(secret["SecretString"]))


def test_an_instance_being_created_has_no_endpoint_yet(running: Running) -> None:
    answer = running.client("rds").create_db_instance(
        DBInstanceIdentifier="young",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="stock",
        MasterUserPassword="correct-horse",
    )["DBInstance"]
    assert answer["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in answer
    assert available(running, "young")["Endpoint"]["Port"] == 5432
    delete(running, "young")


def test_managed_password_opens_the_named_database_and_a_wrong_one_does_not(running: Running) -> None:
    instance = create(running, "managed", ManageMasterUserPassword=True, DBName="stockweb")
    secret = managed_secret(running, instance)
    assert set(secret) == {"username", "password"}
    assert secret["username"] == "stock"
    name = running.client("secretsmanager").describe_secret(SecretId=instance["MasterUserSecret"]["SecretArn"])["Name"]
    assert name.startswith("rds!db-")
    with connect(instance, secret["password"], "stockweb") as connection:
        owner = connection.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'stockweb'"
        ).fetchone()
    assert owner == ("stock",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(instance, "wrong", "stockweb")
    delete(running, "managed")


def test_rotation_changes_secret_and_server(running: Running) -> None:
    instance = create(running, "rotated", ManageMasterUserPassword=True)
    before = managed_secret(running, instance)["password"]
    rds = running.client("rds")
    with pytest.raises(ClientError, match="apply immediately"):
        rds.modify_db_instance(DBInstanceIdentifier="rotated", RotateMasterUserPassword=True)
    rds.modify_db_instance(DBInstanceIdentifier="rotated", RotateMasterUserPassword=True, ApplyImmediately=True)
    after = managed_secret(running, instance)["password"]
    assert after != before
    connect(instance, after).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(instance, before)
    delete(running, "rotated")


def test_master_user_is_powerful_but_no_superuser(running: Running) -> None:
    """As on RDS: it makes databases, roles and trusted extensions, and cannot become the owner ``rdsadmin``."""
    instance = create(running, "rights")
    with connect(instance, "correct-horse") as connection:
        connection.autocommit = True
        row = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, pg_has_role('rds_superuser', 'member') "
            "FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (False, True, True, True)
        connection.execute("CREATE ROLE environment LOGIN PASSWORD 'another-horse'")
        connection.execute("GRANT environment TO stock")
        connection.execute("CREATE DATABASE environment OWNER environment")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SET ROLE rdsadmin")
    with connect(instance, "another-horse", "environment", "environment") as connection:
        connection.execute("CREATE EXTENSION citext")
    with pytest.raises(psycopg.OperationalError, match="pg_hba"):
        connect(instance, "", user="rdsadmin")
    delete(running, "rights")


def test_password_with_every_character_rds_allows(running: Running) -> None:
    password = "".join(chr(code) for code in range(33, 127) if chr(code) not in "/@\"'")
    instance = create(running, "awkward", MasterUserPassword=password)
    connect(instance, password).close()
    changed = password[::-1]
    running.client("rds").modify_db_instance(
        DBInstanceIdentifier="awkward", MasterUserPassword=changed, ApplyImmediately=True
    )
    connect(instance, changed).close()
    log = running.info.state / "logs" / "postgres-awkward.log"
    assert password not in log.read_text()
    assert changed not in log.read_text()
    delete(running, "awkward")


def test_stop_start_and_reboot_keep_the_data(running: Running) -> None:
    instance = create(running, "restarted")
    rds = running.client("rds")
    with connect(instance, "correct-horse") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    rds.stop_db_instance(DBInstanceIdentifier="restarted")
    assert describe(running, "restarted")["DBInstanceStatus"] == "stopped"
    with pytest.raises(psycopg.OperationalError):
        connect(instance, "correct-horse")
    rds.start_db_instance(DBInstanceIdentifier="restarted")
    rds.reboot_db_instance(DBInstanceIdentifier="restarted")
    with connect(instance, "correct-horse") as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    delete(running, "restarted")


def test_deletion_is_refused_where_protected_and_leaves_a_snapshot_where_asked(running: Running) -> None:
    instance = create(running, "guarded", DeletionProtection=True)
    rds = running.client("rds")
    with connect(instance, "correct-horse") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with pytest.raises(ClientError, match="FinalDBSnapshotIdentifier is required"):
        rds.delete_db_instance(DBInstanceIdentifier="guarded")
    with pytest.raises(ClientError, match="Cannot delete protected DB Instance"):
        rds.delete_db_instance(DBInstanceIdentifier="guarded", FinalDBSnapshotIdentifier="last")
    rds.modify_db_instance(DBInstanceIdentifier="guarded", DeletionProtection=False, ApplyImmediately=True)
    rds.delete_db_instance(DBInstanceIdentifier="guarded", FinalDBSnapshotIdentifier="last")
    dump = (running.info.state / "snapshots" / "last.dump").read_bytes()
    assert dump.startswith(b"PGDMP")
    assert rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"][0]["Status"] == "available"
    with pytest.raises(ClientError, match="guarded not found"):
        describe(running, "guarded")
    where = f"{instance['Endpoint']['Address']}:5432"
    eventually(lambda: where not in listening_in(running.info.block))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no user": ({"MasterUsername": ""}, "MasterUsername must be provided"),
    "reserved user": ({"MasterUsername": "rdsadmin"}, "reserved word"),
    "short password": ({"MasterUserPassword": "short"}, "not a valid password"),
    "slash in password": ({"MasterUserPassword": "with/slash"}, "printable ASCII"),
    "both kinds": ({"MasterUserPassword": "correct-horse", "ManageMasterUserPassword": True}, "not both"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_as_rds_refuses(running: Running, case: str) -> None:
    options, message = REFUSED[case]
    request: dict[str, Any] = {
        "DBInstanceIdentifier": "refused",
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.micro",
        "AllocatedStorage": 20,
        "MasterUsername": "stock",
        "MasterUserPassword": "correct-horse",
    }
    with pytest.raises(ClientError, match=message):
        running.client("rds").create_db_instance(**(request | options))
    with pytest.raises(ClientError, match="refused not found"):
        describe(running, "refused")


def test_other_engines_are_records_and_reported(running: Running) -> None:
    from seatrial.emulator import process

    running.client("rds").create_db_instance(
        DBInstanceIdentifier="legacy",
        Engine="mysql",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="root",
        MasterUserPassword="correct-horse",
    )
    page = process.status("local", running.project)
    assert page is not None
    assert "rds legacy (mysql)" in page["state_only"]


def test_status_page_shows_the_version_that_serves(running: Running) -> None:
    """A major version that is not installed is served by another one, and said so."""
    from seatrial.emulator import process

    create(running, "older", EngineVersion="13")
    page = process.status("local", running.project)
    assert page is not None
    shown = next(each for each in page["databases"] if each["identifier"] == "older")
    assert "asked for PostgreSQL 13" in shown["note"]
    assert "correct-horse" not in json.dumps(page)
    delete(running, "older")


def test_what_somebody_else_removes_meanwhile_is_wiped_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its emulator is killed, ``initdb`` ends by removing what it made."""
    directory = reachable_directory(tmp_path / "postgres", database_account())
    (directory / "shop" / "cluster").mkdir(parents=True)
    rmdir = os.rmdir

    def twice(path: str, *, dir_fd: int | None = None) -> None:
        rmdir(path, dir_fd=dir_fd)
        if path == "cluster":
            rmdir(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", twice)
    children: Any = None  # it starts none
    Rds(settings(tmp_path), Addresses(16), children).wipe()
    assert list(directory.iterdir()) == []
