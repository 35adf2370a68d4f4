"""What refuses a release, and what lets it pass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seatrial.config.load import loads
from seatrial.errors import ConfigError
from seatrial.project.migrations.ask import command, environment, interpreter
from seatrial.project.migrations.operations import Field, Model, Operation
from seatrial.project.migrations.rules import table
from seatrial.project.migrations.verdict import Circumstances, Verdict, judge
from tests.unit.release.support import TOML, settings_of

PART = Model("Part", "stock_part", real=True)
REMOVE = Operation(
    "RemoveField", "stock", "0007_drop", "RemoveField", old=PART, new=PART, model="Part", field="old",
    before=Field(column="old", type="text"),
)  # fmt: skip
INDEX = Operation("AddIndex", "stock", "0008_index", "AddIndex", old=PART, new=PART, model="Part", part=("Index", "i"))
FILL = Operation("RunPython", "stock", "0009_fill", "RunPython", code="fill")
NAME = "stock.0007_drop:RemoveField stock.Part.old"
MIB = 1024 * 1024


def severities(verdict: Verdict) -> list[str]:
    return [each.severity for each in verdict.findings]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({}, ["refuse", "warn", "warn"]),
        ({"sizes": {}}, ["refuse", "note", "warn"]),
        ({"sizes": {"stock_part": (10, 64 * MIB - 1)}}, ["refuse", "note", "warn"]),
        ({"sizes": {"stock_part": (10, 64 * MIB)}}, ["refuse", "refuse", "warn"]),
        ({"sizes": {"stock_part": (10, 64 * MIB)}, "large": 65}, ["refuse", "note", "warn"]),
        ({"sizes": {"stock_part": (10, 1)}, "large": 0}, ["refuse", "refuse", "warn"]),
        ({"both_alive": False}, ["note", "note", "note"]),
        ({"acknowledged": (NAME,)}, ["acknowledged", "warn", "warn"]),
        ({"acknowledged": ("stock.0009_fill:RunPython fill",)}, ["refuse", "warn", "acknowledged"]),
        ({"window": True}, ["acknowledged", "warn", "warn"]),
        ({"backwards": True, "both_alive": False}, ["refuse", "note", "refuse"]),
        ({"backwards": True, "acknowledged": (NAME,)}, ["acknowledged", "note", "refuse"]),
        ({"backwards": True, "sizes": {"stock_part": (10, 64 * MIB)}}, ["refuse", "note", "refuse"]),
    ],
)
def test_severities(now: dict[str, Any], expected: list[str]) -> None:
    assert severities(judge((REMOVE, INDEX, FILL), Circumstances(**now))) == expected


def test_a_column_that_left_django_alone_is_there_for_older_code() -> None:
    required = Field(column="old", type="text")
    removed = Operation("RemoveField", "stock", "0007_drop", "RemoveField", old=PART, new=PART, before=required)
    apart = Operation("SeparateDatabaseAndState", "stock", "0007_drop", "SeparateDatabaseAndState", states=(removed,))
    assert severities(judge((apart,), Circumstances())) == ["refuse"]
    assert severities(judge((apart,), Circumstances(backwards=True))) == ["note"]


def test_a_finding_names_operation_reason_and_way_out() -> None:
    verdict = judge((REMOVE, INDEX), Circumstances(sizes={"stock_part": (12, 3 * MIB)}))
    text = "\n".join(verdict.lines())
    assert verdict.summary == "2 pending operations: 1 contract, 1 long-locking"
    assert f"{NAME}: contract, irreversible (stock_part: 3.0 MiB, about 12 rows) [refuse]" in text
    assert "way out: split it in two releases" in text
    found = json.loads(json.dumps(verdict.to_json()))
    assert found["refused"] is True
    assert [each["name"] for each in found["findings"]] == [NAME, "stock.0008_index:AddIndex stock.Part i"]
    assert found["findings"][0]["rules"][0]["id"] == "remove-column"


def test_what_is_acknowledged_and_not_pending_is_said() -> None:
    misspelt, old = "stock.0007_drop:RemoveField stock.Part.odl", "parts.0001_x:DeleteModel parts.Gone"
    verdict = judge((REMOVE,), Circumstances(acknowledged=(misspelt, old)))
    assert severities(verdict) == ["refuse"]
    assert f"did you mean {NAME}?" in verdict.notes[0]
    assert "can be removed" in verdict.notes[1]
    assert judge((), Circumstances()).lines() == ["no migration is pending"]


def test_the_question_fits_into_the_overrides_of_run_task() -> None:
    """ECS API reference, RunTask: "A total of 8192 characters are allowed for overrides"."""
    leaves = {f"application_{number}": f"{number:04}_a_migration_with_a_long_name" for number in range(40)}
    question = {"root": "backend", "ask": True, "list": True, "leaves": leaves}
    words = command(settings_of(), question, ("python",))
    assert len(json.dumps(leaves)) < 2500
    assert len(json.dumps({"containerOverrides": [{"name": "migrate", "command": words}]})) < 8192


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("python manage.py migrate --noinput", (("python",), "")),
        ("/venv/bin/python -u backend/manage.py migrate", (("/venv/bin/python", "-u"), "backend")),
        ("uv run python manage.py migrate", (("uv", "run", "python"), "")),
        ("./manage.py migrate", (("python",), "")),
        ("gunicorn shop.wsgi", (("python",), "")),
    ],
)
def test_how_python_is_started(words: str, expected: tuple[tuple[str, ...], str]) -> None:
    assert interpreter(words.split()) == expected


def test_secrets_are_stood_in_for() -> None:
    settings = settings_of(
        TOML
        + "[database]\nname = 'shop'\n[cache]\n[media]\n[site]\nsource = 'f'\nbuild = 'b'\n"
        + "[secrets]\nTOKEN = {}\n[environment]\nA = '1'"
    )
    found = environment(settings)
    assert found["A"] == "1"
    assert found["PGDATABASE"] == "shop"
    assert "stands-in" in found["TOKEN"]
    assert {"REDIS_URL", "MEDIA_BUCKET", "PGPASSWORD", "SITE_URL"} <= set(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('acknowledged = ["RemoveField stock.Part.old"]', "migrations.acknowledged"),
        ("large_table = -1", "migrations.large_table"),
        ("maintenance = { from = 2026-03-01T04:00:00Z, until = 2026-03-01T02:00:00Z }", "migrations.maintenance"),
        ("maintenance = { from = 2026-03-01T02:00:00, until = 2026-03-01T04:00:00 }", "migrations.maintenance.from"),
        ("aknowledged = []", 'did you mean "acknowledged"?'),
    ],
)
def test_the_configuration_is_refused_with_file_and_key(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(f"{TOML}\n[migrations]\n{text}\n", "production", file="seatrial.toml")
    assert "seatrial.toml:" in str(caught.value)
    assert said in f"{caught.value} {caught.value.hint}"


def test_the_table_of_rules_is_markdown() -> None:
    assert all(line.count(" | ") == 3 for line in table().splitlines())
