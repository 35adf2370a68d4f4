"""Releases that shift traffic, on a real emulator, with the infrastructure that ``infra apply`` makes."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from seatrial.aws.clock import SystemClock
from seatrial.config.load import load
from seatrial.infra import apply
from seatrial.release.interrupt import Choice, Interrupt
from seatrial.release.status import status
from seatrial.release.watch import DeploymentChanged, SmokeChecked
from tests.functional.emulator.ecs.stages import archive, put_function
from tests.functional.emulator.support import Running, emulator
from tests.functional.release.support import TOML, Asking, Place, project, put_alarm

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Scaled by 0.02: a bake of four minutes takes 4.8 s, an interval of two minutes 2.4 s.
SCALE = 0.02
BLUE_GREEN = 'strategy = { type = "blue_green", bake = "1m" }\n'
CANARY = 'strategy = { type = "canary", percent = 20, interval = "2m", bake = "4m", alarms = ["errors"] }\n'
LINEAR = 'strategy = { type = "linear", percent = 25, interval = "1m", bake = "1m" }\n'
#: The function of a hook: one that says so at once.
ANSWERS = "def handler(event, context):\n    return {{'hookStatus': '{status}'}}\n"
#: One that is ready at the third call.
WARMS_UP = """
def handler(event, context):
    calls = event.get("hookDetails", {}).get("calls", 0) + 1
    if calls < 3:
        return {"hookStatus": "IN_PROGRESS", "callBackDelay": 60, "hookDetails": {"calls": calls}}
    return {"hookStatus": "SUCCEEDED"}
"""
SMOKE = f"""
[smoke.home]
path = "/home"
retries = 1
[smoke.gate]
command = ["python", "-m", "tiny.gate"]
[smoke.script]
run = ["{sys.executable}", "-c", "import os, urllib.request as u; u.urlopen(os.environ['SEATRIAL_TEST_URL'] + '/home')"]
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("emulator"), time_scale=SCALE) as it:
        yield it


