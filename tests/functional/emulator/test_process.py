"""The emulator as a process: started, found, doubled, killed and stopped, through the command line and from outside."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.emulator import process, state
from seatrial.errors import SeatrialError, UsageError
from tests.functional.emulator.support import (
    assert_nothing_left,
    client,
    emulator,
    environment,
    eventually,
    listening_in,
    processes_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.emulator.state import EmulatorInfo


def command_line(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``seatrial emulator``; standard output and standard error apart."""
    return subprocess.run(
        [sys.executable, "-c", "from seatrial.cli import main; main()", "emulator", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def use_everything(info: EmulatorInfo) -> None:
    """Have a database, a TLS cache, a proxy and a registry running, so that there is something to leave behind."""
    rds, caches = client(info, "rds"), client(info, "elasticache")
    rds.create_db_instance(
        DBInstanceIdentifier="stock",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="stock",
        MasterUserPassword="correct-horse",
    )
    caches.create_replication_group(
        ReplicationGroupId="stock",
        ReplicationGroupDescription="d",
        Engine="valkey",
        CacheNodeType="cache.t4g.micro",
        TransitEncryptionEnabled=True,
    )
    ec2, elb = client(info, "ec2"), client(info, "elbv2")
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]][:2]
    balancer = elb.create_load_balancer(Name="stock", Subnets=subnets)["LoadBalancers"][0]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    eventually(
        lambda: (
            rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "available"
            and len(listening_in(info.block)) >= 4
        ),  # listener, PostgreSQL, the cache and its TLS relay
        60.0,
    )


def page(info: EmulatorInfo, path: str) -> Any:
    with urllib.request.urlopen(f"{info.endpoint}/_seatrial/{path}", timeout=20) as answer:
        return json.load(answer)


@pytest.fixture
def stopped_afterwards(tmp_path: Path) -> Iterator[Path]:
    """A project directory whose emulator is stopped whatever becomes of the test."""
    yield tmp_path
    process.stop("local", tmp_path)


def test_command_line_starts_shows_and_stops(stopped_afterwards: Path) -> None:
    tmp_path = stopped_afterwards
    started = command_line(tmp_path, "start", "--runtime", "process", "--time-scale", "0.1")
    assert started.returncode == 0, started.stderr
    info = process.find(tmp_path)
    assert info is not None
    assert f"export AWS_ENDPOINT_URL={info.endpoint}\n" in started.stdout
    assert "ready at" in started.stderr
    use_everything(info)

    again = command_line(tmp_path, "start", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["pid"] == info.pid
    other = command_line(tmp_path, "start", "--region", "eu-west-3", "--json")
    assert other.returncode == 2
    assert "already runs with region eu-west-1" in json.loads(other.stdout)["error"]["message"]

    shown = command_line(tmp_path, "status")
    assert shown.returncode == 0
    assert "postgres 18" in shown.stdout
    assert "rediss://" in shown.stdout
    assert f"http://127.{info.block}." in shown.stdout
    data = json.loads(command_line(tmp_path, "status", "--json").stdout)
    assert data["running"] is True
    assert data["memory_bytes"] > 50 * 2**20
    assert [each["identifier"] for each in data["databases"]] == ["stock"]
    assert "correct-horse" not in json.dumps(data)
    assert "ready at" in command_line(tmp_path, "logs").stdout

    stopped = command_line(tmp_path, "stop", "--json")
    assert json.loads(stopped.stdout) == {"stopped": ["local"]}
    assert_nothing_left(info)
    assert command_line(tmp_path, "stop").returncode == 0
    gone = command_line(tmp_path, "status", "--json")
    assert gone.returncode == 1
    assert json.loads(gone.stdout) == {"running": False, "name": "local"}
    assert "stopped" in command_line(tmp_path, "logs", "--lines", "3").stdout


def test_killed_emulator_leaves_no_process_and_can_be_started_again(tmp_path: Path) -> None:
    info = process.start("local", tmp_path, runtime="process", proxy="envoy", time_scale=0.1)
    try:
        use_everything(info)
        assert len(processes_of(info.state)) >= 4  # itself, PostgreSQL, Valkey, proxy
        os.kill(info.pid, signal.SIGKILL)
        assert_nothing_left(info)
        assert process.find(tmp_path) is None
        assert process.status("local", tmp_path) is None
    finally:
        process.stop("local", tmp_path)
    with emulator(tmp_path) as second:
        assert second.info.pid != info.pid


def test_two_side_by_side_share_nothing(tmp_path: Path) -> None:
    with emulator(tmp_path, "one") as one, emulator(tmp_path, "two") as two:
        assert one.info.port != two.info.port
        assert one.info.block != two.info.block
        for each in (one, two):
            each.client("sqs").create_queue(QueueName=each.info.name)
        assert [url.rpartition("/")[2] for url in one.client("sqs").list_queues()["QueueUrls"]] == ["one"]
        assert [each.name for each in process.running(tmp_path)] == ["one", "two"]
        process.stop("one", tmp_path)
        assert two.client("sqs").list_queues()["QueueUrls"]


def test_emulator_whose_state_is_deleted_ends_itself(tmp_path: Path) -> None:
    info = process.start("local", tmp_path, runtime="process", proxy="builtin")
    try:
        shutil.rmtree(info.state)
        eventually(lambda: not info.alive)
        assert_nothing_left(info)
    finally:
        if info.alive:
            os.kill(info.pid, signal.SIGKILL)
        process._children.pop(info.pid).wait()  # stop() would not find it any more


def test_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SeatrialError, match="ended with exit code 2 while starting") as caught:
            process.start("local", tmp_path, port=port)
    assert any(f"port {port} of 127.0.0.1 is taken" in line for line in caught.value.details)
    assert process.find(tmp_path) is None


