"""``overlap = "skip"``: the very command that a job's container gets, over a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from seatrial.stack.overlap import alone
from tests.functional.emulator.support import emulator, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

WAITS = ("python", "-c", "print('at work', flush=True); input()")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a container."""
    with emulator(tmp_path_factory.mktemp("overlap")) as running:
        rds = running.client("rds")
        rds.create_db_instance(
            DBInstanceIdentifier="shop", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
            MasterUsername="stock", MasterUserPassword="correct-horse", DBName="app",
        )  # fmt: skip
        rds.get_waiter("db_instance_available").wait(
            DBInstanceIdentifier="shop", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        where = rds.describe_db_instances(DBInstanceIdentifier="shop")["DBInstances"][0]["Endpoint"]
        yield {
            "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",  # noqa: PTH120 - not its target
            "PGHOST": where["Address"], "PGPORT": str(where["Port"]), "PGDATABASE": "app",
            "PGUSER": "stock", "PGPASSWORD": "correct-horse",
        }  # fmt: skip


def begin(database: dict[str, str], name: str, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        alone(name, command), env=database, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def first_line(run: subprocess.Popen[str]) -> str:
    assert run.stdout is not None
    return run.stdout.readline().strip()


def test_a_second_run_ends_at_once_until_the_first_has_ended(database: dict[str, str]) -> None:
    first = begin(database, "shop-local-digest", *WAITS)
    assert first_line(first) == "at work"
    second = begin(database, "shop-local-digest", "false")
    said, _ = second.communicate(timeout=30)
    assert (second.returncode, said) == (
        0, "seatrial: skipped, for an earlier run of shop-local-digest is under way\n",
    )  # fmt: skip
    other = begin(database, "shop-local-report", "sh", "-c", "exit 7")
    other.communicate(timeout=30)
    assert other.returncode == 7
    first.communicate("go on\n", timeout=30)
    assert first.returncode == 0
    assert ended(begin(database, "shop-local-digest", "true")) == 0


def test_a_killed_run_gives_the_lock_back_and_sigterm_reaches_the_job(database: dict[str, str]) -> None:
    first = begin(database, "shop-local-digest", *WAITS)
    assert first_line(first) == "at work"
    first.kill()
    first.communicate(timeout=30)

    def free() -> bool:
        run = begin(database, "shop-local-digest", "echo", "ran")
        return run.communicate(timeout=30)[0] == "ran\n"

    eventually(free)
    trap = "import signal, sys; signal.signal(15, lambda *_: sys.exit(9)); print('up', flush=True); signal.pause()"
    run = begin(database, "shop-local-digest", "python", "-c", trap)
    assert first_line(run) == "up"
    run.terminate()
    assert ended(run) == 9


def ended(run: subprocess.Popen[str]) -> int:
    run.communicate(timeout=30)
    return run.returncode
