"""Rollbacks of a Django project over a real database: what the older code cannot live with refuses them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import main
from seatrial.config.load import load
from seatrial.errors import UsageError
from seatrial.infra import apply
from seatrial.release import oneoff
from tests.functional.emulator.support import Running, emulator
from tests.functional.release.support import TOML, Place, project

if TYPE_CHECKING:
    from collections.abc import Iterator

DJANGO = (
    TOML.replace("tiny.settings", "kit.settings")
    .replace(
        'command = ["python", "-m", "tiny.gate"]', 'command = ["python", "manage.py", "migrate", "--verbosity", "0"]'
    )
    .replace("timeout = 4", "timeout = 300")
)
MANAGE = """
import os, sys
from django.core.management import execute_from_command_line
os.environ["DJANGO_SETTINGS_MODULE"] = "kit.settings"
execute_from_command_line(sys.argv)
"""
SETTINGS = """
import os
SECRET_KEY = "x"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "USER": os.environ["PGUSER"],
        "PASSWORD": os.environ["PGPASSWORD"],
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
    }
}
INSTALLED_APPS = ["parts"]
"""
MIGRATION = """
from django.db import migrations, models

def fill(apps, schema_editor):
    pass

class Migration(migrations.Migration):
    dependencies = {before}
    operations = [{operations}]
"""
CREATE = """migrations.CreateModel("Part", [
    ("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=9)),
    ("text", models.TextField()),
])"""
REMOVED, RAN = "parts.0003_less:RemoveField parts.Part.text", "parts.0003_less:RunPython fill"


def acknowledged(it: Place, *named: str) -> Place:
    """Return the place when these operations are acknowledged, and no other."""
    table = f"[migrations]\nacknowledged = {list(named)}\n[database]\ndeletion_protection = false\n"
    (it.root / "seatrial.toml").write_text(DJANGO.format(app="kit") + table)
    return replace(it, settings=load(it.root / "seatrial.toml", "local"))


def migrate(it: Place, name: str, before: str | None, operations: str) -> None:
    dependencies = [("parts", before)] if before else []
    (it.root / "parts" / "migrations" / f"{name}.py").write_text(
        MIGRATION.format(before=dependencies, operations=operations)
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("emulator"), time_scale=0.02) as it:
        yield it


@pytest.fixture(scope="module")
def kit(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Three releases: a table, a column more, and a column less."""
    root = tmp_path_factory.mktemp("kit") / "project"
    settings, aws = project(root, running.info.endpoint, DJANGO.format(app="kit"))
    for directory in ("kit", "parts", "parts/migrations"):
        (root / directory).mkdir()
        (root / directory / "__init__.py").touch()
    (root / "manage.py").write_text(MANAGE)
    (root / "kit" / "settings.py").write_text(SETTINGS)
    (root / "requirements.txt").write_text("django==5.2.*\npsycopg[binary]>=3.1.8,<4\n")
    it = acknowledged(Place(root, aws, settings, ""), REMOVED)
    it.url = apply(it.settings, aws).outputs["Url"]
    migrate(it, "0001_initial", None, CREATE)
    it.commit("one")
    assert it.deploy().exit_code == 0
    migrate(it, "0002_more", "0001_initial", 'migrations.AddField("part", "more", models.TextField(null=True))')
    it.commit("two")
    assert it.deploy().exit_code == 0
    migrate(it, "0003_less", "0002_more", 'migrations.RemoveField("part", "text"), migrations.RunPython(fill)')
    it.commit("three")
    assert it.deploy().exit_code == 0
    return acknowledged(it)


@pytest.mark.parametrize("to", [None, 1])
def test_a_column_that_the_older_code_needs_refuses_the_rollback(kit: Place, to: int | None) -> None:
    live, newest = kit.revisions(), kit.records.latest_number()
    with pytest.raises(UsageError, match="cannot live with what was applied to the database since") as refused:
        kit.rollback(to=to)
    assert refused.value.exit_code == 2
    assert refused.value.message.endswith(f"{REMOVED}; {RAN}")
    assert f"{REMOVED}: contract, irreversible" in refused.value.details
    assert "migrations.acknowledged" in (refused.value.hint or "")
    assert (kit.revisions(), kit.records.latest_number(), kit.locked) == (live, newest, False)


def test_what_is_acknowledged_by_name_lets_it_through(kit: Place) -> None:
    outcome = acknowledged(kit, REMOVED, RAN).rollback()
    assert (outcome.exit_code, kit.answer()) == (0, "two"), outcome
    (step,) = (each for each in outcome.steps if each.kind == "migrations")
    assert (step.step, step.result) == (
        "check the migrations applied since",
        "2 operations applied since release 2: 1 contract, 1 unknown",
    )


def test_what_was_applied_by_a_release_that_is_not_live_any_more_counts(kit: Place) -> None:
    """Release two serves again, whose code does not know the third migration. The first release needs the column."""
    with pytest.raises(UsageError, match="cannot live with") as refused:
        kit.rollback(to=1)
    assert refused.value.message.endswith(f"{REMOVED}; {RAN}")


def test_status_has_the_pending_migrations_where_a_task_may_ask(
    running: Running, kit: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", running.info.endpoint)
    file = str(kit.root / "seatrial.toml")

    def pending(*options: str) -> tuple[list[str] | None, str]:
        with pytest.raises(SystemExit):
            main(["status", "local", "--json", "--config", file, *options])
        found = json.loads(capsys.readouterr().out)["migrations"]
        return found["pending"], found["note"]

    tasks = len(kit.aws.client("ecs").list_tasks(cluster="kit-local", desiredStatus="STOPPED")["taskArns"])
    assert pending() == (None, "only the database knows; --migrations has a task on the live image ask it")
    assert len(kit.aws.client("ecs").list_tasks(cluster="kit-local", desiredStatus="STOPPED")["taskArns"]) == tasks
    assert pending("--migrations")[0] == []
    back = ("python", "manage.py", "migrate", "parts", "0001_initial")
    assert oneoff.run(kit.settings, kit.aws, task=None, command=back, on_event=kit.events.append).exit_code == 0
    assert pending("--migrations")[0] == ["parts.0002_more"]


def test_without_a_new_migration_nobody_is_asked(kit: Place) -> None:
    (kit.root / "parts" / "migrations" / "0003_less.py").unlink()  # as in release four, which put the second back
    kit.commit("five")
    assert kit.deploy().exit_code == 0
    kit.events.clear()
    outcome = kit.rollback()
    assert (outcome.exit_code, kit.answer()) == (0, "two"), outcome
    assert outcome.number == 6
    (step,) = (each for each in outcome.steps if each.kind == "migrations")
    assert step.result == "no migration was applied since release 4"
