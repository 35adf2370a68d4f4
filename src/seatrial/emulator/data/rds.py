"""RDS whose PostgreSQL instances are real servers.

moto keeps the records (instances, subnet and parameter groups, snapshots, tags); this module starts a server when one
is created and changes or stops it with the instance. Other engines stay records only and are reported as such.

Patched on moto: ``DBInstance.endpoint`` (an instance that is still being created has none, one of ours has a real one)
and ``MasterUserSecret._generate_secret_string`` (moto knows one password for all). Used of moto: ``RDSResponse``,
``rds_backends.databases``, ``DBInstance`` (``status``, ``master_user_secret``) and
``SecretsManagerBackend.put_secret_value``.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import string
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.emulator.data.account import database_account, reachable_directory, remove_stand_in, sweep
from seatrial.emulator.data.postgres import PostgresError, PostgresServer, find_binaries
from seatrial.emulator.front.actions import ApiError, wrap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.emulator.addresses import Addresses
    from seatrial.emulator.children import Children
    from seatrial.emulator.settings import EmulatorSettings

log = logging.getLogger(__name__)

_RESERVED_USERS = frozenset({"admin", "postgresql", "rdsadmin", "rdsrepladmin", "rds_superuser", "rds_replication"})
_PASSWORD_LENGTH = 28
#: Printable ASCII without what RDS never puts into a managed password (``/ @ " '``, blank) and what shells trip over.
_PUNCTUATION = "!#$%&()*+,-.:;<=>?[]^_{|}~"


@dataclass
class Instance:
    """One instance with a server. ``note`` says where it differs from what was asked for, or why it failed."""

    identifier: str
    server: PostgresServer
    username: str
    database: str | None
    lock: threading.Lock
    note: str | None = None


class Rds:
    """PostgreSQL behind RDS. Safe to call from any thread."""

    def __init__(self, settings: EmulatorSettings, addresses: Addresses, children: Children) -> None:
        self._settings = settings
        self._addresses = addresses
        self._children = children
        self._instances: dict[str, Instance] = {}
        self._stopping = False

    def install(self) -> None:
        """Take over the actions that touch a server, and remove what emulators of deleted projects left."""
        sweep(database_account())
        from moto.rds.models import DBInstance, MasterUserSecret
        from moto.rds.responses import RDSResponse

        actions = {
            "create_db_instance": self._create,
            "modify_db_instance": self._modify,
            "delete_db_instance": self._delete,
            "start_db_instance": self._start,
            "stop_db_instance": self._stop,
            "reboot_db_instance": self._reboot,
            "create_db_snapshot": self._snapshot,
        }
        wrap(RDSResponse, actions)
        recorded = DBInstance.endpoint.fget
        DBInstance.endpoint = property(lambda database: self._endpoint(database, recorded))
        MasterUserSecret._generate_secret_string = _managed_secret  # noqa: SLF001 - named in the module's docstring

    def wipe(self) -> None:
        """Forget the data of earlier runs."""
        directory = self._directory()
        while directory.exists():
            with suppress(FileNotFoundError):  # initdb removes what it made when its emulator was killed
                shutil.rmtree(directory)
        directory.mkdir()

    def stop(self) -> None:
        """Stop every server. The data stays in the state directory; a stand-in for that stays where it is kept."""
        self._stopping = True
        for instance in list(self._instances.values()):
            with instance.lock:
                instance.server.stop()
        if not self._settings.keep:
            remove_stand_in(self._settings.state / "postgres", database_account())

    def describe(self) -> list[dict[str, Any]]:
        """Return the databases for the status page, without passwords."""
        return [
            {
                "identifier": instance.identifier,
                "status": record.status,
                "engine": f"postgres {instance.server.binaries.version}",
                "endpoint": f"{instance.server.address}:{instance.server.port}",
                "database": instance.database or "postgres",
                "username": instance.username,
                "note": instance.note,
            }
            for instance in list(self._instances.values())
            if (record := self._databases().get(instance.identifier)) is not None
        ]

    def addresses(self) -> list[tuple[str, int]]:
        """Return where the servers listen."""
        return [(each.server.address, each.server.port) for each in list(self._instances.values())]

    def state_only(self) -> list[str]:
        """Return the instances that are records without a server, with their engine."""
        databases = list(self._databases().values())
        return [
            f"rds {each.db_instance_identifier} ({each.engine})"
            for each in databases
            if each.db_instance_identifier not in self._instances
        ]

    # Actions: moto's own answer, and what happens to the server

    def _create(self, params: Any, own: Callable[[], Any]) -> Any:
        if params.get("Engine") != "postgres" or params.get("DBClusterIdentifier"):
            return own()
        _check_master(params)
        account = database_account()
        try:
            asked = (params.get("EngineVersion") or "").partition(".")[0] or None
            binaries = find_binaries(asked, account, self._children)
        except PostgresError as error:
            raise ApiError("InsufficientDBInstanceCapacity", str(error)) from error
        params.setdefault("EngineVersion", binaries.version)
        params.setdefault("Port", 5432)
        answer = own()
        database = answer.result["DBInstance"]
        database.status = "creating"
        identifier = database.db_instance_identifier
        server = PostgresServer(
            binaries,
            self._directory() / identifier,
            self._addresses.store(),
            int(database.port),
            children=self._children,
            account=account,
            log=self._logs() / f"postgres-{identifier}.log",
        )
        note = None
        if asked and asked != binaries.major:
            note = f"asked for PostgreSQL {asked}, serves {binaries.version}: no other version is installed here"
        instance = Instance(identifier, server, params["MasterUsername"], params.get("DBName"), threading.Lock(), note)
        self._instances[identifier] = instance
        password = _managed_password(database) or params["MasterUserPassword"]
        threading.Thread(
            target=self._bring_up, args=(database, instance, password), name=f"rds-{identifier}", daemon=True
        ).start()
        return answer

    def _bring_up(self, database: Any, instance: Instance, password: str) -> None:
        try:
            with instance.lock:
                if self._stopping or self._instances.get(instance.identifier) is not instance:
                    return
                instance.server.start()
                instance.server.set_master(instance.username, password, instance.database)
        except (PostgresError, OSError) as error:
            log.exception("database %s did not start", instance.identifier)
            instance.note = str(error)
            database.status = "failed"
        else:
            database.status = "available"

    def _modify(self, params: Any, own: Callable[[], Any]) -> Any:
        instance = self._instances.get(params["DBInstanceIdentifier"])
        if instance is None:
            return own()
        rotate = params.get("RotateMasterUserPassword")
        if rotate and not params.get("ApplyImmediately"):
            raise ApiError(
                "InvalidParameterCombination",
                "You must specify apply immediately when rotating the master user password.",
            )
        params.pop("RotateMasterUserPassword", None)  # moto would leave a version without a value
        answer = own()
        database = answer.result["DBInstance"]
        if rotate or params.get("ManageMasterUserPassword"):
            password = _new_managed_password(database) if rotate else _managed_password(database)
        else:
            password = params.get("MasterUserPassword")
        if password:
            with instance.lock:
                instance.server.set_password(instance.username, password)
        renamed = database.db_instance_identifier
        if renamed != instance.identifier:
            self._instances[renamed] = self._instances.pop(instance.identifier)
            instance.identifier = renamed
        return answer

    def _delete(self, params: Any, own: Callable[[], Any]) -> Any:
        instance = self._instances.get(params["DBInstanceIdentifier"])
        if instance is None:
            return own()
        snapshot = params.get("FinalDBSnapshotIdentifier")
        if not params.get("SkipFinalSnapshot") and not snapshot:
            raise ApiError(
                "InvalidParameterCombination",
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
            )
        answer = own()
        with instance.lock:
            if snapshot and instance.server.running:
                self._dump(instance, snapshot)
            self._instances.pop(instance.identifier, None)
            instance.server.remove()
        return answer

    def _start(self, params: Any, own: Callable[[], Any]) -> Any:
        instance = self._instances.get(params["DBInstanceIdentifier"])
        answer = own()
        if instance is not None:
            with instance.lock:
                instance.server.start()
        return answer

    def _stop(self, params: Any, own: Callable[[], Any]) -> Any:
        instance = self._instances.get(params["DBInstanceIdentifier"])
        answer = own()
        if instance is not None:
            with instance.lock:
                instance.server.stop()
        return answer

    def _reboot(self, params: Any, own: Callable[[], Any]) -> Any:
        instance = self._instances.get(params["DBInstanceIdentifier"])
        answer = own()
        if instance is not None:
            with instance.lock:
                instance.server.stop()
                instance.server.start()
        return answer

    def _snapshot(self, params: Any, own: Callable[[], Any]) -> Any:
        instance = self._instances.get(params["DBInstanceIdentifier"])
        answer = own()
        if instance is not None:
            with instance.lock:
                self._dump(instance, params["DBSnapshotIdentifier"])
        return answer

    # Helpers

    def _dump(self, instance: Instance, snapshot: str) -> None:
        """Keep what a snapshot would hold as a ``pg_dump`` file in the state directory."""
        try:
            instance.server.dump(
                instance.database or "postgres", self._settings.state / "snapshots" / f"{snapshot}.dump"
            )
        except PostgresError as error:
            raise ApiError("InternalFailure", f"The snapshot failed: {error}") from error

    def _endpoint(self, database: Any, recorded: Callable[[Any], Any]) -> dict[str, Any] | None:
        instance = self._instances.get(database.db_instance_identifier)
        if instance is None:
            return dict(recorded(database))
        if database.status == "creating":
            return None
        return {"Address": instance.server.address, "Port": instance.server.port, "HostedZoneId": "Z2VFMSZA74J7XZ"}

    def _databases(self) -> dict[str, Any]:
        from moto.rds.models import rds_backends

        return dict(rds_backends[self._settings.account][self._settings.region].databases)

    def _directory(self) -> Path:
        return reachable_directory(self._settings.state / "postgres", database_account())

    def _logs(self) -> Path:
        directory = self._settings.state / "logs"
        directory.mkdir(parents=True, exist_ok=True)
        return directory


def _check_master(params: Any) -> None:
    """Refuse what RDS refuses about the master user (CreateDBInstance, API reference)."""
    username, password = params.get("MasterUsername"), params.get("MasterUserPassword")
    managed = params.get("ManageMasterUserPassword")
    if not username:
        raise ApiError("InvalidParameterValue", "The parameter MasterUsername must be provided and must not be blank.")
    if username.lower() in _RESERVED_USERS:
        raise ApiError(
            "InvalidParameterValue",
            f"MasterUsername {username} cannot be used as it is a reserved word used by the engine",
        )
    if managed and password:
        raise ApiError(
            "InvalidParameterCombination",
            "You can specify either MasterUserPassword or ManageMasterUserPassword, but not both.",
        )
    if not managed and not 8 <= len(password or "") <= 128:
        raise ApiError(
            "InvalidParameterValue",
            "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters or "
            "longer than 128 characters.",
        )
    if password and any(each in "/@\" '" or not each.isprintable() for each in password):
        raise ApiError(
            "InvalidParameterValue",
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides "
            "'/', '@', '\"', ' ' may be used.",
        )


def _managed_secret(secret: Any) -> str:
    """Return the value of a new managed secret; ``secret`` is moto's MasterUserSecret."""
    return json.dumps({"username": secret.resource.master_username, "password": generated_password()})


def _managed_password(database: Any) -> str | None:
    if not getattr(database, "master_user_secret", None):
        return None
    return str(json.loads(database.master_user_secret.secret.secret_string)["password"])


def _new_managed_password(database: Any) -> str:
    """Put a new password into the managed secret and return it."""
    if not getattr(database, "master_user_secret", None):
        raise ApiError(
            "InvalidParameterCombination",
            "You can't rotate the master user password because RDS doesn't manage it in Secrets Manager.",
        )
    password = generated_password()
    value = json.dumps({"username": database.master_username, "password": password})
    database.backend.secretsmanager.put_secret_value(
        secret_id=database.master_user_secret.secret_arn,
        secret_string=value,
        secret_binary=None,
        client_request_token=None,
        version_stages=["AWSCURRENT"],
    )
    return password


def generated_password() -> str:
    """Return a password as RDS makes them: 28 characters of every kind, so that unquoted use in a URL shows."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, _PUNCTUATION)
    characters = [secrets.choice(kind) for kind in kinds]
    characters += [secrets.choice("".join(kinds)) for _ in range(_PASSWORD_LENGTH - len(kinds))]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)
