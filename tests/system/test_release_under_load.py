"""Version two over version one while users keep asking: nobody notices."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from tests.functional.emulator.runtime.engine import base_image, engine
from tests.system.stage import Stage, failures, raised, until

if TYPE_CHECKING:
    from collections.abc import Callable

REQUESTS = 10_000


def test_no_request_fails_over_processes(released: Stage, tmp_path: Path) -> None:
    release_under_load(released, tmp_path)


@pytest.mark.timeout(900)  # the first run makes a base image from Debian's packages and installs into it
def test_no_request_fails_over_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine() as url:
        monkeypatch.setenv("DOCKER_HOST", url)
        with contextlib.closing(docker.APIClient(base_url=url)) as api:
            base = base_image(api)
        with raised(tmp_path, "docker", base_image=base) as stage:
            assert stage.deploy().ok
            release_under_load(stage, tmp_path)


def release_under_load(stage: Stage, tmp_path: Path) -> None:
    before = stage.ecs.services(["web"])["web"].task_definition
    with stage.edited(), stage.load(tmp_path / "samples", rate=250) as load:
        until(load, 500)
        (stage.project / "version.txt").write_text("two\n")
        outcome = stage.deploy()
        assert outcome.result == "released", outcome
        until(load, REQUESTS)
        load.stop()
    samples = load.samples()
    assert len(samples) >= REQUESTS
    assert failures(samples) == []
    for client in ("keep-alive", "connection"):
        assert sum(sample.client == client for sample in samples) >= REQUESTS * 0.45
    answered = {sample.target for sample in samples}
    assert len(answered) >= 4, "two tasks of each version answered"
    assert stage.ecs.services(["web"])["web"].task_definition != before


def test_tasks_stopped_at_random_are_not_noticed(released: Stage, tmp_path: Path) -> None:
    """StopTask drains first, and the scheduler replaces what it took: users see nothing as long as one other serves."""
    chance = random.Random(7)
    stopped: set[str] = set()

    def stop_one() -> None:
        serving = [task for task in released.ecs.tasks_of("web") if task.address in released.healthy_addresses()]
        going = [task for task in serving if task.desired_status == "RUNNING"]
        if len(going) >= 2 and len(stopped) < 4:
            task = chance.choice(going)
            stopped.add(task.id)
            released.ecs.stop_task(task.arn, "stopped by a test")

    disturbed(released, tmp_path, stop_one)
    assert stopped


def test_new_tasks_killed_while_they_start_are_not_noticed(released: Stage, tmp_path: Path) -> None:
    """A task that dies before it is healthy never had traffic; ECS starts another."""
    live = released.ecs.services(["web"])["web"].task_definition
    killed: set[str] = set()

    def kill_a_starting_one() -> None:
        for task in released.ecs.tasks_of("web"):
            new = task.task_definition != live and task.status == "RUNNING"
            if new and task.id not in killed and len(killed) < 2 and task.address not in released.healthy_addresses():
                killed.add(task.id)
                kill(task.id)

    disturbed(released, tmp_path, kill_a_starting_one, change=starts_slowly)
    assert killed


def test_a_serving_task_that_is_killed_costs_only_what_it_was_sent(released: Stage, tmp_path: Path) -> None:
    """Until the load balancer has noticed, requests sent to a dead task fail, as on AWS; no other does."""
    with released.load(tmp_path / "samples", rate=100) as load:
        until(load, 100)
        victim = next(task for task in released.ecs.tasks_of("web") if task.address in released.healthy_addresses())
        kill(victim.id)
        until(load, load.counts.done + 100)
        released.wait_until_whole("web")
        whole = time.time()
        until(load, load.counts.done + 100)
        load.stop()
    samples = load.samples()
    assert [sample for sample in failures(samples) if sample.at > whole] == []
    assert {sample.status for sample in failures(samples)} <= {502, 504}
    assert victim.address in {(sample.target or "").partition(":")[0] for sample in samples if not sample.failed}


def starts_slowly(stage: Stage) -> None:
    """Give a new task a few seconds in which it runs and is not healthy."""
    stage.edit("stockweb/wsgi.py", lambda text: text + "\n\nimport time\n\ntime.sleep(4)\n")


def another_version(stage: Stage) -> None:
    (stage.project / "version.txt").write_text("another\n")


def disturbed(
    stage: Stage, tmp_path: Path, disturb: Callable[[], None], change: Callable[[Stage], None] = another_version
) -> None:
    """Release under load while ``disturb`` is called again and again; nothing may fail and all must end well."""
    over = threading.Event()

    def keep_disturbing() -> None:
        while not over.wait(0.2):
            disturb()

    disturber = threading.Thread(target=keep_disturbing)
    with stage.edited(), stage.load(tmp_path / "samples", rate=100) as load:
        until(load, 100)
        change(stage)
        disturber.start()
        try:
            outcome = stage.deploy()
        finally:
            over.set()
            disturber.join()
        assert outcome.result == "released", outcome
        stage.wait_until_whole("web")
        load.stop()
    assert failures(load.samples()) == []


def kill(task: str) -> None:
    """SIGKILL the processes of a task, found by the task's id in their environment."""
    mark = f"/_seatrial/v4/{task}-".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if mark in (process / "environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
