"""The log of a release and its history, over a scripted AWS."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from seatrial.errors import UsageError
from seatrial.release import api
from seatrial.release.journal.events import COMMON, FIELDS, SCHEMA
from seatrial.release.journal.history import OPEN, as_text, entry
from seatrial.release.watch import Note, ReleaseEvent
from tests.unit.release.support import NEW, FakeAws, FakeClock, settings_of

ROOT = Path(__file__).parents[3]
LOG = "releases/production/000001.jsonl"


class World:
    def __init__(self) -> None:
        self.settings = settings_of()
        self.clock = FakeClock()
        self.aws = FakeAws(self.settings, self.clock)
        self.events: list[ReleaseEvent] = []

    def deploy(self, **options: Any) -> Any:
        return api.deploy(
            self.settings, Path(), self.aws, image=NEW, on_event=self.events.append, clock=self.clock, **options
        )

    def log(self, key: str = LOG) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.aws.objects[key].splitlines()]

    def notes(self) -> list[str]:
        return [each.text for each in self.events if isinstance(each, Note)]


@pytest.fixture
def world() -> World:
    return World()


def test_a_release_is_logged_from_its_start_to_its_end(world: World) -> None:
    outcome = world.deploy()
    documents = world.log()
    assert [each["event"] for each in documents if each["event"] != "deployment_changed"] == [
        "release_started", *["step_finished"] * len(outcome.steps), "release_finished",
    ]  # fmt: skip
    assert [each["step"] for each in documents if each["event"] == "step_finished"] == [s.step for s in outcome.steps]
    for each in documents:
        assert tuple(each) == (*COMMON, *FIELDS[each["event"]])
        assert (each["schema"], each["app"], each["environment"]) == (SCHEMA, "shop", "production")
        assert (each["release"], each["verb"], each["version"]) == (1, "deploy", "new")
    assert documents[0]["by"].endswith("user/someone")
    assert (documents[-1]["result"], documents[-1]["digest"]) == ("released", NEW)
    bucket = world.aws.called("PutObject")[0]["Bucket"]
    assert bucket == "shop-artifacts-123456789012-eu-west-1"
    needed = [
        resource
        for each in api.plan(world.settings, Path(), world.aws, image=NEW).permissions
        if "s3:PutObject" in each.actions
        for resource in each.resources
    ]
    assert needed == [f"arn:aws:s3:::{bucket}/releases/production/*"]


def test_the_log_of_a_release_that_was_killed_ends_where_it_was(world: World) -> None:
    class Killed(BaseException):
        pass

    def killed() -> None:
        raise Killed

    world.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS", "IN_PROGRESS"]
    world.clock.at_sleep.append(killed)
    with pytest.raises(Killed):
        world.deploy()
    found = entry(world.log())
    assert (found.result, found.seconds) == (OPEN, None)
    assert [each["event"] for each in found.events][:2] == ["release_started", "step_finished"]


def test_a_release_that_fails_is_logged_with_its_step_and_its_message(world: World) -> None:
    world.aws.gate = 3
    outcome = world.deploy()
    last = world.log()[-1]
    assert (last["result"], last["exit_code"]) == ("rolled_back", 1)
    assert last["failed_step"] == outcome.failed == "run migrate, which must exit 0"
    assert last["message"] == outcome.message


def test_a_request_that_is_refused_leaves_no_log(world: World) -> None:
    with pytest.raises(UsageError):
        world.deploy(confirm=lambda _: False)
    assert world.aws.objects == {}


def test_a_log_that_cannot_be_written_is_told_once_and_fails_nothing(world: World) -> None:
    world.aws.broken["PutObject"] = ("NoSuchBucket", lambda _: True)
    assert world.deploy().exit_code == 0
    assert len(world.aws.called("PutObject")) == 1
    assert [text for text in world.notes() if "is not kept in shop-artifacts-123456789012-eu-west-1" in text]


def test_history_as_a_table(world: World) -> None:
    world.deploy()
    world.aws.gate = 1
    world.deploy(take_over=True)
    text = as_text([entry(world.log("releases/production/000002.jsonl")), entry(world.log())])
    head, second, first = text.splitlines()
    assert head.split() == ["ENVIRONMENT", "RELEASE", "WHEN", "(UTC)", "WHAT", "VERSION", "SECONDS", "ENDED", "BY"]
    assert re.match(r"production +2 .* deploy +new +\d+ +rolled_back +user/someone", second)
    assert " released " in first
    assert as_text([]) == "no release is logged yet"


def test_the_documentation_has_every_field() -> None:
    page = (ROOT / "docs" / "releases.md").read_text()
    for event, fields in FIELDS.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{event}` |"))
        assert tuple(re.findall(r"`(\w+)`", row)) == (event, *fields)
    common = page[page.index("Every line has") : page.index("The schema's number")]
    assert set(COMMON) <= set(re.findall(r"`(\w+)`", common))
    assert f"`schema` ({SCHEMA})" in common
