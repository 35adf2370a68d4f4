"""Releases that must fail: each says why, ends with its exit code, and leaves the old version serving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.system.stage import Stage, failures, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NO_IMAGE = "sha256:" + "0" * 64

RAISING_MIGRATION = """
from django.db import migrations


def fail(apps, schema_editor):
    raise ValueError("the migration's own mistake")


class Migration(migrations.Migration):
    dependencies = [("parts", "{last}")]
    operations = [migrations.RunPython(fail)]
"""


@dataclass(frozen=True)
class Case:
    name: str
    change: Callable[[Stage], None]
    exit_code: int
    cause: str
    options: tuple[tuple[str, Any], ...] = ()
    infra: bool = False

    def __str__(self) -> str:
        return self.name


def never_ready(stage: Stage) -> None:
    stage.edit("health/views.py", lambda text: text + "\n\ndef ready(request):\n    return HttpResponse(status=503)\n")


def exits_at_once(stage: Stage) -> None:
    stage.edit("stockweb/wsgi.py", lambda text: text + "\n\nraise RuntimeError('the new version cannot start')\n")


def migration_raises(stage: Stage) -> None:
    migrations = stage.project / "parts" / "migrations"
    last = max(path.stem for path in migrations.glob("0*.py"))
    (migrations / "9999_fails.py").write_text(RAISING_MIGRATION.replace("{last}", last))


def migration_drops_what_is_read(stage: Stage) -> None:
    migration_raises(stage)
    file = stage.project / "parts" / "migrations" / "9999_fails.py"
    file.write_text(file.read_text().replace("RunPython(fail)", 'RemoveField("part", "mpn")'))


def migration_hangs(stage: Stage) -> None:
    migration_raises(stage)
    file = stage.project / "parts" / "migrations" / "9999_fails.py"
    file.write_text(file.read_text().replace("raise ValueError", "import threading; threading.Event().wait(600); ("))
    file.write_text(file.read_text().replace('("the migration\'s own mistake")', '"")'))
    stage.edit("seatrial.toml", lambda text: text.replace("[tasks.migrate]\n", "[tasks.migrate]\ntimeout = '6s'\n"))


def unknown_secret(stage: Stage) -> None:
    arn = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:nowhere-AbCdEf"
    stage.edit(
        "seatrial.toml", lambda text: text.replace("[secrets]\n", f'[secrets]\nNOWHERE = {{ from = "{arn}" }}\n')
    )


def nothing(_stage: Stage) -> None:
    pass


CASES = [
    Case("readiness never turns 200", never_ready, 1, "503"),
    Case("the image exits at once", exits_at_once, 1, "the new version cannot start"),
    Case("a migration raises", migration_raises, 1, "the migration's own mistake"),
    Case("a migration drops what is read", migration_drops_what_is_read, 2, "RemoveField parts.Part.mpn: contract"),
    Case("a task hangs", migration_hangs, 1, "6 s"),
    Case("an unknown secret", unknown_secret, 1, "nowhere-AbCdEf", infra=True),
    Case("an image that does not exist", nothing, 2, NO_IMAGE[:19], options=(("image", NO_IMAGE),)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_fails_honestly_and_the_old_version_serves(case: Case, released: Stage, tmp_path: Path) -> None:
    before = released.ecs.services(["web", "worker", "beat"])
    with released.edited(), released.load(tmp_path / "samples", rate=50) as load:
        until(load, 50)
        case.change(released)
        if case.infra:
            released.apply()
        exit_code, said = released.told(**dict(case.options))
        load.stop()
    if case.infra:
        released.apply()
    assert exit_code == case.exit_code, said
    assert case.cause in said
    assert failures(load.samples()) == []
    after = released.ecs.services(["web", "worker", "beat"])
    for name, service in after.items():
        assert service.task_definition == before[name].task_definition
        assert service.running == service.desired == before[name].desired
