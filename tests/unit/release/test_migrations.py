"""A release that looks at its migrations: refused before anything is changed, acknowledged, or let pass."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.aws.ssm import Ssm
from seatrial.cli import main
from seatrial.images.source import File, Source
from seatrial.project.migrations.ask import NoAnswer, answered
from seatrial.project.migrations.fingerprint import fingerprint
from seatrial.project.migrations.operations import read
from seatrial.project.migrations.verdict import Circumstances, judge
from seatrial.release import api, migrations
from seatrial.release import facts as facts_
from seatrial.release.context import Context
from seatrial.release.interrupt import Interrupt
from seatrial.release.migrations import Checked
from seatrial.release.record import Records
from tests.unit.release.support import NEW, OLD, TOML, FakeAws, FakeClock, settings_of

if TYPE_CHECKING:
    from seatrial.release.outcome import Outcome
    from seatrial.release.watch import ReleaseEvent

TEXT = {"many": False, "column": "old", "type": "text"}
PART = {"name": "Part", "table": "stock_part", "real": True, "through": []}
REMOVE = {
    "kind": "RemoveField", "class": "RemoveField", "bases": ["RemoveField", "Operation"], "reversible": True,
    "old": PART, "new": PART, "model": "Part", "field": "old", "before": TEXT, "after": None, "part": None,
}  # fmt: skip
NAME = "stock.0007_drop:RemoveField stock.Part.old"
ANSWER = {
    "django": "5.2",
    "vendor": "postgresql",
    "database": {"version": 180001, "applied": [["stock", "0006"]], "tables": {"stock_part": [9, 8192]}},
    "problem": None,
    "leaves": {"stock": "0007_drop"},
    "serving": {"stock_part": ["id", "old"]},
    "migrations": [{"app": "stock", "name": "0007_drop", "atomic": True, "operations": [REMOVE]}],
}


def lines(answer: dict[str, Any]) -> list[str]:
    text = base64.b64encode(zlib.compress(json.dumps(answer).encode())).decode()
    parts = [text[:100], text[100:]]
    return ["settings say hello", *(f"seatrial-migrations {n}/2 {part}" for n, part in enumerate(parts, 1))]


class Asked(FakeAws):
    """Its tasks answer what is asked of their migrations."""

    log: list[str]

    def _get_log_events(self, logStreamName: str, **_: Any) -> dict[str, Any]:  # noqa: ARG002, N803 - AWS's name
        asked = self.called("RunTask")[-1].get("overrides", {}).get("containerOverrides")
        if not asked or "nextToken" in _:
            return {"events": [], "nextForwardToken": "f"}
        at = int(self.clock.now().timestamp() * 1000)
        return {"events": [{"timestamp": at, "message": each} for each in self.log], "nextForwardToken": "f"}


class World:
    def __init__(self, more: str = "", *, running: bool = True) -> None:
        self.settings = settings_of(TOML + "[database]\n" + more)
        self.clock = FakeClock()
        self.aws = Asked(self.settings, self.clock, running=running)
        self.aws.log = lines(ANSWER)
        self.events: list[ReleaseEvent] = []

    def deploy(self) -> Outcome:
        return api.deploy(self.settings, Path(), self.aws, image=NEW, on_event=self.events.append, clock=self.clock)

    @property
    def records(self) -> Records:
        return Records(Ssm(self.aws), "/shop/production")


def test_a_contract_is_refused_before_a_gate_or_a_service_is_touched() -> None:
    world = World()
    outcome = world.deploy()
    assert (outcome.result, outcome.exit_code) == ("refused", 2)
    assert NAME in outcome.message
    assert "migrations.acknowledged" in (outcome.hint or "")
    assert any("way out" in line for line in outcome.details)
    assert [each.kind for each in outcome.steps] == ["verify", "register", "migrations"]
    assert world.aws.called("UpdateService") == []
    assert len(world.aws.called("RunTask")) == 1
    assert "/shop/production/lock" not in world.aws.parameters
    assert next(world.records.newest_first()).ending == "refused"


@pytest.mark.parametrize(
    "more",
    [
        f'[migrations]\nacknowledged = ["{NAME}"]\n',
        "[migrations.maintenance]\nfrom = 2025-12-31T23:00:00Z\nuntil = 2026-01-01T01:00:00Z\n",
        "[environments.production.migrations.maintenance]\nfrom = 2025-12-31T23:00:00Z\nuntil = 2026-01-02T01:00:00Z\n",
    ],
)
def test_what_is_acknowledged_or_in_a_window_is_released(more: str) -> None:
    world = World(more)
    outcome = world.deploy()
    assert (outcome.result, outcome.exit_code) == ("released", 0)
    record = world.records.serving()
    assert record is not None
    assert record.migrations == {"stock": "0007_drop"}


def test_what_the_verdict_rests_on_is_said() -> None:
    for change, said in (
        ({}, "by PostgreSQL 18"),
        ({"vendor": "sqlite"}, "the database is sqlite"),
        ({"database": None, "problem": "OperationalError: refused"}, "could not be asked (OperationalError: refused)"),
    ):
        world = World(f'[migrations]\nacknowledged = ["{NAME}"]\n')
        world.aws.log = lines({**ANSWER, **change})
        world.deploy()
        assert any(said in each.line() for each in world.events), said


def test_a_window_that_is_over_allows_nothing() -> None:
    window = "[migrations.maintenance]\nfrom = 2025-12-31T22:00:00Z\nuntil = 2025-12-31T23:00:00Z\n"
    assert World(window).deploy().result == "refused"


def test_where_nothing_serves_nothing_can_break() -> None:
    outcome = World(running=False).deploy()
    assert outcome.result == "released"
    assert "migrations" not in [each.kind for each in outcome.steps]


def test_a_rollback_records_the_migrations_of_what_it_put_back() -> None:
    world = World()
    world.aws.log = lines({**ANSWER, "migrations": [], "leaves": {"stock": "0006"}})
    world.deploy()
    world.aws.log = lines({**ANSWER, "migrations": [], "leaves": {"stock": "0007_drop"}})
    api.deploy(world.settings, Path(), world.aws, image=OLD, clock=world.clock)
    assert api.rollback(world.settings, Path(), world.aws, clock=world.clock).result == "released"
    assert [each.migrations["stock"] for each in world.records.newest_first()] == ["0006", "0007_drop", "0006"]


def test_a_check_that_is_switched_off_asks_nothing() -> None:
    outcome = World("[migrations]\ncheck = false\n").deploy()
    assert "migrations" not in [each.kind for each in outcome.steps]


def test_a_project_that_does_not_answer_is_released_and_that_is_said() -> None:
    world = World()
    world.aws.log = ["ModuleNotFoundError: No module named 'django'"]
    outcome = world.deploy()
    assert outcome.result == "released"
    (step,) = (each for each in outcome.steps if each.kind == "migrations")
    assert step.result.startswith("not known: ")
    assert "No module named 'django'" in step.result


def test_the_task_that_asks_is_in_the_permissions_and_in_the_plan() -> None:
    world = World()
    proposal = api.plan(world.settings, Path(), world.aws, image=NEW)
    assert "check the pending migrations" in [each.title for each in proposal.plan.steps]
    assert proposal.verdict is None
    (asks,) = {each.resources for each in proposal.permissions if "ecs:RunTask" in each.actions}
    assert asks[0].endswith(":task-definition/shop-production-migrate:*")


def test_plan_prints_the_findings_and_ends_as_deploy_would(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    verdict = judge(read(ANSWER["migrations"]), Circumstances())  # type: ignore[arg-type] # a list
    proposal = api.plan(world.settings, Path(), world.aws, image=NEW)
    refused = replace(proposal, migrations=Checked(verdict))
    monkeypatch.setattr("seatrial.cli.releasing.opened", lambda *_: (world.settings, Path(), world.aws))
    monkeypatch.setattr("seatrial.release.plan", lambda *_, **__: refused)
    for options in ([], ["--json"]):
        with pytest.raises(SystemExit) as ended:
            main(["plan", "production", *options])
        assert ended.value.code == 2
        assert NAME in capsys.readouterr().out
    monkeypatch.setattr("seatrial.release.plan", lambda *_, **__: proposal)
    with pytest.raises(SystemExit) as ended:
        main(["plan", "production"])
    assert not ended.value.code
    assert "not known yet: only the image is known" in capsys.readouterr().out


def test_an_answer_that_lost_a_line_is_none() -> None:
    with pytest.raises(NoAnswer, match="settings say hello"):
        answered(lines(ANSWER)[:-1])
    assert answered(lines(ANSWER)).leaves == {"stock": "0007_drop"}


def test_nobody_is_asked_where_nothing_that_decides_about_migrations_changed() -> None:
    world = World()
    source = Source("new", {"stock/migrations/0001_initial.py": File(b"class Migration: ..."), "a.py": File(b"1")})
    files = {name: file.content for name, file in source.files.items()}
    world.aws.log = lines(ANSWER | {"migrations": []})
    assert world.deploy().ok
    serving = world.records.serving()
    assert serving is not None
    world.records.close(replace(serving, migration_files=fingerprint(files, world.settings.environment)))
    asked = len(world.aws.called("RunTask"))

    def check(source: Source) -> Checked:
        facts = facts_.gather(world.settings, world.aws)
        context = Context.of(
            world.aws, facts.stack.cluster, emit=world.events.append, clock=world.clock, interrupt=Interrupt()
        )
        return migrations.check(world.settings, Path("/nowhere"), facts, source, context)

    same = check(Source("newer", {**source.files, "a.py": File(b"2")}))
    assert same.verdict is not None
    assert same.verdict.notes == ("nothing that decides about migrations changed since release 1",)
    assert same.leaves == serving.migrations
    other = check(Source("newer", {**source.files, "stock/migrations/0002_more.py": File(b"")}))
    assert (other.verdict, other.why) == (None, "there is no interpreter with the project's packages here")
    assert len(world.aws.called("RunTask")) == asked