@pytest.fixture(scope="module")
def made(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place that is made, and nothing was released to."""
    root = tmp_path_factory.mktemp("shop") / "project"
    function = put_function(running, "warm", ANSWERS.format(status="SUCCEEDED"))
    hook = f'[hooks.warm]\nfunction = "{function}"\nstages = ["POST_SCALE_UP"]\n'
    settings, aws = project(root, running.info.endpoint, TOML.format(app="shop") + BLUE_GREEN + SMOKE + hook)
    return Place(root, aws, settings, apply(settings, aws).outputs["Url"])


@pytest.fixture(scope="module")
def shop(made: Place) -> Place:
    """The place when version one serves, released blue/green."""
    made.events.clear()
    made.commit("one")
    outcome = made.deploy()
    assert outcome.exit_code == 0, outcome
    return made


def stages(it: Place, unit: str = "web") -> list[str]:
    told = [e.stage for e in it.events if isinstance(e, DeploymentChanged) and e.unit == unit and e.stage]
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
    assert [e.check for e in shop.events if isinstance(e, SmokeChecked)] == ["home", "gate", "script"]
    assert shop.desired() == {"web": 1, "worker": 1}


def test_a_good_release_goes_through_the_stages_and_loses_no_request(shop: Place) -> None:
    shop.events.clear()
    shop.commit("two")
    with Asking(shop.url) as asking:
        outcome = shop.deploy()
    assert (outcome.exit_code, shop.answer()) == (0, "two"), outcome
    # Stages that nothing holds may go by between two looks.
    seen = stages(shop)
    order = ["PRE_SCALE_UP", "SCALE_UP", "POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP"]
    assert [stage for stage in order if stage in seen] == [stage for stage in seen if stage in order]
    assert {"POST_TEST_TRAFFIC_SHIFT", "CLEAN_UP"} <= {*seen}
    assert set(asking.answers) == {"one", "two"}
    assert asking.answers == sorted(asking.answers)  # all at once, and not back
    checks = [e for e in shop.events if isinstance(e, SmokeChecked)]
    shifted = next(e.at for e in shop.events if isinstance(e, DeploymentChanged) and e.production == 100)
    assert [(e.check, e.ok) for e in checks] == [("home", True), ("gate", True), ("script", True)]
    assert all(e.at < shifted for e in checks)
    record = next(shop.records.newest_first())
    assert (record.ending, record.revisions["web"]) == ("released", outcome.revisions["web"])
    web = status(shop.settings, shop.aws, SystemClock()).services[0]
    assert (web.name, [each.traffic for each in web.runs], web.drift) == ("web", [1.0], ())


def test_a_version_that_fails_a_check_is_never_seen_and_the_check_is_the_cause(shop: Place) -> None:
    live, before = shop.answer(), shop.revisions()
    shop.commit("sour", home=500)
    with Asking(shop.url) as asking:
        outcome = shop.deploy()
    assert (outcome.exit_code, outcome.failed) == (1, "roll out web"), outcome
    assert outcome.message.startswith("a smoke check failed: home: GET /home answered 500, not 200; the version before")
    assert (outcome.causes[0].rule, "> sour" in outcome.details) == ("smoke-check", True)
    assert "| serving sour" in outcome.details  # the log of the new task
    assert set(asking.answers) == {live}
    assert shop.revisions() == before
    assert not shop.locked
    assert next(shop.records.newest_first()).ending == "rolled_back"


def test_a_version_that_never_becomes_healthy_gets_no_test(shop: Place) -> None:
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


def test_a_function_that_says_no_takes_the_release_back_and_is_named_with_its_stage(shop: Place) -> None:
    live = shop.answer()
    functions = shop.aws.client("lambda")
    functions.update_function_code(FunctionName="warm", ZipFile=archive(ANSWERS.format(status="FAILED")))
    shop.commit("cold")
    with Asking(shop.url) as asking:
        outcome = shop.deploy()
    functions.update_function_code(FunctionName="warm", ZipFile=archive(ANSWERS.format(status="SUCCEEDED")))
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back"), outcome
    assert outcome.message.startswith("web: hooks.warm: ")
    assert "POST_SCALE_UP lifecycle hook(s) failed" in outcome.message
    assert set(asking.answers) == {live}


def test_back_to_the_release_before(shop: Place) -> None:
    shop.commit("three")
    assert shop.deploy().exit_code == 0
    shop.events.clear()
    outcome = shop.rollback()
    assert (outcome.exit_code, shop.answer()) == (0, "two"), outcome
    assert not [e for e in shop.events if isinstance(e, SmokeChecked)]


def test_a_function_that_is_not_ready_yet_is_waited_for_and_named(shop: Place) -> None:
    functions = shop.aws.client("lambda")
    functions.update_function_code(FunctionName="warm", ZipFile=archive(WARMS_UP))
    shop.events.clear()
    shop.commit("warmed")
    with Asking(shop.url) as asking:
        outcome = shop.deploy()
    functions.update_function_code(FunctionName="warm", ZipFile=archive(ANSWERS.format(status="SUCCEEDED")))
    assert (outcome.exit_code, {*asking.answers}) == (0, {"two", "warmed"}), outcome
    waits = [e for e in shop.events if isinstance(e, DeploymentChanged) and e.asked]
    assert {(e.stage, e.asked) for e in waits} == {("POST_SCALE_UP", ("hooks.warm",))}
    assert "POST_SCALE_UP (1/1 tasks, 0 % of traffic), waits for hooks.warm" in waits[0].line()


@pytest.fixture(scope="module")
def canary(shop: Place) -> Place:
    """The same place when its strategy has been changed, and its users had nothing of it."""
    put_alarm(shop.aws, "errors")
    (shop.root / "seatrial.toml").write_text(TOML.format(app="shop") + CANARY + SMOKE)
    settings = load(shop.root / "seatrial.toml", "local")
    live = shop.answer()
    with Asking(shop.url) as asking:
        apply(settings, shop.aws)
    assert set(asking.answers) == {live}
    return replace(shop, settings=settings, events=[])


class Ring(Interrupt):
    """Sets the alarm off when the bake time has begun."""

    def __init__(self, it: Place) -> None:
        self.it = it
        self.rung = False

    def poll(self) -> Choice:
        if not self.rung and "BAKE_TIME" in stages(self.it):
            self.rung = True
            self.it.aws.client("cloudwatch").set_alarm_state(
                AlarmName="errors", StateValue="ALARM", StateReason="a test"
            )
        return Choice.GO_ON


def test_a_canary_serves_a_part_first_and_bakes(canary: Place) -> None:
    before = canary.answer()
    canary.commit("four")
    with Asking(canary.url) as asking:
        begin = time.monotonic()
        outcome = canary.deploy()
    assert (outcome.exit_code, canary.answer()) == (0, "four"), outcome
    assert time.monotonic() - begin > (240 + 120) * SCALE
    shares = [e.production for e in canary.events if isinstance(e, DeploymentChanged) and e.unit == "web"]
    assert [share for share in dict.fromkeys(shares) if share is not None] == [0.0, 20.0, 100.0]
    assert set(asking.answers) == {before, "four"}
    assert asking.answers != sorted(asking.answers)  # for a while now this one, now that one


def test_an_alarm_during_the_bake_takes_the_release_back(canary: Place) -> None:
    live, before = canary.answer(), canary.revisions()
    canary.events.clear()
    canary.commit("alarming")
    ring = Ring(canary)
    outcome = canary.deploy(interrupt=ring)
    assert ring.rung
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back"), outcome
    assert "alarm" in outcome.message
    assert "(alarms: errors)" in outcome.message
    assert (canary.answer(), canary.revisions()) == (live, before)


def test_linear_steps_go_up_and_lose_no_request(canary: Place) -> None:
    (canary.root / "seatrial.toml").write_text(TOML.format(app="shop") + LINEAR + SMOKE)
    settings = load(canary.root / "seatrial.toml", "local")
    apply(settings, canary.aws)
    linear = replace(canary, settings=settings, events=[])
    before = linear.answer()
    linear.commit("five")
    with Asking(linear.url) as asking:
        outcome = linear.deploy()
    assert (outcome.exit_code, linear.answer()) == (0, "five"), outcome
    told = [e.production for e in linear.events if isinstance(e, DeploymentChanged) and e.unit == "web"]
    shares = list(dict.fromkeys(share for share in told if share is not None))
    assert (shares[0], shares[-1]) == (0, 100)
    assert shares == sorted(shares)
    assert set(shares) <= {0, 25, 50, 75, 100}
    assert set(shares) & {25, 50, 75}
    assert set(asking.answers) == {before, "five"}  # and nothing else: no request failed
    changes = sum(one != next_ for one, next_ in pairwise(asking.answers))
    assert changes > 1  # for a while now this one, now that one
