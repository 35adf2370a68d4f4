"""Releases by CodeDeploy, on a real emulator, with the infrastructure that ``infra apply`` makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.aws.clock import SystemClock
from seatrial.infra import apply
from seatrial.release.status import status
from seatrial.release.watch import DeploymentChanged, SmokeChecked
from tests.functional.emulator_support import Running, emulator
from tests.functional.release_support import TOML, Place, project
from tests.functional.test_release_shifting import Asking

if TYPE_CHECKING:
    from collections.abc import Iterator

SCALE = 0.02
STRATEGY = 'strategy = { type = "codedeploy", wait = "2m", test_port = 9443 }\n'
SMOKE = """
[smoke.home]
path = "/home"
retries = 1
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("emulator"), time_scale=SCALE) as it:
        yield it


@pytest.fixture(scope="module")
def made(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place that is made, and nothing was released to."""
    root = tmp_path_factory.mktemp("shop") / "project"
    settings, aws = project(root, running.info.endpoint, TOML.format(app="shop") + STRATEGY + SMOKE)
    return Place(root, aws, settings, apply(settings, aws).outputs["Url"])


@pytest.fixture(scope="module")
def shop(made: Place) -> Place:
    """The place when version one serves."""
    made.events.clear()
    made.commit("one")
    outcome = made.deploy()
    assert outcome.exit_code == 0, outcome
    return made


def stages(it: Place) -> list[str]:
    told = [e.stage for e in it.events if isinstance(e, DeploymentChanged) and e.unit == "web" and e.stage]
    return list(dict.fromkeys(told))


def test_a_first_release_that_fails_a_check_leaves_nothing_running(made: Place) -> None:
    made.commit("zero", home=500)
    outcome = made.deploy()
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back"), outcome
    assert "nothing was serving before, and nothing is now" in outcome.message
    assert made.desired() == {"web": 0, "worker": 0}
    assert not made.locked


def test_the_first_release_is_tested_and_serves(shop: Place) -> None:
    assert shop.answer() == "one"
    assert [e.check for e in shop.events if isinstance(e, SmokeChecked)] == ["home"]
    assert shop.desired() == {"web": 1, "worker": 1}


def test_a_good_release_goes_through_the_events_and_loses_no_request(shop: Place) -> None:
    shop.events.clear()
    shop.commit("two")
    with Asking(shop.url) as asking:
        outcome = shop.deploy()
    assert (outcome.exit_code, shop.answer()) == (0, "two"), outcome
    assert [s for s in stages(shop) if s in ("Install", "READY_WAIT", "TERMINATION_WAIT")] == [
        "Install", "READY_WAIT", "TERMINATION_WAIT",
    ]  # fmt: skip
    assert set(asking.answers) == {"one", "two"}
    assert asking.answers == sorted(asking.answers)  # all at once, and not back
    record = next(shop.records.newest_first())
    assert (record.ending, record.revisions["web"]) == ("released", outcome.revisions["web"])
    web = status(shop.settings, shop.aws, SystemClock()).services[0]
    assert (web.rollout, [each.traffic for each in web.runs], web.drift) == ("COMPLETED", [1.0], ())


def test_a_version_that_fails_a_check_is_never_seen_and_the_check_is_the_cause(shop: Place) -> None:
    live, before = shop.answer(), shop.revisions()
    shop.commit("sour", home=500)
    with Asking(shop.url) as asking:
        outcome = shop.deploy()
    assert (outcome.exit_code, outcome.failed) == (1, "roll out web"), outcome
    assert outcome.message.startswith("a smoke check failed: home: GET /home answered 500, not 200; the version before")
    assert (outcome.causes[0].rule, "> sour" in outcome.details) == ("smoke-check", True)
    assert set(asking.answers) == {live}
    assert shop.revisions() == before
    assert not shop.locked


def test_a_version_that_never_becomes_healthy_is_given_up(shop: Place) -> None:
    live = shop.answer()
    shop.events.clear()
    shop.commit("ill", web=503)
    outcome = shop.deploy()
    assert (outcome.exit_code, shop.answer()) == (1, live), outcome
    assert "not-ready" in [each.rule for each in outcome.causes]
    assert not [e for e in shop.events if isinstance(e, SmokeChecked)]


def test_a_worker_that_cannot_start_takes_the_traffic_back(shop: Place) -> None:
    live = shop.answer()
    shop.commit("workless", worker="exits")
    outcome = shop.deploy()
    assert (outcome.exit_code, outcome.failed, shop.answer()) == (1, "roll out worker", live), outcome


def test_back_to_the_release_before(shop: Place) -> None:
    shop.commit("three")
    assert shop.deploy().exit_code == 0
    shop.events.clear()
    outcome = shop.rollback()
    assert (outcome.exit_code, shop.answer()) == (0, "two"), outcome
    assert not [e for e in shop.events if isinstance(e, SmokeChecked)]
