"""What is promised of workers, the scheduler and websockets, while releases go on under each strategy."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.release.watch import Note
from tests.system.roles import PATIENCE, Browser, Driver, Ledger, add_ledgers, environment_of
from tests.system.stage import TIME_SCALE, Stage, raised

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.system.roles import Line

STRATEGIES = {
    "blue_green": '{ type = "blue_green", bake = 0 }',
    "canary": '{ type = "canary", percent = 50, interval = "1m", bake = 0 }',
}
BROWSERS = 3


@pytest.mark.timeout(420)
def test_roles_keep_their_promises_under_every_strategy(tmp_path: Path) -> None:
    """One stage and one stream of work for all of it: starting them costs more than what is shown."""
    with raised(tmp_path, "process") as stage, ExitStack() as stack:
        add_ledgers(stage)
        assert release(stage, "rolling 0").ok
        variables = environment_of(stage, "worker")
        ledger = Ledger(variables)
        driver = stack.enter_context(Driver(stage, variables))
        address = stage.url.replace("http", "ws") + "/ws/movements"
        browsers = [stack.enter_context(Browser(address).following()) for _ in range(BROWSERS)]
        eventually(lambda: all(each.positions for each in browsers), "the first events")

        versions = [version(stage)]
        assert release(stage, "rolling 1").ok
        versions.append(version(stage))
        for name, strategy in STRATEGIES.items():
            stage.edit("seatrial.toml", lambda text, to=strategy: with_strategy(text, to))  # type: ignore[misc]
            stage.apply()
            if name == "canary":
                both = ("long early", "long late")
                for each in both:
                    driver.tell(each.replace(" ", "_"), 1, version(stage))
                eventually(lambda: len(ledger.lines("long % starts")) >= 2, "the long tasks")
            outcome = release(stage, name)
            assert outcome.ok, outcome
            versions.append(version(stage))
        eventually(lambda: all(len(numbers) >= 15 for numbers in driver.numbers.values()), "enough tasks")
        driver.pause()

        the_workers_lost_and_doubled_nothing(driver, ledger)
        the_long_tasks_met_what_celery_promises(ledger, stage, outcome.details)
        never_two_schedulers(ledger.lines("beat %"), versions)
        nobody_missed_an_event(browsers, ledger, stage)


def release(stage: Stage, text: str) -> Any:
    (stage.project / "stockweb" / "release.txt").write_text(f"{text}\n")
    stage.commit(text)
    return stage.deploy()


def version(stage: Stage) -> str:
    return environment_of(stage, "worker")["SEATRIAL_VERSION"]


def with_strategy(text: str, strategy: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith("strategy = ")]
    return "\n".join(lines).replace('cloud = "emulator"', f'cloud = "emulator"\nstrategy = {strategy}') + "\n"


def the_workers_lost_and_doubled_nothing(driver: Driver, ledger: Ledger) -> None:
    sent = sum(map(len, driver.numbers.values()))
    eventually(lambda: len(ledger.lines("early ends") + ledger.lines("late ends")) >= sent, "all tasks")
    for kind, numbers in driver.numbers.items():
        for what in ("starts", "ends"):
            assert sorted(line.number for line in ledger.lines(f"{kind} {what}")) == numbers, (kind, what)
    assert len({line.who.split()[0] for line in ledger.lines("% ends")}) == 4  # each version did some


def the_long_tasks_met_what_celery_promises(ledger: Ledger, stage: Stage, told: Sequence[str]) -> None:
    """Killed after ``stop_timeout``: acknowledged before is lost, acknowledged late is given to another."""
    eventually(lambda: ledger.lines("long late ends"), "the long task that was given to another")
    assert len(ledger.lines("long early starts")) == 1
    assert ledger.lines("long early ends") == []
    assert len(ledger.lines("long late starts")) >= 2
    assert {line.who.split()[0] for line in ledger.lines("long late ends")} == {version(stage)}
    (line,) = (line for line in told if line.startswith("worker: "))
    assert "did not end within its stop_timeout after SIGTERM and was killed (exit code 137)" in line
    assert line in [event.text for event in stage.events if isinstance(event, Note)]


def never_two_schedulers(lines: Sequence[Line], versions: Sequence[str]) -> None:
    """The lines of one scheduler, from its beginning to its end, have none of another among them."""
    schedulers = list(dict.fromkeys(line.who for line in lines))
    assert [who.split()[0] for who in schedulers] == list(versions)
    for who in schedulers:
        own = [index for index, line in enumerate(lines) if line.who == who]
        assert own == list(range(own[0], own[-1] + 1)), lines
        said = [lines[index].what for index in own]
        assert said[0] == "beat begins"
        assert "beat ticks" in said
        assert (said[-1] == "beat ends") == (who != schedulers[-1])


def nobody_missed_an_event(browsers: Sequence[Browser], ledger: Ledger, stage: Stage) -> None:
    drained = draining_ended(stage)  # by three releases, and by ECS when `infra apply` changed the strategy
    assert len(drained) >= 3
    for browser in browsers:
        every = ledger.events(browser.started)
        eventually(lambda b=browser, last=every[-1]: b.position >= last, "the last event")  # type: ignore[misc]
        assert browser.positions == every
        # 1012 is the service's own word; the load balancer cuts without a word, and that later
        assert len(browser.closes) == len(drained), browser
        assert {each.code for each in browser.closes} <= {1006, 1012}
        for close, end in zip(browser.closes, drained, strict=True):
            assert close.at >= end


def draining_ended(stage: Stage) -> list[Any]:
    """Return when the draining of each old websocket task was over, by ECS's own events and the service's ``drain``."""
    delay = timedelta(seconds=stage.settings.services["events"].drain * TIME_SCALE)
    events = stage.ecs.services(["events"])["events"].events
    return sorted(each.at + delay for each in events if "has begun draining connections" in each.message)


def eventually(condition: Callable[[], Any], what: str) -> None:
    deadline, pause = time.monotonic() + PATIENCE, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come within {PATIENCE:g} s"
        pause.wait(0.2)
