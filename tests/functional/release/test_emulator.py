"""Releases of a small project on a real emulator: what users get while they go well, fail or are turned back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.aws.clock import SystemClock
from seatrial.aws.ecs import Ecs
from seatrial.errors import UsageError
from seatrial.release import logs, oneoff
from seatrial.release.interrupt import Choice, Interrupt
from seatrial.release.revisions import writable
from seatrial.release.status import as_text, status
from seatrial.release.watch import DeploymentChanged, TaskChanged, TaskLogged
from tests.functional.emulator.support import Running, emulator
from tests.functional.release.support import Place, git, place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("emulator"), time_scale=0.02) as it:
        yield it


@pytest.fixture(scope="module")
def shop(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place where version one serves."""
    it = place(tmp_path_factory.mktemp("shop") / "project", running.info.endpoint, "shop")
    it.commit("one")
    assert it.deploy().exit_code == 0
    return it


def test_first_release_then_the_next_then_back(running: Running, tmp_path: Path) -> None:
    it = place(tmp_path / "project", running.info.endpoint, "first")
    it.commit("one")
    first = it.deploy()
    assert (first.exit_code, first.number) == (0, 1)
    assert first.version == git(it.root, "rev-parse", "HEAD")[:12]
    assert it.answer() == "one"
    assert it.desired() == {"web": 1, "worker": 1}
    assert "migrating ok" in [each.text for each in it.events if isinstance(each, TaskLogged)]

    it.commit("two")
    second = it.deploy()
    assert (second.exit_code, it.answer()) == (0, "two")
    told = [each for each in it.events if isinstance(each, TaskChanged)]
    assert any(each.unit == "web" and each.address and each.health == "healthy" for each in told)
    assert any(isinstance(each, DeploymentChanged) and each.status == "SUCCESSFUL" for each in it.events)

    again = it.deploy()
    assert (again.exit_code, again.revisions) == (0, second.revisions)
    assert "build" not in [each.kind for each in again.steps]

    back = it.rollback()
    assert (back.exit_code, back.version, it.answer()) == (0, first.version, "one")
    assert [(each.number, each.ending) for each in it.records.newest_first()] == [
        (4, "released"), (3, "released"), (2, "released"), (1, "released"),
    ]  # fmt: skip
    assert it.rollback(to=2).version == second.version
    assert it.answer() == "two"
    assert not it.locked


def test_a_given_revision_is_released_whatever_the_working_tree_is(shop: Place) -> None:
    live = shop.answer()
    (shop.root / "tiny" / "mode.py").write_text("VERSION = 'dirty'\nWEB = WORKER = GATE = 'ok'\n")
    try:
        outcome = shop.deploy(revision="HEAD")
    finally:
        git(shop.root, "checkout", "-q", ".")
    assert outcome.exit_code == 0
    assert shop.answer() == live


@pytest.mark.parametrize(
    ("mode", "failed", "cause"),
    [
        ({"gate": "raises"}, "run migrate, which must exit 0", "database-error"),
        ({"gate": "hangs"}, "run migrate, which must exit 0", "migrate did not end within 4 s"),
        ({"web": "exits"}, "roll out web", "missing-module"),
        ({"web": 503}, "roll out web", "not-ready"),
        ({"web": 400}, "roll out web", "disallowed-host"),
        ({"web": 301}, "roll out web", "redirected"),
        ({"worker": "exits"}, "roll out worker", "missing-variable"),
    ],
    ids=str,
)
def test_a_release_that_fails_says_why_and_leaves_the_old_version_serving(
    shop: Place, mode: dict[str, Any], failed: str, cause: str
) -> None:
    before, live = shop.revisions(), shop.answer()
    shop.commit("broken", **mode)
    outcome = shop.deploy()
    assert (outcome.exit_code, outcome.failed) == (1, failed), outcome
    assert cause in [each.rule for each in outcome.causes] or cause in outcome.message, outcome
    assert shop.revisions() == before
    assert shop.answer() == live
    assert not shop.locked
    assert next(shop.records.newest_first()).ending == "rolled_back"


def test_an_image_that_does_not_exist(shop: Place) -> None:
    live = shop.answer()
    with pytest.raises(UsageError, match="has no image sha256:00"):
        shop.deploy(image="sha256:" + "0" * 64)
    assert shop.answer() == live
    assert not shop.locked


def test_a_first_release_that_fails_leaves_nothing_running(running: Running, tmp_path: Path) -> None:
    missing = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nobody-made-it-abcdef"
    it = place(tmp_path / "project", running.info.endpoint, "never", secret=missing)
    it.commit("one")
    outcome = it.deploy()
    assert outcome.exit_code == 1, outcome
    assert "secret" in [each.rule for each in outcome.causes], outcome
    assert "nothing was serving before, and nothing is now" in outcome.message
    assert it.desired() == {"web": 0, "worker": 0}


