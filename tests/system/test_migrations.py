"""Migrations under load: what is called safe costs no request, what is called unsafe is refused, and rightly so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial import release
from seatrial.aws.ssm import Ssm
from seatrial.release.migrations import check_environment
from seatrial.release.record import Records
from seatrial.stack import names
from tests.system.stage import Stage, failures, raised, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIELD = "    parent = models.ForeignKey("
MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parts", "{before}")]
    operations = [{operation}]
"""
ADD = 'migrations.AddField("parttype", "hint", models.CharField(max_length=40, null=True))'
NAME = "parts.9002_without_hint:RemoveField parts.PartType.hint"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage of its own: these releases leave the database otherwise than the next test would need it."""
    with raised(tmp_path_factory.mktemp("migrations"), "process") as it:
        assert it.deploy().ok
        yield it


def migrate(stage: Stage, name: str, before: str, operation: str) -> None:
    file = stage.project / "parts" / "migrations" / f"{name}.py"
    file.write_text(MIGRATION.format(before=before, operation=operation))


def test_safe_then_unsafe(stage: Stage, tmp_path: Path) -> None:
    # an expand: the old version serves on, and no request fails. There is no interpreter here, so a task is asked.
    latest = max(file.stem for file in (stage.project / "parts" / "migrations").glob("0*.py"))
    migrate(stage, "9001_hint", latest, ADD)
    stage.edit(
        "parts/models.py",
        lambda text: text.replace(FIELD, f"    hint = models.CharField(max_length=40, null=True)\n{FIELD}", 1),
    )
    stage.commit("hint")
    with stage.load(tmp_path / "safe", rate=50, paths=("/parts/",)) as load:
        until(load, 50)
        outcome = stage.deploy()
        load.stop()
    assert outcome.result == "released", outcome
    (step,) = (each for each in outcome.steps if each.kind == "migrations")
    assert step.result == "1 pending operation: 1 expand"
    assert failures(load.samples()) == []
    record = Records(Ssm(stage.aws), names.release_prefix(stage.settings)).serving()
    assert record is not None
    assert record.migrations["parts"] == "9001_hint"

    # a contract: refused before anything is built. Now there is an interpreter, and the live image asks the database.
    python = next((stage.project / ".seatrial").rglob("environments/*/bin/python"))
    stage.edit("seatrial.toml", lambda text: f'{text}\n[migrations]\npython = "{python}"\n')
    migrate(stage, "9002_without_hint", "9001_hint", 'migrations.RemoveField("parttype", "hint")')
    stage.edit(
        "parts/models.py", lambda text: text.replace("    hint = models.CharField(max_length=40, null=True)\n", "")
    )
    stage.commit("no hint")
    before = stage.ecs.services(["web"])["web"].task_definition
    exit_code, said = stage.told()
    assert exit_code == 2, said
    assert NAME in said
    assert "split it in two releases" in said
    assert stage.ecs.services(["web"])["web"].task_definition == before
    proposal = release.plan(stage.settings, stage.project, stage.aws)
    assert proposal.verdict is not None
    assert [each.operation.name for each in proposal.verdict.refused] == [NAME]
    assert "MiB" in str(proposal.verdict.findings[0].size)
    verdict = check_environment(stage.settings, stage.project, stage.aws, None, lambda _event: None)
    assert verdict == proposal.verdict

    # acknowledged, it is released, and the old version fails: that is what was said
    stage.edit("seatrial.toml", lambda text: f'{text}acknowledged = ["{NAME}"]\n')
    stage.commit("acknowledged")
    # each address is its own: a page that was asked for a moment ago comes from memory and not from the database
    fresh = tuple(f"/parts/?n={number}" for number in range(400))
    with stage.load(tmp_path / "unsafe", rate=50, paths=fresh) as load:
        until(load, 50)
        outcome = stage.deploy()
        load.stop()
    assert outcome.result == "released", outcome
    assert {sample.status for sample in failures(load.samples())} == {500}

    # nothing new: the record of the release is enough, and no task is run for it
    (stage.project / "version.txt").write_text("another\n")
    stage.commit("another")
    assert notes(stage) == ("nothing that decides about migrations changed since release 3",)
    stage.edit("stockweb/settings.py", lambda text: f"{text}# another\n")
    stage.commit("other settings")
    assert "no migration is new since release 3" in notes(stage)


def notes(stage: Stage) -> tuple[str, ...]:
    """Return what the verdict on no pending migration rests on."""
    verdict = release.plan(stage.settings, stage.project, stage.aws).verdict
    assert verdict is not None
    assert verdict.findings == ()
    return verdict.notes
