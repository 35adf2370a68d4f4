"""Going back while the tasks of before still run, on a real emulator: from releases that nobody saw to their end."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.aws.ecs import Ecs
from seatrial.errors import UsageError
from seatrial.infra import apply
from seatrial.release.interrupt import Choice, Interrupt
from seatrial.release.watch import DeploymentChanged, StepStarted
from seatrial.stack import names
from tests.functional.emulator.support import Running, emulator, eventually
from tests.functional.release.support import TOML, Asking, Place, place, project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seatrial.release.outcome import Outcome
    from seatrial.release.watch import ReleaseEvent

SMOKE = '[smoke.home]\npath = "/home"\nretries = 1\n'
BLUE_GREEN = 'strategy = { type = "blue_green", bake = "1m" }\n'


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("emulator"), time_scale=0.02) as it:
        yield it


@pytest.fixture(scope="module")
def shop(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Version one serves, released blue/green; from now on a bake time lasts."""
    root = tmp_path_factory.mktemp("shop") / "project"
    settings, aws = project(root, running.info.endpoint, TOML.format(app="shop") + BLUE_GREEN + SMOKE)
    it = Place(root, aws, settings, apply(settings, aws).outputs["Url"])
    it.commit("one")
    assert it.deploy().exit_code == 0
    bakes_for(it, minutes=600)
    return it


def bakes_for(it: Place, *, minutes: int) -> None:
    """Set the bake time of the web service: for so long, scaled, nobody waits. It starts no deployment."""
    ecs, cluster = it.aws.client("ecs"), names.cluster(it.settings)
    service = ecs.describe_services(cluster=cluster, services=["web"])["services"][0]
    configuration = service["deploymentConfiguration"] | {"bakeTimeInMinutes": minutes}
    ecs.update_service(cluster=cluster, service="web", deploymentConfiguration=configuration)


class LeavesAlone(Interrupt):
    """Stops watching at the first look at which something was told."""

    def __init__(self, it: Place, told: Callable[[ReleaseEvent], bool]) -> None:
        self.it = it
        self.told = told

    def poll(self) -> Choice:
        return Choice.STOP_WATCHING if any(map(self.told, self.it.events)) else Choice.GO_ON


def deployments(it: Place, unit: str = "web") -> list[dict[str, Any]]:
    """Return the service deployments of a service, newest first."""
    answer = it.aws.client("ecs").list_service_deployments(cluster=names.cluster(it.settings), service=unit)
    found: list[dict[str, Any]] = answer["serviceDeployments"]
    return found


def stage(it: Place, unit: str = "web") -> str | None:
    newest = deployments(it, unit)[0]["serviceDeploymentArn"]
    return Ecs(it.aws, names.cluster(it.settings)).describe_deployments([newest])[newest].stage


def went_back_by_ecs(it: Place, before: list[dict[str, Any]], unit: str = "web") -> bool:
    """Whether the newest deployment was rolled back, and no other made."""
    now = deployments(it, unit)
    same = [each["serviceDeploymentArn"] for each in now] == [each["serviceDeploymentArn"] for each in before]
    return same and now[0]["status"] == "ROLLBACK_SUCCESSFUL"


def is_back(it: Place, outcome: Outcome, revisions: dict[str, str]) -> bool:
    record = next(it.records.newest_first())
    return (outcome.exit_code, it.revisions(), record.ending, it.locked) == (0, revisions, "released", False)


def test_a_version_that_users_have_not_seen_is_taken_away_again(shop: Place) -> None:
    live, workers = shop.revisions(), deployments(shop, "worker")
    shop.events.clear()
    shop.commit("held")
    tested = LeavesAlone(shop, lambda e: isinstance(e, DeploymentChanged) and e.stage == "POST_TEST_TRAFFIC_SHIFT")
    assert shop.deploy(interrupt=tested).result == "unwatched"
    shop.events.clear()
    under_way = deployments(shop)
    with Asking(shop.url) as asking:
        outcome = shop.rollback()
    assert is_back(shop, outcome, live), outcome
    assert went_back_by_ecs(shop, under_way)
    assert set(asking.answers) == {"one"}
    assert deployments(shop, "worker") == workers  # which were never told to change