class At(Interrupt):
    """Chooses when the first task of the new web runs."""

    def __init__(self, it: Place, choice: Choice) -> None:
        self.it = it
        self.choice = choice
        self.done = False

    def poll(self) -> Choice:
        started = any(isinstance(e, DeploymentChanged) and e.unit == "web" for e in self.it.events)
        if self.done or not started:
            return Choice.GO_ON
        self.done = True
        return self.choice


def test_turned_back_while_services_change(shop: Place) -> None:
    live = shop.answer()
    shop.events.clear()
    shop.commit("turned back")
    outcome = shop.deploy(interrupt=At(shop, Choice.ROLL_BACK))
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back"), outcome
    assert shop.answer() == live
    assert not shop.locked


def test_status_logs_and_run_on_what_is_live(shop: Place) -> None:
    now = status(shop.settings, shop.aws, SystemClock())
    assert all(each.good for each in now.services), as_text(now)
    assert now.serving is not None
    assert {each.version for each in now.services} == {now.serving.version}
    assert "healthy" in as_text(now)
    runs = {each.name: [(run.tasks, run.traffic) for run in each.runs] for each in now.services}
    assert runs == {"web": [(1, 1.0)], "worker": [(1, None)]}
    assert not any(each.drift for each in now.services)
    json.dumps(now.to_json())
    found = [
        each.text
        for each in logs.lines(shop.settings, shop.aws, "web", seconds=3600, follow=False, clock=SystemClock())
    ]
    assert any(line.startswith("serving") for line in found)
    said: list[str] = []

    def hear(event: object) -> None:
        if isinstance(event, TaskLogged):
            said.append(event.text)

    assert oneoff.run(shop.settings, shop.aws, task="migrate", on_event=hear).exit_code == 0
    assert said == ["migrating ok"]
    ended = oneoff.run(
        shop.settings, shop.aws, command=["python", "-c", "print('here'); raise SystemExit(7)"], on_event=hear
    )
    assert ended.exit_code == 7
    assert said[-1] == "here"


def test_drift_is_shown_and_watched_until_ctrl_c(shop: Place) -> None:
    watching = seatrial(shop, "status", "local", "--watch")
    assert watching.stdout is not None
    first = [watching.stdout.readline() for _ in range(4)]
    assert first[0].startswith("web: ")
    assert first[3] == "nobody is releasing\n"
    ecs = shop.aws.client("ecs")
    definition = Ecs(shop.aws, "shop-local").task_definition("shop-local-worker")
    ecs.register_task_definition(**writable(definition.document))
    ecs.update_service(cluster="shop-local", service="worker", taskDefinition="shop-local-worker")
    for line in watching.stdout:
        if "drift" in line:
            break
    else:
        pytest.fail("no drift was told")
    assert line.startswith("worker: ")
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=30)
    assert (watching.returncode, err) == (0, "")
    serving = shop.records.serving()
    assert serving is not None
    ecs.update_service(cluster="shop-local", service="worker", taskDefinition=serving.revisions["worker"])
    ecs.raw.get_waiter("services_stable").wait(
        cluster="shop-local", services=["worker"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def test_the_command_line_ends_with_one_json_document(shop: Place) -> None:
    done = seatrial(shop, "deploy", "local", "--json", "--revision", "HEAD")
    out, err = done.communicate(timeout=120)
    document = json.loads(out)
    assert (done.returncode, document["result"]) == (document["exit_code"], document["result"]), err
    assert document["steps"]
    assert "[1/" in err


def test_sigterm_turns_the_release_back_and_gives_the_lock_back(shop: Place) -> None:
    live = shop.answer()
    shop.commit("terminated", gate="hangs")
    running = seatrial(shop, "deploy", "local", "--json")
    assert running.stderr is not None
    for line in running.stderr:
        if "migrating" in line:
            break
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=120)
    assert (running.returncode, bool(out)) == (1, True), err
    assert json.loads(out)["result"] == "rolled_back"
    assert not shop.locked
    assert shop.answer() == live


def seatrial(it: Place, *arguments: str) -> subprocess.Popen[str]:
    assert it.aws.endpoint is not None
    # A shell's background jobs ignore Ctrl-C, and what they start inherits that.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    return subprocess.Popen(
        [sys.executable, "-c", f"{heeding}; from seatrial.cli import main; main()", *arguments],
        cwd=it.root,
        env={**os.environ, "AWS_ENDPOINT_URL": it.aws.endpoint},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_unknown_task_is_named_with_the_known_ones(shop: Place) -> None:
    with pytest.raises(UsageError, match=r"no task or job called migrat \(known: migrate\)"):
        oneoff.run(shop.settings, shop.aws, task="migrat", on_event=shop.events.append)