def test_interrupted_start_stops_what_it_started(tmp_path: Path) -> None:
    def interrupt(_stage: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process.start("local", tmp_path, runtime="process", progress=interrupt)
    directory = tmp_path / ".seatrial" / "emulator" / "local"
    eventually(lambda: not processes_of(directory))
    assert state.read(directory) is None


def test_recycled_process_id_is_neither_found_nor_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        directory = tmp_path / ".seatrial" / "emulator" / "local"
        directory.mkdir(parents=True)
        info = state.EmulatorInfo(
            name="local",
            state=directory,
            pid=stranger.pid,
            started=1,
            port=4566,
            endpoint="http://127.0.0.1:4566",
            block=16,
            region="eu-west-1",
            runtime="process",
            proxy="envoy",
            time_scale=1.0,
            keep=False,
        )
        state.write(info)
        assert process.find(tmp_path) is None
        assert process.stop("local", tmp_path) is None
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("name", ["", "Upper", "../x", "a b", "-x", "x" * 41])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        process.start(name, tmp_path)


def test_second_server_on_one_state_directory_gives_way(tmp_path: Path) -> None:
    with emulator(tmp_path) as running:
        second = subprocess.run(
            [sys.executable, "-m", "seatrial.emulator.server", "--state", str(running.info.state)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 2
        assert "another emulator uses" in second.stderr
        assert page(running.info, "health")["ready"] is True


def test_clients_of_the_wrong_kind_get_readable_errors(tmp_path: Path) -> None:
    """Another region is refused where the engine is ours; a call nobody imitates is named and counted."""
    from botocore.exceptions import ClientError

    with emulator(tmp_path) as running:
        for service, call in (
            ("ecs", "list_clusters"),
            ("cloudformation", "list_stacks"),
            ("rds", "describe_db_instances"),
        ):
            with pytest.raises(ClientError, match="lives in eu-west-1") as caught:
                getattr(running.client(service, "us-east-1"), call)()
            assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
        assert running.client("sqs", "us-east-1").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
        with pytest.raises(ClientError, match="does not imitate") as caught:
            running.client("codebuild").list_fleets()
        assert caught.value.response["Error"]["Code"] == "NotImplemented"
        with pytest.raises(ClientError, match="does not imitate"):
            running.client("cloudformation").list_stack_sets()
        unknown = page(running.info, "status")["unknown_calls"]
        assert set(unknown) == {"codebuild.ListFleets", "cloudformation.ListStackSets"}
        ran = subprocess.run(
            [sys.executable, "-m", "awscli", "sts", "get-caller-identity"],
            env=environment(running.info),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert json.loads(ran.stdout)["Account"] == "123456789012", ran.stderr