def test_a_release_that_was_killed_goes_back_in_its_bake_time(running: Running, shop: Place) -> None:
    """The lock that it left has to be taken over. Workers that had changed go back by a deployment."""
    live, workers = shop.revisions(), deployments(shop, "worker")
    shop.commit("killed")
    run = "import sys; from seatrial.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", run, "deploy", "local", "--config", str(shop.root / "seatrial.toml")]
    environment = {**os.environ, "AWS_ENDPOINT_URL": running.info.endpoint}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
        try:
            eventually(lambda: len(deployments(shop, "worker")) > len(workers), 120)
        finally:
            killed.kill()
    assert stage(shop) == "BAKE_TIME"
    assert shop.answer() == "killed"
    with pytest.raises(UsageError, match="another release holds the lock") as refused:
        shop.rollback()
    assert "--take-over" in (refused.value.hint or "")
    shop.events.clear()
    under_way = deployments(shop)
    with Asking(shop.url) as asking:
        outcome = shop.rollback(take_over=True)
    assert is_back(shop, outcome, live), outcome
    assert went_back_by_ecs(shop, under_way)
    assert set(asking.answers) == {"killed", "one"}
    assert asking.answers == sorted(asking.answers)  # all at once, and no request failed
    rolls = [e.step for e in shop.events if isinstance(e, StepStarted) and e.step.startswith("roll out")]
    assert rolls == ["roll out web", "roll out worker"]


def test_to_another_release_than_the_one_that_still_runs_nothing_goes_fast(shop: Place) -> None:
    shop.commit("left")
    shop.events.clear()
    baking = LeavesAlone(shop, lambda e: isinstance(e, DeploymentChanged) and e.stage == "BAKE_TIME")
    assert shop.deploy(interrupt=baking).result == "unwatched"
    shop.commit("never")
    with pytest.raises(UsageError, match="in the middle of another deployment"):
        shop.deploy()
    first = next(each for each in reversed(list(shop.records.newest_first())) if each.ending == "released")
    live = shop.records.serving()
    assert live is not None
    assert live.revisions == first.revisions  # all ways back led to version one
    assert shop.rollback(to=first.number).exit_code == 0
    assert shop.answer() == "one"


@pytest.fixture(scope="module")
def kiosk(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Version one serves, released by rolling updates; its only web task is replaced by one that never gets ready."""
    it = place(tmp_path_factory.mktemp("kiosk") / "project", running.info.endpoint, "kiosk")
    it.commit("one")
    assert it.deploy().exit_code == 0
    return it


def test_a_rolling_update_under_way_is_taken_back_by_ecs(kiosk: Place) -> None:
    live = kiosk.revisions()
    kiosk.events.clear()
    kiosk.commit("ill", web=503)
    begun = LeavesAlone(kiosk, lambda e: isinstance(e, DeploymentChanged) and e.unit == "web")
    assert kiosk.deploy(interrupt=begun).result == "unwatched"
    under_way = deployments(kiosk)
    outcome = kiosk.rollback()
    assert is_back(kiosk, outcome, live), outcome
    assert went_back_by_ecs(kiosk, under_way)
    assert kiosk.answer() == "one"


def test_a_rollback_after_all_is_over_is_a_deployment(kiosk: Place, tmp_path: Path) -> None:
    kiosk.commit("two")
    assert kiosk.deploy().exit_code == 0
    before = len(deployments(kiosk))
    outcome = kiosk.rollback()
    assert (outcome.exit_code, kiosk.answer(), len(deployments(kiosk))) == (0, "one", before + 1), outcome
